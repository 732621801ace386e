// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/containerd/nri/pkg/api"
)

// setState prepares what the next plugins get at Synchronize: pods with so many
// annotations of so many bytes, each with so many running containers.
func (p *peer) setState(cmd *command) reply {
	annotations := makeAnnotations(cmd.Annotations, cmd.ValueBytes)
	pods := make([]*api.PodSandbox, 0, cmd.Pods)
	var containers []*api.Container
	for i := 0; i < cmd.Pods; i++ {
		pod := &api.PodSandbox{
			Id:          fmt.Sprintf("%064x", i+1),
			Name:        fmt.Sprintf("pod-%d", i),
			Uid:         fmt.Sprintf("uid-%d", i),
			Namespace:   "default",
			Labels:      map[string]string{"app": fmt.Sprintf("app-%d", i)},
			Annotations: annotations,
		}
		pods = append(pods, pod)
		for c := 0; c < cmd.ContainersEach; c++ {
			containers = append(containers, makeContainer(pod.Id, i, c, annotations))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pods, p.containers = pods, containers
	return reply{"pods": len(pods), "containers": len(containers)}
}

// listState prepares just these pods and containers.
func (p *peer) listState(cmd *command) (reply, error) {
	var pods []*api.PodSandbox
	var containers []*api.Container
	for _, raw := range cmd.PodList {
		pod := &api.PodSandbox{}
		if err := fromJSON(raw, pod); err != nil {
			return nil, fmt.Errorf("pod: %w", err)
		}
		pods = append(pods, pod)
	}
	for _, raw := range cmd.ContainerList {
		container := &api.Container{}
		if err := fromJSON(raw, container); err != nil {
			return nil, fmt.Errorf("container: %w", err)
		}
		containers = append(containers, container)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pods, p.containers = pods, containers
	return reply{"pods": len(pods), "containers": len(containers)}, nil
}

func makeAnnotations(n, valueBytes int) map[string]string {
	m := make(map[string]string, n)
	for i := 0; i < n; i++ {
		m[fmt.Sprintf("example.com/annotation-%d", i)] = strings.Repeat("x", valueBytes)
	}
	return m
}

func makeContainer(podID string, pod, n int, annotations map[string]string) *api.Container {
	return &api.Container{
		Id:           fmt.Sprintf("%032x%032x", pod+1, n+1),
		PodSandboxId: podID,
		Name:         fmt.Sprintf("container-%d", n),
		State:        api.ContainerState_CONTAINER_RUNNING,
		Annotations:  annotations,
		Args:         []string{"/bin/sleep", "infinity"},
		Env:          []string{"PATH=/bin"},
	}
}
