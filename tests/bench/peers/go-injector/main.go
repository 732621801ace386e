// SPDX-License-Identifier: Apache-2.0

// Command go-injector is a plain NRI hook injector in Go, on the library that every
// NRI plugin in Go uses. It takes the command line of "grapnel plugin" as far as it
// goes, so that tests and benchmarks can put it where Grapnel would be. Its hooks are
// those of oci-hooks(5) folders (--hooks-dir), matched by the library that Podman,
// CRI-O and NRI's own hook-injector share, and those of --hook, for every container.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/nri/pkg/api"
	"github.com/containerd/nri/pkg/stub"
)

// injector adds the same hooks to every container, and those of the folders that match it.
type injector struct {
	hooks   *api.Hooks
	folders *folders
}

// CreateContainer is the one event that this plugin takes part in.
func (p *injector) CreateContainer(_ context.Context, pod *api.PodSandbox, ctr *api.Container) (
	*api.ContainerAdjustment, []*api.ContainerUpdate, error) {
	adjust := &api.ContainerAdjustment{}
	adjust.AddHooks(p.hooks)
	if p.folders == nil {
		return adjust, nil, nil
	}
	matched, err := p.folders.match(pod, ctr)
	if err != nil {
		return nil, nil, err
	}
	if matched != nil {
		adjust.AddHooks(matched)
	}
	return adjust, nil, nil
}

// hookFlag collects --hook STAGE=PATH.
type hookFlag struct{ hooks api.Hooks }

func (f *hookFlag) String() string { return "" }

func (f *hookFlag) Set(value string) error {
	stage, path, ok := strings.Cut(value, "=")
	if !ok {
		return errors.New("expected STAGE=PATH")
	}
	stages := map[string]*[]*api.Hook{
		"prestart":        &f.hooks.Prestart,
		"createRuntime":   &f.hooks.CreateRuntime,
		"createContainer": &f.hooks.CreateContainer,
		"startContainer":  &f.hooks.StartContainer,
		"poststart":       &f.hooks.Poststart,
		"poststop":        &f.hooks.Poststop,
	}
	list, known := stages[stage]
	if !known {
		return fmt.Errorf("unknown stage %q", stage)
	}
	*list = append(*list, &api.Hook{Path: path, Args: []string{path}})
	return nil
}

// listFlag collects a flag that may be repeated.
type listFlag []string

func (f *listFlag) String() string { return "" }

func (f *listFlag) Set(value string) error {
	*f = append(*f, value)
	return nil
}

func run(args []string) error {
	if len(args) > 0 && args[0] == "plugin" {
		args = args[1:]
	}
	var hooks hookFlag
	var dirs listFlag
	var opts []stub.Option
	fs := flag.NewFlagSet("go-injector", flag.ContinueOnError)
	socket := fs.String("socket", "", "NRI socket")
	index := fs.String("index", "", "plugin index")
	name := fs.String("name", "", "plugin name")
	fs.Var(&hooks, "hook", "STAGE=PATH of a hook for every container; may be repeated")
	fs.Var(&dirs, "hooks-dir", "folder of oci-hooks(5) files; may be repeated")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *index != "" {
		opts = append(opts, stub.WithPluginIdx(*index))
	}
	if *name != "" {
		opts = append(opts, stub.WithPluginName(*name))
	}
	if *socket != "" {
		opts = append(opts, stub.WithSocketPath(*socket))
	}
	p := &injector{hooks: &hooks.hooks}
	if len(dirs) > 0 {
		var err error
		if p.folders, err = readFolders(dirs); err != nil {
			return err
		}
	}
	s, err := stub.New(p, opts...)
	if err != nil {
		return err
	}
	return s.Run(context.Background())
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "go-injector:", err)
		os.Exit(1)
	}
}
