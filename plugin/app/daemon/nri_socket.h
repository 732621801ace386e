/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/nri_socket: the socket to the runtime: one that we connect, or one that it passed.
 *
 * Layer: app.
 */
#ifndef GR_APP_DAEMON_NRI_SOCKET_H
#define GR_APP_DAEMON_NRI_SOCKET_H

#include "base/str.h"

/* Where runtimes listen (NRI since 0.3). */
#define GR_NRI_SOCKET_DEFAULT "/var/run/nri/nri.sock"

/* Connects to a runtime's socket. Returns a close-on-exec descriptor, or a negative errno. */
GR_CHECKED int gr_nri_socket_connect(const char *path);

/*
 * Takes over the descriptor that a runtime passed, as named in NRI_PLUGIN_SOCKET: checks that it is
 * a socket, sets close-on-exec and takes the NRI variables out of the environment.
 * Returns the descriptor, or -EINVAL when text names none, -ENOTSOCK.
 */
GR_CHECKED int gr_nri_socket_adopt(struct gr_str text);

#endif
