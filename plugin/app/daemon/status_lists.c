/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status_lists.h"

#include <errno.h>

#include "app/control_limits.h"
#include "app/daemon/suspend_status.h"
#include "app/json.h"
#include "app/rules_json.h"
#include "rules/read/findings.h"

/* What may still go into one list. */
struct room {
    size_t items, bytes;
};

/* A list of which a part is shown. */
struct list {
    const char *name;
    size_t (*count)(const struct gr_inforce_status *rules);
    json_t *(*make)(const struct gr_inforce_status *rules, size_t i);
    /* Worth a person's eye. */
    bool (*matters)(const struct gr_inforce_status *rules, size_t i);
};

/* ---- the three of them ---- */

static size_t count_sets(const struct gr_inforce_status *rules)
{
    return rules->ruleset ? gr_ruleset_count(rules->ruleset) : 0;
}

static json_t *make_set(const struct gr_inforce_status *rules, size_t i)
{
    return gr_set_json(gr_ruleset_at(rules->ruleset, i));
}

static bool set_matters(const struct gr_inforce_status *rules, size_t i)
{
    return gr_set_state(gr_ruleset_at(rules->ruleset, i)) == GR_SET_BLOCKED;
}

static size_t count_files(const struct gr_inforce_status *rules)
{
    return rules->load->files_n;
}

static json_t *make_file(const struct gr_inforce_status *rules, size_t i)
{
    return gr_file_json(&rules->load->files[i]);
}

static bool file_matters(const struct gr_inforce_status *rules, size_t i)
{
    return rules->load->files[i].state != GR_FILE_LOADED;
}

/* Those of the settings, then those of the rules. */
static const struct gr_finding *finding_at(const struct gr_inforce_status *rules, size_t i)
{
    size_t first = rules->settings_findings->n;

    return i < first ? &rules->settings_findings->items[i] : &rules->findings->items[i - first];
}

static size_t count_findings(const struct gr_inforce_status *rules)
{
    return rules->settings_findings->n + rules->findings->n;
}

static json_t *make_finding(const struct gr_inforce_status *rules, size_t i)
{
    const struct gr_finding *finding = finding_at(rules, i);

    return gr_finding_json(finding->level, &finding->err);
}

static bool finding_matters(const struct gr_inforce_status *rules, size_t i)
{
    return finding_at(rules, i)->level == GR_LEVEL_ERROR;
}

static const struct list lists[] = {
    {"sets", count_sets, make_set, set_matters},
    {"files", count_files, make_file, file_matters},
    {"findings", count_findings, make_finding, finding_matters},
};

/* ---- as much as fits ---- */

/* Takes item. False: there is no room for it, or no memory. */
static bool add(json_t *array, json_t *item, struct room *room)
{
    size_t bytes = item ? json_dumpb(item, NULL, 0, JSON_COMPACT) + 1 : SIZE_MAX;

    if (room->items == 0 || bytes > room->bytes) {
        json_decref(item);
        return false;
    }
    room->items--;
    room->bytes -= bytes;
    (void)json_array_append_new(array, item);
    return true;
}

/* What matters; with all, the rest too where everything has a place. Returns what is left out. */
static size_t add_part(json_t *array, const struct list *list,
                       const struct gr_inforce_status *rules)
{
    struct room room = {.items = GR_STATUS_LIST_MAX, .bytes = GR_STATUS_LIST_MAX_BYTES};
    size_t n = list->count(rules);
    bool all = n <= GR_STATUS_LIST_MAX;
    bool full = false;

    for (size_t i = 0; i < n && !full; i++) {
        if (all || list->matters(rules, i))
            full = !add(array, list->make(rules, i), &room);
    }
    return n - json_array_size(array);
}

void gr_status_add_lists(json_t *reply, const struct gr_view *view)
{
    const struct gr_inforce_status *rules = &view->rules;
    json_t *more = json_object();

    for (size_t i = 0; i < GR_ARRAY_LEN(lists); i++) {
        json_t *array = json_array();
        size_t left_out = add_part(array, &lists[i], rules);

        if (lists[i].count == count_sets)
            gr_suspend_status_sets(array, view);
        if (lists[i].count == count_findings)
            left_out += rules->findings->dropped;
        (void)json_object_set_new(reply, lists[i].name, array);
        if (left_out > 0)
            (void)json_object_set_new(more, lists[i].name, json_integer((json_int_t)left_out));
    }
    (void)json_object_set_new(reply, "more", more);
}

static const struct list *find_list(struct gr_str name)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(lists); i++) {
        if (gr_str_is(name, lists[i].name))
            return &lists[i];
    }
    return NULL;
}

int gr_status_page(const struct gr_view *view, struct gr_str of, uint64_t from, json_t *reply,
                   struct gr_err *err)
{
    struct room room = {.items = GR_STATUS_LIST_MAX, .bytes = GR_STATUS_LIST_MAX_BYTES};
    const struct list *list = find_list(of);
    size_t n = list ? list->count(&view->rules) : 0;
    size_t i = from < n ? (size_t)from : n;
    json_t *array;

    if (!list)
        return gr_fail(err, -EINVAL, "bad-word", "expected sets, files or findings, found \"%s\"",
                       gr_show(of).text);
    array = json_array();
    while (i < n && add(array, list->make(&view->rules, i), &room))
        i++;
    if (list->count == count_sets)
        gr_suspend_status_sets(array, view);
    (void)json_object_set_new(reply, list->name, array);
    (void)json_object_set_new(reply, "total", json_integer((json_int_t)n));
    (void)json_object_set_new(reply, "load", json_integer((json_int_t)view->rules.loads));
    if (i < n)
        (void)json_object_set_new(reply, "next", json_integer((json_int_t)i));
    return 0;
}
