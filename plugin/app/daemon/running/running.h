/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/running/running: which running containers lack a set that they should have.
 *
 * Layer: app. Loop thread only. What Synchronize told is looked at in slices, by the same decision
 * that answers requests, as soon as there are rules; a request that comes meanwhile is answered
 * first. Rules that change later are not applied to it: what Synchronize told is gone by then.
 * Spec: specs/missed.md.
 */
#ifndef GR_APP_DAEMON_RUNNING_RUNNING_H
#define GR_APP_DAEMON_RUNNING_RUNNING_H

#include <event2/event.h>

#include "app/daemon/running/classify.h"
#include "app/daemon/reload/inforce.h"

/* Containers and sets that are named, missed ones and each of the others; more are only counted. 1
 * KiB each at worst. No evidence. */
#define GR_RUNNING_MISSED_MAX 1000
#define GR_RUNNING_OTHERS_MAX 100

/* Bytes of one name that are kept: what Kubernetes allows. */
#define GR_RUNNING_NAME_MAX_BYTES 253

struct gr_running;

/* A container and a set that it lacks; of an unreadable one there is the id, if that. */
struct gr_running_item {
    struct gr_str id, namespace_, pod, container, set;
    enum gr_running_class class; /* never fine */
};

/* What came out of the last Synchronize. Each container counts once, with its gravest class. */
struct gr_running_status {
    bool known; /* false: there was no Synchronize, or what it told is not kept; the rest is 0 */
    const char *problem; /* why it is not kept; NULL: it is, or there was none */
    size_t running;
    size_t missed, unreadable, outdated, preexisting;
    const struct gr_running_item *items; /* missed ones first; not all where there are many */
    size_t items_n;
    uint64_t looks; /* another number when all of it may have changed */
};

/*
 * inforce, log: borrowed for the object. journal: where the journal stands, what is known from
 * before and who is told afterwards; it may become another one, or NULL: there is none.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_running_new(struct event_base *base, struct gr_inforce *inforce,
                              const struct gr_log *log, struct gr_journal *const *journal,
                              struct gr_running **out_running);
void gr_running_free(struct gr_running *running); /* NULL is fine */

/* What Synchronize told: given; NULL: there was no memory to keep it. */
void gr_running_take(struct gr_running *running, struct gr_nri_running *told);

/* Rules were loaded: what waits for them can be looked at. */
void gr_running_rules_loaded(struct gr_running *running);

/* A container was decided about, and the answer was sent. */
void gr_running_created(struct gr_running *running, const struct gr_session_event *event);

/* Borrowed; valid until the loop's next turn. */
void gr_running_status(const struct gr_running *running, struct gr_running_status *out_status);

#endif
