/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/conn: a socket on the loop, for anything that eats and makes bytes.
 *
 * Layer: app. Owns the descriptor and three libevent events (read, write, deadline); the protocol
 * is behind a small table, so that the plugin's session and simulate's runtime share it.
 */
#ifndef GR_APP_DAEMON_CONN_H
#define GR_APP_DAEMON_CONN_H

#include <event2/event.h>

#include "base/clock.h"
#include "base/str.h"

struct gr_conn;

/* The sans-IO object that a connection drives; see wire/rpc.h for what each means. Times are
 * gr_now_ns()'s. */
struct gr_conn_proto {
    int (*feed)(void *proto, struct gr_str bytes, uint64_t now_ns);
    struct gr_str (*pending)(const void *proto);
    void (*sent)(void *proto, size_t n);
    uint64_t (*next_deadline)(const void *proto);
    void (*tick)(void *proto, uint64_t now_ns);
    /* Something failed for which the connection is to be closed. */
    bool (*is_broken)(const void *proto);
};

/*
 * The connection is over: end of file (reason 0) or a negative errno. Called once; the owner frees
 * the connection then or later, not from inside proto's functions.
 */
typedef void gr_conn_closed_fn(void *user, int reason);

/*
 * fd: taken, also on failure; made non-blocking. proto and object are borrowed for the connection.
 * Returns 0; -ENOMEM or another negative errno.
 */
GR_CHECKED int gr_conn_new(struct event_base *base, int fd, const struct gr_conn_proto *proto,
                           void *object, gr_conn_closed_fn *closed, void *user,
                           struct gr_conn **out_conn);
void gr_conn_free(struct gr_conn *conn); /* NULL is fine; closes the descriptor */

/* Sends what is pending and sets the deadline: to be called after the owner made proto produce
 * something outside of feed and tick. */
void gr_conn_kick(struct gr_conn *conn);

/* Sends what is pending, as far as the socket takes it, and nothing else: may be called from inside
 * proto's functions. An error is found again by the next kick. */
void gr_conn_flush(struct gr_conn *conn);

#endif
