/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the matches gives each set its verdict and renders what it injects; then what the
 * sets adjust is merged, and a last pass lays the hooks out by stage. A set is injected whole or
 * not at all.
 */
#include "rules/decide/decide_parts.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/match/match.h"

#define REASON_BYTES 768

const char *gr_verdict_name(enum gr_verdict verdict)
{
    static const char *const names[] = {
        [GR_VERDICT_INJECTED] = "injected", [GR_VERDICT_OBSERVED] = "observed",
        [GR_VERDICT_ALREADY] = "already",   [GR_VERDICT_SKIPPED] = "skipped",
        [GR_VERDICT_IGNORED] = "ignored",   [GR_VERDICT_REFUSED] = "refused",
    };

    return names[verdict];
}

int gr_decide_say(struct gr_decider *d, struct gr_str *out, const char *format, ...)
{
    char text[REASON_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    gr_utf8_make_printable(text);
    return gr_arena_str(d->arena, gr_str_from(text), out) ? 0 : -ENOMEM;
}

bool gr_decide_spares(const struct gr_decider *d)
{
    return gr_policies_never_fail(d->policies, d->namespace_);
}

/* ---- sets that are out of force ---- */

const struct gr_suspension *gr_decide_suspension(const struct gr_decider *d, struct gr_str set)
{
    const struct gr_decide_options *options = d->options;
    const struct gr_suspension *found =
        gr_suspension_find(options->suspended, options->suspended_n, set, options->now_s);
    const struct gr_policy *by;
    uint32_t line;

    /* Policy and requiredSets may have changed since it was suspended: they win. Only a person may
     * take a required set out of force. */
    if (!found || gr_policies_protect(d->policies, set, &by, &line) ||
        (found->kind == GR_TRIPPED && gr_decide_requires(d, set)))
        return NULL;
    return found;
}

static bool observes(const struct gr_set_result *result)
{
    return result->set->mode == GR_MODE_OBSERVE || result->suspended;
}

static int say_suspended(struct gr_decider *d, struct gr_set_result *result)
{
    char text[GR_SUSPENSION_TEXT_BYTES];

    gr_suspension_say(result->suspended, text);
    return gr_decide_say(d, &result->reason, "%.*s%s%s",
                         GR_STR_FMT(gr_str_first(result->reason, REASON_BYTES / 2 - 8)),
                         result->reason.n > 0 ? "; " : "", text);
}

/* ---- what could not be completed ---- */

static int refuse(struct gr_decider *d, struct gr_set_result *result, struct gr_str reason)
{
    result->reason = reason;
    if (gr_decide_spares(d)) {
        result->verdict = GR_VERDICT_IGNORED;
        return gr_decide_say(d, &result->reason, "%.*s" GR_DECIDE_SPARED,
                             GR_STR_FMT(gr_str_first(reason, 512)));
    }
    result->verdict = GR_VERDICT_REFUSED;
    if (!observes(result))
        return 0;
    result->verdict = GR_VERDICT_OBSERVED;
    return gr_decide_say(d, &result->reason, "would have refused the container: %.*s",
                         GR_STR_FMT(reason));
}

/* An evaluation that could not be completed; why is reason. A pod can bring one about, so that a
 * required set refuses whatever its own policy for failures says. */
static int fail_set(struct gr_decider *d, struct gr_set_result *result, struct gr_str reason)
{
    if (result->set->failure_policy == GR_FAIL || gr_decide_requires(d, result->set->name))
        return refuse(d, result, reason);
    result->verdict = GR_VERDICT_IGNORED;
    result->reason = reason;
    return 0;
}

/* ---- guard rails ---- */

/* Whether the container would have more of us than a policy allows; *out_reason then says so.
 * Returns 0; -ENOMEM. */
static int check_limits(struct gr_decider *d, const struct gr_tally *tally,
                        struct gr_str *out_reason)
{
    const struct gr_policy *by = NULL;
    uint32_t max = gr_policies_hooks_max(d->policies, &by);

    if (max > 0 && tally->hooks > max)
        return gr_decide_say(d, out_reason,
                             "with it the container would have %llu hooks from Grapnel; the policy "
                             "%.*s:%u allows %u",
                             (unsigned long long)tally->hooks, GR_STR_FMT(by->file), by->hooks_line,
                             max);
    max = gr_policies_create_timeout_max(d->policies, &by);
    if (max > 0 && tally->create_timeout_s > max)
        return gr_decide_say(d, out_reason,
                             "with it the timeouts of the container's hooks up to startContainer "
                             "would be %llu s; the policy %.*s:%u allows %u",
                             (unsigned long long)tally->create_timeout_s, GR_STR_FMT(by->file),
                             by->create_timeout_line, max);
    return 0;
}

/* ---- a set that matches ---- */

/* What there is to say about hooks that are not added, and about a match that is not certain. */
static int say_injected(struct gr_decider *d, struct gr_set_result *result, size_t all, size_t n,
                        size_t left_out)
{
    char present[96] = "";
    char skipped[96] = "";

    if (n < all)
        (void)snprintf(present, sizeof(present),
                       "%zu of its %zu hooks are on the container already", all - n, all);
    if (left_out > 0)
        (void)snprintf(skipped, sizeof(skipped),
                       "%zu of its hooks are left out for this runtime handler by a policy",
                       left_out);
    if (n < all || left_out > 0)
        return gr_decide_say(d, &result->reason, "%s%s%s", present,
                             n < all && left_out > 0 ? "; " : "", skipped);
    if (result->truth == GR_UNKNOWN)
        result->reason = GR_STR("whether it matches cannot be told here, and onUnknown is Inject");
    return 0;
}

/* Every hook of the set is rendered and may be there; all: how many those were before. */
static int settle(struct gr_decider *d, struct gr_set_result *result, struct gr_plan *plan,
                  size_t all, size_t left_out)
{
    struct gr_tally tally = d->tally;
    struct gr_str over = GR_STR_NONE;
    int r;

    for (size_t i = 0; i < plan->n; i++)
        gr_decide_count(&tally, &plan->hooks[i].hook);
    r = plan->n > 0 ? check_limits(d, &tally, &over) : 0;
    if (r)
        return r;
    if (over.n > 0) {
        plan->n = 0;
        return fail_set(d, result, over);
    }
    if (observes(result)) {
        result->verdict = GR_VERDICT_OBSERVED;
        result->reason = GR_STR("would have been injected");
        plan->n = 0;
        return 0;
    }
    result->verdict = GR_VERDICT_INJECTED;
    plan->claims = true;
    d->tally = tally;
    d->hooks_n += plan->n;
    return say_injected(d, result, all, plan->n, left_out);
}

static int inject(struct gr_decider *d, struct gr_set_result *result, struct gr_plan *plan)
{
    const struct gr_hookset *set = result->set;
    size_t left_out = 0;
    size_t all;
    int r;

    if (set->blocked.n > 0) {
        r = gr_decide_say(d, &result->reason, "it is blocked: %.*s", GR_STR_FMT(set->blocked));
        return r ? r : fail_set(d, result, result->reason);
    }
    r = gr_render_set(&d->render, set, &plan->hooks, &plan->n, &left_out);
    if (r == GR_RENDER_REFUSED) {
        r = gr_decide_say(d, &result->reason, "%s", d->render.problem);
        return r ? r : fail_set(d, result, result->reason);
    }
    if (r)
        return r;
    all = plan->n;
    r = gr_decide_drop_present(d, plan);
    if (r)
        return r;
    if (set->adjust_n > 0 || plan->n > 0 || (all == 0 && left_out == 0))
        return settle(d, result, plan, all, left_out);
    if (all > 0) {
        result->verdict = GR_VERDICT_ALREADY;
        result->reason = GR_STR("all its hooks are on the container already");
        return 0;
    }
    result->verdict = GR_VERDICT_SKIPPED;
    result->reason = GR_STR("a policy leaves all its hooks out for this runtime handler");
    return 0;
}

static int choose_verdict(struct gr_decider *d, struct gr_set_result *result, struct gr_plan *plan)
{
    int r;

    /* The set, which may be one of thousands, is read only where there are marks. */
    if (d->marks.n > 0 && gr_marks_find(&d->marks, result->set) != GR_MARKED_NOT) {
        result->verdict = GR_VERDICT_ALREADY;
        result->reason = GR_STR("its mark is on the container: another instance was here");
        /* Suspended or not: the instance that applied it did so a moment before the pause. */
        plan->claims = result->set->mode == GR_MODE_ENFORCE;
        plan->done = true;
        return 0;
    }
    if (result->truth == GR_ERROR) {
        r = gr_decide_say_error(d, result->set, &result->reason);
        return r ? r : fail_set(d, result, result->reason);
    }
    if (result->truth == GR_TRUE || result->set->on_unknown == GR_UNKNOWN_INJECT)
        return inject(d, result, plan);
    if (result->set->on_unknown == GR_UNKNOWN_FAIL) {
        r = gr_decide_say_unknown(d, result->set, &result->reason);
        return r ? r : refuse(d, result, result->reason);
    }
    result->verdict = GR_VERDICT_SKIPPED;
    result->reason = GR_STR("whether it matches cannot be told here, and onUnknown is Skip");
    return 0;
}

static int decide_set(struct gr_decider *d, struct gr_set_result *result, struct gr_plan *plan)
{
    int r;

    if (d->options->suspended_n > 0)
        result->suspended = gr_decide_suspension(d, result->set->name);
    r = choose_verdict(d, result, plan);
    return r || !result->suspended ? r : say_suspended(d, result);
}

/* ---- all of them ---- */

static int lay_out(struct gr_decider *d, struct gr_decision *decision)
{
    struct gr_oci_hook *hooks = gr_arena_array(d->arena, d->hooks_n, sizeof(*hooks));
    size_t n = 0;

    if (!hooks)
        return -ENOMEM;
    for (size_t stage = 0; stage < GR_STAGE_COUNT && n < d->hooks_n; stage++) {
        for (size_t i = 0; i < d->n; i++) {
            struct gr_plan *plan = &d->plans[i];

            while (plan->next < plan->n && plan->hooks[plan->next].hook.stage == stage)
                hooks[n++] = plan->hooks[plan->next++].hook;
        }
    }
    decision->hooks = hooks;
    decision->hooks_n = n;
    return 0;
}

static int conclude(struct gr_decider *d, struct gr_decision *decision)
{
    int r = gr_decide_refuse(d, decision);

    if (r == 0 && !decision->refuse)
        r = gr_decide_adjust(d, decision);
    if (r == 0 && !decision->refuse)
        r = lay_out(d, decision);
    decision->results = d->results;
    decision->results_n = d->n;
    decision->objections = d->objections;
    decision->objections_n = d->objections_n;
    decision->marks = d->marks;
    return r;
}

static int decide(struct gr_decider *d, const struct gr_match *matches,
                  struct gr_decision *decision)
{
    int r;

    d->results = gr_arena_array(d->arena, d->n, sizeof(*d->results));
    d->plans = gr_arena_array(d->arena, d->n, sizeof(*d->plans));
    if (!d->results || !d->plans)
        return -ENOMEM;
    r = gr_decide_collect_hooks(d);
    for (size_t i = 0; i < d->n && r == 0; i++) {
        d->results[i].set = matches[i].set;
        d->results[i].truth = matches[i].truth;
        r = decide_set(d, &d->results[i], &d->plans[i]);
    }
    return r ? r : conclude(d, decision);
}

/* What the pod asks for is looked up first: a match may ask for it. */
static int match_and_decide(struct gr_decider *d, struct gr_decision *decision)
{
    uint64_t steps = d->steps - GR_RENDER_STEPS_MIN;
    const struct gr_match *matches;
    int r = gr_decide_requests(d);

    if (r == 0)
        r = gr_ruleset_match_steps(d->ruleset, &d->subject, d->arena, &steps, &matches, &d->n);
    if (r)
        return r;
    d->steps = steps + GR_RENDER_STEPS_MIN;
    gr_render_init(&d->render, &d->subject, d->options, d->arena, &d->steps);
    if (gr_subject_knows(&d->subject, GR_FIELD_RUNTIME_HANDLER))
        d->render.left_out = gr_policies_skipped_stages(d->policies, d->subject.runtime_handler);
    r = decide(d, matches, decision);
    gr_render_fini(&d->render);
    return r;
}

static bool is_exempt(const struct gr_decider *d)
{
    struct gr_str own = d->options->own_namespace;

    return (own.n > 0 && gr_str_eq(d->namespace_, own)) ||
           gr_policies_exempt(d->policies, d->namespace_);
}

int gr_decide(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
              const struct gr_decide_options *options, struct gr_arena *arena,
              struct gr_decision *out_decision)
{
    struct gr_decider d = {.ruleset = ruleset,
                           .policies = gr_ruleset_policies(ruleset),
                           .options = options,
                           .subject = *subject,
                           .arena = arena,
                           .steps = GR_MATCH_STEPS_MAX,
                           .explain_steps = GR_MATCH_STEPS_MAX / 16};
    struct gr_decision decision = {0};
    int r = 0;

    if (gr_subject_knows(subject, GR_FIELD_NAMESPACE))
        d.namespace_ = subject->pod_namespace;
    if (is_exempt(&d))
        decision.exempt = true;
    else
        r = match_and_decide(&d, &decision);
    if (r == 0)
        *out_decision = decision;
    return r;
}
