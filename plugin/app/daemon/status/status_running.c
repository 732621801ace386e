/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status/status_running.h"

#include "app/json.h"
#include "base/buf.h"

/* Containers that the text names; their names have at most GR_RUNNING_NAME_MAX_BYTES. */
#define NAMED_MAX 3
#define PROBLEM_MAX_BYTES 4096

json_t *gr_status_running(const struct gr_running_status *running)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "known", json_boolean(running->known));
    if (!running->known)
        return object;
    gr_json_set_count(object, "running", running->running);
    gr_json_set_count(object, "unreadable", running->unreadable);
    gr_json_set_count(object, "missed", running->missed);
    gr_json_set_count(object, "outdated", running->outdated);
    gr_json_set_count(object, "preexisting", running->preexisting);
    return object;
}

json_t *gr_status_running_item(const struct gr_running_item *item)
{
    json_t *object = json_object();

    gr_json_set_str(object, "id", item->id);
    gr_json_set_str(object, "namespace", item->namespace_);
    gr_json_set_str(object, "pod", item->pod);
    gr_json_set_str(object, "container", item->container);
    gr_json_set_str(object, "set", item->set);
    gr_json_set_str(object, "class", gr_str_from(gr_running_class_name(item->class)));
    return object;
}

/* One container after the other has its sets. */
static bool is_another(const struct gr_running_status *running, size_t i)
{
    return i == 0 || !gr_str_eq(running->items[i - 1].id, running->items[i].id);
}

static size_t put_names(struct gr_buf *text, const struct gr_running_status *running)
{
    size_t n = 0;

    for (size_t i = 0; i < running->items_n && n < NAMED_MAX; i++) {
        const struct gr_running_item *item = &running->items[i];

        if (item->class != GR_RUNNING_MISSED || !is_another(running, i))
            continue;
        (void)gr_buf_printf(text, "%s%.*s/%.*s/%.*s", n > 0 ? ", " : ": ",
                            GR_STR_FMT(item->namespace_), GR_STR_FMT(item->pod),
                            GR_STR_FMT(item->container));
        n++;
    }
    return n;
}

void gr_status_running_problem(json_t *list, const struct gr_running_status *running)
{
    struct gr_buf text;
    size_t named;

    if (!running->known || running->missed == 0)
        return;
    gr_buf_init(&text, PROBLEM_MAX_BYTES);
    if (running->missed == 1)
        (void)gr_buf_text(&text, "1 container runs without hooks that it should have");
    else
        (void)gr_buf_printf(&text, "%zu containers run without hooks that they should have",
                            running->missed);
    named = put_names(&text, running);
    if (named > 0 && named < running->missed)
        (void)gr_buf_printf(&text, " and %zu more", running->missed - named);
    (void)gr_buf_text(&text, running->missed == 1 ? "; recreate its pod" : "; recreate their pods");
    if (!text.broken)
        (void)json_array_append_new(list, gr_json_str(gr_buf_view(&text)));
    gr_buf_fini(&text);
}
