/* SPDX-License-Identifier: Apache-2.0 */
/* Who may suspend what: pause and resume, and the breaker. */
#include <errno.h>
#include <stdio.h>

#include "app/daemon/suspend/suspend_parts.h"
#include "base/utf8.h"
#include "rules/read/findings.h"

#define BIT(kind) (1U << (kind))
#define KINDS (BIT(GR_PAUSED) | BIT(GR_TRIPPED))

#define BREAKER GR_STR("breaker")

/* ---- which sets there are ---- */

static bool is_known(const struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                     struct gr_str set)
{
    return gr_ruleset_find(rules->ruleset, set) || gr_suspend_is_required(rules, set) ||
           gr_suspend_entry(suspend, set, GR_PAUSED) || gr_suspend_entry(suspend, set, GR_TRIPPED);
}

/* A slip must not look as if something had been paused. */
static int check_known(const struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                       struct gr_str set, struct gr_err *err)
{
    struct gr_str nearest;

    if (!rules->ruleset)
        return gr_fail(err, -EAGAIN, "rules-not-loaded",
                       "Grapnel is still loading its rules; try again");
    if (is_known(suspend, rules, set))
        return 0;
    nearest = gr_ruleset_nearest(rules->ruleset, set);
    return gr_fail(err, -ENOENT, "unknown-set",
                   "there is no HookSet \"%s\" here%s%.*s%s grapnel list shows those there are",
                   gr_show(set).text, nearest.n > 0 ? "; did you mean \"" : "", GR_STR_FMT(nearest),
                   nearest.n > 0 ? "\"?" : ";");
}

/* ---- pause and resume ---- */

static int check_protected(const struct gr_inforce_status *rules, struct gr_str set,
                           struct gr_err *err)
{
    const struct gr_policies *policies = gr_ruleset_policies(rules->ruleset);
    const struct gr_policy *by;
    uint32_t line;

    if (!gr_policies_protect(policies, set, &by, &line))
        return 0;
    if (!by)
        return gr_fail(err, -EPERM, "protected-set",
                       "a policy cannot be read, so that every HookSet counts as protected: %.*s",
                       GR_STR_FMT(policies->unreadable));
    return gr_fail(
        err, -EPERM, "protected-set",
        "the policy %.*s:%u protects the HookSet %.*s (protectedSets), so that it cannot "
        "be paused",
        GR_STR_FMT(by->file), line, GR_STR_FMT(set));
}

static bool is_line(struct gr_str text)
{
    uint32_t rune;

    while (text.n > 0) {
        size_t n = gr_utf8_next(text, &rune);

        if (n == 0 || !gr_utf8_is_plain(rune))
            return false;
        text = gr_str_skip(text, n);
    }
    return true;
}

static int check_pause(const struct gr_pause *pause, struct gr_err *err)
{
    if (pause->for_s > GR_PAUSE_MAX_S)
        return gr_fail(err, -EINVAL, "bad-seconds",
                       "a pause may last %d seconds (7 days), found %u; for longer, change the "
                       "rules",
                       GR_PAUSE_MAX_S, pause->for_s);
    if (pause->reason.n > GR_PAUSE_REASON_MAX_BYTES)
        return gr_fail(err, -EINVAL, "too-long",
                       "a reason may have %d bytes, found %zu; shorten it",
                       GR_PAUSE_REASON_MAX_BYTES, pause->reason.n);
    if (!is_line(pause->reason))
        return gr_fail(err, -EINVAL, "control-character",
                       "expected a reason of one line, found control characters or no UTF-8");
    return 0;
}

int gr_suspend_pause(struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                     const struct gr_pause *pause, struct gr_err *err)
{
    int64_t now_s = suspend->clock();
    const struct gr_suspension one = {.set = pause->set,
                                      .kind = GR_PAUSED,
                                      .by = pause->by,
                                      .since_s = now_s,
                                      .until_s = pause->for_s > 0 ? now_s + pause->for_s : 0,
                                      .reason = pause->reason};
    const struct gr_suspend_change change = {
        .set = pause->set, .kinds = BIT(GR_PAUSED), .add = &one};
    size_t gone;
    int r = check_pause(pause, err);

    if (r == 0 && pause->set.n > 0)
        r = check_known(suspend, rules, pause->set, err);
    if (r == 0 && pause->set.n > 0)
        r = check_protected(rules, pause->set, err);
    if (r == 0)
        r = gr_suspend_apply(suspend, &change, &gone, err);
    if (r == 0)
        gr_suspend_log(suspend, pause->set.n > 0 ? "HookSet paused" : "all HookSets paused", &one,
                       GR_STR_NONE);
    return r;
}

/* A set that is paused with all others cannot be taken out of that: it would not be seen that the
 * pause of all is no longer one. */
static int check_alone(const struct gr_suspend *suspend, struct gr_str set, struct gr_err *err)
{
    const struct gr_suspension *all = gr_suspend_entry(suspend, GR_STR_NONE, GR_PAUSED);

    if (!all || !gr_suspension_holds(all, suspend->clock()) ||
        gr_suspend_entry(suspend, set, GR_PAUSED) || gr_suspend_entry(suspend, set, GR_TRIPPED))
        return 0;
    return gr_fail(err, -EINVAL, "paused-with-all",
                   "the HookSet %.*s is paused with all others; resume all of them (--all)",
                   GR_STR_FMT(set));
}

int gr_suspend_resume(struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                      struct gr_str set, struct gr_str by, size_t *out_n, struct gr_err *err)
{
    const struct gr_suspend_change change = {
        .everything = set.n == 0, .set = set, .kinds = KINDS, .by = by};
    int r = 0;

    *out_n = 0;
    gr_suspend_refresh(suspend);
    if (set.n > 0)
        r = check_known(suspend, rules, set, err);
    if (r == 0 && set.n > 0)
        r = check_alone(suspend, set, err);
    if (r)
        return r;
    r = gr_suspend_apply(suspend, &change, out_n, err);
    if (r)
        return r;
    if (set.n == 0)
        gr_breaker_reset_all(suspend->breaker);
    else
        gr_breaker_reset(suspend->breaker, set);
    return 0;
}

/* ---- the breaker ---- */

static void log_run(const struct gr_suspend *suspend, const struct gr_report *report)
{
    GR_LOG(suspend->log, GR_LEVEL_INFO, "a hook failed", GR_LOG_STR("set", report->set),
           GR_LOG_STR("id", report->id), GR_LOG_TEXT("stage", gr_stage_name(report->stage)),
           GR_LOG_TEXT("result", gr_report_result_name(report->result)),
           GR_LOG_INT("code", report->code), GR_LOG_INT("duration_ms", report->duration_ms),
           GR_LOG_STR("output", report->output));
}

/* Sets that the breaker leaves alone; the log then says what it would have done. */
static bool is_spared(const struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                      const struct gr_suspension *trip)
{
    const struct gr_policy *by;
    bool required = gr_suspend_is_required(rules, trip->set);
    uint32_t line;

    if (!required &&
        !gr_policies_protect(gr_ruleset_policies(rules->ruleset), trip->set, &by, &line))
        return false;
    gr_suspend_log(suspend,
                   required ? "the breaker of a required HookSet does not trip"
                            : "the breaker of a HookSet that a policy protects does not trip",
                   trip, GR_STR_NONE);
    return true;
}

static void trip(struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                 const struct gr_hookset *set)
{
    char reason[128];
    struct gr_suspension one = {
        .set = set->name, .kind = GR_TRIPPED, .by = BREAKER, .since_s = suspend->clock()};
    const struct gr_suspend_change change = {
        .set = set->name, .kinds = BIT(GR_TRIPPED), .add = &one};
    struct gr_err err = {0};
    size_t gone;

    (void)snprintf(reason, sizeof(reason), "%u failed runs within %u s", set->breaker.failures,
                   set->breaker.window_s);
    one.reason = gr_str_from(reason);
    if (!is_spared(suspend, rules, &one)) {
        /* What cannot be done now is done with the next failure. */
        if (gr_suspend_apply(suspend, &change, &gone, &err) != 0) {
            gr_log_finding(suspend->log, GR_LEVEL_ERROR, &err);
            return;
        }
        gr_suspend_log(suspend,
                       "the breaker of a HookSet tripped: it is out of force until it is "
                       "resumed",
                       &one, GR_STR_NONE);
    }
    gr_breaker_reset(suspend->breaker, set->name);
}

void gr_suspend_report(struct gr_suspend *suspend, const struct gr_inforce_status *rules,
                       const struct gr_report *report, uint64_t now_ms)
{
    const struct gr_hookset *set;

    if (report->result == GR_REPORT_OK)
        return;
    log_run(suspend, report);
    set = rules->ruleset ? gr_ruleset_find(rules->ruleset, report->set) : NULL;
    /* Failures of an older text say nothing about this one. */
    if (!set || set->hash != report->hash || set->breaker.failures == 0)
        return;
    gr_suspend_refresh(suspend);
    if (gr_suspend_entry(suspend, set->name, GR_TRIPPED))
        return;
    if (gr_breaker_failed(suspend->breaker, set, now_ms) == GR_BREAKER_TRIPS)
        trip(suspend, rules, set);
}
