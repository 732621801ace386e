/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/policy: what all policies together say.
 *
 * Layer: rules. The reader is in policy_decode.c and policy_fields.c.
 */
#include "rules/policy.h"

#include <errno.h>
#include <stdio.h>

#include "rules/limits.h"
#include "rules/match/test.h"

/* Namespace where errors never deny, unless a policy says otherwise. */
#define NEVER_FAIL_DEFAULT "kube-system"

/* ---- the questions of gr_decide ---- */

/* A name that is not known is none of those that a rule about names lets through. */
static bool holds(struct gr_tests tests, struct gr_str name)
{
    return name.p && gr_tests_hold(tests, name);
}

bool gr_policies_exempt(const struct gr_policies *policies, struct gr_str namespace_)
{
    for (size_t i = 0; i < policies->n; i++) {
        if (holds(policies->items[i].exempt_namespaces, namespace_))
            return true;
    }
    return false;
}

bool gr_policies_never_fail(const struct gr_policies *policies, struct gr_str namespace_)
{
    bool said = false;

    for (size_t i = 0; i < policies->n; i++) {
        const struct gr_policy *policy = &policies->items[i];

        said = said || policy->has_never_fail;
        if (holds(policy->never_fail, namespace_))
            return true;
    }
    return !said && gr_str_is(namespace_, NEVER_FAIL_DEFAULT);
}

static bool grants(const struct gr_policy *policy, struct gr_str set, struct gr_str namespace_)
{
    for (size_t i = 0; i < policy->grants_n; i++) {
        if (holds(policy->grants[i].sets, set) && holds(policy->grants[i].namespaces, namespace_))
            return true;
    }
    return false;
}

bool gr_policies_grant(const struct gr_policies *policies, struct gr_str set,
                       struct gr_str namespace_)
{
    for (size_t i = 0; i < policies->n; i++) {
        if (!grants(&policies->items[i], set, namespace_))
            return false;
    }
    return policies->n > 0 && policies->unreadable.n == 0;
}

enum gr_denied_request gr_policies_on_denied(const struct gr_policies *policies)
{
    for (size_t i = 0; i < policies->n; i++) {
        if (policies->items[i].on_denied == GR_DENIED_FAIL)
            return GR_DENIED_FAIL;
    }
    return policies->n > 0 && policies->unreadable.n == 0 ? GR_DENIED_IGNORE : GR_DENIED_FAIL;
}

bool gr_policies_protect(const struct gr_policies *policies, struct gr_str set,
                         const struct gr_policy **out_by, uint32_t *out_line)
{
    *out_by = NULL;
    *out_line = 0;
    for (size_t i = 0; i < policies->n; i++) {
        struct gr_tests tests = policies->items[i].protected_sets;

        for (size_t k = 0; k < tests.n; k++) {
            const struct gr_tests one = {.items = &tests.items[k], .n = 1};

            if (!holds(one, set))
                continue;
            *out_by = &policies->items[i];
            *out_line = tests.items[k].line;
            return true;
        }
    }
    return policies->unreadable.n > 0; /* who knows */
}

uint32_t gr_policies_skipped_stages(const struct gr_policies *policies, struct gr_str handler)
{
    uint32_t stages = 0;

    for (size_t i = 0; i < policies->n; i++) {
        const struct gr_policy *policy = &policies->items[i];

        for (size_t k = 0; k < policy->skips_n; k++) {
            if (gr_tests_hold(policy->skips[k].handlers, handler))
                stages |= policy->skips[k].stages;
        }
    }
    return stages;
}

uint32_t gr_policies_hooks_max(const struct gr_policies *policies, const struct gr_policy **out_by)
{
    uint32_t max = 0;

    *out_by = NULL;
    for (size_t i = 0; i < policies->n; i++) {
        uint32_t own = policies->items[i].hooks_per_container;

        if (own == 0 || (max != 0 && own >= max))
            continue;
        max = own;
        *out_by = &policies->items[i];
    }
    return max;
}

uint32_t gr_policies_create_timeout_max(const struct gr_policies *policies,
                                        const struct gr_policy **out_by)
{
    uint32_t max = 0;

    *out_by = NULL;
    for (size_t i = 0; i < policies->n; i++) {
        uint32_t own = policies->items[i].create_timeout_total_s;

        if (own == 0 || (max != 0 && own >= max))
            continue;
        max = own;
        *out_by = &policies->items[i];
    }
    return max;
}

/* ---- programs ---- */

const struct gr_policy *gr_policies_blocks_unverified(const struct gr_policies *policies)
{
    for (size_t i = 0; i < policies->n; i++) {
        if (policies->items[i].unverified == GR_UNVERIFIED_BLOCK)
            return &policies->items[i];
    }
    return NULL;
}

/* Takes the first component off a normalised absolute path; empty at its end. */
static struct gr_str next_part(struct gr_str *path)
{
    struct gr_str rest = gr_str_skip(*path, 1);
    struct gr_str part = gr_str_first(rest, gr_str_find(rest, '/'));

    *path = gr_str_skip(rest, part.n);
    return part;
}

static bool lies_in(struct gr_str path, struct gr_str dir)
{
    while (dir.n > 0) {
        struct gr_str expected = next_part(&dir);

        if (!gr_str_eq(next_part(&path), expected))
            return false;
    }
    return path.n > 0; /* the directory itself is no program in it */
}

bool gr_policies_allow_program(const struct gr_policies *policies, struct gr_str resolved,
                               const struct gr_policy **out_by)
{
    *out_by = NULL;
    for (size_t i = 0; i < policies->n; i++) {
        const struct gr_policy *policy = &policies->items[i];
        bool inside = !policy->has_hook_dirs;

        for (size_t k = 0; k < policy->hook_dirs.n && !inside; k++)
            inside = lies_in(resolved, policy->hook_dirs.items[k]);
        if (!inside) {
            *out_by = policy;
            return false;
        }
    }
    return true;
}

/* ---- a set's own text ---- */

struct checking {
    struct gr_arena *arena;
    struct gr_hookset *set;
    struct gr_findings findings;
    bool no_memory;
};

/* Reports at a hook, and blocks the set with the same words unless it is blocked already. */
static void GR_PRINTF(3, 4)
    violate(struct checking *c, const struct gr_hook *hook, const char *format, ...)
{
    struct gr_place at = {.line = hook->line, .column = hook->column};
    struct gr_err err = {0};
    va_list args;

    va_start(args, format);
    gr_err_fill(&err, "policy-violation", format, args);
    va_end(args);
    if (c->set->blocked.n == 0 && !gr_arena_str(c->arena, gr_str_from(err.text), &c->set->blocked))
        c->no_memory = true;
    gr_findings_add(&c->findings, NULL, at, &err);
}

static void check_stages(struct checking *c, const struct gr_policy *policy)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (policy->stages & GR_STAGE_BIT(stage) || c->set->hooks[stage].n == 0)
            continue;
        violate(c, &c->set->hooks[stage].items[0],
                "policy %s:%u allows no hooks of the stage %s, found one; use another stage, or "
                "have the policy allow it",
                policy->file.p, policy->stages_line, gr_stage_name((enum gr_stage)stage));
    }
}

static void check_timeouts(struct checking *c, const struct gr_policy *policy)
{
    uint32_t min = policy->timeout_min_s ? policy->timeout_min_s : GR_HOOK_TIMEOUT_MIN_S;
    uint32_t max = policy->timeout_max_s ? policy->timeout_max_s : GR_HOOK_TIMEOUT_MAX_S;

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        const struct gr_hook_list *hooks = &c->set->hooks[stage];

        for (size_t i = 0; i < hooks->n; i++) {
            const struct gr_hook *hook = &hooks->items[i];

            if (hook->timeout_s >= min && hook->timeout_s <= max)
                continue;
            violate(c, hook,
                    "policy %s:%u allows timeouts from %u to %u seconds, found %u; change the "
                    "timeout, or have the policy allow it",
                    policy->file.p, policy->timeout_line, min, max, hook->timeout_s);
        }
    }
}

/* The first hook, or NULL. */
static const struct gr_hook *first_hook(const struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (set->hooks[stage].n > 0)
            return &set->hooks[stage].items[0];
    }
    return NULL;
}

/* No hook of this version can say how its program is verified, so each of them lacks it. */
static void check_verify(struct checking *c, const struct gr_policy *policy)
{
    const struct gr_hook *hook = first_hook(c->set);

    if (policy->verify == GR_VERIFY_NONE || !hook)
        return;
    violate(c, hook,
            "policy %s:%u allows only hooks whose program is verified by a %s, found none of that "
            "here; this version of Grapnel cannot verify programs, since that takes its hook "
            "runner: use a version that can, or set verify: None in the policy",
            policy->file.p, policy->verify_line,
            policy->verify == GR_VERIFY_DIGEST ? "digest or signature" : "signature");
}

/* What a timeout becomes that a set does not give. */
struct timeouts {
    uint32_t usual; /* 0: the hook's own */
    uint32_t min, max;
};

static struct timeouts find_timeouts(const struct gr_policies *policies)
{
    struct timeouts t = {.min = GR_HOOK_TIMEOUT_MIN_S, .max = GR_HOOK_TIMEOUT_MAX_S};

    for (size_t i = 0; i < policies->n; i++) {
        const struct gr_policy *policy = &policies->items[i];

        if (policy->timeout_min_s)
            t.min = GR_MAX(t.min, policy->timeout_min_s);
        if (policy->timeout_max_s)
            t.max = GR_MIN(t.max, policy->timeout_max_s);
        if (policy->timeout_default_s)
            t.usual =
                t.usual ? GR_MIN(t.usual, policy->timeout_default_s) : policy->timeout_default_s;
    }
    return t;
}

static uint32_t usual_timeout(const struct timeouts *t, const struct gr_hook *hook)
{
    uint32_t timeout = t->usual ? t->usual : hook->timeout_s;

    return GR_MIN(GR_MAX(timeout, t->min), t->max);
}

/* Hooks are never written to: a stage with a timeout that changes gets new ones. */
static int fill_timeouts(struct checking *c, const struct timeouts *t, struct gr_hook_list *hooks)
{
    struct gr_hook *changed = NULL;

    for (size_t i = 0; i < hooks->n; i++) {
        const struct gr_hook *hook = &hooks->items[i];

        if (hook->timeout_given || usual_timeout(t, hook) == hook->timeout_s)
            continue;
        if (!changed) {
            changed = gr_arena_array(c->arena, hooks->n, sizeof(*changed));
            if (!changed)
                return -ENOMEM;
            memcpy(changed, hooks->items, hooks->n * sizeof(*changed));
        }
        changed[i].timeout_s = usual_timeout(t, hook);
    }
    if (changed)
        hooks->items = changed;
    return 0;
}

int gr_policies_check_set(const struct gr_policies *policies, struct gr_arena *arena,
                          const struct gr_reporter *reporter, struct gr_hookset *set)
{
    struct checking c = {
        .arena = arena,
        .set = set,
        .findings = {.reporter = reporter, .file = set->file.p},
    };
    struct timeouts t = find_timeouts(policies);

    if (policies->unreadable.n > 0 && set->blocked.n == 0)
        set->blocked = policies->unreadable;
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        int r = fill_timeouts(&c, &t, &set->hooks[stage]);

        if (r != 0)
            return r;
    }
    for (size_t i = 0; i < policies->n; i++) {
        check_stages(&c, &policies->items[i]);
        check_timeouts(&c, &policies->items[i]);
        check_verify(&c, &policies->items[i]);
    }
    return c.no_memory ? -ENOMEM : 0;
}
