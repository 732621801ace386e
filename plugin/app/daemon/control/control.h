/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/control/control: the control socket, where root asks the plugin process.
 *
 * Layer: app. Loop thread only. Protocol: specs/status.md. One request and one reply on each
 * connection. Who connects is checked with SO_PEERCRED: root, or the user that we run as. A client
 * has GR_CONTROL_CLIENT_MAX_MS from connecting to the last byte of the reply; whatever it does, it
 * costs a request, a reply and no waiting.
 *
 * Two instances at one path (an upgrade without a gap): the one that starts later, or is told the
 * path later, takes it over. The earlier one answers who is connected already and gets no more
 * connections. It looks every GR_CONTROL_LOOK_MS and has the path back when the later one has gone,
 * also by a crash: a rollout that is undone must not cost it its probes.
 */
#ifndef GR_APP_DAEMON_CONTROL_CONTROL_H
#define GR_APP_DAEMON_CONTROL_CONTROL_H

#include "app/daemon/control/control_command.h"
#include "app/log.h"

struct event_base;
struct gr_control;

/* Another world, for tests. */
struct gr_control_world {
    /* Who is at the other end of a connection. Returns 0; a negative errno. */
    int (*peer)(int fd, uid_t *out_uid, pid_t *out_pid);
    uint32_t client_max_ms, look_ms;
};

/*
 * Not listening yet; knows the command ping. world: NULL is the kernel and the limits of
 * app/control_limits.h. base and log are borrowed for the object. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_control_new(struct event_base *base, const struct gr_log *log,
                              const struct gr_control_world *world,
                              struct gr_control **out_control);

/* NULL is fine. Connections are closed and the socket's file is removed. */
void gr_control_free(struct gr_control *control);

/* Adds commands, which are borrowed for the object; user is passed to run. To be called before the
 * loop runs. */
void gr_control_add(struct gr_control *control, const struct gr_control_command *commands, size_t n,
                    void *user);

/*
 * To be called with the setting controlSocket (copied; empty: none) at first and after each reload:
 * listens there, anew where the path changed or its file is gone. A failure is logged, once, and
 * tried again with the next call.
 */
void gr_control_follow(struct gr_control *control, const char *path);

/* The path that clients reach us at now; empty: none. For status. Borrowed until the next follow.
 */
const char *gr_control_path(const struct gr_control *control);

#endif
