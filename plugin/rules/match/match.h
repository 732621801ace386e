/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/match: matching with a budget of the caller's choice, for tests and the bench.
 *
 * Layer: rules. gr_ruleset_match is the first of these with GR_MATCH_STEPS_MAX; the naive way is
 * what the index is tested against.
 */
#ifndef GR_RULES_MATCH_H
#define GR_RULES_MATCH_H

#include "rules/match/ruleset.h"

/*
 * *steps counts down; a set that is not false but for which it ran out is an error. The index never
 * spends more than the naive way does, so that a set which the naive way completed is completed.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_ruleset_match_steps(const struct gr_ruleset *ruleset,
                                      const struct gr_subject *subject, struct gr_arena *arena,
                                      uint64_t *steps, const struct gr_match **out_matches,
                                      size_t *out_n);

GR_CHECKED int gr_ruleset_match_naive_steps(const struct gr_ruleset *ruleset,
                                            const struct gr_subject *subject,
                                            struct gr_arena *arena, uint64_t *steps,
                                            const struct gr_match **out_matches, size_t *out_n);

/* How many sets the index would have evaluated for this subject. Returns 0; -ENOMEM. */
GR_CHECKED int gr_ruleset_candidates(const struct gr_ruleset *ruleset,
                                     const struct gr_subject *subject, struct gr_arena *arena,
                                     size_t *out_n);

#endif
