/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/metrics_view: the families that are not counted: what is now so.
 *
 * Layer: app. What is not known has no line: it is not 0.
 */
#include <stdio.h>

#include "app/daemon/metrics/metrics_text.h"
#include "base/hash.h"
#include "commit.h"
#include "version.h"

/* ---- the process and its session ---- */

static const char *libc_name(void)
{
#ifdef __GLIBC__
    return "glibc";
#else
    return "other";
#endif
}

static void write_build(struct gr_metrics_out *out)
{
    static const struct gr_metrics_family family = GR_METRICS_FAMILY(
        "grapnel_build_info", "gauge", "version commit nri_api libc", "What this program is.");

    gr_metrics_begin(out, &family);
    GR_METRICS_LINE(
        out, "", 1, GR_METRICS_LABEL("version", GR_VERSION), GR_METRICS_LABEL("commit", GR_COMMIT),
        GR_METRICS_LABEL("nri_api", GR_NRI_VERSION), GR_METRICS_LABEL("libc", libc_name()));
}

static void write_runtime(struct gr_metrics_out *out, const struct gr_view_session *session)
{
    static const struct gr_metrics_family family =
        GR_METRICS_FAMILY("grapnel_runtime_info", "gauge", "runtime runtime_version plugin_index",
                          "The runtime that the plugin is registered with.");

    gr_metrics_begin(out, &family);
    if (session->state == GR_SESSION_CONFIGURED || session->state == GR_SESSION_READY)
        GR_METRICS_LINE(out, "", 1, GR_METRICS_LABEL("runtime", session->runtime),
                        GR_METRICS_LABEL("runtime_version", session->version),
                        GR_METRICS_LABEL("plugin_index", session->index));
}

static bool is_asked(const struct gr_view_session *session)
{
    return session->state == GR_SESSION_READY ||
           (session->launched && session->state == GR_SESSION_CONFIGURED);
}

static void write_session(struct gr_metrics_out *out, const struct gr_view *view)
{
    const struct gr_metrics_value values[] = {
        {GR_METRICS_FAMILY("grapnel_connected", "gauge", "",
                           "Whether the runtime asks the plugin about containers."),
         is_asked(&view->session)},
        {GR_METRICS_FAMILY("grapnel_ready", "gauge", "", "Whether the probe readyz answers yes."),
         !gr_view_not_ready(view)},
        {GR_METRICS_FAMILY("grapnel_connections_total", "counter", "",
                           "Connections to the runtime."),
         view->session.sessions},
    };

    write_build(out);
    write_runtime(out, &view->session);
    gr_metrics_values(out, values, GR_ARRAY_LEN(values));
}

/* ---- rules and settings ---- */

static size_t sets_n(const struct gr_view *view)
{
    const struct gr_ruleset *ruleset = view->rules.ruleset;

    return ruleset ? gr_ruleset_count(ruleset) : 0;
}

static const struct gr_hookset *set_at(const struct gr_view *view, size_t i)
{
    return gr_ruleset_at(view->rules.ruleset, i);
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

static void write_loaded(struct gr_metrics_out *out, const struct gr_view *view)
{
    static const struct gr_metrics_family family = GR_METRICS_FAMILY(
        "grapnel_rules_loaded", "gauge", "source", "Sets that are in force on this node.");
    static const char *const names[PLACE_COUNT] = {[PLACE_ETC] = "etc",
                                                   [PLACE_RUN] = "run",
                                                   [PLACE_USR] = "usr",
                                                   [PLACE_OTHER] = "other",
                                                   [PLACE_OCI] = "oci"};
    uint64_t counts[PLACE_COUNT] = {0};

    for (size_t i = 0; i < sets_n(view); i++)
        counts[place_of(set_at(view, i))] += !set_at(view, i)->other_node;
    gr_metrics_begin(out, &family);
    gr_metrics_lines(out, "source", names, counts, PLACE_COUNT);
}

/*
 * Of the texts, so that nodes with equal files are equal: not of what a node makes of them
 * (spec.nodes, programs that are missing), nor of where they lie.
 */
static uint64_t hash_of_texts(const struct gr_view *view)
{
    uint64_t hash = gr_ruleset_policies(view->rules.ruleset)->hash;

    hash = gr_hash(gr_str_bytes(&hash, sizeof(hash)));
    for (size_t i = 0; i < sets_n(view); i++) {
        const struct gr_hookset *set = set_at(view, i);

        hash = gr_hash_more(hash, set->name);
        hash = gr_hash_more(hash, gr_str_bytes(&set->hash, sizeof(set->hash)));
    }
    return hash;
}

static void write_hash(struct gr_metrics_out *out, const struct gr_view *view)
{
    static const struct gr_metrics_family family =
        GR_METRICS_FAMILY("grapnel_config_hash_info", "gauge", "hash",
                          "Equal on nodes whose rules and policies are equal.");
    char text[17];

    gr_metrics_begin(out, &family);
    if (!view->rules.ruleset)
        return;
    (void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash_of_texts(view));
    GR_METRICS_LINE(out, "", 1, GR_METRICS_LABEL("hash", text));
}

/* Beyond the limit one line says whether all the others have theirs. */
static void write_programs(struct gr_metrics_out *out, const struct gr_view *view)
{
    static const struct gr_metrics_family family =
        GR_METRICS_FAMILY("grapnel_hook_binary_present", "gauge", "rule",
                          "Whether the hook programs of a set are on the host and may run.");
    size_t shown = 0;
    bool more = false, rest = true;

    gr_metrics_begin(out, &family);
    for (size_t i = 0; i < sets_n(view); i++) {
        const struct gr_hookset *set = set_at(view, i);

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

static void write_out_of_force(struct gr_metrics_out *out, const struct gr_view *view)
{
    const struct gr_load_result *load = view->rules.load;
    const struct gr_metrics_value values[] = {
        {GR_METRICS_FAMILY("grapnel_rules_rejected", "gauge", "",
                           "Sets in files that were refused."),
         load->rejected},
        {GR_METRICS_FAMILY("grapnel_rules_blocked", "gauge", "",
                           "Sets that a policy or a missing hook program keeps from being obeyed."),
         load->blocked},
        {GR_METRICS_FAMILY("grapnel_rules_last_good_files", "gauge", "",
                           "Files whose last good text is in force instead."),
         load->last_good},
        {GR_METRICS_FAMILY("grapnel_last_good_unkept_files", "gauge", "",
                           "Files whose accepted text cannot be kept for the next process."),
         load->unkept},
        {GR_METRICS_FAMILY("grapnel_rules_paused", "gauge", "", "Sets that somebody paused."),
         view->paused},
        {GR_METRICS_FAMILY("grapnel_rules_tripped", "gauge", "", "Sets that their breaker paused."),
         view->tripped},
    };

    gr_metrics_values(out, values, GR_ARRAY_LEN(values));
}

static void write_loads(struct gr_metrics_out *out, const struct gr_inforce_status *rules)
{
    /* The times tell of a load that had no memory: what rules->load says is of the one before. */
    bool good = rules->sound && rules->load->errors == 0 && rules->last_s == rules->last_success_s;
    const struct gr_metrics_value values[] = {
        {GR_METRICS_FAMILY("grapnel_config_reloads_total", "counter", "",
                           "Loads of rules and settings."),
         rules->loads},
        {GR_METRICS_FAMILY("grapnel_config_reload_failures_total", "counter", "",
                           "Loads that found errors."),
         rules->failures},
        {GR_METRICS_FAMILY("grapnel_config_last_reload_successful", "gauge", "",
                           "Whether the last load found no errors."),
         good, .unknown = rules->loads == 0},
        {GR_METRICS_FAMILY("grapnel_config_last_reload_success_timestamp_seconds", "gauge", "",
                           "When a load last found no errors."),
         (uint64_t)rules->last_success_s, .unknown = rules->last_success_s <= 0},
    };

    gr_metrics_values(out, values, GR_ARRAY_LEN(values));
}

/* ---- containers that run without their hooks ---- */

static void write_running(struct gr_metrics_out *out, const struct gr_running_status *running)
{
    const bool unknown = !running->known;
    const struct gr_metrics_value values[] = {
        /* Not known either as long as the runtime has not told them. */
        {GR_METRICS_FAMILY(
             "grapnel_running_containers_known", "gauge", "",
             "Whether the containers that the runtime told could be compared with the rules."),
         running->known, .unknown = unknown && !running->problem},
        {GR_METRICS_FAMILY(
             "grapnel_missed_containers", "gauge", "",
             "Running containers that lack the hooks of a set which was in force when they "
             "began."),
         running->missed, unknown},
        {GR_METRICS_FAMILY(
             "grapnel_unreadable_containers", "gauge", "",
             "Running containers that cannot be read: whether they lack hooks is not known."),
         running->unreadable, unknown},
        {GR_METRICS_FAMILY("grapnel_outdated_containers", "gauge", "",
                           "Running containers with the hooks of an older text of a set."),
         running->outdated, unknown},
        {GR_METRICS_FAMILY(
             "grapnel_preexisting_containers", "gauge", "",
             "Running containers that lack the hooks of a set and may be older than it."),
         running->preexisting, unknown},
    };

    gr_metrics_values(out, values, GR_ARRAY_LEN(values));
}

/* ---- what else the process does ---- */

static void write_reports(struct gr_metrics_out *out, const struct gr_report_counts *counts)
{
    static const struct gr_metrics_family family =
        GR_METRICS_FAMILY("grapnel_hook_report_failures_total", "counter", "reason",
                          "Datagrams there that are no report of root's.");
    static const char *const reasons[] = {"bad", "foreign"};
    const uint64_t failures[] = {counts->bad, counts->foreign};
    const struct gr_metrics_value all = {
        GR_METRICS_FAMILY("grapnel_hook_reports_total", "counter", "",
                          "Datagrams at the socket of hook runners."),
        counts->good + counts->bad + counts->foreign};

    gr_metrics_values(out, &all, 1);
    gr_metrics_begin(out, &family);
    gr_metrics_lines(out, "reason", reasons, failures, GR_ARRAY_LEN(failures));
}

static void write_around(struct gr_metrics_out *out, const struct gr_view *view)
{
    const struct gr_recorder_status *journal = &view->journal;
    const struct gr_metrics_value values[] = {
        {GR_METRICS_FAMILY("grapnel_watch_working", "gauge", "",
                           "Whether changed files are noticed before the next rescan."),
         view->watch.working},
        {GR_METRICS_FAMILY("grapnel_watch_events_total", "counter", "",
                           "Changes of files that were noticed."),
         view->watch.events},
        {GR_METRICS_FAMILY("grapnel_watch_overflows_total", "counter", "",
                           "Times that changes were too many to be told."),
         view->watch.overflows},
        {GR_METRICS_FAMILY("grapnel_journal_working", "gauge", "",
                           "Whether the journal can be written."),
         journal->open && !journal->problem, .unknown = !journal->run_dir},
        {GR_METRICS_FAMILY("grapnel_journal_records_total", "counter", "",
                           "Records written into the journal."),
         journal->records},
        {GR_METRICS_FAMILY("grapnel_journal_lost_records_total", "counter", "",
                           "Records that could not be written."),
         journal->lost},
    };

    gr_metrics_values(out, values, GR_ARRAY_LEN(values));
}

/* ---- all of it ---- */

void gr_metrics_write_view(struct gr_metrics_out *out, const struct gr_view *view)
{
    write_session(out, view);
    write_loaded(out, view);
    write_out_of_force(out, view);
    write_loads(out, &view->rules);
    write_hash(out, view);
    write_programs(out, view);
    write_running(out, &view->running);
    write_reports(out, &view->reports);
    write_around(out, view);
}
