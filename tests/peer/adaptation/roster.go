// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// The library keeps its list of plugins to itself, but logs it at every change.
// These are the formats of the lines that carry it; all five versions share them.
const (
	formatOrder  = "plugin invocation order"
	formatEntry  = "  #%d: %q (%s)"
	formatClosed = "connection to plugin %q closed"
)

// roster is the library's logger: it writes its lines to w and reads from them
// which plugins are in the event list, in calling order.
type roster struct {
	w io.Writer

	mu      sync.Mutex
	plugins []string
	changed chan struct{}
}

func newRoster(w io.Writer) *roster {
	return &roster{w: w, changed: make(chan struct{})}
}

func (r *roster) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.plugins...)
}

// wake makes every waiter look again.
func (r *roster) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wakeLocked()
}

func (r *roster) wakeLocked() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// waitFor returns true as soon as reached() holds, false when it did not in time.
func (r *roster) waitFor(reached func() bool, timeout time.Duration) bool {
	end := time.After(timeout)
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		if reached() {
			return true
		}
		select {
		case <-changed:
		case <-end:
			return reached()
		}
	}
}

func (r *roster) observe(format string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch format {
	case formatOrder:
		r.plugins = nil
	case formatEntry:
		r.plugins = append(r.plugins, fmt.Sprint(args[1]))
	case formatClosed:
		if i := slices.Index(r.plugins, fmt.Sprint(args[0])); i >= 0 {
			r.plugins = slices.Delete(r.plugins, i, i+1)
		}
	default:
		return
	}
	r.wakeLocked()
}

func (r *roster) write(level, format string, args []any) {
	r.observe(format, args)
	fmt.Fprintf(r.w, "%s "+format+"\n", append([]any{level}, args...)...)
}

func (r *roster) Debugf(_ context.Context, format string, args ...any) {
	r.write("debug", format, args)
}

func (r *roster) Infof(_ context.Context, format string, args ...any) {
	r.write("info", format, args)
}

func (r *roster) Warnf(_ context.Context, format string, args ...any) {
	r.write("warn", format, args)
}

func (r *roster) Errorf(_ context.Context, format string, args ...any) {
	r.write("error", format, args)
}
