/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/suspend/suspend_control.h"

#include <errno.h>
#include <stdio.h>

#include "app/json.h"

enum { SET, ALL, FOR, REASON };

static const struct gr_control_field fields[] = {
    [SET] = {"set", GR_JSON_STRING, false},
    [ALL] = {"all", GR_JSON_BOOLEAN, false},
    [FOR] = {"forSeconds", GR_JSON_NUMBER, false},
    [REASON] = {"reason", GR_JSON_STRING, false},
};

#define PAUSE_FIELDS 4
#define RESUME_FIELDS 2

#define BY_BYTES 24

/* n == 0: all sets. */
static int take_set(const struct gr_control_request *request, struct gr_str *out_set,
                    struct gr_err *err)
{
    *out_set = request->values[SET].text;
    if (request->values[ALL].truth == (out_set->n > 0))
        return gr_fail(err, -EINVAL, "missing-key",
                       "expected the name of a HookSet as \"set\", or \"all\": true");
    return 0;
}

static struct gr_str name_asker(const struct gr_control_request *request, char by[BY_BYTES])
{
    (void)snprintf(by, BY_BYTES, "uid %lu", (unsigned long)request->uid);
    return gr_str_from(by);
}

static void tell_which(json_t *reply, struct gr_str set)
{
    gr_json_set_str(reply, "set", set);
    if (set.n == 0)
        (void)json_object_set_new(reply, "all", json_true());
}

/* What a pause of all sets leaves in force. */
static void tell_protected(json_t *reply, const struct gr_ruleset *ruleset)
{
    const struct gr_policies *policies = gr_ruleset_policies(ruleset);
    json_t *names = json_array();
    const struct gr_policy *by;
    uint32_t line;
    size_t n = 0;

    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++) {
        struct gr_str name = gr_ruleset_at(ruleset, i)->name;

        if (!gr_policies_protect(policies, name, &by, &line))
            continue;
        if (n++ < GR_SUSPEND_NAMES_MAX)
            (void)json_array_append_new(names, gr_json_str(name));
    }
    (void)json_object_set_new(reply, "protected", names);
    (void)json_object_set_new(reply, "protectedCount", json_integer((json_int_t)n));
}

static void tell_problem(json_t *reply, const struct gr_view *view)
{
    if (view->suspended_problem)
        gr_json_set_str(reply, "problem", gr_str_from(view->suspended_problem));
}

/* What still suspends the set; nothing is added where it is in force. */
static void tell_still(json_t *reply, const struct gr_view *view, struct gr_str set)
{
    char text[GR_SUSPENSION_TEXT_BYTES];

    for (size_t i = 0; i < view->suspended_n; i++) {
        const struct gr_suspension *item = &view->suspended[i];

        if (item->set.n > 0 && !gr_str_eq(item->set, set))
            continue;
        gr_suspension_say(item, text);
        gr_json_set_str(reply, "still", gr_str_from(text));
        return;
    }
}

static void look(const struct gr_suspend_source *source, struct gr_view *view)
{
    *view = (struct gr_view){0};
    gr_inforce_status(source->inforce, &view->rules);
    gr_suspend_view(source->suspend, view);
}

static void tell_pause(json_t *reply, const struct gr_suspend_source *source, struct gr_str set)
{
    struct gr_view view;

    look(source, &view);
    tell_which(reply, set);
    for (size_t i = 0; i < view.suspended_n; i++) {
        const struct gr_suspension *item = &view.suspended[i];

        if (item->kind != GR_PAUSED || !gr_str_eq(item->set, set))
            continue;
        gr_json_set_time(reply, "since", item->since_s);
        gr_json_set_time(reply, "until", item->until_s);
        gr_json_set_str(reply, "by", item->by);
    }
    if (set.n == 0 && view.rules.ruleset)
        tell_protected(reply, view.rules.ruleset);
    tell_problem(reply, &view);
}

static int run_pause(void *user, const struct gr_control_request *request, json_t *reply,
                     struct gr_err *err)
{
    const struct gr_suspend_source *source = user;
    const struct gr_control_value *seconds = &request->values[FOR];
    struct gr_inforce_status rules;
    struct gr_pause pause = {0};
    char by[BY_BYTES];
    int r = take_set(request, &pause.set, err);

    if (r == 0 && seconds->node && (seconds->number == 0 || seconds->number > GR_PAUSE_MAX_S))
        r = gr_fail(err, -EINVAL, "bad-seconds",
                    "expected 1 to %d for \"forSeconds\" (7 days), found %llu", GR_PAUSE_MAX_S,
                    (unsigned long long)seconds->number);
    if (r)
        return r;
    pause.for_s = (uint32_t)seconds->number;
    pause.reason = request->values[REASON].text;
    pause.by = name_asker(request, by);
    gr_inforce_status(source->inforce, &rules);
    r = gr_suspend_pause(source->suspend, &rules, &pause, err);
    if (r == 0)
        tell_pause(reply, source, pause.set);
    return r;
}

static int run_resume(void *user, const struct gr_control_request *request, json_t *reply,
                      struct gr_err *err)
{
    const struct gr_suspend_source *source = user;
    struct gr_inforce_status rules;
    struct gr_view view;
    struct gr_str set;
    char by[BY_BYTES];
    size_t n = 0;
    int r = take_set(request, &set, err);

    if (r)
        return r;
    gr_inforce_status(source->inforce, &rules);
    r = gr_suspend_resume(source->suspend, &rules, set, name_asker(request, by), &n, err);
    if (r)
        return r;
    look(source, &view);
    tell_which(reply, set);
    (void)json_object_set_new(reply, "resumed", json_integer((json_int_t)n));
    if (set.n > 0)
        tell_still(reply, &view, set);
    tell_problem(reply, &view);
    return 0;
}

static const struct gr_control_command commands[] = {
    {.name = "pause", .fields = fields, .fields_n = PAUSE_FIELDS, .run = run_pause},
    {.name = "resume", .fields = fields, .fields_n = RESUME_FIELDS, .run = run_resume},
};

void gr_suspend_control_add(struct gr_control *control, struct gr_suspend_source *source)
{
    gr_control_add(control, commands, GR_ARRAY_LEN(commands), source);
}
