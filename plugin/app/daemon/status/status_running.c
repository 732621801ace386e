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
    if (running->problem)
        gr_json_set_text(object, "problem", running->problem);
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

/* Returns how many. */
static size_t put_names(struct gr_buf *text, const struct gr_running_status *running,
                        enum gr_running_class class)
{
    size_t n = 0;

    for (size_t i = 0; i < running->items_n && n < NAMED_MAX; i++) {
        const struct gr_running_item *item = &running->items[i];
        const char *before = n > 0 ? ", " : ": ";

        if (item->class != class || !is_another(running, i) || item->id.n == 0)
            continue;
        if (class == GR_RUNNING_UNREADABLE)
            (void)gr_buf_printf(text, "%sid %.*s", before, GR_STR_FMT(item->id));
        else
            (void)gr_buf_printf(text, "%s%.*s/%.*s/%.*s", before, GR_STR_FMT(item->namespace_),
                                GR_STR_FMT(item->pod), GR_STR_FMT(item->container));
        n++;
    }
    return n;
}

/* What is to be said of one container, and of several. */
struct said {
    enum gr_problem problem;
    const char *one, *many;
    const char *one_fix, *many_fix;
};

static void add_problem(struct gr_problems *list, const struct gr_running_status *running,
                        enum gr_running_class class, size_t count, const struct said *said)
{
    struct gr_buf text;
    size_t named;

    if (count == 0)
        return;
    gr_buf_init(&text, PROBLEM_MAX_BYTES);
    (void)gr_buf_printf(&text, "%zu %s", count, count == 1 ? said->one : said->many);
    named = put_names(&text, running, class);
    if (named > 0 && named < count)
        (void)gr_buf_printf(&text, " and %zu more", count - named);
    (void)gr_buf_printf(&text, "; %s", count == 1 ? said->one_fix : said->many_fix);
    if (!text.broken)
        gr_problem_add(list, said->problem, gr_buf_view(&text));
    gr_buf_fini(&text);
}

static void add_not_known(struct gr_problems *list, const char *problem)
{
    struct gr_err err = {0};

    (void)gr_fail(&err, 0, NULL, "whether containers were missed is not known: %s", problem);
    gr_problem_add(list, GR_PROBLEM_NOT_COMPARED, gr_str_from(err.text));
}

void gr_status_running_problems(struct gr_problems *list, const struct gr_running_status *running)
{
    static const struct said missed = {GR_PROBLEM_MISSED,
                                       "container runs without hooks that it should have",
                                       "containers run without hooks that they should have",
                                       "recreate its pod", "recreate their pods"};
    static const struct said unreadable = {
        GR_PROBLEM_UNREADABLE,
        "running container cannot be read, so that whether it lacks hooks is not known",
        "running containers cannot be read, so that whether they lack hooks is not known",
        "the log says why", "the log says why"};

    if (running->problem)
        add_not_known(list, running->problem);
    if (!running->known)
        return;
    add_problem(list, running, GR_RUNNING_MISSED, running->missed, &missed);
    add_problem(list, running, GR_RUNNING_UNREADABLE, running->unreadable, &unreadable);
}
