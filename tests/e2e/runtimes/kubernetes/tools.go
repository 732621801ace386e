// SPDX-License-Identifier: Apache-2.0

// The commands that tests/e2e/fetch builds from this module. Nothing here is
// compiled: the file only makes "go mod tidy" pin what those commands need.

//go:build tools

package tools

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
