/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status/status_problems.h"

#include <errno.h>
#include <string.h>

#include "app/daemon/status/status_running.h"
#include "app/daemon/suspend/suspend.h"
#include "app/daemon/suspend/suspend_status.h"
#include "app/problem.h"
#include "app/rules_json.h"
#include "app/way.h"
#include "base/utc.h"

GR_PRINTF(3, 4)
static void add_problem(struct gr_problems *list, enum gr_problem problem, const char *format, ...)
{
    struct gr_err err = {0};
    va_list args;

    va_start(args, format);
    gr_err_fill(&err, NULL, format, args);
    va_end(args);
    gr_problem_add(list, problem, gr_str_from(err.text));
}

static void add_required(struct gr_problems *list, const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    const struct gr_strs required = rules->settings->config.required_sets;

    for (size_t i = 0; i < required.n; i++) {
        const struct gr_hookset *set = gr_ruleset_find(rules->ruleset, required.items[i]);

        if (gr_suspend_of(view, required.items[i]))
            add_problem(list, GR_PROBLEM_REQUIRED_PAUSED,
                        "the required set %.*s is paused: containers are created without it",
                        GR_STR_FMT(required.items[i]));
        else if (!set || gr_set_state(set) != GR_SET_IN_FORCE)
            add_problem(list, GR_PROBLEM_REQUIRED_MISSING,
                        "the required set %.*s is not in force (%s): containers are refused",
                        GR_STR_FMT(required.items[i]),
                        set ? gr_set_state_name(gr_set_state(set)) : "missing");
    }
}

static const char *plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

static void add_rules(struct gr_problems *list, const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    const struct gr_load_result *load = rules->load;
    const struct gr_policies *policies = gr_ruleset_policies(rules->ruleset);

    if (policies->unreadable.n > 0)
        add_problem(list, GR_PROBLEM_POLICY, "every set is blocked: %.*s",
                    GR_STR_FMT(policies->unreadable));
    else if (load->blocked > 0)
        add_problem(list, GR_PROBLEM_BLOCKED, "%zu %s blocked", load->blocked,
                    plural(load->blocked, "set is", "sets are"));
    if (load->rejected > 0)
        add_problem(list, GR_PROBLEM_REFUSED, "%zu %s refused", load->rejected,
                    plural(load->rejected, "document of rules is", "documents of rules are"));
    if (load->last_good > 0)
        add_problem(list, GR_PROBLEM_EARLIER_TEXT,
                    "%zu %s with an earlier text, since the present one is refused",
                    load->last_good, plural(load->last_good, "file counts", "files count"));
    if (load->unkept > 0)
        add_problem(list, GR_PROBLEM_UNKEPT,
                    "the accepted texts of %zu %s cannot be kept: where the present text is bad, "
                    "%s last good one counts as long as this process lives",
                    load->unkept, plural(load->unkept, "file", "files"),
                    plural(load->unkept, "its", "their"));
    add_required(list, view);
}

static void add_settings(struct gr_problems *list, const struct gr_settings *settings)
{
    char when[GR_UTC_BYTES];

    if (settings->file == GR_SETTINGS_LAST_GOOD)
        add_problem(list, GR_PROBLEM_SETTINGS,
                    "the settings file has an error; its text that was accepted at %s counts",
                    gr_utc_text(settings->accepted_s, when));
    else if (settings->file == GR_SETTINGS_NOTHING)
        add_problem(list, GR_PROBLEM_SETTINGS,
                    "the settings file has an error, and no earlier text of it is kept: "
                    "defaults count in place of what it sets");
    else
        add_problem(list, GR_PROBLEM_SETTINGS,
                    "a source of settings has an error; what was good before counts");
}

/* Those of the process itself. */
static void add_around(struct gr_problems *list, const struct gr_view *view)
{
    const struct gr_view_exporter *exporter = &view->exporter;

    if (view->watch.problem)
        add_problem(list, GR_PROBLEM_NOT_WATCHED, "files are not watched: %s", view->watch.problem);
    if (view->journal.problem)
        add_problem(list, GR_PROBLEM_JOURNAL, "decisions are not recorded: %s",
                    view->journal.problem);
    if (exporter->address[0] && !exporter->served && exporter->error)
        add_problem(list, GR_PROBLEM_METRICS, "the metrics cannot be served at %s: %s%s",
                    exporter->address, strerror(-exporter->error),
                    exporter->error == -EACCES
                        ? "; a port below 1024 needs a capability, which only sandbox: None leaves"
                        : "");
}

/* Two pods are an upgrade. Anything else is a node that somebody set up twice. */
static void add_others(struct gr_problems *list, const struct gr_view *view)
{
    for (size_t i = 0; view->others && i < view->others->n; i++) {
        const struct gr_instance *other = &view->others->items[i];

        if (other->way == GR_WAY_POD && view->self->way == GR_WAY_POD)
            continue;
        add_problem(list, GR_PROBLEM_OTHER_INSTANCE,
                    "another Grapnel runs on this node, %s (%s, version %s), and both are asked "
                    "about each container; keep one: grapnel doctor says how",
                    gr_way_words(other->way, other->unit).text, other->name, other->version);
    }
}

void gr_status_problems(json_t *reply, const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    const struct gr_view_session *session = &view->session;
    struct gr_problems problems = {.texts = json_array(), .codes = json_array()};
    struct gr_problems *list = &problems;

    gr_status_running_problems(list, &view->running);
    if (session->state == GR_SESSION_CLOSED && session->connect_errno)
        add_problem(list, GR_PROBLEM_NOT_CONNECTED, "%s cannot be connected to: %s",
                    session->socket, strerror(-session->connect_errno));
    if (!rules->sound)
        add_settings(list, rules->settings);
    if (rules->ruleset)
        add_rules(list, view);
    gr_suspend_status_problems(list, view);
    add_around(list, view);
    add_others(list, view);
    (void)json_object_set_new(reply, "problems", problems.texts);
    (void)json_object_set_new(reply, "problemCodes", problems.codes);
}
