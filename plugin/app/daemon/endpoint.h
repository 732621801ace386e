/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/endpoint: a listening socket, and the claim of one process to a path.
 *
 * Layer: app. Two instances of the plugin may run at once, as during an upgrade. The second gets
 * neither the port nor the path of the first, and may try again until that one has left.
 */
#ifndef GR_APP_DAEMON_ENDPOINT_H
#define GR_APP_DAEMON_ENDPOINT_H

#include "load/address.h"

/* Connections that wait in the kernel. */
#define GR_ENDPOINT_BACKLOG 16

/*
 * Takes the lock on ".NAME.lock" beside the path: whoever holds it may replace what lies there. The
 * kernel drops it with the process; the file stays, since removing it would let two hold it.
 * Returns a descriptor that is the claim; -EADDRINUSE somebody else has it; another negative errno.
 */
GR_CHECKED int gr_claim(const char *path);

struct gr_endpoint {
    int fd;     /* close-on-exec, non-blocking; -1: it is not open */
    int claim;  /* of a unix socket, else -1 */
    char *path; /* of a unix socket, owned; else NULL */
};

/*
 * Opens it. A unix socket has mode 0600; one that nobody listens on any more is replaced, anything
 * else at its path stays.
 * Returns 0; -EADDRINUSE somebody listens there; -EEXIST something that is no socket lies there;
 * another negative errno. *out_listener is closed then.
 */
GR_CHECKED int gr_endpoint_open(const struct gr_address *address, struct gr_endpoint *out_listener);

/* Also removes the file of a unix socket. */
void gr_endpoint_close(struct gr_endpoint *endpoint);

#endif
