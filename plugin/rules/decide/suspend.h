/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decide/suspend: sets that are out of force for a while.
 *
 * Layer: rules. Somebody paused a set, or its breaker tripped: it is then treated as in mode
 * Observe. A list of suspensions is sorted by gr_suspension_cmp, with at most one of each kind for
 * a set. Pure: the time is given. Spec: specs/pausing.md.
 */
#ifndef GR_RULES_SUSPEND_H
#define GR_RULES_SUSPEND_H

#include "base/str.h"

enum gr_suspension_kind {
    GR_PAUSED,
    GR_TRIPPED, /* by its breaker */
};

/* "paused", "tripped". */
const char *gr_suspension_kind_name(enum gr_suspension_kind kind);

struct gr_suspension {
    struct gr_str set; /* n == 0: all sets; paused only */
    enum gr_suspension_kind kind;
    struct gr_str by;     /* "uid 0", "breaker" */
    int64_t since_s;      /* seconds since 1970 */
    int64_t until_s;      /* 0: until it is resumed */
    struct gr_str reason; /* n == 0: none was given */
};

/* By the set's name, then by kind; all sets come first. <0, 0, >0. */
int gr_suspension_cmp(const struct gr_suspension *a, const struct gr_suspension *b);

/* Whether it has not ended: it holds up to, and not at, until_s. */
bool gr_suspension_holds(const struct gr_suspension *suspension, int64_t now_s);

/* What suspends a set now: a pause of its own, one of all sets, its breaker; NULL: nothing does. */
const struct gr_suspension *gr_suspension_find(const struct gr_suspension *list, size_t n,
                                               struct gr_str set, int64_t now_s);

/* "paused until 2026-03-01T03:30:00Z by uid 0: REASON", cut to what fits. */
#define GR_SUSPENSION_TEXT_BYTES 384
void gr_suspension_say(const struct gr_suspension *suspension, char text[GR_SUSPENSION_TEXT_BYTES]);

#endif
