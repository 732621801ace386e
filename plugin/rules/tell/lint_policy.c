/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets that the policies keep from every container that they could match: nobody may ask for them,
 * their namespaces are exempt, or all their stages are left out. Only what a match names text by
 * text is judged.
 */
#include "rules/tell/lint_parts.h"

#include "rules/match/test.h"

/* Work that comparing texts may take for one set, in steps of matching. */
#define SAME_STEPS (1U << 16)

/* About one text that a field of a container may have. */
typedef bool judge_fn(const struct lint *lint, const struct gr_test *test);

static bool each_of_tests(const struct lint *lint, struct gr_tests tests, judge_fn *judge)
{
    for (size_t i = 0; i < tests.n; i++) {
        const struct gr_test *test = &tests.items[i];
        const struct gr_tests items = {.items = test->items, .n = test->items_n};

        if (!(test->kind == GR_TEST_IN ? each_of_tests(lint, items, judge) : judge(lint, test)))
            return false;
    }
    return true;
}

/* Whether a match asks for a field, and judge is true of all that it asks for. Depth of these: as
 * gr_cond_eval. */
static bool asks_only(const struct lint *lint, const struct gr_cond *cond, enum gr_field field,
                      judge_fn *judge)
{
    size_t asking = 0;

    if (cond->kind == GR_COND_LEAF)
        return cond->field == field && each_of_tests(lint, cond->tests, judge);
    if (cond->kind != GR_COND_ALL && cond->kind != GR_COND_ANY)
        return false;
    for (size_t i = 0; i < cond->children_n; i++)
        asking += asks_only(lint, &cond->children[i], field, judge) ? 1 : 0;
    return asking > 0 && (cond->kind == GR_COND_ALL || asking == cond->children_n);
}

/* ---- requests ---- */

static bool is_any(const struct lint *lint, const struct gr_test *test)
{
    (void)lint;
    (void)test;
    return true;
}

static bool is_not_granted(const struct lint *lint, const struct gr_test *test)
{
    return test->kind == GR_TEST_EXACT &&
           !gr_policies_grant(lint->policies, lint->set->name, test->text);
}

static bool has_grant(const struct gr_policy *policy, struct gr_str set)
{
    for (size_t i = 0; i < policy->grants_n; i++) {
        if (gr_tests_hold(policy->grants[i].sets, set))
            return true;
    }
    return false;
}

static bool is_for_nobody(const struct lint *lint)
{
    for (size_t i = 0; i < lint->policies->n; i++) {
        if (!has_grant(&lint->policies->items[i], lint->set->name))
            return true;
    }
    return asks_only(lint, lint->set->match, GR_FIELD_NAMESPACE, is_not_granted);
}

static void lint_grants(const struct lint *lint)
{
    const struct gr_cond *match = lint->set->match;
    const char *why = NULL;
    struct gr_err err = {0};

    if (!lint->set->requestable || !asks_only(lint, match, GR_FIELD_REQUESTED, is_any))
        return;
    if (!lint->policies || lint->policies->n == 0)
        why = "there is no policy here that grants requests";
    else if (is_for_nobody(lint))
        why = "the policies here grant it to no namespace that it matches";
    if (!why)
        return;
    gr_fail(&err, 0, "lint-no-grants",
            "this set is for pods that ask for it, and %s, so that none gets it; on the node every "
            "policy must name it under requests",
            why);
    gr_lint_say(lint, GR_LEVEL_INFO, match->line, match->column, &err);
}

/* ---- namespaces and stages ---- */

static bool is_exempt(const struct lint *lint, const struct gr_test *test)
{
    return test->kind == GR_TEST_EXACT && gr_policies_exempt(lint->policies, test->text);
}

static uint32_t stages_of(const struct gr_hookset *set)
{
    uint32_t stages = 0;

    for (size_t i = 0; i < GR_STAGE_COUNT; i++)
        stages |= set->hooks[i].n > 0 ? GR_STAGE_BIT(i) : 0;
    return stages;
}

/* Those left out for all handlers that a test fits; NULL: for every one. */
static uint32_t skipped(const struct lint *lint, const struct gr_test *test)
{
    uint64_t steps = SAME_STEPS;
    uint32_t stages = 0;

    for (size_t i = 0; i < lint->policies->n; i++) {
        const struct gr_policy *policy = &lint->policies->items[i];

        for (size_t k = 0; k < policy->skips_n; k++) {
            struct gr_tests handlers = policy->skips[k].handlers;

            if (gr_lint_fits_all(handlers, GR_FIELD_RUNTIME_HANDLER) ||
                (test && gr_lint_has_test(handlers, test, &steps)) ||
                (test && test->kind == GR_TEST_EXACT && gr_tests_hold(handlers, test->text)))
                stages |= policy->skips[k].stages;
        }
    }
    return stages;
}

static bool is_skipped(const struct lint *lint, const struct gr_test *test)
{
    return (stages_of(lint->set) & ~skipped(lint, test)) == 0;
}

static bool skips_all(const struct lint *lint)
{
    if (stages_of(lint->set) == 0 || lint->set->adjust_n > 0)
        return false;
    return is_skipped(lint, NULL) ||
           asks_only(lint, lint->set->match, GR_FIELD_RUNTIME_HANDLER, is_skipped);
}

static void lint_reach(const struct lint *lint)
{
    const struct gr_cond *match = lint->set->match;
    const char *why = NULL;
    struct gr_err err = {0};

    if (asks_only(lint, match, GR_FIELD_NAMESPACE, is_exempt))
        why = "a policy exempts every namespace that its match names (exemptNamespaces)";
    else if (skips_all(lint))
        why = "a policy leaves all its stages out for every runtime handler that it can match "
              "(skipStages)";
    if (!why)
        return;
    gr_fail(&err, 0, "lint-out-of-reach",
            "the hooks of this set never reach a container: %s; change the set or the policy", why);
    gr_lint_say(lint, GR_LEVEL_WARNING, match->line, match->column, &err);
}

void gr_lint_policies(const struct lint *lint)
{
    if (lint->policies && lint->policies->unreadable.n > 0)
        return; /* every set is blocked, and that was told */
    lint_grants(lint);
    if (lint->policies)
        lint_reach(lint);
}
