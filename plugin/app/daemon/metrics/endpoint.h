/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/endpoint: where the metrics are listened for: a port, or a unix socket.
 *
 * Layer: app. Two instances of the plugin may run at once, as during an upgrade. A unix socket is
 * app/daemon/control/listener's: the newer instance takes it over. A port cannot be: the second may
 * try again until the first has left.
 */
#ifndef GR_APP_DAEMON_METRICS_ENDPOINT_H
#define GR_APP_DAEMON_METRICS_ENDPOINT_H

#include "app/daemon/control/listener.h"
#include "load/address.h"

struct gr_endpoint {
    int fd;                      /* close-on-exec, non-blocking; -1: it is not open */
    struct gr_listener listener; /* open for a unix socket alone; fd is its own then */
};

/* Closed. */
void gr_endpoint_init(struct gr_endpoint *out_endpoint);

/*
 * Opens a closed one. Returns 0; a negative errno after filling err: -EADDRINUSE somebody has the
 * port; those of gr_listener_open.
 */
GR_CHECKED int gr_endpoint_open(struct gr_endpoint *endpoint, const struct gr_address *address,
                                struct gr_err *err);

/* Whether a unix socket has lost its path to nobody: it was removed, or who took it over is gone.
 * A closed one has not. */
bool gr_endpoint_lost(const struct gr_endpoint *endpoint);

/* Also removes the file of a unix socket, if it is still ours. A closed one is fine. */
void gr_endpoint_close(struct gr_endpoint *endpoint);

#endif
