/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/programs/retirer: has packages retired that this process's owner does not install any
 * more, aside.
 *
 * Layer: app. Loop thread only. Spec: specs/programs.md, "Retiring". It is for a process that came
 * with its programs, as in a pod: not before it has been ready, and alone on the node, for a while.
 * Until then one from before may be needed again, with what it installed.
 */
#ifndef GR_APP_DAEMON_PROGRAMS_RETIRER_H
#define GR_APP_DAEMON_PROGRAMS_RETIRER_H

#include <event2/event.h>

#include "app/log.h"
#include "load/config.h"
#include "load/store_limits.h"

/* Seconds; longer than Kubernetes waits at most before it starts a container again. */
#define GR_RETIRE_AFTER_S 600
#define GR_RETIRE_AFTER_MAX_S 86400

/* The texts are borrowed. */
struct gr_retirer_options {
    const char *owner; /* NULL: nothing is retired */
    const char *keep[GR_RETIRE_KEEP_MAX];
    size_t keep_n;
    uint64_t after_s;
};

struct gr_retirer;

/* options and log are borrowed for the object. started_s: of this process, since 1970; what was
 * installed later came with another one. Returns 0; a negative errno. */
GR_CHECKED int gr_retirer_new(struct event_base *base, const struct gr_retirer_options *options,
                              int64_t started_s, const struct gr_log *log,
                              struct gr_retirer **out_retirer);

/* Waits for what is under way. NULL is fine. */
void gr_retirer_free(struct gr_retirer *retirer);

/* Whether there is still something to wait for. */
bool gr_retirer_waits(const struct gr_retirer *retirer);

/* Called again and again: whether this process is ready and alone now. Does its work once; where
 * some of it could not be done, again after the same time. */
void gr_retirer_look(struct gr_retirer *retirer, bool settled, const struct gr_config *config,
                     uint64_t now_ms);

#endif
