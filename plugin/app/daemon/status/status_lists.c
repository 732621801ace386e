/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status/status_lists.h"

#include <errno.h>

#include "app/control_limits.h"
#include "app/daemon/metrics/metrics.h"
#include "app/daemon/status/status_running.h"
#include "app/daemon/suspend/suspend_status.h"
#include "app/json.h"
#include "app/rules_json.h"
#include "rules/read/findings.h"

/* Worth a person's eye. */
enum weight {
    WEIGHT_NONE,
    WEIGHT_SOME,
    WEIGHT_MUCH,
};

/* A list of which a part is shown. */
struct list {
    const char *name;
    size_t (*count)(const struct gr_view *view);
    json_t *(*make)(const struct gr_view *view, size_t i);
    enum weight (*weigh)(const struct gr_view *view, size_t i);
};

/* ---- the four of them ---- */

static size_t count_sets(const struct gr_view *view)
{
    return view->rules.ruleset ? gr_ruleset_count(view->rules.ruleset) : 0;
}

/* NULL: it has none, or they are counted together with those of other sets. */
static const struct gr_set_counts *hits_of(const struct gr_view *view, const struct gr_hookset *set)
{
    const struct gr_set_counts *counts =
        view->counted ? gr_metrics_set(view->counted, set->name) : NULL;

    return counts && counts->last_s ? counts : NULL;
}

static json_t *hits_json(const struct gr_set_counts *hits)
{
    json_t *object =
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "injected", (json_int_t)hits->injected, "observed",
                  (json_int_t)hits->observed, "refused", (json_int_t)hits->refused, "skipped",
                  (json_int_t)hits->skipped, "ignored", (json_int_t)hits->ignored);

    gr_json_set_time(object, "last", hits->last_s);
    return object;
}

static json_t *make_set(const struct gr_view *view, size_t i)
{
    const struct gr_hookset *set = gr_ruleset_at(view->rules.ruleset, i);
    const struct gr_set_counts *hits = hits_of(view, set);
    json_t *object = gr_set_json(set);

    if (hits)
        (void)json_object_set_new(object, "hits", hits_json(hits));
    return object;
}

static enum weight weigh_set(const struct gr_view *view, size_t i)
{
    const struct gr_hookset *set = gr_ruleset_at(view->rules.ruleset, i);

    if (gr_set_state(set) == GR_SET_BLOCKED)
        return WEIGHT_MUCH;
    return hits_of(view, set) ? WEIGHT_SOME : WEIGHT_NONE;
}

static size_t count_files(const struct gr_view *view)
{
    return view->rules.load->files_n;
}

static json_t *make_file(const struct gr_view *view, size_t i)
{
    return gr_file_json(&view->rules.load->files[i]);
}

static enum weight weigh_file(const struct gr_view *view, size_t i)
{
    return view->rules.load->files[i].state == GR_FILE_LOADED ? WEIGHT_NONE : WEIGHT_MUCH;
}

/* Those of the settings, then those of the rules. */
static const struct gr_finding *finding_at(const struct gr_view *view, size_t i)
{
    size_t first = view->rules.settings_findings->n;

    return i < first ? &view->rules.settings_findings->items[i]
                     : &view->rules.findings->items[i - first];
}

static size_t count_findings(const struct gr_view *view)
{
    return view->rules.settings_findings->n + view->rules.findings->n;
}

static json_t *make_finding(const struct gr_view *view, size_t i)
{
    const struct gr_finding *finding = finding_at(view, i);

    return gr_finding_json(finding->level, &finding->err);
}

static enum weight weigh_finding(const struct gr_view *view, size_t i)
{
    return finding_at(view, i)->level == GR_LEVEL_ERROR ? WEIGHT_MUCH : WEIGHT_NONE;
}

static size_t count_lacking(const struct gr_view *view)
{
    return view->running.items_n;
}

static json_t *make_lacking(const struct gr_view *view, size_t i)
{
    return gr_status_running_item(&view->running.items[i]);
}

static enum weight weigh_lacking(const struct gr_view *view, size_t i)
{
    enum gr_running_class class = view->running.items[i].class;

    if (class == GR_RUNNING_MISSED)
        return WEIGHT_MUCH;
    return class == GR_RUNNING_UNREADABLE ? WEIGHT_SOME : WEIGHT_NONE;
}

static const struct list lists[] = {
    {"sets", count_sets, make_set, weigh_set},
    {"files", count_files, make_file, weigh_file},
    {"findings", count_findings, make_finding, weigh_finding},
    {"lacking", count_lacking, make_lacking, weigh_lacking},
};

/* ---- as much as fits ---- */

/* A part of a list, in its order. */
struct part {
    json_t *array;
    size_t at[GR_STATUS_LIST_MAX]; /* their numbers in the whole list */
    size_t n, bytes;
};

/* Takes item, the one of this number. False: there is no room for it, or no memory. */
static bool add(struct part *part, json_t *item, size_t number)
{
    size_t bytes = item ? json_dumpb(item, NULL, 0, JSON_COMPACT) + 1 : SIZE_MAX;
    size_t place = part->n;

    if (part->n == GR_STATUS_LIST_MAX || bytes > GR_STATUS_LIST_MAX_BYTES - part->bytes) {
        json_decref(item);
        return false;
    }
    for (; place > 0 && part->at[place - 1] > number; place--)
        part->at[place] = part->at[place - 1];
    if (json_array_insert_new(part->array, place, item) != 0)
        return false;
    part->at[place] = number;
    part->n++;
    part->bytes += bytes;
    return true;
}

/* What matters, the graver first; the rest too where everything has a place. Returns what is left
 * out. */
static size_t add_part(json_t *array, const struct list *list, const struct gr_view *view)
{
    struct part part = {.array = array};
    size_t n = list->count(view);
    enum weight least = n <= GR_STATUS_LIST_MAX ? WEIGHT_NONE : WEIGHT_SOME;
    bool full = false;

    for (int weight = WEIGHT_MUCH; weight >= (int)least && !full; weight--) {
        for (size_t i = 0; i < n && !full; i++) {
            if (list->weigh(view, i) == (enum weight)weight)
                full = !add(&part, list->make(view, i), i);
        }
    }
    return n - json_array_size(array);
}

void gr_status_add_lists(json_t *reply, const struct gr_view *view)
{
    json_t *more = json_object();

    for (size_t i = 0; i < GR_ARRAY_LEN(lists); i++) {
        json_t *array = json_array();
        size_t left_out = add_part(array, &lists[i], view);

        if (lists[i].count == count_sets)
            gr_suspend_status_sets(array, view);
        if (lists[i].count == count_findings)
            left_out += view->rules.findings->dropped;
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

/* Another one when the list may have changed. */
static json_int_t number_of_change(const struct gr_view *view, const struct list *list)
{
    return (json_int_t)(list->count == count_lacking ? view->running.looks : view->rules.loads);
}

int gr_status_page(const struct gr_view *view, struct gr_str of, uint64_t from, json_t *reply,
                   struct gr_err *err)
{
    struct part part = {0};
    const struct list *list = find_list(of);
    size_t n = list ? list->count(view) : 0;
    size_t i = from < n ? (size_t)from : n;
    json_t *array;

    if (!list)
        return gr_fail(err, -EINVAL, "bad-word",
                       "expected sets, files, findings or lacking, found \"%s\"", gr_show(of).text);
    array = part.array = json_array();
    while (i < n && add(&part, list->make(view, i), i))
        i++;
    if (list->count == count_sets)
        gr_suspend_status_sets(array, view);
    (void)json_object_set_new(reply, list->name, array);
    (void)json_object_set_new(reply, "total", json_integer((json_int_t)n));
    (void)json_object_set_new(reply, "load", json_integer(number_of_change(view, list)));
    if (i < n)
        (void)json_object_set_new(reply, "next", json_integer((json_int_t)i));
    return 0;
}
