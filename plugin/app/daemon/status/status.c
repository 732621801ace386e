/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status/status.h"

#include <stdio.h>
#include <string.h>

#include "app/daemon/status/status_around.h"
#include "app/daemon/status/status_lists.h"
#include "app/daemon/status/status_problems.h"
#include "app/daemon/status/status_process.h"
#include "app/daemon/status/status_running.h"
#include "app/daemon/suspend/suspend.h"
#include "app/daemon/suspend/suspend_status.h"
#include "app/json.h"
#include "app/rules_json.h"
#include "app/settings_json.h"

#define NS_PER_US 1000

static struct gr_view view_of(const void *user)
{
    const struct gr_status_source *source = user;
    struct gr_view view;

    source->view(source->user, &view);
    return view;
}

/* ---- the connection ---- */

static json_t *connection_json(const struct gr_view_session *s)
{
    json_t *object = json_object();

    gr_json_set_text(object, "state", gr_session_state_name(s->state));
    gr_json_set_time(object, "since", s->since_s);
    (void)json_object_set_new(object, "launched", json_boolean(s->launched));
    if (!s->launched)
        gr_json_set_text(object, "socket", s->socket);
    gr_json_set_text(object, "name", s->name);
    gr_json_set_text(object, "index", s->index);
    gr_json_set_text(object, "runtime", s->runtime);
    gr_json_set_text(object, "runtimeVersion", s->version);
    gr_json_set_text(object, "nri", s->nri);
    if (s->request_timeout_ms > 0)
        gr_json_set_count(object, "requestTimeoutMs", s->request_timeout_ms);
    (void)json_object_set_new(object, "synchronized", json_boolean(s->synchronized));
    if (s->synchronized) {
        gr_json_set_count(object, "pods", s->pods);
        gr_json_set_count(object, "containers", s->containers);
    }
    gr_json_set_count(object, "sessions", s->sessions);
    gr_json_set_text(object, "lastEnd", s->lost);
    if (s->connect_errno)
        gr_json_set_text(object, "connectError", strerror(-s->connect_errno));
    return object;
}

/* ---- rules ---- */

static json_t *load_json(const struct gr_inforce_status *rules)
{
    bool good = rules->load->errors == 0 && rules->last_success_s == rules->last_s;
    json_t *object = json_object();

    gr_json_set_text(object, "result", rules->last_s == 0 ? "none" : good ? "good" : "errors");
    gr_json_set_time(object, "at", rules->last_s);
    gr_json_set_time(object, "lastGoodAt", rules->last_success_s);
    if (rules->last_cause)
        gr_json_set_text(object, "cause", rules->last_cause);
    gr_json_set_count(object, "tookMicroseconds", rules->last_took_ns / NS_PER_US);
    gr_json_set_count(object, "loads", rules->loads);
    gr_json_set_count(object, "failures", rules->failures);
    gr_json_set_count(object, "errors", rules->load->errors);
    gr_json_set_count(object, "warnings", rules->load->warnings);
    return object;
}

/* Of what is in force by its text. */
static bool is_suspended(const struct gr_view *view, const struct gr_hookset *set)
{
    return view->suspended_n > 0 && gr_set_state(set) == GR_SET_IN_FORCE &&
           gr_suspend_of(view, set->name);
}

static json_t *rules_json(const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    size_t states[GR_SET_STATE_COUNT] = {0};
    size_t n = rules->ruleset ? gr_ruleset_count(rules->ruleset) : 0;
    json_t *object = json_object();
    size_t suspended = 0;
    char hash[17];

    for (size_t i = 0; i < n; i++) {
        const struct gr_hookset *set = gr_ruleset_at(rules->ruleset, i);

        if (is_suspended(view, set))
            suspended++;
        else
            states[gr_set_state(set)]++;
    }
    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)rules->rules_hash);
    gr_json_set_text(object, "hash", hash);
    gr_json_set_count(object, "sets", n);
    for (size_t i = 0; i < GR_SET_STATE_COUNT; i++)
        gr_json_set_count(object, gr_set_state_name((enum gr_set_state)i), states[i]);
    gr_json_set_count(object, "suspended", suspended);
    gr_json_set_count(object, "files", rules->load->files_n);
    gr_json_set_count(object, "rejected", rules->load->rejected);
    gr_json_set_count(object, "lastGood", rules->load->last_good);
    gr_json_set_count(object, "unkept", rules->load->unkept);
    return object;
}

static json_t *settings_file_json(const struct gr_settings *settings)
{
    json_t *object = json_object();

    gr_json_set_text(object, "inForce", gr_settings_file_name(settings->file));
    if (settings->accepted_s > 0)
        gr_json_set_time(object, "acceptedAt", settings->accepted_s);
    return object;
}

static json_t *policies_json(const struct gr_inforce_status *rules)
{
    const struct gr_policies *policies =
        rules->ruleset ? gr_ruleset_policies(rules->ruleset) : NULL;
    json_t *list = json_array();

    for (size_t i = 0; policies && i < policies->n; i++) {
        json_t *object = json_object();

        gr_json_set_str(object, "file", policies->items[i].file);
        gr_json_set_count(object, "line", policies->items[i].line);
        (void)json_array_append_new(list, object);
    }
    return list;
}

/* ---- commands ---- */

static void set_ready(json_t *reply, const struct gr_view *view)
{
    const char *missing = gr_view_not_ready(view);

    (void)json_object_set_new(reply, "ready", json_boolean(!missing));
    if (missing)
        gr_json_set_text(reply, "notReady", missing);
}

static int run_status(void *user, const struct gr_control_request *request, json_t *reply,
                      struct gr_err *err)
{
    const struct gr_view view = view_of(user);

    (void)request;
    (void)err;
    gr_json_set_count(reply, "version", GR_STATUS_VERSION);
    set_ready(reply, &view);
    gr_status_problems(reply, &view);
    (void)json_object_set_new(reply, "process", gr_status_process(&view));
    gr_status_others(reply, view.others);
    (void)json_object_set_new(reply, "connection", connection_json(&view.session));
    (void)json_object_set_new(reply, "load", load_json(&view.rules));
    (void)json_object_set_new(reply, "rules", rules_json(&view));
    (void)json_object_set_new(reply, "settingsFile", settings_file_json(view.rules.settings));
    gr_suspend_status(reply, &view);
    (void)json_object_set_new(reply, "running", gr_status_running(&view.running));
    gr_status_around(reply, &view);
    gr_status_add_lists(reply, &view);
    (void)json_object_set_new(reply, "policies", policies_json(&view.rules));
    (void)json_object_set_new(reply, "settings", gr_settings_json(&view.rules.settings->config));
    return 0;
}

static int run_page(void *user, const struct gr_control_request *request, json_t *reply,
                    struct gr_err *err)
{
    const struct gr_view view = view_of(user);

    return gr_status_page(&view, request->values[0].text, request->values[1].number, reply, err);
}

static int run_probe(void *user, const struct gr_control_request *request, json_t *reply,
                     struct gr_err *err)
{
    const struct gr_view view = view_of(user);

    (void)request;
    (void)err;
    set_ready(reply, &view);
    return 0;
}

static const struct gr_control_field page_fields[] = {
    {.name = "of", .kind = GR_JSON_STRING, .required = true},
    {.name = "from", .kind = GR_JSON_NUMBER},
};

static const struct gr_control_command commands[] = {
    {.name = "status", .run = run_status},
    {.name = "page", .run = run_page, .fields = page_fields, .fields_n = GR_ARRAY_LEN(page_fields)},
    {.name = "probe", .run = run_probe},
};

void gr_status_add(struct gr_control *control, const struct gr_status_source *source)
{
    union {
        const void *in;
        void *out;
    } user = {.in = source}; /* given back to us as it is */

    gr_control_add(control, commands, GR_ARRAY_LEN(commands), user.out);
}
