/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/diff/parts: what the files of the verb "diff" share.
 *
 * Layer: app, not for other verbs. Outputs: specs/explain.md, "diff".
 */
#ifndef GR_APP_CLI_DIFF_PARTS_H
#define GR_APP_CLI_DIFF_PARTS_H

#include <jansson.h>

#include "app/cli/shared/common.h"

enum gr_diff_kind {
    GR_DIFF_GAINS,   /* the set injects under the new rules only */
    GR_DIFF_LOSES,   /* under the old ones only */
    GR_DIFF_CHANGES, /* under both, other hooks or adjustments */
    GR_DIFF_ORDER,   /* all the same, but hooks run in another order; the set is none */
    GR_DIFF_REFUSED, /* the container is refused under the new rules only; likewise */
    GR_DIFF_CREATED, /* under the old ones only; likewise */
    GR_DIFF_UNKNOWN, /* what is known of the container does not tell what becomes of the set */
};

/* "gains", "loses", "changes", "order", "refused", "created", "unknown". */
const char *gr_diff_kind_name(enum gr_diff_kind kind);

struct gr_diff_entry {
    enum gr_diff_kind kind;
    struct gr_str set; /* n == 0: see above */
    struct gr_str why; /* of "unknown": the condition, what was seen, its place; n == 0: not told */
};

struct gr_diff {
    const struct gr_diff_entry *items; /* by the order of the sets: old ones, then new ones */
    size_t n;
    size_t unknown; /* of these; they stand last */
    const struct gr_decision *before, *after;
};

/* Rules, and what they make of a container; all of it borrowed. */
struct gr_diff_side {
    const struct gr_loaded *loaded;
    struct gr_decide_options options;
    struct gr_decision decision;
};

/*
 * What the decision of other rules for the same container changes. Marks are compared by name, not
 * by hash: a set whose text says the same in other words is no change. Entries live in arena.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_diff_compare(const struct gr_decision *before, const struct gr_decision *after,
                               struct gr_arena *arena, struct gr_diff *out_diff);

/*
 * Appends to *diff the sets of which it cannot be told whether they match and which are not the
 * same on both sides, once each. Texts live in arena. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_diff_add_unknown(const struct gr_diff_side *before,
                                   const struct gr_diff_side *after,
                                   const struct gr_subject *subject, struct gr_arena *arena,
                                   struct gr_diff *diff);

/* Whether a hook or an entry is of a set. */
bool gr_diff_is_of(const struct gr_oci_hook *hook, struct gr_str set);

void gr_diff_text(const char *title, const struct gr_diff *diff);
json_t *gr_diff_json(const struct gr_subject *subject, const struct gr_diff *diff);

#endif
