/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/tell/explain_words: a condition, and what it looked at, in words.
 *
 * Layer: rules, not for others.
 */
#ifndef GR_RULES_EXPLAIN_WORDS_H
#define GR_RULES_EXPLAIN_WORDS_H

#include "rules/hookset.h"
#include "rules/limits.h"
#include "rules/truth.h"

/* A text that is cut with "…" where it would be too long. Start with a zeroed one. */
struct gr_words {
    char text[GR_EXPLAIN_TEXT_MAX_BYTES + 1];
    size_t n;
    bool cut;
};

void gr_words_add(struct gr_words *words, const char *format, ...) GR_PRINTF(2, 3);

/* Made printable and copied. Returns 0; -ENOMEM. */
GR_CHECKED int gr_words_take(struct gr_words *words, struct gr_arena *arena, struct gr_str *out);

/* namespace in [a, b]; podLabels["app"] prefix "x"; env any of [A=1, glob "B=*"] */
void gr_words_cond(struct gr_words *words, const struct gr_cond *cond, bool negated);

/* One value of a list of node names, of a policy, of a leaf: glob "gpu-*"; any of [a, b]. */
void gr_words_tests(struct gr_words *words, struct gr_tests tests);

/* What a leaf looked at. truth is that of the leaf; out_of_steps: an error comes from there. */
void gr_words_seen(struct gr_words *words, const struct gr_cond *leaf,
                   const struct gr_subject *subject, enum gr_truth truth, bool out_of_steps);

#endif
