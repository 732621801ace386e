// SPDX-License-Identifier: Apache-2.0

// The commands that tests/e2e/fetch builds from this module. Nothing here is
// compiled: the file only makes "go mod tidy" pin what those commands need.

//go:build tools

package tools

import (
	_ "github.com/containerd/containerd/cmd/containerd"
	_ "github.com/containerd/containerd/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/cmd/ctr"
)
