/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/reload: the loader thread.
 *
 * Layer: app. All rule IO, host checks and compiling happen there; the loop thread only asks for a
 * load and takes what comes out, told by an eventfd. No answer to a runtime ever waits for a lock:
 * the two threads share one slot for the order and one for the result.
 */
#ifndef GR_APP_DAEMON_RELOAD_RELOAD_H
#define GR_APP_DAEMON_RELOAD_RELOAD_H

#include <event2/event.h>

#include "app/daemon/reload/findings.h"
#include "app/daemon/reload/watch.h"
#include "load/load.h"
#include "state/since.h"

struct gr_reload;

/* A finished load; everything is taken by the receiver. */
struct gr_reloaded {
    uint64_t number;            /* of the order: later ones have higher numbers */
    const char *cause;          /* of the order */
    int result;                 /* 0, or -ENOMEM: then there is no load */
    struct gr_load_result load; /* with one reference to the rule set */
    uint64_t hash;              /* of the rule set: equal sets, blocked alike, have equal hashes */
    struct gr_since *since;     /* one reference; NULL: nothing is known */
    struct gr_finding_list findings;
    uint64_t took_ns;
};

/* Called on the loop thread. */
typedef void gr_reloaded_fn(void *user, struct gr_reloaded *reloaded);

/*
 * Starts the thread. watch: borrowed; its directories are searched before each load; NULL: none.
 * Returns 0; -ENOMEM, -EAGAIN or another negative errno.
 */
GR_CHECKED int gr_reload_new(struct event_base *base, struct gr_watch *watch, gr_reloaded_fn *done,
                             void *user, struct gr_reload **out_reload);

/* Waits for a load that is under way, then ends the thread. NULL is fine. */
void gr_reload_free(struct gr_reload *reload);

/*
 * Gives a rule set that nobody else refers to any more to the loader thread to be freed: that takes
 * milliseconds with 10,000 sets. NULL is fine.
 */
void gr_reload_dispose(struct gr_reload *reload, struct gr_ruleset *ruleset);

/*
 * Work of another kind for the loader's thread, embedded in what it is about: it takes its turn
 * between loads, one piece at a time.
 */
struct gr_reload_task {
    struct gr_reload_task *next; /* the queue's */
    /* On the loader's thread. Not called where the process ends before its turn has come. */
    void (*work)(struct gr_reload_task *task);
    /* On the loop's thread, once, at the latest from gr_reload_free: the task is the caller's
     * again.
     */
    void (*done)(struct gr_reload_task *task);
};

/* Puts it behind those that wait; it is borrowed until done is called. */
void gr_reload_run(struct gr_reload *reload, struct gr_reload_task *task);

/* Where is kept since when sets are in force, for the orders that follow; borrowed until the last
 * of them. Empty or NULL: nowhere, as at first. */
void gr_reload_set_run_dir(struct gr_reload *reload, const char *run_dir);

/*
 * The settings with which the next orders are made: of their file the last good text is kept, or
 * goes, when such a load has ended, unless files changed under it. Borrowed until the orders that
 * follow are made. dir: where it is kept; NULL: nowhere, and nothing goes, as at first.
 */
struct gr_reload_settings {
    const char *dir, *path;
    struct gr_str text; /* n == 0: what is kept goes */
};
void gr_reload_set_settings(struct gr_reload *reload, const struct gr_reload_settings *settings);

/*
 * Orders a load; options are copied. An order that has not been begun is replaced: its number is
 * then never reported, a higher one is. cause: a word for the log; borrowed for ever.
 * Returns the order's number, or 0 when there is no memory.
 */
uint64_t gr_reload_order(struct gr_reload *reload, const struct gr_load_options *options,
                         const char *cause);

#endif
