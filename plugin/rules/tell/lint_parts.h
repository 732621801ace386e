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
    const struct gr_hookset *set; /* the one that is looked at */
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

#endif
