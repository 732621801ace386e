/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/control/listener: a unix socket at a path, for our own user alone: control, metrics,
 * reports.
 *
 * Layer: app. Loop thread only. The socket is bound under another name, gets mode 0600 before it
 * listens (until then nobody can connect), and is renamed to its path: whoever connects gets either
 * the socket that was there or this one, and nobody else ever could. The directory must belong to
 * root or us and be writable by nobody else; it is made when it is missing.
 */
#ifndef GR_APP_DAEMON_CONTROL_LISTENER_H
#define GR_APP_DAEMON_CONTROL_LISTENER_H

#include <sys/types.h>

#include "base/err.h"
#include "load/config.h"

/* Connections that wait in the kernel to be accepted. */
#define GR_LISTENER_BACKLOG 16

struct gr_listener {
    int fd; /* -1: closed */
    char path[GR_CONFIG_SOCKET_MAX_BYTES + 1];
    bool datagrams; /* SOCK_DGRAM: it is read from, not listened at */
    dev_t device;   /* of the socket's file, to know it again */
    ino_t inode;
};

/* What lies at the path of a listener. */
enum gr_listener_place {
    GR_LISTENER_OURS,
    GR_LISTENER_OTHERS, /* the socket of another process that lives */
    GR_LISTENER_NOBODY, /* nothing, or what a process left that is gone */
};

/* Closed. */
void gr_listener_init(struct gr_listener *out_listener);

/* The same for a socket of datagrams. */
void gr_listener_init_datagrams(struct gr_listener *out_listener);

/*
 * Opens the socket, non-blocking, in place of one that lies there, also of a process that lives:
 * that one keeps its connections and gets no more. The listener must be closed.
 * Returns 0; a negative errno after filling err: -EEXIST what lies there is no socket, -EPERM the
 * directory may be changed by others.
 */
GR_CHECKED int gr_listener_open(struct gr_listener *listener, const char *path, struct gr_err *err);

/* An open one. What cannot be looked at is nobody's. */
enum gr_listener_place gr_listener_place(const struct gr_listener *listener);

/* Whether somebody listens at the path now; *out_pid: who, 0 when that cannot be told. */
bool gr_listener_somebody(const char *path, pid_t *out_pid);

/* Removes the socket's file if it is still ours. A closed one is fine. */
void gr_listener_close(struct gr_listener *listener);

#endif
