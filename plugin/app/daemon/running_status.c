/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/running_status.h"

#include <stdio.h>

#include "app/control_limits.h"
#include "app/json.h"

static void set_count(json_t *object, const char *key, size_t n)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)n));
}

static json_t *item_json(const struct gr_running_item *item)
{
    json_t *object = json_object();

    gr_json_set_str(object, "class", gr_str_from(gr_running_class_name(item->class)));
    gr_json_set_str(object, "set", item->set);
    gr_json_set_str(object, "namespace", item->namespace_);
    gr_json_set_str(object, "pod", item->pod);
    gr_json_set_str(object, "container", item->container);
    gr_json_set_str(object, "id", item->id);
    return object;
}

void gr_running_status_add(json_t *reply, const struct gr_view *view)
{
    const struct gr_running_status *running = &view->running;
    json_t *object = json_object();
    json_t *list = json_array();

    (void)json_object_set_new(object, "known", json_boolean(running->known));
    if (running->known) {
        set_count(object, "containers", running->running);
        set_count(object, "unreadable", running->unreadable);
        set_count(object, "missed", running->missed);
        set_count(object, "outdated", running->outdated);
        set_count(object, "preexisting", running->preexisting);
    }
    for (size_t i = 0; i < running->items_n && i < GR_STATUS_LIST_MAX; i++)
        (void)json_array_append_new(list, item_json(&running->items[i]));
    (void)json_object_set_new(object, "list", list);
    set_count(object, "total", running->items_n);
    (void)json_object_set_new(reply, "running", object);
}

void gr_running_status_problems(json_t *list, const struct gr_view *view)
{
    size_t missed = view->running.missed;
    char text[160];

    (void)snprintf(text, sizeof(text),
                   "%zu running %s missed: created without hooks while Grapnel was away; recreate "
                   "%s",
                   missed, missed == 1 ? "container was" : "containers were",
                   missed == 1 ? "its pod" : "their pods");
    if (missed > 0)
        (void)json_array_append_new(list, gr_json_str(gr_str_from(text)));
}
