/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/process/notify: tells the service manager how we are, where there is one.
 *
 * Layer: app. The protocol of sd_notify(3), which systemd promises to keep: datagrams of lines to
 * the socket in NOTIFY_SOCKET. Without that variable every call does nothing.
 */
#ifndef GR_APP_DAEMON_PROCESS_NOTIFY_H
#define GR_APP_DAEMON_PROCESS_NOTIFY_H

#include "base/defs.h"

struct event_base;
struct gr_notify;

/* Text of STATUS= and of one datagram; a longer one is cut. */
#define GR_NOTIFY_MAX_BYTES 512

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment. With a
 * watchdog, WATCHDOG=1 is sent by the loop at half its interval: a loop that hangs sends none.
 * Returns 0, *out_notify NULL when nobody wants to be told; -EINVAL the address is none, -ENOMEM or
 * another negative errno.
 */
GR_CHECKED int gr_notify_new(struct event_base *base, struct gr_notify **out_notify);
void gr_notify_free(struct gr_notify *notify); /* NULL is fine */

/* Each may be called with NULL and never fails: whoever does not listen is not told. */

/* READY=1 the first time, and after gr_notify_reloading; status in any case, when it is new. */
void gr_notify_ready(struct gr_notify *notify, const char *status);
void gr_notify_status(struct gr_notify *notify, const char *status);
void gr_notify_reloading(struct gr_notify *notify);
void gr_notify_stopping(struct gr_notify *notify);

#endif
