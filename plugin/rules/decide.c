/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the matches gives each set its verdict and renders what it injects; a second one
 * lays the hooks out by stage. A set is injected whole or not at all.
 */
#include "rules/decide.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/match.h"
#include "rules/render.h"

#define REASON_BYTES 768
#define REFUSAL_BYTES 1536

/* How much of a foreign name is shown in a text. */
#define SHOWN_BYTES 128

/* The hooks of one set that are to be added, by stage. */
struct plan {
    struct gr_rendered *hooks;
    size_t n;
    size_t next; /* while laying out */
};

struct decider {
    const struct gr_subject *subject;
    struct gr_arena *arena;
    struct gr_render render;
    struct gr_strs marks; /* names of the sets whose mark the container carries */
    struct plan *plans;   /* one per match */
    struct gr_set_result *results;
    size_t n;
    size_t hooks_n;
    uint64_t steps;         /* left of the request's budget */
    uint64_t explain_steps; /* left for finding out what to say: that must not change a verdict */
};

const char *gr_verdict_name(enum gr_verdict verdict)
{
    static const char *const names[] = {
        [GR_VERDICT_INJECTED] = "injected", [GR_VERDICT_OBSERVED] = "observed",
        [GR_VERDICT_ALREADY] = "already",   [GR_VERDICT_SKIPPED] = "skipped",
        [GR_VERDICT_IGNORED] = "ignored",   [GR_VERDICT_REFUSED] = "refused",
    };

    return names[verdict];
}

static int say(struct decider *d, struct gr_str *out, const char *format, ...) GR_PRINTF(3, 4);

static int say(struct decider *d, struct gr_str *out, const char *format, ...)
{
    char text[REASON_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    gr_utf8_make_printable(text);
    return gr_arena_str(d->arena, gr_str_from(text), out) ? 0 : -ENOMEM;
}

/* The name of the set whose mark a hook carries; n == 0: none. */
static struct gr_str mark_of(const struct gr_oci_hook *hook)
{
    struct gr_str prefix = GR_STR(GR_MARK_NAME "=");

    for (size_t i = 0; i < hook->env.n; i++) {
        struct gr_str value;
        size_t at;

        if (!gr_str_has_prefix(hook->env.items[i], prefix))
            continue;
        value = gr_str_skip(hook->env.items[i], prefix.n);
        at = gr_str_rfind(value, '@');
        if (at < value.n)
            return gr_str_first(value, at);
    }
    return GR_STR_NONE;
}

static int by_text(const void *a, const void *b)
{
    return gr_str_cmp(*(const struct gr_str *)a, *(const struct gr_str *)b);
}

/* Sorted: a runtime may hand over any number of hooks. */
static int collect_marks(struct decider *d)
{
    struct gr_str *marks = gr_arena_array(d->arena, d->subject->hooks_n, sizeof(*marks));
    size_t n = 0;

    if (!marks)
        return -ENOMEM;
    for (size_t i = 0; i < d->subject->hooks_n; i++) {
        marks[n] = mark_of(&d->subject->hooks[i]);
        n += marks[n].n > 0;
    }
    if (n > 1)
        qsort(marks, n, sizeof(*marks), by_text);
    d->marks = (struct gr_strs){.items = marks, .n = n};
    return 0;
}

static bool is_marked(const struct decider *d, struct gr_str name)
{
    return d->marks.n > 0 &&
           bsearch(&name, d->marks.items, d->marks.n, sizeof(name), by_text) != NULL;
}

static bool same_texts(struct gr_strs a, struct gr_strs b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (!gr_str_eq(a.items[i], b.items[i]))
            return false;
    }
    return true;
}

/* A runtime that finds no args makes them of the path. */
static bool same_args(const struct gr_oci_hook *a, const struct gr_oci_hook *b)
{
    if (a->args.n == 0 && b->args.n == 1)
        return gr_str_eq(b->args.items[0], a->path);
    if (b->args.n == 0 && a->args.n == 1)
        return gr_str_eq(a->args.items[0], b->path);
    return same_texts(a->args, b->args);
}

/* Whether found is what the rule asks for and nothing more, apart from what is added to every env.
 */
static bool same_env(struct gr_strs asked, struct gr_strs found)
{
    size_t n = 0;

    for (size_t i = 0; i < found.n; i++) {
        struct gr_str entry = found.items[i];

        if (n < asked.n && gr_str_eq(entry, asked.items[n]))
            n++;
        else if (!gr_str_has_prefix(entry, GR_STR("GRAPNEL_")) &&
                 !gr_str_is(entry, GR_HOOK_PATH_ENV))
            return false;
    }
    return n == asked.n;
}

/* Whether somebody else has put this very hook there. */
static bool is_there(const struct decider *d, const struct gr_rendered *ours)
{
    const struct gr_oci_hook *hook = &ours->hook;
    struct gr_strs asked = {.items = hook->env.items, .n = ours->user_env_n};

    for (size_t i = 0; i < d->subject->hooks_n; i++) {
        const struct gr_oci_hook *other = &d->subject->hooks[i];

        if (other->stage == hook->stage && other->has_timeout &&
            other->timeout_s == hook->timeout_s && gr_str_eq(other->path, hook->path) &&
            same_args(other, hook) && mark_of(other).n == 0 && same_env(asked, other->env))
            return true;
    }
    return false;
}

/* An evaluation that could not be completed; why is reason. */
static int fail_set(struct decider *d, struct gr_set_result *result, struct gr_str reason)
{
    const struct gr_hookset *set = result->set;

    result->reason = reason;
    if (set->failure_policy == GR_IGNORE) {
        result->verdict = GR_VERDICT_IGNORED;
        return 0;
    }
    result->verdict = GR_VERDICT_REFUSED;
    if (set->mode == GR_MODE_ENFORCE)
        return 0;
    result->verdict = GR_VERDICT_OBSERVED;
    return say(d, &result->reason, "would have refused the container: %.*s", GR_STR_FMT(reason));
}

/* Drops the hooks that are there already. */
static void drop_present(const struct decider *d, struct plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n && d->subject->hooks_n > 0; i++) {
        if (!is_there(d, &plan->hooks[i]))
            plan->hooks[n++] = plan->hooks[i];
    }
    if (d->subject->hooks_n > 0)
        plan->n = n;
}

static int inject(struct decider *d, struct gr_set_result *result, struct plan *plan)
{
    const struct gr_hookset *set = result->set;
    size_t all;
    int r;

    if (set->blocked.n > 0) {
        r = say(d, &result->reason, "it is blocked: %.*s", GR_STR_FMT(set->blocked));
        return r ? r : fail_set(d, result, result->reason);
    }
    r = gr_render_set(&d->render, set, &plan->hooks, &plan->n);
    if (r == GR_RENDER_REFUSED) {
        r = say(d, &result->reason, "%s", d->render.problem);
        return r ? r : fail_set(d, result, result->reason);
    }
    if (r)
        return r;
    all = plan->n;
    drop_present(d, plan);
    result->verdict = GR_VERDICT_INJECTED;
    if (all > 0 && plan->n == 0) {
        result->verdict = GR_VERDICT_ALREADY;
        result->reason = GR_STR("all its hooks are on the container already");
    } else if (set->mode == GR_MODE_OBSERVE) {
        result->verdict = GR_VERDICT_OBSERVED;
        result->reason = GR_STR("would have been injected");
        plan->n = 0;
    } else if (plan->n < all) {
        r = say(d, &result->reason, "%zu of its %zu hooks are on the container already",
                all - plan->n, all);
    } else if (result->truth == GR_UNKNOWN) {
        result->reason = GR_STR("whether it matches cannot be told here, and onUnknown is Inject");
    }
    d->hooks_n += plan->n;
    return r;
}

/* The first leaf that made a tree unknown, for the text. Depth: as gr_cond_eval. */
static const struct gr_cond *unknown_leaf(const struct gr_cond *cond,
                                          const struct gr_subject *subject, uint64_t *steps)
{
    if (cond->kind == GR_COND_LEAF)
        return gr_cond_eval(cond, subject, steps) == GR_UNKNOWN ? cond : NULL;
    for (size_t i = 0; i < cond->children_n; i++) {
        const struct gr_cond *leaf = unknown_leaf(&cond->children[i], subject, steps);

        if (leaf)
            return leaf;
    }
    return NULL;
}

static int fail_unknown(struct decider *d, struct gr_set_result *result)
{
    const struct gr_cond *leaf = unknown_leaf(result->set->match, d->subject, &d->explain_steps);
    struct gr_str reason;
    int r;

    r = say(d, &reason,
            "whether it matches cannot be told here (line %u: %s), and onUnknown is Fail",
            leaf ? leaf->line : result->set->line, leaf ? gr_field_name(leaf->field) : "match");
    if (r)
        return r;
    result->reason = reason;
    result->verdict = GR_VERDICT_REFUSED;
    if (result->set->mode == GR_MODE_ENFORCE)
        return 0;
    result->verdict = GR_VERDICT_OBSERVED;
    return say(d, &result->reason, "would have refused the container: %.*s", GR_STR_FMT(reason));
}

static int decide_set(struct decider *d, struct gr_set_result *result, struct plan *plan)
{
    if (is_marked(d, result->set->name)) {
        result->verdict = GR_VERDICT_ALREADY;
        result->reason = GR_STR("its mark is on the container: another instance was here");
        return 0;
    }
    if (result->truth == GR_ERROR)
        return fail_set(d, result,
                        GR_STR("matching was not completed: the work that one container may cause "
                               "is used up"));
    if (result->truth == GR_TRUE || result->set->on_unknown == GR_UNKNOWN_INJECT)
        return inject(d, result, plan);
    if (result->set->on_unknown == GR_UNKNOWN_FAIL)
        return fail_unknown(d, result);
    result->verdict = GR_VERDICT_SKIPPED;
    result->reason = GR_STR("whether it matches cannot be told here, and onUnknown is Skip");
    return 0;
}

static int lay_out(struct decider *d, struct gr_decision *decision)
{
    struct gr_oci_hook *hooks = gr_arena_array(d->arena, d->hooks_n, sizeof(*hooks));
    size_t n = 0;

    if (!hooks)
        return -ENOMEM;
    for (size_t stage = 0; stage < GR_STAGE_COUNT && n < d->hooks_n; stage++) {
        for (size_t i = 0; i < d->n; i++) {
            struct plan *plan = &d->plans[i];

            while (plan->next < plan->n && plan->hooks[plan->next].hook.stage == stage)
                hooks[n++] = plan->hooks[plan->next++].hook;
        }
    }
    decision->hooks = hooks;
    decision->hooks_n = n;
    return 0;
}

/* Names the first set that refuses and counts the others. */
static int write_refusal(const struct decider *d, const struct gr_set_result *first, size_t others,
                         struct gr_decision *decision)
{
    const struct gr_subject *s = d->subject;
    const struct gr_hookset *set = first->set;
    char text[REFUSAL_BYTES];
    char more[64] = "";

    if (others > 0)
        (void)snprintf(more, sizeof(more), "; %zu more %s refuse%s it too", others,
                       others == 1 ? "set" : "sets", others == 1 ? "s" : "");
    (void)snprintf(text, sizeof(text),
                   "grapnel: HookSet %.*s (%.*s:%u) refuses container %.*s of pod %.*s/%.*s: "
                   "%.*s%s",
                   GR_STR_FMT(gr_str_first(set->name, 253)),
                   GR_STR_FMT(gr_str_first(set->file, 256)), set->line,
                   GR_STR_FMT(gr_str_first(s->name, SHOWN_BYTES)),
                   GR_STR_FMT(gr_str_first(s->pod_namespace, SHOWN_BYTES)),
                   GR_STR_FMT(gr_str_first(s->pod_name, SHOWN_BYTES)),
                   GR_STR_FMT(gr_str_first(first->reason, 512)), more);
    gr_utf8_make_printable(text);
    decision->refuse = true;
    decision->hooks = NULL;
    decision->hooks_n = 0;
    return gr_arena_str(d->arena, gr_str_from(text), &decision->refusal) ? 0 : -ENOMEM;
}

static int conclude(struct decider *d, struct gr_decision *decision)
{
    const struct gr_set_result *first = NULL;
    size_t refusing = 0;

    decision->results = d->results;
    decision->results_n = d->n;
    for (size_t i = 0; i < d->n; i++) {
        if (d->results[i].verdict != GR_VERDICT_REFUSED)
            continue;
        if (!first)
            first = &d->results[i];
        refusing++;
    }
    if (first)
        return write_refusal(d, first, refusing - 1, decision);
    return lay_out(d, decision);
}

static int decide(struct decider *d, const struct gr_match *matches, struct gr_decision *decision)
{
    int r;

    d->results = gr_arena_array(d->arena, d->n, sizeof(*d->results));
    d->plans = gr_arena_array(d->arena, d->n, sizeof(*d->plans));
    if (!d->results || !d->plans)
        return -ENOMEM;
    r = collect_marks(d);
    for (size_t i = 0; i < d->n && r == 0; i++) {
        d->results[i].set = matches[i].set;
        d->results[i].truth = matches[i].truth;
        r = decide_set(d, &d->results[i], &d->plans[i]);
    }
    return r ? r : conclude(d, decision);
}

int gr_decide(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
              const struct gr_decide_options *options, struct gr_arena *arena,
              struct gr_decision *out_decision)
{
    struct decider d = {.subject = subject,
                        .arena = arena,
                        .steps = GR_MATCH_STEPS_MAX,
                        .explain_steps = GR_MATCH_STEPS_MAX / 16};
    struct gr_decision decision = {0};
    const struct gr_match *matches;
    int r;

    r = gr_ruleset_match_steps(ruleset, subject, arena, &d.steps, &matches, &d.n);
    if (r)
        return r;
    gr_render_init(&d.render, subject, options, arena, &d.steps);
    r = decide(&d, matches, &decision);
    gr_render_fini(&d.render);
    if (r == 0)
        *out_decision = decision;
    return r;
}
