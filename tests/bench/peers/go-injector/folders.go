// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"

	"github.com/containerd/nri/pkg/api"
	rspec "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/sirupsen/logrus"
	"go.podman.io/common/pkg/hooks"
)

// folders are the hooks of oci-hooks(5) folders.
type folders struct {
	manager *hooks.Manager
}

func readFolders(dirs []string) (*folders, error) {
	manager, err := hooks.New(context.Background(), dirs, nil)
	if err != nil {
		return nil, fmt.Errorf("reading hooks: %w", err)
	}
	return &folders{manager: manager}, nil
}

// match gives the library what it matches on: the command, whether there are mounts, and the
// container's annotations overlaid by the pod's. One line is logged for a container that gets
// hooks, since that is what an injector in production does.
func (f *folders) match(pod *api.PodSandbox, ctr *api.Container) (*api.Hooks, error) {
	annotations := make(map[string]string, len(ctr.Annotations)+len(pod.Annotations))
	maps.Copy(annotations, ctr.Annotations)
	maps.Copy(annotations, pod.Annotations)
	spec := &rspec.Spec{Process: &rspec.Process{Args: ctr.Args}}
	if _, err := f.manager.Hooks(spec, annotations, len(ctr.Mounts) > 0); err != nil {
		return nil, fmt.Errorf("matching hooks: %w", err)
	}
	if spec.Hooks != nil {
		logrus.Infof("%s/%s/%s: OCI hooks injected", pod.Namespace, pod.Name, ctr.Name)
	}
	return api.FromOCIHooks(spec.Hooks), nil
}
