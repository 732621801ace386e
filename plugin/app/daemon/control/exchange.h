/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/control/exchange: one request and its reply, as bytes that come and go.
 *
 * Layer: app. No sockets here. A line is asked and a line is answered (control_command); bytes may
 * follow either, whose number the line says ("bytes"). A command may also answer later, from the
 * loop.
 */
#ifndef GR_APP_DAEMON_CONTROL_EXCHANGE_H
#define GR_APP_DAEMON_CONTROL_EXCHANGE_H

#include "app/daemon/control/control_command.h"

enum gr_exchange_state {
    GR_EXCHANGE_LINE,    /* the line has not ended */
    GR_EXCHANGE_BODY,    /* bytes that follow it are missing */
    GR_EXCHANGE_WAITING, /* for whoever answers later */
    GR_EXCHANGE_ANSWERED,
};

struct gr_exchange {
    const struct gr_control_table *table;
    enum gr_exchange_state state;
    struct gr_control_asked asked; /* who asks, and what has come of it */
    struct gr_buf in, body;
    struct gr_buf out, out_body; /* the line, and what follows it */
    size_t sent;                 /* of both */
    struct gr_control_later later;
};

/* table is borrowed. ready(user): something is to be sent that no call of feed has made. */
void gr_exchange_init(struct gr_exchange *exchange, const struct gr_control_table *table, uid_t uid,
                      pid_t pid, void (*ready)(void *user), void *user);

/* Who was to answer later is told that nobody listens any more. */
void gr_exchange_fini(struct gr_exchange *exchange);

/* Bytes that came. What follows a request is not looked at. Returns 0; -ENOMEM: there is nothing to
 * be answered. */
GR_CHECKED int gr_exchange_feed(struct gr_exchange *exchange, struct gr_str bytes);

/* What is to be sent next; borrowed until the next call. n == 0: nothing now. */
struct gr_str gr_exchange_pending(const struct gr_exchange *exchange);
void gr_exchange_sent(struct gr_exchange *exchange, size_t n);

#endif
