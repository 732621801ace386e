/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/index: which sets can match a container at all.
 *
 * Layer: rules, not for others. Built once over an immutable array of sets; a look-up costs what
 * the container has (keys, bytes of values), plus the sets it finds. It returns a superset: every
 * set that is not provably false. Decision record: specs/decisions/0003-rule-index.md.
 */
#ifndef GR_RULES_INDEX_H
#define GR_RULES_INDEX_H

#include "rules/hookset.h"

struct gr_index;

/*
 * sets are borrowed, in their total order, as long as the index lives; everything of the index
 * lives in arena. Sets of other nodes are left out. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_index_build(struct gr_arena *arena, const struct gr_hookset *const *sets,
                              size_t sets_n, const struct gr_index **out_index);

struct gr_candidates {
    uint64_t *words; /* bit i of them all: sets[i] may match */
    size_t words_n;
    /* The container, its maps without the entries that no rule asks for: evaluating a candidate
     * against it gives the same result, and hostile maps cost nothing per set. */
    struct gr_subject subject;
};

/* *out_candidates lives in arena and borrows from subject. Returns 0; -ENOMEM. */
GR_CHECKED int gr_index_find(const struct gr_index *index, const struct gr_subject *subject,
                             struct gr_arena *arena, struct gr_candidates *out_candidates);

size_t gr_candidates_count(const struct gr_candidates *candidates);

#endif
