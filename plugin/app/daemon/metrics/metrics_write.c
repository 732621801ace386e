/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/metrics_write: the families that are counted, and with them the whole text.
 *
 * Layer: app. Each family has its HELP and TYPE line whether it has samples or not, so that what
 * there is can be read from any scrape.
 */
#include <stdatomic.h>

#include "app/daemon/metrics/metrics_text.h"

/* ---- sessions, requests and containers ---- */

static void write_disconnections(struct gr_metrics_out *out, const struct gr_metrics *m)
{
    static const char *const reasons[GR_DISCONNECTION_COUNT] = {
        [GR_DISCONNECTION_EOF] = "eof",           [GR_DISCONNECTION_TIMEOUT] = "timeout",
        [GR_DISCONNECTION_PROTOCOL] = "protocol", [GR_DISCONNECTION_REFUSED] = "refused",
        [GR_DISCONNECTION_SHUTDOWN] = "shutdown", [GR_DISCONNECTION_ERROR] = "error",
    };

    gr_metrics_lines(out, "reason", reasons, m->disconnections, GR_DISCONNECTION_COUNT);
}

static const char *const events[GR_EVENT_COUNT] = {
    [GR_NRI_CONFIGURE] = "Configure",
    [GR_NRI_SYNCHRONIZE] = "Synchronize",
    [GR_NRI_CREATE_CONTAINER] = "CreateContainer",
    [GR_NRI_SHUTDOWN] = "Shutdown",
    [GR_NRI_OTHER] = "other",
};

static void write_events(struct gr_metrics_out *out, const struct gr_metrics *m)
{
    gr_metrics_lines(out, "event", events, m->events, GR_EVENT_COUNT);
}

/* What can happen has a line from the start, so that its first increase is seen as one. */
static bool can_fail(size_t event, size_t failure)
{
    return event == GR_NRI_CREATE_CONTAINER ||
           (failure == GR_EVENT_UNREADABLE &&
            (event == GR_NRI_CONFIGURE || event == GR_NRI_SYNCHRONIZE));
}

static void write_event_failures(struct gr_metrics_out *out, const struct gr_metrics *m)
{
    static const char *const reasons[GR_EVENT_FAILURE_COUNT] = {
        [GR_EVENT_UNREADABLE] = "unreadable", [GR_EVENT_NOT_LOADED] = "not_loaded",
        [GR_EVENT_NO_MEMORY] = "no_memory",   [GR_EVENT_REPLY_TOO_LARGE] = "reply_too_large",
        [GR_EVENT_FAILED] = "other",
    };

    for (size_t i = 0; i < GR_EVENT_COUNT; i++) {
        for (size_t k = 0; k < GR_EVENT_FAILURE_COUNT; k++) {
            uint64_t n = m->failures[i][k];

            if (n > 0 || can_fail(i, k))
                GR_METRICS_LINE(out, "", n, GR_METRICS_LABEL("event", events[i]),
                                GR_METRICS_LABEL("reason", reasons[k]));
        }
    }
}

static void write_durations(struct gr_metrics_out *out, const struct gr_metrics *m)
{
    static const enum gr_nri_method methods[] = {GR_NRI_CONFIGURE, GR_NRI_SYNCHRONIZE,
                                                 GR_NRI_CREATE_CONTAINER};

    for (size_t i = 0; i < GR_ARRAY_LEN(methods); i++) {
        const struct gr_metrics_label label = GR_METRICS_LABEL("event", events[methods[i]]);

        gr_metrics_histogram(out, &m->durations[methods[i]], gr_request_buckets,
                             UINT64_C(1000000000), &label);
    }
}

static void write_containers(struct gr_metrics_out *out, const struct gr_metrics *m)
{
    static const char *const decisions[GR_CONTAINER_DECISION_COUNT] = {
        [GR_CONTAINER_INJECTED] = "injected",
        [GR_CONTAINER_UNMATCHED] = "unmatched",
        [GR_CONTAINER_SKIPPED] = "skipped",
        [GR_CONTAINER_DENIED] = "denied",
    };

    gr_metrics_lines(out, "decision", decisions, m->containers, GR_CONTAINER_DECISION_COUNT);
}

static void write_log(struct gr_metrics_out *out, const struct gr_metrics *m)
{
    for (size_t i = 0; m->log && i < GR_ARRAY_LEN(m->log->lines); i++)
        GR_METRICS_LINE(out, "", atomic_load_explicit(&m->log->lines[i], memory_order_relaxed),
                        GR_METRICS_LABEL("level", gr_level_name((enum gr_level)i)));
}

/* ---- a set ---- */

static struct gr_metrics_label rule_of(const struct gr_series *series)
{
    return GR_METRICS_LABEL_STR("rule",
                                ((struct gr_str){.p = series->name, .n = series->name_bytes}));
}

static struct gr_metrics_label point_of(size_t stage)
{
    return GR_METRICS_LABEL("hook_point", gr_stage_name((enum gr_stage)stage));
}

static void write_results(struct gr_metrics_out *out, const struct gr_series *series)
{
    const struct gr_set_counts *counts = &series->counts;
    const struct {
        const char *result;
        uint64_t n;
    } rows[] = {{"injected", counts->injected},
                {"observed", counts->observed},
                {"refused", counts->refused},
                {"skipped", counts->skipped},
                {"ignored", counts->ignored}};

    for (size_t i = 0; series->verdicts && i < GR_ARRAY_LEN(rows); i++)
        GR_METRICS_LINE(out, "", rows[i].n, rule_of(series),
                        GR_METRICS_LABEL("result", rows[i].result));
}

static void write_hooks(struct gr_metrics_out *out, const struct gr_series *series)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (series->hooks[stage] > 0)
            GR_METRICS_LINE(out, "", series->hooks[stage], rule_of(series), point_of(stage));
    }
}

static uint64_t runs_at(const struct gr_series *series, size_t point)
{
    uint64_t n = 0;

    for (size_t i = 0; series->runs && i < GR_REPORT_RESULT_COUNT; i++)
        n += series->runs->results[point][i];
    return n;
}

static void write_runs(struct gr_metrics_out *out, const struct gr_series *series)
{
    for (size_t point = 0; point < GR_STAGE_COUNT; point++) {
        uint64_t n = runs_at(series, point);

        if (n > 0)
            GR_METRICS_LINE(out, "", n, rule_of(series), point_of(point));
    }
}

static void write_run_failures(struct gr_metrics_out *out, const struct gr_series *series)
{
    for (size_t point = 0; point < GR_STAGE_COUNT; point++) {
        if (runs_at(series, point) == 0)
            continue;
        for (size_t i = GR_REPORT_EXIT; i < GR_REPORT_RESULT_COUNT; i++)
            GR_METRICS_LINE(
                out, "", series->runs->results[point][i], rule_of(series), point_of(point),
                GR_METRICS_LABEL("reason", gr_report_result_name((enum gr_report_result)i)));
    }
}

static void write_run_durations(struct gr_metrics_out *out, const struct gr_series *series)
{
    const struct gr_metrics_label label = rule_of(series);

    if (series->runs)
        gr_metrics_histogram(out, &series->runs->duration, gr_run_buckets, 1000, &label);
}

/* ---- the table ---- */

static const struct {
    struct gr_metrics_family family;
    /* One of them: */
    void (*write)(struct gr_metrics_out *out, const struct gr_metrics *metrics);
    void (*write_set)(struct gr_metrics_out *out, const struct gr_series *series);
} counted[] = {
    {GR_METRICS_FAMILY("grapnel_disconnections_total", "counter", "reason",
                       "Connections that ended."),
     .write = write_disconnections},
    {GR_METRICS_FAMILY("grapnel_events_total", "counter", "event",
                       "NRI requests that were answered."),
     .write = write_events},
    {GR_METRICS_FAMILY("grapnel_event_failures_total", "counter", "event reason",
                       "NRI requests that could not be handled."),
     .write = write_event_failures},
    {GR_METRICS_FAMILY("grapnel_request_duration_seconds", "histogram", "event",
                       "Time from the arrival of an NRI request to its answer."),
     .write = write_durations},
    {GR_METRICS_FAMILY("grapnel_containers_total", "counter", "decision",
                       "What became of new containers."),
     .write = write_containers},
    {GR_METRICS_FAMILY("grapnel_log_messages_total", "counter", "level", "Lines that were logged."),
     .write = write_log},
    {GR_METRICS_FAMILY("grapnel_rule_results_total", "counter", "rule result",
                       "What became of a set at containers that it matched, or may have matched."),
     .write_set = write_results},
    {GR_METRICS_FAMILY("grapnel_hooks_injected_total", "counter", "rule hook_point",
                       "Hooks that were added to containers."),
     .write_set = write_hooks},
    {GR_METRICS_FAMILY("grapnel_hook_runs_total", "counter", "rule hook_point",
                       "Hooks that ran, as the hook runner reports."),
     .write_set = write_runs},
    {GR_METRICS_FAMILY("grapnel_hook_run_failures_total", "counter", "rule hook_point reason",
                       "Hooks that failed, as the hook runner reports."),
     .write_set = write_run_failures},
    {GR_METRICS_FAMILY("grapnel_hook_run_duration_seconds", "histogram", "rule",
                       "How long hooks ran, as the hook runner reports."),
     .write_set = write_run_durations},
};

int gr_metrics_write(const struct gr_metrics *metrics, const struct gr_view *view,
                     struct gr_buf *to)
{
    struct gr_metrics_out out = {.to = to};

    gr_metrics_write_view(&out, view);
    for (size_t i = 0; i < GR_ARRAY_LEN(counted); i++) {
        gr_metrics_begin(&out, &counted[i].family);
        if (counted[i].write)
            counted[i].write(&out, metrics);
        /* In the order of their first events, and then the others. */
        for (size_t k = 0; counted[i].write_set && k < metrics->series_n; k++)
            counted[i].write_set(&out, metrics->series[k]);
        if (counted[i].write_set && metrics->rest)
            counted[i].write_set(&out, metrics->rest);
    }
    return to->broken;
}
