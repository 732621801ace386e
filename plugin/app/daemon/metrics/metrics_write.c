/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/metrics_write: one table of families, written in its order.
 *
 * Layer: app. Each family has its HELP and TYPE line whether it has samples or not, so that what
 * there is can be read from any scrape.
 */
#include "app/daemon/metrics/metrics.h"

#include <stdatomic.h>
#include <stdio.h>

#include "app/daemon/metrics/metrics_parts.h"
#include "app/daemon/metrics/metrics_text.h"
#include "base/hash.h"
#include "commit.h"
#include "version.h"

/* What the writers take their values from. */
struct source {
    const struct gr_metrics *metrics;
    const struct gr_view *view;
};

typedef void write_fn(struct gr_metrics_out *out, const struct source *from);

/* ---- the process and its session ---- */

static const char *libc_name(void)
{
#ifdef __GLIBC__
    return "glibc";
#else
    return "other";
#endif
}

static void write_build(struct gr_metrics_out *out, const struct source *from)
{
    (void)from;
    GR_METRICS_LINE(
        out, "", 1, GR_METRICS_LABEL("version", GR_VERSION), GR_METRICS_LABEL("commit", GR_COMMIT),
        GR_METRICS_LABEL("nri_api", GR_NRI_VERSION), GR_METRICS_LABEL("libc", libc_name()));
}

static bool is_asked(const struct gr_view_session *session)
{
    return session->state == GR_SESSION_READY ||
           (session->launched && session->state == GR_SESSION_CONFIGURED);
}

static void write_runtime(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_view_session *session = &from->view->session;

    if (session->state == GR_SESSION_CONFIGURED || session->state == GR_SESSION_READY)
        GR_METRICS_LINE(out, "", 1, GR_METRICS_LABEL("runtime", session->runtime),
                        GR_METRICS_LABEL("runtime_version", session->version),
                        GR_METRICS_LABEL("plugin_index", session->index));
}

static void write_connected(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", is_asked(&from->view->session), NULL, 0);
}

static void write_ready(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", !gr_view_not_ready(from->view), NULL, 0);
}

static void write_connections(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->session.sessions, NULL, 0);
}

static void write_disconnections(struct gr_metrics_out *out, const struct source *from)
{
    static const char *const reasons[GR_DISCONNECTION_COUNT] = {
        [GR_DISCONNECTION_EOF] = "eof",           [GR_DISCONNECTION_TIMEOUT] = "timeout",
        [GR_DISCONNECTION_PROTOCOL] = "protocol", [GR_DISCONNECTION_REFUSED] = "refused",
        [GR_DISCONNECTION_SHUTDOWN] = "shutdown", [GR_DISCONNECTION_ERROR] = "error",
    };

    for (size_t i = 0; i < GR_DISCONNECTION_COUNT; i++)
        GR_METRICS_LINE(out, "", from->metrics->disconnections[i],
                        GR_METRICS_LABEL("reason", reasons[i]));
}

static void write_log(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_log_counts *counts = from->metrics->log;

    for (size_t i = 0; counts && i < GR_ARRAY_LEN(counts->lines); i++)
        GR_METRICS_LINE(out, "", atomic_load_explicit(&counts->lines[i], memory_order_relaxed),
                        GR_METRICS_LABEL("level", gr_level_name((enum gr_level)i)));
}

/* ---- requests and containers ---- */

static const char *const events[GR_EVENT_COUNT] = {
    [GR_NRI_CONFIGURE] = "Configure",
    [GR_NRI_SYNCHRONIZE] = "Synchronize",
    [GR_NRI_CREATE_CONTAINER] = "CreateContainer",
    [GR_NRI_SHUTDOWN] = "Shutdown",
    [GR_NRI_OTHER] = "other",
};

static void write_events(struct gr_metrics_out *out, const struct source *from)
{
    for (size_t i = 0; i < GR_EVENT_COUNT; i++)
        GR_METRICS_LINE(out, "", from->metrics->events[i], GR_METRICS_LABEL("event", events[i]));
}

/* What can happen has a line from the start, so that its first increase is seen as one. */
static bool can_fail(size_t event, size_t failure)
{
    return event == GR_NRI_CREATE_CONTAINER ||
           (failure == GR_EVENT_UNREADABLE &&
            (event == GR_NRI_CONFIGURE || event == GR_NRI_SYNCHRONIZE));
}

static void write_event_failures(struct gr_metrics_out *out, const struct source *from)
{
    static const char *const reasons[GR_EVENT_FAILURE_COUNT] = {
        [GR_EVENT_UNREADABLE] = "unreadable", [GR_EVENT_NOT_LOADED] = "not_loaded",
        [GR_EVENT_NO_MEMORY] = "no_memory",   [GR_EVENT_REPLY_TOO_LARGE] = "reply_too_large",
        [GR_EVENT_FAILED] = "other",
    };

    for (size_t i = 0; i < GR_EVENT_COUNT; i++) {
        for (size_t k = 0; k < GR_EVENT_FAILURE_COUNT; k++) {
            uint64_t n = from->metrics->failures[i][k];

            if (n > 0 || can_fail(i, k))
                GR_METRICS_LINE(out, "", n, GR_METRICS_LABEL("event", events[i]),
                                GR_METRICS_LABEL("reason", reasons[k]));
        }
    }
}

static void write_durations(struct gr_metrics_out *out, const struct source *from)
{
    static const enum gr_nri_method methods[] = {GR_NRI_CONFIGURE, GR_NRI_SYNCHRONIZE,
                                                 GR_NRI_CREATE_CONTAINER};

    for (size_t i = 0; i < GR_ARRAY_LEN(methods); i++) {
        const struct gr_metrics_label label = GR_METRICS_LABEL("event", events[methods[i]]);

        gr_metrics_histogram(out, &from->metrics->durations[methods[i]], gr_request_buckets,
                             UINT64_C(1000000000), &label);
    }
}

static void write_containers(struct gr_metrics_out *out, const struct source *from)
{
    static const char *const decisions[GR_CONTAINER_DECISION_COUNT] = {
        [GR_CONTAINER_INJECTED] = "injected",
        [GR_CONTAINER_UNMATCHED] = "unmatched",
        [GR_CONTAINER_SKIPPED] = "skipped",
        [GR_CONTAINER_DENIED] = "denied",
    };

    for (size_t i = 0; i < GR_CONTAINER_DECISION_COUNT; i++)
        GR_METRICS_LINE(out, "", from->metrics->containers[i],
                        GR_METRICS_LABEL("decision", decisions[i]));
}

/* ---- rules and settings ---- */

static size_t sets_n(const struct source *from)
{
    const struct gr_ruleset *ruleset = from->view->rules.ruleset;

    return ruleset ? gr_ruleset_count(ruleset) : 0;
}

static const struct gr_hookset *set_at(const struct source *from, size_t i)
{
    return gr_ruleset_at(from->view->rules.ruleset, i);
}

enum place { PLACE_ETC, PLACE_RUN, PLACE_USR, PLACE_OTHER, PLACE_OCI };
#define PLACE_COUNT 5

static enum place place_of(const struct gr_hookset *set)
{
    if (set->format != GR_FORMAT_HOOKSET)
        return PLACE_OCI;
    if (gr_str_has_prefix(set->file, GR_STR("/etc/")))
        return PLACE_ETC;
    if (gr_str_has_prefix(set->file, GR_STR("/run/")))
        return PLACE_RUN;
    if (gr_str_has_prefix(set->file, GR_STR("/usr/")))
        return PLACE_USR;
    return PLACE_OTHER;
}

static void write_loaded(struct gr_metrics_out *out, const struct source *from)
{
    static const char *const names[PLACE_COUNT] = {[PLACE_ETC] = "etc",
                                                   [PLACE_RUN] = "run",
                                                   [PLACE_USR] = "usr",
                                                   [PLACE_OTHER] = "other",
                                                   [PLACE_OCI] = "oci"};
    uint64_t counts[PLACE_COUNT] = {0};

    for (size_t i = 0; i < sets_n(from); i++)
        counts[place_of(set_at(from, i))] += !set_at(from, i)->other_node;
    for (size_t i = 0; i < PLACE_COUNT; i++)
        GR_METRICS_LINE(out, "", counts[i], GR_METRICS_LABEL("source", names[i]));
}

static void write_rejected(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->rules.load->rejected, NULL, 0);
}

static void write_blocked(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->rules.load->blocked, NULL, 0);
}

static void write_last_good(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->rules.load->last_good, NULL, 0);
}

static void write_paused(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->paused, NULL, 0);
}

static void write_tripped(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->tripped, NULL, 0);
}

static void write_reloads(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->rules.loads, NULL, 0);
}

static void write_reload_failures(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->rules.failures, NULL, 0);
}

static void write_reload_successful(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_inforce_status *rules = &from->view->rules;
    /* The times tell of a load that had no memory: what rules->load says is of the one before. */
    bool good = rules->sound && rules->load->errors == 0 && rules->last_s == rules->last_success_s;

    if (rules->loads > 0)
        gr_metrics_line(out, "", good, NULL, 0);
}

static void write_reload_success_time(struct gr_metrics_out *out, const struct source *from)
{
    if (from->view->rules.last_success_s > 0)
        gr_metrics_line(out, "", (uint64_t)from->view->rules.last_success_s, NULL, 0);
}

static struct gr_str bytes_of(const void *p, size_t n)
{
    return (struct gr_str){.p = p, .n = n};
}

/*
 * Of the texts, so that nodes with equal files are equal: not of what a node makes of them
 * (spec.nodes, programs that are missing), nor of where they lie.
 */
static void write_hash(struct gr_metrics_out *out, const struct source *from)
{
    char text[17];
    uint64_t hash;

    if (!from->view->rules.ruleset)
        return;
    hash = gr_ruleset_policies(from->view->rules.ruleset)->hash;
    hash = gr_hash(bytes_of(&hash, sizeof(hash)));
    for (size_t i = 0; i < sets_n(from); i++) {
        const struct gr_hookset *set = set_at(from, i);

        hash = gr_hash_more(hash, set->name);
        hash = gr_hash_more(hash, bytes_of(&set->hash, sizeof(set->hash)));
    }
    (void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash);
    GR_METRICS_LINE(out, "", 1, GR_METRICS_LABEL("hash", text));
}

/* Beyond the limit one line says whether all the others have theirs. */
static void write_programs(struct gr_metrics_out *out, const struct source *from)
{
    size_t shown = 0;
    bool more = false, rest = true;

    for (size_t i = 0; i < sets_n(from); i++) {
        const struct gr_hookset *set = set_at(from, i);

        if (set->other_node)
            continue;
        if (shown < GR_METRICS_SETS_MAX) {
            GR_METRICS_LINE(out, "", !set->no_program, GR_METRICS_LABEL_STR("rule", set->name));
            shown++;
        } else {
            more = true;
            rest = rest && !set->no_program;
        }
    }
    if (more)
        GR_METRICS_LINE(out, "", rest, GR_METRICS_LABEL("rule", ""));
}

/* ---- containers that run without their hooks ---- */

/* Nothing as long as the runtime has not told them. */
static void write_running_known(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_running_status *running = &from->view->running;

    if (running->known || running->problem)
        gr_metrics_line(out, "", running->known, NULL, 0);
}

static void write_missed(struct gr_metrics_out *out, const struct source *from)
{
    if (from->view->running.known)
        gr_metrics_line(out, "", from->view->running.missed, NULL, 0);
}

static void write_unreadable(struct gr_metrics_out *out, const struct source *from)
{
    if (from->view->running.known)
        gr_metrics_line(out, "", from->view->running.unreadable, NULL, 0);
}

static void write_outdated(struct gr_metrics_out *out, const struct source *from)
{
    if (from->view->running.known)
        gr_metrics_line(out, "", from->view->running.outdated, NULL, 0);
}

static void write_preexisting(struct gr_metrics_out *out, const struct source *from)
{
    if (from->view->running.known)
        gr_metrics_line(out, "", from->view->running.preexisting, NULL, 0);
}

/* ---- sets ---- */

/* The series of each set in the order of their first events, then that of the others. */
static const struct gr_series *series_at(const struct source *from, size_t i)
{
    const struct gr_metrics *m = from->metrics;

    return i < m->series_n ? m->series[i] : i == m->series_n ? m->rest : NULL;
}

static struct gr_metrics_label rule_of(const struct gr_series *series)
{
    return GR_METRICS_LABEL_STR("rule", bytes_of(series->name, series->name_bytes));
}

static void write_results(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_series *series;

    for (size_t i = 0; (series = series_at(from, i)) != NULL; i++) {
        const struct gr_set_counts *counts = &series->counts;
        const struct {
            const char *result;
            uint64_t n;
        } rows[] = {{"injected", counts->injected},
                    {"observed", counts->observed},
                    {"refused", counts->refused},
                    {"skipped", counts->skipped},
                    {"ignored", counts->ignored}};

        for (size_t k = 0; series->verdicts && k < GR_ARRAY_LEN(rows); k++)
            GR_METRICS_LINE(out, "", rows[k].n, rule_of(series),
                            GR_METRICS_LABEL("result", rows[k].result));
    }
}

static void write_hooks(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_series *series;

    for (size_t i = 0; (series = series_at(from, i)) != NULL; i++) {
        for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
            if (series->hooks[stage] > 0)
                GR_METRICS_LINE(
                    out, "", series->hooks[stage], rule_of(series),
                    GR_METRICS_LABEL("hook_point", gr_stage_name((enum gr_stage)stage)));
        }
    }
}

static uint64_t runs_at(const struct gr_series *series, size_t point)
{
    uint64_t n = 0;

    for (size_t i = 0; series->runs && i < GR_REPORT_RESULT_COUNT; i++)
        n += series->runs->results[point][i];
    return n;
}

static void write_runs(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_series *series;

    for (size_t i = 0; (series = series_at(from, i)) != NULL; i++) {
        for (size_t point = 0; point < GR_STAGE_COUNT; point++) {
            uint64_t n = runs_at(series, point);

            if (n > 0)
                GR_METRICS_LINE(
                    out, "", n, rule_of(series),
                    GR_METRICS_LABEL("hook_point", gr_stage_name((enum gr_stage)point)));
        }
    }
}

static void write_run_failures(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_series *series;

    for (size_t i = 0; (series = series_at(from, i)) != NULL; i++) {
        for (size_t point = 0; point < GR_STAGE_COUNT; point++) {
            for (size_t k = GR_REPORT_EXIT;
                 runs_at(series, point) > 0 && k < GR_REPORT_RESULT_COUNT; k++)
                GR_METRICS_LINE(
                    out, "", series->runs->results[point][k], rule_of(series),
                    GR_METRICS_LABEL("hook_point", gr_stage_name((enum gr_stage)point)),
                    GR_METRICS_LABEL("reason", gr_report_result_name((enum gr_report_result)k)));
        }
    }
}

static void write_run_durations(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_series *series;

    for (size_t i = 0; (series = series_at(from, i)) != NULL; i++) {
        const struct gr_metrics_label label = rule_of(series);

        if (series->runs)
            gr_metrics_histogram(out, &series->runs->duration, gr_run_buckets, 1000, &label);
    }
}

/* ---- what else the process does ---- */

static void write_reports(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_report_counts *counts = &from->view->reports;

    gr_metrics_line(out, "", counts->good + counts->bad + counts->foreign, NULL, 0);
}

static void write_report_failures(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_report_counts *counts = &from->view->reports;

    GR_METRICS_LINE(out, "", counts->bad, GR_METRICS_LABEL("reason", "bad"));
    GR_METRICS_LINE(out, "", counts->foreign, GR_METRICS_LABEL("reason", "foreign"));
}

static void write_watch_working(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->watch.working, NULL, 0);
}

static void write_watch_events(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->watch.events, NULL, 0);
}

static void write_watch_overflows(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->watch.overflows, NULL, 0);
}

static void write_journal_working(struct gr_metrics_out *out, const struct source *from)
{
    const struct gr_recorder_status *journal = &from->view->journal;

    if (journal->run_dir)
        gr_metrics_line(out, "", journal->open && !journal->problem, NULL, 0);
}

static void write_journal_records(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->journal.records, NULL, 0);
}

static void write_journal_lost(struct gr_metrics_out *out, const struct source *from)
{
    gr_metrics_line(out, "", from->view->journal.lost, NULL, 0);
}

/* ---- the table ---- */

/* tests/lint/metrics reads it: one line with the name, the type and the labels of each. */
#define FAMILY(name, type, labels, help, write) \
    {                                           \
        {name, type, help}, write               \
    }

static const struct {
    struct gr_metrics_family family;
    write_fn *write;
} families[] = {
    FAMILY("grapnel_build_info", "gauge", "version commit nri_api libc", "What this program is.",
           write_build),
    FAMILY("grapnel_runtime_info", "gauge", "runtime runtime_version plugin_index",
           "The runtime that the plugin is registered with.", write_runtime),
    FAMILY("grapnel_connected", "gauge", "",
           "Whether the runtime asks the plugin about containers.", write_connected),
    FAMILY("grapnel_ready", "gauge", "", "Whether the probe readyz answers yes.", write_ready),
    FAMILY("grapnel_connections_total", "counter", "", "Connections to the runtime.",
           write_connections),
    FAMILY("grapnel_disconnections_total", "counter", "reason", "Connections that ended.",
           write_disconnections),
    FAMILY("grapnel_events_total", "counter", "event", "NRI requests that were answered.",
           write_events),
    FAMILY("grapnel_event_failures_total", "counter", "event reason",
           "NRI requests that could not be handled.", write_event_failures),
    FAMILY("grapnel_request_duration_seconds", "histogram", "event",
           "Time from the arrival of an NRI request to its answer.", write_durations),
    FAMILY("grapnel_containers_total", "counter", "decision", "What became of new containers.",
           write_containers),
    FAMILY("grapnel_rule_results_total", "counter", "rule result",
           "What became of a set at containers that it matched, or may have matched.",
           write_results),
    FAMILY("grapnel_hooks_injected_total", "counter", "rule hook_point",
           "Hooks that were added to containers.", write_hooks),
    FAMILY("grapnel_rules_loaded", "gauge", "source", "Sets that are in force on this node.",
           write_loaded),
    FAMILY("grapnel_rules_rejected", "gauge", "", "Sets in files that were refused.",
           write_rejected),
    FAMILY("grapnel_rules_blocked", "gauge", "",
           "Sets that a policy or a missing hook program keeps from being obeyed.", write_blocked),
    FAMILY("grapnel_rules_last_good_files", "gauge", "",
           "Files whose last good text is in force instead.", write_last_good),
    FAMILY("grapnel_rules_paused", "gauge", "", "Sets that somebody paused.", write_paused),
    FAMILY("grapnel_rules_tripped", "gauge", "", "Sets that their breaker paused.", write_tripped),
    FAMILY("grapnel_config_reloads_total", "counter", "", "Loads of rules and settings.",
           write_reloads),
    FAMILY("grapnel_config_reload_failures_total", "counter", "", "Loads that found errors.",
           write_reload_failures),
    FAMILY("grapnel_config_last_reload_successful", "gauge", "",
           "Whether the last load found no errors.", write_reload_successful),
    FAMILY("grapnel_config_last_reload_success_timestamp_seconds", "gauge", "",
           "When a load last found no errors.", write_reload_success_time),
    FAMILY("grapnel_config_hash_info", "gauge", "hash",
           "Equal on nodes whose rules and policies are equal.", write_hash),
    FAMILY("grapnel_hook_binary_present", "gauge", "rule",
           "Whether the hook programs of a set are on the host and may run.", write_programs),
    FAMILY("grapnel_running_containers_known", "gauge", "",
           "Whether the containers that the runtime told could be compared with the rules.",
           write_running_known),
    FAMILY("grapnel_missed_containers", "gauge", "",
           "Running containers that lack the hooks of a set which was in force when they began.",
           write_missed),
    FAMILY("grapnel_unreadable_containers", "gauge", "",
           "Running containers that cannot be read: whether they lack hooks is not known.",
           write_unreadable),
    FAMILY("grapnel_outdated_containers", "gauge", "",
           "Running containers with the hooks of an older text of a set.", write_outdated),
    FAMILY("grapnel_preexisting_containers", "gauge", "",
           "Running containers that lack the hooks of a set and may be older than it.",
           write_preexisting),
    FAMILY("grapnel_hook_runs_total", "counter", "rule hook_point",
           "Hooks that ran, as the hook runner reports.", write_runs),
    FAMILY("grapnel_hook_run_failures_total", "counter", "rule hook_point reason",
           "Hooks that failed, as the hook runner reports.", write_run_failures),
    FAMILY("grapnel_hook_run_duration_seconds", "histogram", "rule",
           "How long hooks ran, as the hook runner reports.", write_run_durations),
    FAMILY("grapnel_hook_reports_total", "counter", "", "Datagrams at the socket of hook runners.",
           write_reports),
    FAMILY("grapnel_hook_report_failures_total", "counter", "reason",
           "Datagrams there that are no report of root's.", write_report_failures),
    FAMILY("grapnel_watch_working", "gauge", "",
           "Whether changed files are noticed before the next rescan.", write_watch_working),
    FAMILY("grapnel_watch_events_total", "counter", "", "Changes of files that were noticed.",
           write_watch_events),
    FAMILY("grapnel_watch_overflows_total", "counter", "",
           "Times that changes were too many to be told.", write_watch_overflows),
    FAMILY("grapnel_journal_working", "gauge", "", "Whether the journal can be written.",
           write_journal_working),
    FAMILY("grapnel_journal_records_total", "counter", "", "Records written into the journal.",
           write_journal_records),
    FAMILY("grapnel_journal_lost_records_total", "counter", "",
           "Records that could not be written.", write_journal_lost),
    FAMILY("grapnel_log_messages_total", "counter", "level", "Lines that were logged.", write_log),
};

int gr_metrics_write(const struct gr_metrics *metrics, const struct gr_view *view,
                     struct gr_buf *to)
{
    const struct source from = {.metrics = metrics, .view = view};
    struct gr_metrics_out out = {.to = to};

    for (size_t i = 0; i < GR_ARRAY_LEN(families); i++) {
        gr_metrics_begin(&out, &families[i].family);
        families[i].write(&out, &from);
    }
    return to->broken;
}
