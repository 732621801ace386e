/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/programs/collector: has digests of the program store taken away, aside.
 *
 * Layer: app. Loop thread only. The work is done by a thread that lives as long as it takes: a file
 * system that hangs must not keep containers waiting.
 */
#ifndef GR_APP_DAEMON_PROGRAMS_COLLECTOR_H
#define GR_APP_DAEMON_PROGRAMS_COLLECTOR_H

#include <event2/event.h>

#include "app/daemon/programs/named.h"
#include "app/log.h"
#include "load/config.h"

struct gr_collector;

/* log is borrowed for the object. Returns 0; -ENOMEM or another negative errno. */
GR_CHECKED int gr_collector_new(struct event_base *base, const struct gr_log *log,
                                struct gr_collector **out_collector);

/* Waits for what is under way. NULL is fine. */
void gr_collector_free(struct gr_collector *collector);

/*
 * Takes away what is not named, with the settings of now; nothing where not all is known, there is
 * no store, or the work of before is under way. named is emptied. What went is logged.
 */
void gr_collector_start(struct gr_collector *collector, struct gr_named *named,
                        const struct gr_config *config);

#endif
