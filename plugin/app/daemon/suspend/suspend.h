/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/suspend/suspend: which sets are out of force on this node, and who took them out.
 *
 * Layer: app. Loop thread only. Owns the list that decisions are made with. The file "pauses" of
 * the run directory is the truth for all instances: before each decision it is looked whether
 * another one has changed it. What cannot be written still counts, in this process alone.
 * Spec: specs/pausing.md.
 */
#ifndef GR_APP_DAEMON_SUSPEND_SUSPEND_H
#define GR_APP_DAEMON_SUSPEND_SUSPEND_H

#include "app/daemon/view.h"
#include "rules/decide/suspend.h"
#include "state/pauses.h"
#include "state/report.h"

struct event_base;
struct gr_suspend;

/* Seconds since 1970. */
typedef int64_t gr_suspend_clock_fn(void);

/*
 * Nothing is suspended and no directory is used yet. base and log are borrowed for the object.
 * clock: NULL, or another time for tests. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_suspend_new(struct event_base *base, const struct gr_log *log,
                              gr_suspend_clock_fn *clock, struct gr_suspend **out_suspend);
void gr_suspend_free(struct gr_suspend *suspend); /* NULL is fine */

/*
 * To be called at first and after each reload: uses the run directory of the settings and reads
 * what is suspended there; says which suspended sets a policy protects. What is wrong is logged
 * once and tried again with the next call.
 */
void gr_suspend_follow(struct gr_suspend *suspend, const struct gr_inforce_status *rules);

/* Adds what is suspended now, and the time, to how a container is decided about. Borrowed until the
 * next call of any function here. */
void gr_suspend_fill(struct gr_suspend *suspend, struct gr_decide_options *options);

/* What pause asks for. */
struct gr_pause {
    struct gr_str set; /* n == 0: all sets */
    uint32_t for_s;    /* up to GR_PAUSE_MAX_S; 0: until it is resumed */
    struct gr_str reason;
    struct gr_str by;
};

/*
 * Pauses a set, or all; another pause of the same is replaced. Returns 0; a negative errno after
 * filling err: -ENOENT no such set, -EPERM a policy protects it, -EINVAL for_s or reason, -ENOSPC
 * too many, -EAGAIN another instance is changing the file, -ENOMEM.
 */
GR_CHECKED int gr_suspend_pause(struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                                const struct gr_pause *pause, struct gr_err *err);

/*
 * Ends pause and trip of a set, or everything (set.n == 0). *out_n: how many were ended. Returns 0;
 * a negative errno after filling err: -ENOENT no such set, -EINVAL only all sets are paused,
 * -EAGAIN, -ENOMEM.
 */
GR_CHECKED int gr_suspend_resume(struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                                 struct gr_str set, struct gr_str by, size_t *out_n,
                                 struct gr_err *err);

/*
 * A hook ran, as a hook runner reports it at now_ms (monotonic): failures of the text that is in
 * force are counted for the set's breaker, which may trip. Sets that are required or protected
 * never do.
 */
void gr_suspend_report(struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                       const struct gr_report *report, uint64_t now_ms);

/* Drops what has ended, with a line in the log each. A timer does it; here for tests. */
void gr_suspend_tick(struct gr_suspend *suspend);

/* Fills what view tells of suspended sets; view->rules must be filled. */
void gr_suspend_view(struct gr_suspend *suspend, struct gr_view *view);

/* What takes a set out of force now, as rules/decide has it, in a view that is filled; NULL:
 * nothing does. */
const struct gr_suspension *gr_suspend_of(const struct gr_view *view, struct gr_str set);

#endif
