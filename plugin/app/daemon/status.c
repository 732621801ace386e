/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/status_lists.h"
#include "app/daemon/suspend.h"
#include "app/daemon/suspend_status.h"
#include "app/json.h"
#include "app/rules_json.h"
#include "app/settings_json.h"
#include "version.h"

#define NS_PER_US 1000

static struct gr_view view_of(const void *user)
{
    const struct gr_status_source *source = user;
    struct gr_view view;

    source->view(source->user, &view);
    return view;
}

static void set_count(json_t *object, const char *key, uint64_t n)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)n));
}

static void set_text(json_t *object, const char *key, const char *text)
{
    gr_json_set_str(object, key, gr_str_from(text));
}

/* ---- the process ---- */

/* Resident pages; 0: the kernel does not say. */
static uint64_t resident_bytes(void)
{
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    struct gr_str rest = {.p = text, .n = n > 0 ? (size_t)n : 0};
    uint64_t pages = 0;

    if (fd >= 0)
        (void)close(fd);
    rest = gr_str_skip(rest, gr_str_find(rest, ' ') + 1);
    if (gr_str_to_u64(gr_str_first(rest, gr_str_find(rest, ' ')), &pages) != 0)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static json_t *process_json(const struct gr_view *view)
{
    int64_t up_s = (int64_t)time(NULL) - view->started_s;
    json_t *object = json_object();

    set_text(object, "version", GR_VERSION);
    set_count(object, "pid", (uint64_t)getpid());
    gr_json_set_time(object, "started", view->started_s);
    set_count(object, "uptimeSeconds", up_s > 0 ? (uint64_t)up_s : 0);
    set_count(object, "residentBytes", resident_bytes());
    return object;
}

/* ---- the connection ---- */

static json_t *connection_json(const struct gr_view_session *s)
{
    json_t *object = json_object();

    set_text(object, "state", gr_session_state_name(s->state));
    gr_json_set_time(object, "since", s->since_s);
    (void)json_object_set_new(object, "launched", json_boolean(s->launched));
    if (!s->launched)
        set_text(object, "socket", s->socket);
    set_text(object, "name", s->name);
    set_text(object, "index", s->index);
    set_text(object, "runtime", s->runtime);
    set_text(object, "runtimeVersion", s->version);
    set_text(object, "nri", s->nri);
    if (s->request_timeout_ms > 0)
        set_count(object, "requestTimeoutMs", s->request_timeout_ms);
    (void)json_object_set_new(object, "synchronized", json_boolean(s->synchronized));
    if (s->synchronized) {
        set_count(object, "pods", s->pods);
        set_count(object, "containers", s->containers);
    }
    set_count(object, "sessions", s->sessions);
    set_text(object, "lastEnd", s->lost);
    if (s->connect_errno)
        set_text(object, "connectError", strerror(-s->connect_errno));
    return object;
}

/* ---- rules ---- */

static json_t *load_json(const struct gr_inforce_status *rules)
{
    bool good = rules->load->errors == 0 && rules->last_success_s == rules->last_s;
    json_t *object = json_object();

    set_text(object, "result", rules->last_s == 0 ? "none" : good ? "good" : "errors");
    gr_json_set_time(object, "at", rules->last_s);
    gr_json_set_time(object, "lastGoodAt", rules->last_success_s);
    set_count(object, "tookMicroseconds", rules->last_took_ns / NS_PER_US);
    set_count(object, "loads", rules->loads);
    set_count(object, "failures", rules->failures);
    set_count(object, "errors", rules->load->errors);
    set_count(object, "warnings", rules->load->warnings);
    return object;
}

static json_t *rules_json(const struct gr_inforce_status *rules)
{
    size_t states[GR_SET_STATE_COUNT] = {0};
    size_t n = rules->ruleset ? gr_ruleset_count(rules->ruleset) : 0;
    json_t *object = json_object();
    char hash[17];

    for (size_t i = 0; i < n; i++)
        states[gr_set_state(gr_ruleset_at(rules->ruleset, i))]++;
    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)rules->rules_hash);
    set_text(object, "hash", hash);
    set_count(object, "sets", n);
    for (size_t i = 0; i < GR_SET_STATE_COUNT; i++)
        set_count(object, gr_set_state_name((enum gr_set_state)i), states[i]);
    set_count(object, "files", rules->load->files_n);
    set_count(object, "rejected", rules->load->rejected);
    set_count(object, "lastGood", rules->load->last_good);
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
        set_count(object, "line", policies->items[i].line);
        (void)json_array_append_new(list, object);
    }
    return list;
}

/* ---- problems ---- */

GR_PRINTF(2, 3) static void add_problem(json_t *list, const char *format, ...)
{
    struct gr_err err = {0};
    va_list args;

    va_start(args, format);
    gr_err_fill(&err, NULL, format, args);
    va_end(args);
    (void)json_array_append_new(list, gr_json_str(gr_str_from(err.text)));
}

static void add_required(json_t *list, const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    const struct gr_strs required = rules->settings->config.required_sets;

    for (size_t i = 0; i < required.n; i++) {
        const struct gr_hookset *set = gr_ruleset_find(rules->ruleset, required.items[i]);

        if (gr_suspend_of(view, required.items[i]))
            add_problem(list, "the required set %.*s is paused: containers are created without it",
                        GR_STR_FMT(required.items[i]));
        else if (!set || gr_set_state(set) != GR_SET_IN_FORCE)
            add_problem(list, "the required set %.*s is not in force (%s): containers are refused",
                        GR_STR_FMT(required.items[i]),
                        set ? gr_set_state_name(gr_set_state(set)) : "missing");
    }
}

static const char *plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

static void add_rules(json_t *list, const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    const struct gr_load_result *load = rules->load;
    const struct gr_policies *policies = gr_ruleset_policies(rules->ruleset);

    if (policies->unreadable.n > 0)
        add_problem(list, "every set is blocked: %.*s", GR_STR_FMT(policies->unreadable));
    else if (load->blocked > 0)
        add_problem(list, "%zu %s blocked", load->blocked,
                    plural(load->blocked, "set is", "sets are"));
    if (load->rejected > 0)
        add_problem(list, "%zu %s refused", load->rejected,
                    plural(load->rejected, "document of rules is", "documents of rules are"));
    if (load->last_good > 0)
        add_problem(list, "%zu %s with an earlier text, since the present one is refused",
                    load->last_good, plural(load->last_good, "file counts", "files count"));
    add_required(list, view);
}

static json_t *problems_json(const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    const struct gr_view_session *session = &view->session;
    json_t *list = json_array();

    if (session->state == GR_SESSION_CLOSED && session->connect_errno)
        add_problem(list, "%s cannot be connected to: %s", session->socket,
                    strerror(-session->connect_errno));
    if (!rules->sound)
        add_problem(list, "a source of settings has an error; what was good before counts");
    if (rules->ruleset)
        add_rules(list, view);
    gr_suspend_status_problems(list, view);
    return list;
}

/* ---- commands ---- */

static void set_ready(json_t *reply, const struct gr_view *view)
{
    const char *missing = gr_view_not_ready(view);

    (void)json_object_set_new(reply, "ready", json_boolean(!missing));
    if (missing)
        set_text(reply, "notReady", missing);
}

static int run_status(void *user, const struct gr_control_request *request, json_t *reply,
                      struct gr_err *err)
{
    const struct gr_view view = view_of(user);

    (void)request;
    (void)err;
    set_count(reply, "version", GR_STATUS_VERSION);
    set_ready(reply, &view);
    (void)json_object_set_new(reply, "problems", problems_json(&view));
    (void)json_object_set_new(reply, "process", process_json(&view));
    (void)json_object_set_new(reply, "connection", connection_json(&view.session));
    (void)json_object_set_new(reply, "load", load_json(&view.rules));
    (void)json_object_set_new(reply, "rules", rules_json(&view.rules));
    gr_suspend_status(reply, &view);
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
