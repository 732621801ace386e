// SPDX-License-Identifier: Apache-2.0

// Command adaptation is the runtime side of NRI without a runtime: containerd's
// own nri/pkg/adaptation, driven by JSON commands on stdin, one JSON reply line
// per command on stdout. One source, built once per NRI version:
//
//	go build -modfile=nri-0.8.0.mod -o DIR/adaptation-0.8.0 .
//
// It reports what a plugin answered exactly as it came over the wire: nothing is
// filled in, dropped or put in another order.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/containerd/nri/pkg/adaptation"
	"github.com/containerd/nri/pkg/log"
)

// options are what the command line fixes for the life of the process.
type options struct {
	socket       string
	pluginPath   string
	configPath   string
	name         string
	version      string
	registration time.Duration
	request      time.Duration
}

func parseFlags(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("adaptation", flag.ContinueOnError)
	fs.StringVar(&o.socket, "socket", "", "NRI socket to listen on; empty: no external plugins")
	fs.StringVar(&o.pluginPath, "plugin-path", "", "directory of plugins to launch")
	fs.StringVar(&o.configPath, "plugin-config-path", "", "directory of their configuration drop-ins")
	fs.StringVar(&o.name, "name", "containerd", "runtime name that plugins are told")
	fs.StringVar(&o.version, "version", "v2.1.4", "runtime version that plugins are told")
	fs.DurationVar(&o.registration, "registration-timeout", adaptation.DefaultPluginRegistrationTimeout,
		"time a plugin has to register")
	fs.DurationVar(&o.request, "request-timeout", adaptation.DefaultPluginRequestTimeout,
		"time a plugin has to answer one request")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if o.pluginPath == "" || o.configPath == "" {
		return o, errors.New("--plugin-path and --plugin-config-path are required: " +
			"the library's defaults would launch the plugins of this host")
	}
	return o, nil
}

func main() {
	opts, err := parseFlags(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "adaptation:", err)
		os.Exit(2)
	}
	adaptation.SetPluginRegistrationTimeout(opts.registration)
	adaptation.SetPluginRequestTimeout(opts.request)

	watch := newRoster(os.Stderr)
	log.Set(watch)
	p := &peer{opts: opts, roster: watch}
	defer p.stop()
	if err := serve(p, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "adaptation:", err)
		os.Exit(1)
	}
}

// serve answers commands one after the other until "stop" or the end of input. The
// process ends with them: the library's own Stop leaves external connections open,
// and what a plugin has to cope with is a runtime that is gone.
func serve(p *peer, in io.Reader, out io.Writer) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var cmd command
		if err := dec.Decode(&cmd); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a command: %w", err)
		}
		r, err := p.do(context.Background(), &cmd)
		if err != nil {
			r = reply{"ok": false, "error": err.Error()}
		} else {
			r["ok"] = true
		}
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("writing a reply: %w", err)
		}
		if cmd.Cmd == "stop" {
			return nil
		}
	}
}
