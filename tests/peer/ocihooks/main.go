// SPDX-License-Identifier: Apache-2.0

// The hooks library of podman, CRI-O and buildah, asked: which files of some directories does it
// load, and which hooks does each of some containers get?
//
// One JSON request per line on stdin, one JSON answer per line on stdout.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	rspec "github.com/opencontainers/runtime-spec/specs-go"
	"go.podman.io/common/pkg/hooks"
	current "go.podman.io/common/pkg/hooks/1.0.0"
)

type container struct {
	Args        []string          `json:"args"`
	Annotations map[string]string `json:"annotations"` // the pod's laid over the container's
	BindMounts  bool              `json:"bindMounts"`
}

type request struct {
	Directories []string    `json:"directories"`
	Containers  []container `json:"containers"`
}

type answer struct {
	Hooks *rspec.Hooks `json:"hooks,omitempty"`
	Error string       `json:"error,omitempty"`
}

type reply struct {
	Files  map[string]string `json:"files"`  // path: the error, or "" when it is loaded
	New    string            `json:"new"`    // why the library would not start at all
	Hooked []answer          `json:"hooked"` // one per container; empty when new failed
}

// files reads each file on its own, as a reload does.
func files(directories []string, out map[string]string) error {
	for _, directory := range directories {
		entries, err := os.ReadDir(directory)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			path := directory + "/" + entry.Name()
			_, err := hooks.Read(path, nil)
			if err == hooks.ErrNoJSONSuffix {
				continue
			}
			out[path] = ""
			if err != nil {
				out[path] = err.Error()
			}
		}
	}
	return nil
}

func hooked(manager *hooks.Manager, c container) answer {
	spec := rspec.Spec{Process: &rspec.Process{Args: c.Args}}
	_, err := manager.Hooks(&spec, c.Annotations, c.BindMounts)
	if err != nil {
		return answer{Error: err.Error()}
	}
	if spec.Hooks == nil {
		spec.Hooks = &rspec.Hooks{}
	}
	return answer{Hooks: spec.Hooks}
}

func run(r request) (reply, error) {
	out := reply{Files: map[string]string{}, Hooked: []answer{}}
	if err := files(r.Directories, out.Files); err != nil {
		return out, err
	}
	manager, err := hooks.New(context.Background(), r.Directories, nil)
	if err != nil {
		out.New = err.Error()
		return out, nil
	}
	for _, c := range r.Containers {
		out.Hooked = append(out.Hooked, hooked(manager, c))
	}
	return out, nil
}

func serve() error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		answer, err := run(r)
		if err != nil {
			return err
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println(hooks.Version, current.Version)
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "ocihooks:", err)
		os.Exit(1)
	}
}
