/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/programs/collector: has digests of the program store taken away, aside.
 *
 * Layer: app. Loop thread only. Spec: specs/programs.md, "Collecting". The work is done by a thread
 * that lives as long as it takes: a file system that hangs must not keep containers waiting. It
 * looks first which digests may go, and only then who names them, so that only those of the store
 * count, however many others a pod's author writes down.
 */
#ifndef GR_APP_DAEMON_PROGRAMS_COLLECTOR_H
#define GR_APP_DAEMON_PROGRAMS_COLLECTOR_H

#include <event2/event.h>

#include "app/daemon/programs/named.h"
#include "app/log.h"
#include "load/config.h"
#include "nri/running.h"

struct gr_collector;

/* log is borrowed for the object. Returns 0; -ENOMEM or another negative errno. */
GR_CHECKED int gr_collector_new(struct event_base *base, const struct gr_log *log,
                                struct gr_collector **out_collector);

/* Waits for what is under way, which ends soon. NULL is fine. */
void gr_collector_free(struct gr_collector *collector);

/* What is known when every container has been looked at. */
struct gr_collecting {
    struct gr_nri_running *told; /* by Synchronize, whole; given */
    struct gr_named *named;      /* by the rules in force since then; emptied */
    const struct gr_config *config;
};

/*
 * Takes away what nobody names, with the settings of now; nothing where not all is known, there is
 * no store, or the work of before is under way. What went is logged, and why nothing could.
 */
void gr_collector_start(struct gr_collector *collector, const struct gr_collecting *collecting);

/* Rules are in force: where they are others than those that were told, and containers are still
 * looked at, nothing is taken away. hash: of these rules. */
void gr_collector_rules(struct gr_collector *collector, uint64_t hash);

#endif
