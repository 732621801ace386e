/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/suspend/suspend_parts: what the files of app/daemon/suspend/suspend share.
 *
 * Layer: app, not for others.
 *     suspend          the list, its file, its timer, what is told of it
 *     suspend_change   pause, resume, breaker
 */
#ifndef GR_APP_DAEMON_SUSPEND_SUSPEND_PARTS_H
#define GR_APP_DAEMON_SUSPEND_SUSPEND_PARTS_H

#include "app/daemon/suspend/breaker.h"
#include "app/daemon/suspend/suspend.h"

struct event;

struct gr_suspend {
    const struct gr_log *log;
    gr_suspend_clock_fn *clock;
    struct event *timer; /* to the next end of a pause */
    struct gr_breaker *breaker;
    int dir;    /* of the run directory; -1: none */
    char *path; /* its path; owned; NULL: none was named yet */
    struct gr_pauses now;
    bool unsaved;                 /* now was never written to the file of dir */
    struct gr_pauses_stamp stamp; /* of the file that now was read from, or written to */
    char problem[GR_ERR_TEXT_BYTES];
    uint64_t protected_hash; /* of the suspended sets that a policy protects, as last logged */
};

/* One change of the list: what goes, what comes. */
struct gr_suspend_change {
    bool everything;                 /* all goes */
    struct gr_str set;               /* else what is of this set (n == 0: of all sets) … */
    unsigned int kinds;              /* … and of these kinds: bits 1 << enum gr_suspension_kind */
    const struct gr_suspension *add; /* NULL: nothing */
    struct gr_str by;                /* who resumes, for the audit; n == 0: it is no resume */
};

/*
 * Changes list and file, under the file's lock. *out_gone: how many held and went. Returns 0, also
 * when the file could not be written (suspend->problem says so); -ENOSPC, -EAGAIN, -ENOMEM after
 * filling err: nothing has changed.
 */
GR_CHECKED int gr_suspend_apply(struct gr_suspend *suspend, const struct gr_suspend_change *change,
                                size_t *out_gone, struct gr_err *err);

/* Reads the file again if another instance changed it. */
void gr_suspend_refresh(struct gr_suspend *suspend);

/* The entry itself, whether it counts or not; NULL: there is none. */
const struct gr_suspension *gr_suspend_entry(const struct gr_suspend *suspend, struct gr_str set,
                                             enum gr_suspension_kind kind);

/* Whether the settings name the set among requiredSets. */
bool gr_suspend_is_required(const struct gr_inforce_status *rules, struct gr_str set);

/* One line of the audit, at warning. by: who, where that is not suspension->by; n == 0: it is. */
void gr_suspend_log(const struct gr_suspend *suspend, const char *message,
                    const struct gr_suspension *suspension, struct gr_str by);

#endif
