/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/tell/lint: what is valid in a set and yet hardly meant.
 *
 * Layer: rules. Warnings are about hooks that will not do what their author thinks; infos are
 * advice. Nothing here changes what a set does. Each finding has a code of its own
 * (specs/errors.md).
 */
#ifndef GR_RULES_LINT_H
#define GR_RULES_LINT_H

#include "rules/match/ruleset.h"

/* A hook that keeps containers waiting for longer is worth a word (docker --hook-spec's advice). */
#define GR_LINT_TIMEOUT_S 5

/* Every set by itself, then sets against each other. Returns 0; -ENOMEM. */
GR_CHECKED int gr_lint(const struct gr_ruleset *ruleset, const struct gr_reporter *reporter);

#endif
