/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/ruleset: all sets that are in force, immutable, with the index over them.
 *
 * Layer: rules. Built whole by the loader (any thread) and handed over; afterwards only read, by
 * any number of threads. Each may take and drop references.
 */
#ifndef GR_RULES_RULESET_H
#define GR_RULES_RULESET_H

#include "rules/policy.h"

struct gr_ruleset;

/*
 * Takes the arena (with the sets in it) on success and on failure. sets: in any order, borrowed
 * from that arena; those with other_node are kept for listing and never match. policies: NULL is
 * none; what it points at lives in the arena, too. Returns 0 and a rule set with one reference;
 * -EEXIST two sets of one name (err names both places); -ENOMEM.
 */
GR_CHECKED int gr_ruleset_new(struct gr_arena *arena, const struct gr_hookset *sets, size_t sets_n,
                              const struct gr_policies *policies, struct gr_ruleset **out_ruleset,
                              struct gr_err *err);

/* Sets that stand together: those of one file. */
struct gr_sets {
    const struct gr_hookset *items;
    size_t n;
};

/* The same with the sets in several arrays, where they stay. */
GR_CHECKED int gr_ruleset_new_of(struct gr_arena *arena, const struct gr_sets *parts,
                                 size_t parts_n, const struct gr_policies *policies,
                                 struct gr_ruleset **out_ruleset, struct gr_err *err);

struct gr_ruleset *gr_ruleset_ref(struct gr_ruleset *ruleset);
void gr_ruleset_unref(struct gr_ruleset *ruleset); /* NULL is fine */

/* Sets in their total order. */
size_t gr_ruleset_count(const struct gr_ruleset *ruleset);
const struct gr_hookset *gr_ruleset_at(const struct gr_ruleset *ruleset, size_t i);

/* NULL when there is none of that name. */
const struct gr_hookset *gr_ruleset_find(const struct gr_ruleset *ruleset, struct gr_str name);

/* The name nearest to one that no set has, at most three letters away; n == 0: none is near. */
struct gr_str gr_ruleset_nearest(const struct gr_ruleset *ruleset, struct gr_str name);

const struct gr_policies *gr_ruleset_policies(const struct gr_ruleset *ruleset);

/* Bit 1 << enum gr_field: some set looks at it, so that whoever fills a subject may leave out the
 * others. */
uint32_t gr_ruleset_fields(const struct gr_ruleset *ruleset);

/* Whether some set adjusts anything: a subject then needs env, mounts, annotations and present. */
bool gr_ruleset_adjusts(const struct gr_ruleset *ruleset);

/* A set whose match is not false. */
struct gr_match {
    const struct gr_hookset *set;
    enum gr_truth truth;
};

/*
 * Every set whose match is not false for this subject, in the total order; *out_matches lives in
 * arena. Sets that cannot match cost nothing: see specs/decisions on the index.
 * Running out of steps (GR_MATCH_STEPS_MAX) is the result GR_ERROR of the sets that were not
 * completed, not a failure of the call.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_ruleset_match(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
                                struct gr_arena *arena, const struct gr_match **out_matches,
                                size_t *out_n);

/* Evaluates one tree. *steps counts down and gives GR_ERROR at 0. */
enum gr_truth gr_cond_eval(const struct gr_cond *cond, const struct gr_subject *subject,
                           uint64_t *steps);

/* Who is shown the conditions that decided; everything is borrowed. */
struct gr_why {
    /* cond is a leaf, always, or unreadable; truth its own, negated: below an odd number of "not".
     * Returns 0; anything else ends the walk. */
    int (*decided)(void *user, const struct gr_cond *cond, enum gr_truth truth, bool negated);
    void *user;
};

/*
 * Shows the conditions that gave a tree the truth that it has: of an "all" that is false the first
 * one that is false, of an "any" that is true the first one that is; else every one that has that
 * truth. One that has another is not gone into, whatever is below it. *steps counts down; at 0
 * nothing more is shown. Returns 0; what decided returned.
 */
GR_CHECKED int gr_cond_why(const struct gr_cond *cond, enum gr_truth truth,
                           const struct gr_subject *subject, uint64_t *steps,
                           const struct gr_why *why);

#endif
