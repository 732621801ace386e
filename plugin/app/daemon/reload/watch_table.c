/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/reload/watch_table.h"

#include <errno.h>
#include <sys/inotify.h>

#include "app/daemon/reload/watch_path.h"

/*
 * What can change what a load finds. A file that is written in place counts when it is closed;
 * attributes because owner and mode decide whether a file is trusted. IN_MASK_ADD: one directory
 * may be watched for several reasons.
 */
#define EVENTS                                                                                    \
    ((uint32_t)IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD)

/* Where every entry matters. Not on the way: logs that others write there would wake us. */
#define WHOLE_EVENTS (EVENTS | IN_MODIFY)

struct gr_watch_name {
    const struct gr_watch_name *next;
    struct gr_str text;
};

struct search {
    const struct gr_watch_sys *sys;
    int fd;
    struct gr_watch_table *table;
    struct gr_err *problem; /* the first one */
    int result;             /* -ENOMEM: the table is not complete */
};

const struct gr_watch_spot *gr_watch_table_get(const struct gr_watch_table *table, int number)
{
    const struct gr_watch_spot *spot = table->spots;

    while (spot && spot->number != number)
        spot = spot->next;
    return spot;
}

bool gr_watch_table_within(const struct gr_watch_table *a, const struct gr_watch_table *b)
{
    const struct gr_watch_spot *spot = a->spots;

    while (spot && gr_watch_table_get(b, spot->number))
        spot = spot->next;
    return !spot;
}

bool gr_watch_spot_has(const struct gr_watch_spot *spot, struct gr_str name)
{
    const struct gr_watch_name *one = spot->names;

    while (one && !gr_str_eq(one->text, name))
        one = one->next;
    return spot->whole || one;
}

static struct gr_watch_spot *add_spot(struct gr_watch_table *t, int number, const char *path)
{
    struct gr_watch_spot *spot = gr_arena_alloc(&t->arena, sizeof(*spot));

    if (!spot)
        return NULL;
    spot->path = gr_arena_copy(&t->arena, gr_str_from(path));
    if (!spot->path)
        return NULL;
    spot->number = number;
    spot->next = t->spots;
    t->spots = spot;
    t->n++;
    return spot;
}

static struct gr_watch_spot *need_spot(struct gr_watch_table *t, int number, const char *path)
{
    struct gr_watch_spot *spot = t->spots;

    while (spot && spot->number != number)
        spot = spot->next;
    return spot ? spot : add_spot(t, number, path);
}

/* text.n == 0: all of them. */
static int add_name(struct gr_watch_table *t, struct gr_watch_spot *spot, struct gr_str text)
{
    struct gr_watch_name *name;

    if (text.n == 0) {
        spot->whole = true;
        return 0;
    }
    if (gr_watch_spot_has(spot, text))
        return 0;
    name = gr_arena_alloc(&t->arena, sizeof(*name));
    if (!name || !gr_arena_str(&t->arena, text, &name->text))
        return -ENOMEM;
    name->next = spot->names;
    spot->names = name;
    return 0;
}

static void explain(struct gr_err *err, int r, const char *dir)
{
    if (r == -ENOSPC)
        (void)gr_fail(err, 0, "watch-limit",
                      "%s cannot be watched: the limit of inotify watches is reached; raise the "
                      "sysctl fs.inotify.max_user_watches%s",
                      dir, GR_WATCH_BY_RESCAN);
    else
        (void)gr_fail(err, 0, "not-watched",
                      "%s cannot be watched (%s); let root read the directory%s", dir, strerror(-r),
                      GR_WATCH_BY_RESCAN);
}

/* Also of a directory that is watched already: the kernel then returns its number. */
static int watch_step(void *user, const char *dir, struct gr_str name)
{
    struct search *s = user;
    uint32_t events = name.n > 0 ? EVENTS : WHOLE_EVENTS;
    int number = s->sys->add(s->sys->user, s->fd, dir, events);
    struct gr_watch_spot *spot;

    if (number == -ENOENT || number == -ENOTDIR || number == -ELOOP)
        return number; /* its name is watched in the directory above */
    if (number < 0) {
        if (!s->problem->code)
            explain(s->problem, number, dir);
        return 0; /* what is below it may still be watched */
    }
    spot = need_spot(s->table, number, dir);
    if (!spot || add_name(s->table, spot, name) != 0) {
        s->result = -ENOMEM;
        return -ENOMEM;
    }
    return 0;
}

int gr_watch_table_make(const struct gr_watch_sys *sys, int fd, const char *const *paths, size_t n,
                        struct gr_err *err, struct gr_watch_table *out_table)
{
    struct search s = {.sys = sys, .fd = fd, .table = out_table, .problem = err};

    *out_table = (struct gr_watch_table){0};
    gr_arena_init(&out_table->arena, 4096, 0);
    for (size_t i = 0; i < n && s.result == 0; i++)
        gr_watch_walk(paths[i], watch_step, &s);
    if (s.result)
        gr_watch_table_fini(out_table);
    return s.result;
}

void gr_watch_table_fini(struct gr_watch_table *table)
{
    gr_arena_fini(&table->arena);
    *table = (struct gr_watch_table){0};
}
