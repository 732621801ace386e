/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/suspend/suspend_status.h"

#include <stdio.h>

#include "app/control_limits.h"
#include "app/daemon/suspend/suspend.h"
#include "app/json.h"

static json_t *suspension_json(const struct gr_suspension *suspension)
{
    json_t *object = json_object();

    gr_json_set_str(object, "set", suspension->set);
    if (suspension->set.n == 0)
        (void)json_object_set_new(object, "all", json_true());
    gr_json_set_str(object, "kind", gr_str_from(gr_suspension_kind_name(suspension->kind)));
    gr_json_set_str(object, "by", suspension->by);
    gr_json_set_time(object, "since", suspension->since_s);
    gr_json_set_time(object, "until", suspension->until_s);
    gr_json_set_str(object, "reason", suspension->reason);
    return object;
}

void gr_suspend_status(json_t *reply, const struct gr_view *view)
{
    json_t *suspended = json_object();
    json_t *list = json_array();
    json_t *reports = json_object();

    for (size_t i = 0; i < view->suspended_n && i < GR_STATUS_LIST_MAX; i++)
        (void)json_array_append_new(list, suspension_json(&view->suspended[i]));
    gr_json_set_count(suspended, "paused", view->paused);
    gr_json_set_count(suspended, "tripped", view->tripped);
    gr_json_set_count(suspended, "total", view->suspended_n);
    (void)json_object_set_new(suspended, "list", list);
    (void)json_object_set_new(reply, "suspended", suspended);
    gr_json_set_count(reports, "good", view->reports.good);
    gr_json_set_count(reports, "bad", view->reports.bad);
    gr_json_set_count(reports, "foreign", view->reports.foreign);
    (void)json_object_set_new(reply, "reports", reports);
}

void gr_suspend_status_sets(json_t *sets, const struct gr_view *view)
{
    char text[GR_SUSPENSION_TEXT_BYTES];
    json_t *set;
    size_t i;

    if (view->suspended_n == 0)
        return;
    json_array_foreach(sets, i, set)
    {
        const char *name = json_string_value(json_object_get(set, "name"));
        const struct gr_suspension *found = gr_suspend_of(view, gr_str_from(name));

        if (!found)
            continue;
        gr_suspension_say(found, text);
        gr_json_set_str(set, "suspended", gr_str_from(text));
    }
}

static void add_count(struct gr_problems *list, enum gr_problem problem, size_t n, const char *one,
                      const char *many)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "%zu %s", n, n == 1 ? one : many);
    if (n > 0)
        gr_problem_add(list, problem, gr_str_from(text));
}

void gr_suspend_status_problems(struct gr_problems *list, const struct gr_view *view)
{
    add_count(list, GR_PROBLEM_PAUSED, view->paused, "set is paused", "sets are paused");
    add_count(list, GR_PROBLEM_TRIPPED, view->tripped, "set is out of force: its breaker tripped",
              "sets are out of force: their breakers tripped");
    if (view->suspended_problem)
        gr_problem_add(list, GR_PROBLEM_PAUSES, gr_str_from(view->suspended_problem));
}
