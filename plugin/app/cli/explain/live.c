/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which recorded containers are meant.
 */
#include "app/cli/explain/live.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "app/cli/shared/duration.h"
#include "app/cli/shared/subject_flags.h"
#include "app/exit.h"
#include "base/utc.h"
#include "rules/read/findings.h"

#define NEAREST_MAX 5
#define NEAREST_DISTANCE 6
#define TITLE_BYTES 1024

static int no_memory(const char *verb)
{
    (void)fprintf(stderr, "grapnel %s: no memory\n", verb);
    return GR_EXIT_FAILED;
}

int gr_live_load(const char *verb, const char *run_dir, const struct gr_settings *settings,
                 struct gr_arena *arena, struct gr_journal_contents *out_contents)
{
    const char *dir = run_dir ? run_dir : settings->config.run_dir;
    struct gr_err err = {0};
    int r;

    if (dir[0] == '\0') {
        (void)fprintf(stderr,
                      "grapnel %s: expected a journal of decisions, but the settings say runDir: "
                      "none; name its directory with --run-dir\n",
                      verb);
        return GR_EXIT_HOST;
    }
    r = gr_journal_load(dir, arena, out_contents, &err);
    if (r == 0)
        return GR_EXIT_OK;
    if (r == -ENOMEM)
        return no_memory(verb);
    (void)fprintf(stderr, "grapnel %s: %s", verb, err.text);
    if (r == -ENOENT)
        (void)fputs("; the plugin writes it on the node where it runs: look there, or name the "
                    "directory with --run-dir as its settings have it",
                    stderr);
    else if (r == -EACCES)
        (void)fputs("; only root may read it: run this as root", stderr);
    (void)fputc('\n', stderr);
    return GR_EXIT_HOST;
}

/* ---- which are meant ---- */

/* What was asked for: an id's beginning, or names; container.n == 0: all of the pod. */
struct wanted {
    const char *verb;
    struct gr_str text, id, pod_namespace, pod, container;
    bool by_id, all;
};

static int parse(const char *verb, const char *what, struct wanted *out_wanted)
{
    struct gr_str text = gr_str_from(what);
    struct wanted w = {.verb = verb, .text = text, .id = text, .by_id = true};
    size_t slash = gr_str_find(text, '/');
    struct gr_str rest = gr_str_skip(text, slash + 1);
    bool good = text.n >= GR_LIVE_PREFIX_MIN_BYTES;

    if (slash < text.n) {
        size_t end = gr_str_find(rest, '/');

        w.by_id = false;
        w.all = end == rest.n;
        w.pod_namespace = gr_str_first(text, slash);
        w.pod = gr_str_first(rest, end);
        w.container = gr_str_skip(rest, end + 1);
        good = w.pod_namespace.n > 0 && w.pod.n > 0 && (w.all || w.container.n > 0) &&
               gr_str_find(w.container, '/') == w.container.n;
    }
    if (!good)
        return gr_usage(verb,
                        "--live with an id, at least 4 characters of it, NAMESPACE/POD or "
                        "NAMESPACE/POD/CONTAINER",
                        what);
    *out_wanted = w;
    return GR_EXIT_OK;
}

int gr_live_check(const char *verb, const char *what)
{
    struct wanted w;

    return parse(verb, what, &w);
}

static bool is_wanted(const struct wanted *w, const struct gr_subject *s)
{
    if (w->by_id)
        return gr_str_has_prefix(s->id, w->id);
    return gr_str_eq(s->pod_namespace, w->pod_namespace) && gr_str_eq(s->pod_name, w->pod) &&
           (w->all || gr_str_eq(s->name, w->container));
}

/* Whether both are one container, or incarnations of one. */
static bool is_same(const struct wanted *w, const struct gr_subject *a, const struct gr_subject *b)
{
    return w->by_id ? gr_str_eq(a->id, b->id) : gr_str_eq(a->name, b->name);
}

/* ---- none, or too many ---- */

static void put_age(int64_t since_s)
{
    int64_t age_s = (int64_t)time(NULL) - since_s;
    char text[GR_UTC_BYTES];

    if (since_s == 0) {
        (void)fputs("nothing is recorded yet", stderr);
        return;
    }
    (void)fprintf(stderr, "the journal begins at %s", gr_utc_text(since_s, text));
    if (age_s >= 0)
        (void)fprintf(stderr, ", %s ago", gr_duration(age_s).text);
}

/* How far a name is from what was asked for: people write a pod's name without its random part. */
static size_t name_distance(struct gr_str wanted, struct gr_str name)
{
    if (wanted.n > 0 && gr_str_has_prefix(name, wanted))
        return name.n > wanted.n;
    return gr_str_distance(wanted, name, NEAREST_DISTANCE);
}

static size_t distance(const struct wanted *w, const struct gr_subject *s)
{
    if (w->by_id)
        return GR_MIN(name_distance(w->id, s->pod_name), name_distance(w->id, s->name));
    return name_distance(w->pod_namespace, s->pod_namespace) + name_distance(w->pod, s->pod_name) +
           (w->all ? 0 : name_distance(w->container, s->name));
}

struct near {
    const struct gr_subject *subject;
    size_t distance;
};

static bool same_names(const struct gr_subject *a, const struct gr_subject *b)
{
    return gr_str_eq(a->pod_namespace, b->pod_namespace) && gr_str_eq(a->pod_name, b->pod_name) &&
           gr_str_eq(a->name, b->name);
}

/* Keeps the list sorted and each name once. */
static size_t add_near(struct near list[NEAREST_MAX], size_t n, struct near one)
{
    size_t at = n;

    for (size_t i = 0; i < n; i++) {
        if (same_names(list[i].subject, one.subject))
            return n;
    }
    while (at > 0 && list[at - 1].distance > one.distance)
        at--;
    if (at == NEAREST_MAX)
        return n;
    n = GR_MIN(n + 1, (size_t)NEAREST_MAX);
    memmove(list + at + 1, list + at, (n - at - 1) * sizeof(*list));
    list[at] = one;
    return n;
}

static int none_found(const struct wanted *w, const struct gr_journal_contents *contents)
{
    struct near list[NEAREST_MAX] = {{0}};
    bool known =
        w->by_id && gr_known_get(&contents->state.ids, gr_known_hash(w->id)) != GR_KNOWN_NOT;
    char title[TITLE_BYTES];
    size_t n = 0;

    for (size_t i = contents->n; i > 0; i--) {
        const struct gr_subject *subject = &contents->entries[i - 1].decision.subject;
        size_t far = distance(w, subject);

        if (far <= NEAREST_DISTANCE && subject->id.n > 0)
            n = add_near(list, n, (struct near){.subject = subject, .distance = far});
    }
    (void)fprintf(stderr, "grapnel %s: no decision is recorded about \"%s\"", w->verb,
                  gr_show(w->text).text);
    if (known)
        (void)fputs(", though the runtime has told of it: it was created before the journal began, "
                    "or its record had to go",
                    stderr);
    for (size_t i = 0; i < n; i++) {
        gr_subject_title(list[i].subject, title, sizeof(title));
        (void)fprintf(stderr, "%s%s", i ? ", " : "; near it: ", title);
    }
    (void)fputs("; ", stderr);
    put_age(contents->since_s);
    (void)fputc('\n', stderr);
    return GR_EXIT_FAILED;
}

static int several_found(const struct wanted *w, const struct gr_live_list *list)
{
    (void)fprintf(stderr, "grapnel %s: expected the beginning of one id, found \"%s\" of %zu:\n",
                  w->verb, gr_show(w->text).text, list->n);
    for (size_t i = 0; i < list->n; i++) {
        const struct gr_journal_entry *entry = list->items[i].entry;
        char title[TITLE_BYTES], at[GR_UTC_BYTES];

        gr_subject_title(&entry->decision.subject, title, sizeof(title));
        (void)fprintf(stderr, "  %s  %s  %s\n", gr_show(entry->decision.subject.id).text,
                      gr_utc_text(entry->time_s, at), title);
    }
    return GR_EXIT_FAILED;
}

/* ---- finding ---- */

/* To the container that it is of, or as another one. room: for all entries. */
static bool add_entry(const struct wanted *w, const struct gr_journal_entry *entry, size_t room,
                      struct gr_arena *arena, struct gr_live_list *list)
{
    struct gr_live_found *found = list->items;

    for (; found < list->items + list->n; found++) {
        if (!is_same(w, &found->entry->decision.subject, &entry->decision.subject))
            continue;
        if (!found->earlier)
            found->earlier = gr_arena_array(arena, room, sizeof(const void *));
        if (!found->earlier)
            return false;
        found->earlier[found->earlier_n++] = entry;
        return true;
    }
    *found = (struct gr_live_found){.entry = entry};
    list->n++;
    return true;
}

int gr_live_find(const char *verb, const char *what, const struct gr_journal_contents *contents,
                 struct gr_arena *arena, struct gr_live_list *out_list)
{
    struct gr_live_list list = {0};
    struct wanted w;
    size_t n = 0;
    int r = parse(verb, what, &w);

    if (r != GR_EXIT_OK)
        return r;
    for (size_t i = 0; i < contents->n; i++)
        n += is_wanted(&w, &contents->entries[i].decision.subject);
    list.items = gr_arena_array(arena, n + 1, sizeof(*list.items));
    if (!list.items)
        return no_memory(verb);
    for (size_t i = contents->n; i > 0; i--) {
        const struct gr_journal_entry *entry = &contents->entries[i - 1];

        if (is_wanted(&w, &entry->decision.subject) && !add_entry(&w, entry, n, arena, &list))
            return no_memory(verb);
    }
    if (list.n == 0)
        return none_found(&w, contents);
    if (w.by_id && list.n > 1)
        return several_found(&w, &list);
    *out_list = list;
    return GR_EXIT_OK;
}

const struct gr_subject **gr_live_all(const struct gr_journal_contents *contents,
                                      struct gr_arena *arena, size_t *out_n)
{
    const struct gr_subject **all = gr_arena_array(arena, contents->n, sizeof(const void *));
    struct gr_known_ids taken = {0};
    bool dropped = false;
    size_t n = 0;

    for (size_t i = contents->n; all && i > 0; i--) {
        const struct gr_journal_decision *decision = &contents->entries[i - 1].decision;
        uint64_t hash = gr_known_hash(decision->subject.id);

        if (!decision->has_facts || decision->refused ||
            gr_known_get(&contents->state.ids, hash) == GR_KNOWN_NOT ||
            gr_known_get(&taken, hash) != GR_KNOWN_NOT)
            continue;
        if (gr_known_set(&taken, hash, GR_KNOWN_SEEN, &dropped) != 0)
            all = NULL;
        else
            all[n++] = &decision->subject;
    }
    for (size_t i = 0; all && i < n / 2; i++) {
        const struct gr_subject *other = all[i];

        all[i] = all[n - 1 - i];
        all[n - 1 - i] = other;
    }
    gr_known_ids_fini(&taken);
    *out_n = n;
    return all;
}
