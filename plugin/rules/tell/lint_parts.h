/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/tell/lint_parts: what the files of the linter share.
 *
 * Layer: rules, not for others.
 */
#ifndef GR_RULES_LINT_PARTS_H
#define GR_RULES_LINT_PARTS_H

#include "rules/tell/lint.h"

struct lint {
    const struct gr_reporter *reporter;
    const struct gr_policies *policies; /* NULL: none */
    const struct gr_hookset *set;       /* the one that is looked at */
};

/* Reports err at a place of the set's file. */
void gr_lint_say(const struct lint *lint, enum gr_level level, uint32_t line, uint32_t column,
                 struct gr_err *err);

/* lint_dodge.c: exceptions of the match that whoever writes the pod can claim. */
void gr_lint_dodge(const struct lint *lint);
/* Whether every leaf of a tree is chosen by whoever writes the pod or builds the image. */
bool gr_lint_all_authors(const struct gr_cond *cond);
/* Whether a test holds of what is not there: notIn, exists: false. */
bool gr_lint_is_negative(const struct gr_test *test);

/* lint_never.c: whether a tree can never be true, by its texts alone. *steps bounds the work; where
 * it ends, the answer is no, as in all of these. Depth: as gr_cond_eval. */
bool gr_lint_never_true(const struct gr_cond *cond, uint64_t *steps);
/* Whether some of what must hold where a tree is true (negated: false) exclude each other. */
bool gr_lint_excludes(const struct gr_cond *cond, bool negated, uint64_t *steps);
/* Whether a test stands among others, text by text. */
bool gr_lint_has_test(struct gr_tests tests, const struct gr_test *test, uint64_t *steps);
/* What a value must be or begin with, as far as a test says it; n == 0: nothing. */
struct gr_str gr_lint_beginning(const struct gr_test *test);

/* lint_broad.c: whether a tree is true of every container, without saying so by always: true. */
bool gr_lint_matches_all(const struct gr_cond *cond, uint64_t *steps);
/* Whether one of the tests holds for whatever a field may be. */
bool gr_lint_fits_all(struct gr_tests tests, enum gr_field field);

/* lint_policy.c: sets that policies keep from every container. */
void gr_lint_policies(const struct lint *lint);

#endif
