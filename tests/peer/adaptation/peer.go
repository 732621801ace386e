// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/containerd/nri/pkg/adaptation"
	"github.com/containerd/nri/pkg/api"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// command is one line of input. Which fields count depends on Cmd.
type command struct {
	Cmd string `json:"cmd"`

	// create, bench: protojson of the NRI messages.
	Pod       json.RawMessage `json:"pod,omitempty"`
	Container json.RawMessage `json:"container,omitempty"`

	// bench
	N      int `json:"n,omitempty"`
	Warmup int `json:"warmup,omitempty"`

	// wait: until Plugins plugins are registered and synchronized and, with
	// Syncs, at least so many Synchronize rounds have ended since the start.
	Plugins   *int `json:"plugins,omitempty"`
	Syncs     int  `json:"syncs,omitempty"`
	TimeoutMS int  `json:"timeout_ms,omitempty"`

	// sync: the state that plugins are given when they connect.
	Pods           int `json:"pods,omitempty"`
	ContainersEach int `json:"containers_each,omitempty"`
	Annotations    int `json:"annotations,omitempty"`
	ValueBytes     int `json:"value_bytes,omitempty"`

	// state: the same, one by one; protojson of the NRI messages.
	PodList       []json.RawMessage `json:"pod_list,omitempty"`
	ContainerList []json.RawMessage `json:"container_list,omitempty"`
}

type reply map[string]any

// peer holds one runtime: after "start" it launches and accepts plugins.
type peer struct {
	opts   options
	roster *roster

	mu         sync.Mutex
	runtime    *adaptation.Adaptation
	pods       []*api.PodSandbox
	containers []*api.Container
	syncs      int
	syncErrors []string
}

func (p *peer) do(ctx context.Context, cmd *command) (reply, error) {
	switch cmd.Cmd {
	case "start":
		return p.start()
	case "stop":
		p.stop()
		return reply{}, nil
	case "sync":
		return p.setState(cmd), nil
	case "state":
		return p.listState(cmd)
	case "plugins":
		return p.status(), nil
	case "wait":
		return p.wait(cmd)
	case "create":
		return p.create(ctx, cmd)
	case "bench":
		return p.bench(ctx, cmd)
	}
	return nil, fmt.Errorf("unknown command %q", cmd.Cmd)
}

// start brings a fresh runtime up. It returns after launched plugins have had
// their turn, as a real runtime does before it serves CRI.
func (p *peer) start() (reply, error) {
	if p.runtime != nil {
		return nil, errors.New("already started")
	}
	opts := []adaptation.Option{
		adaptation.WithPluginPath(p.opts.pluginPath),
		adaptation.WithPluginConfigPath(p.opts.configPath),
	}
	if p.opts.socket == "" {
		opts = append(opts, adaptation.WithDisabledExternalConnections())
	} else {
		opts = append(opts, adaptation.WithSocketPath(p.opts.socket))
	}
	r, err := adaptation.New(p.opts.name, p.opts.version, p.synchronize, noUpdates, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the runtime side: %w", err)
	}
	if err := r.Start(); err != nil {
		return nil, fmt.Errorf("starting the runtime side: %w", err)
	}
	p.runtime = r
	return p.status(), nil
}

// stop ends the runtime side and the plugins that it launched.
func (p *peer) stop() {
	if p.runtime == nil {
		return
	}
	p.runtime.Stop()
	p.runtime = nil
}

func noUpdates(context.Context, []*api.ContainerUpdate) ([]*api.ContainerUpdate, error) {
	return nil, nil
}

// synchronize hands the prepared state to a plugin that has just registered.
func (p *peer) synchronize(ctx context.Context, cb adaptation.SyncCB) error {
	p.mu.Lock()
	pods, containers := p.pods, p.containers
	p.mu.Unlock()

	_, err := cb(ctx, pods, containers)

	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.syncErrors = append(p.syncErrors, err.Error())
		return err
	}
	p.syncs++
	p.roster.wake()
	return nil
}

func (p *peer) status() reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	return reply{
		"plugins":     p.roster.names(),
		"syncs":       p.syncs,
		"sync_errors": append([]string{}, p.syncErrors...),
	}
}

// wait polls nothing: the roster wakes it at every change.
func (p *peer) wait(cmd *command) (reply, error) {
	timeout := time.Duration(cmd.TimeoutMS) * time.Millisecond
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	reached := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return (cmd.Plugins == nil || len(p.roster.names()) == *cmd.Plugins) && p.syncs >= cmd.Syncs
	}
	if !p.roster.waitFor(reached, timeout) {
		return nil, fmt.Errorf("not reached after %v: %v", timeout, p.status())
	}
	return p.status(), nil
}

func (p *peer) request(cmd *command) (*api.CreateContainerRequest, error) {
	if p.runtime == nil {
		return nil, errors.New("not started")
	}
	req := &api.CreateContainerRequest{Pod: &api.PodSandbox{}, Container: &api.Container{}}
	if err := fromJSON(cmd.Pod, req.Pod); err != nil {
		return nil, fmt.Errorf("pod: %w", err)
	}
	if err := fromJSON(cmd.Container, req.Container); err != nil {
		return nil, fmt.Errorf("container: %w", err)
	}
	return req, nil
}

func fromJSON(raw json.RawMessage, m proto.Message) error {
	if len(raw) == 0 {
		return nil
	}
	return protojson.Unmarshal(raw, m)
}

// create asks all plugins about one container and reports the merged adjustment.
func (p *peer) create(ctx context.Context, cmd *command) (reply, error) {
	req, err := p.request(cmd)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	rpl, err := p.runtime.CreateContainer(ctx, req)
	if err != nil {
		return nil, err
	}
	elapsed := time.Since(start)
	adjust, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(rpl.GetAdjust())
	if err != nil {
		return nil, fmt.Errorf("reply to JSON: %w", err)
	}
	return reply{
		"adjust": json.RawMessage(adjust),
		"bytes":  proto.Size(rpl),
		"ns":     elapsed.Nanoseconds(),
	}, nil
}

// bench repeats one request. Each call gets a copy of its own, made outside the
// measured time: the library writes every plugin's changes into the request.
func (p *peer) bench(ctx context.Context, cmd *command) (reply, error) {
	req, err := p.request(cmd)
	if err != nil {
		return nil, err
	}
	if cmd.N <= 0 {
		return nil, errors.New("bench needs n > 0")
	}
	times := make([]int64, 0, cmd.N)
	hooks := 0
	for i := -cmd.Warmup; i < cmd.N; i++ {
		one := proto.Clone(req).(*api.CreateContainerRequest)
		start := time.Now()
		rpl, err := p.runtime.CreateContainer(ctx, one)
		elapsed := time.Since(start)
		if err != nil {
			return nil, fmt.Errorf("call %d: %w", i, err)
		}
		if i >= 0 {
			times = append(times, elapsed.Nanoseconds())
		}
		hooks = countHooks(rpl.GetAdjust().GetHooks())
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	return reply{
		"n":      len(times),
		"hooks":  hooks,
		"min_ns": times[0],
		"p50_ns": quantile(times, 50),
		"p90_ns": quantile(times, 90),
		"p99_ns": quantile(times, 99),
		"max_ns": times[len(times)-1],
	}, nil
}

// quantile is the nearest-rank percentile of sorted values.
func quantile(sorted []int64, percent int) int64 {
	return sorted[(len(sorted)*percent+99)/100-1]
}

func countHooks(h *api.Hooks) int {
	return len(h.GetPrestart()) + len(h.GetCreateRuntime()) + len(h.GetCreateContainer()) +
		len(h.GetStartContainer()) + len(h.GetPoststart()) + len(h.GetPoststop())
}
