/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon/conn.h"
#include "app/daemon/debounce.h"
#include "app/daemon/watch_path.h"
#include "load/limits.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US 1000
#define US_PER_S 1000000

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

/* Of the directory itself; IN_IGNORED: the kernel gave the watch up. */
#define SELF_EVENTS ((uint32_t)IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

struct name {
    struct name *next;
    struct gr_str text;
};

/* A directory that is watched. */
struct spot {
    struct spot *next;
    int number;       /* of the watch */
    const char *path; /* as it was reached */
    bool whole;       /* every entry matters, else those named */
    struct name *names;
};

struct table {
    struct gr_arena arena; /* holds everything else */
    struct spot *spots;
    size_t n;
};

struct target {
    const char *given;
    const char *path; /* absolute */
};

struct gr_watch {
    const struct gr_watch_sys *sys;
    const struct gr_log *log;
    gr_watch_changed_fn *changed;
    void *user;
    struct event_base *base;
    struct event *readable; /* NULL while there is no descriptor */
    struct event *due;
    atomic_int fd;         /* changed by the loop thread only */
    struct gr_arena arena; /* holds the targets */
    struct target *targets;
    size_t targets_n;
    struct table table;
    struct gr_debounce debounce;
    atomic_bool stirred; /* debounce.pending, for other threads */
    uint64_t events, overflows;
    struct gr_err problem; /* code NULL: none */
};

/* ---- the system ---- */

static int real_open(void *user)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    (void)user;
    return fd < 0 ? -errno : fd;
}

static int real_add(void *user, int fd, const char *dir, uint32_t mask)
{
    int number = inotify_add_watch(fd, dir, mask);

    (void)user;
    return number < 0 ? -errno : number;
}

static const struct gr_watch_sys real_sys = {.open = real_open, .add = real_add};

/* ---- what does not work ---- */

static const char by_rescan[] = "; until then changed files are found by the rescan only";

static void explain_open(struct gr_err *err, int r)
{
    const char *fix = "inotify is needed to notice changed files at once";

    if (r == -EMFILE || r == -ENFILE)
        fix = "raise the sysctl fs.inotify.max_user_instances, or the limits of open files";
    (void)gr_fail(err, 0, "no-inotify", "files cannot be watched (%s): %s%s", strerror(-r), fix,
                  by_rescan);
}

static void explain_add(struct gr_err *err, int r, const char *dir)
{
    if (r == -ENOSPC)
        (void)gr_fail(err, 0, "watch-limit",
                      "%s cannot be watched: the limit of inotify watches is reached; raise the "
                      "sysctl fs.inotify.max_user_watches%s",
                      dir, by_rescan);
    else
        (void)gr_fail(err, 0, "not-watched",
                      "%s cannot be watched (%s); let root read the directory%s", dir, strerror(-r),
                      by_rescan);
}

/* Says what is news: a problem, another one, none any more. */
static void note_problem(struct gr_watch *w, const struct gr_err *found)
{
    bool same = found->code ? w->problem.code && strcmp(found->text, w->problem.text) == 0
                            : !w->problem.code;

    if (!same && found->code)
        gr_log_finding(w->log, GR_LEVEL_WARNING, found);
    else if (!same)
        GR_LOG(w->log, GR_LEVEL_INFO, "files are watched again",
               GR_LOG_INT("directories", w->table.n));
    w->problem = *found;
}

/* ---- the table of directories ---- */

static void table_init(struct table *t)
{
    *t = (struct table){0};
    gr_arena_init(&t->arena, 4096, 0);
}

static struct spot *find_spot(const struct table *t, int number)
{
    struct spot *spot = t->spots;

    while (spot && spot->number != number)
        spot = spot->next;
    return spot;
}

static struct spot *add_spot(struct table *t, int number, const char *path)
{
    struct spot *spot = gr_arena_alloc(&t->arena, sizeof(*spot));

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

static bool counts(const struct spot *spot, struct gr_str name)
{
    if (spot->whole)
        return true;
    for (const struct name *n = spot->names; n; n = n->next)
        if (gr_str_eq(n->text, name))
            return true;
    return false;
}

static int add_name(struct table *t, struct spot *spot, struct gr_str text)
{
    struct name *name;

    if (text.n == 0) {
        spot->whole = true;
        return 0;
    }
    if (counts(spot, text))
        return 0;
    name = gr_arena_alloc(&t->arena, sizeof(*name));
    if (!name || !gr_arena_str(&t->arena, text, &name->text))
        return -ENOMEM;
    name->next = spot->names;
    spot->names = name;
    return 0;
}

/* ---- finding the directories ---- */

struct search {
    const struct gr_watch *w;
    struct table *table;
    struct gr_err *problem; /* the first one */
    int result;             /* -ENOMEM: the table is not complete */
};

/* Also of a directory that is watched already: the kernel then returns its number. */
static int watch_step(void *user, const char *dir, struct gr_str name)
{
    struct search *s = user;
    const struct gr_watch_sys *sys = s->w->sys;
    uint32_t events = name.n > 0 ? EVENTS : WHOLE_EVENTS;
    int number = sys->add(sys->user, s->w->fd, dir, events);
    struct spot *spot;

    if (number == -ENOENT || number == -ENOTDIR || number == -ELOOP)
        return number; /* its name is watched in the directory above */
    if (number < 0) {
        if (!s->problem->code)
            explain_add(s->problem, number, dir);
        return 0; /* what is below it may still be watched */
    }
    spot = find_spot(s->table, number);
    if (!spot)
        spot = add_spot(s->table, number, dir);
    if (!spot || add_name(s->table, spot, name) != 0) {
        s->result = -ENOMEM;
        return -ENOMEM;
    }
    return 0;
}

static void forget_old(struct gr_watch *w, const struct table *now)
{
    for (const struct spot *spot = w->table.spots; spot; spot = spot->next)
        if (!find_spot(now, spot->number))
            (void)inotify_rm_watch(w->fd, spot->number); /* gone with its directory: no matter */
}

static void find_directories(struct gr_watch *w, struct gr_err *problem)
{
    struct table table;
    struct search s = {.w = w, .table = &table, .problem = problem};

    table_init(&table);
    for (size_t i = 0; i < w->targets_n && s.result == 0; i++)
        gr_watch_walk(w->targets[i].path, watch_step, &s);
    if (s.result) {
        gr_arena_fini(&table.arena);
        (void)gr_fail(problem, 0, "not-watched", "no memory to watch files%s", by_rescan);
        return;
    }
    forget_old(w, &table);
    gr_arena_fini(&w->table.arena);
    w->table = table;
}

/* ---- events ---- */

static void close_events(struct gr_watch *w)
{
    if (w->readable)
        event_free(w->readable);
    if (w->fd >= 0)
        (void)close(w->fd);
    w->readable = NULL;
    w->fd = -1;
    gr_arena_fini(&w->table.arena);
    table_init(&w->table);
}

enum haste { NEVER, BEGUN, SOON };

/*
 * A new file that is being written tells of itself again when it is closed; read before that, it
 * would be half a file. But a finished one may have been given this name, so it is read at last.
 * Everything else that was made is there at once: directories, links and further hard ones.
 */
static enum haste haste_of_new(const struct spot *spot, const char *name)
{
    char path[GR_LOAD_PATH_BYTES];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/%s", spot->path, name);
    bool plain = n > 0 && n < (int)sizeof(path) && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
                 st.st_nlink == 1;

    return plain ? BEGUN : SOON;
}

/* Whether to look again because of this event. */
static enum haste haste_of(struct gr_watch *w, const struct inotify_event *event, const char *name)
{
    const struct spot *spot;

    w->events++;
    if (event->mask & IN_Q_OVERFLOW) {
        w->overflows++;
        return SOON;
    }
    spot = find_spot(&w->table, event->wd);
    if (!spot)
        return NEVER; /* not watched any more */
    if (name[0] == '\0')
        return (event->mask & (SELF_EVENTS | IN_ATTRIB)) != 0 ? SOON : NEVER;
    if (!counts(spot, gr_str_from(name)))
        return NEVER;
    if (event->mask & IN_MODIFY)
        return BEGUN; /* until it is closed */
    return event->mask & IN_CREATE ? haste_of_new(spot, name) : SOON;
}

/* One read. Returns what it returned; negative errno. */
static ssize_t read_events(struct gr_watch *w, enum haste *out_haste)
{
    _Alignas(struct inotify_event) char bytes[GR_WATCH_READ_BYTES];
    ssize_t n = read(w->fd, bytes, sizeof(bytes));
    size_t at = 0;

    if (n < 0)
        return -errno;
    while (at + sizeof(struct inotify_event) <= (size_t)n) {
        struct inotify_event event;
        enum haste haste;
        const char *name = bytes + at + sizeof(event);

        memcpy(&event, bytes + at, sizeof(event));
        haste = haste_of(w, &event, event.len > 0 ? name : "");
        *out_haste = GR_MAX(*out_haste, haste);
        at += sizeof(event) + event.len;
    }
    return n;
}

static void done(struct gr_watch *w)
{
    gr_debounce_done(&w->debounce);
    atomic_store(&w->stirred, false);
}

static void be_due(struct gr_watch *w, enum haste haste)
{
    uint64_t now = gr_now_ns();
    uint64_t wait_ns = haste == BEGUN ? gr_debounce_begun(&w->debounce, now)
                                      : gr_debounce_event(&w->debounce, now);
    uint64_t us = wait_ns / NS_PER_US + 1;
    const struct timeval wait = {.tv_sec = (time_t)(us / US_PER_S),
                                 .tv_usec = (suseconds_t)(us % US_PER_S)};

    atomic_store(&w->stirred, true);
    if (wait_ns != UINT64_MAX && event_add(w->due, &wait) != 0)
        done(w); /* no memory: the rescan comes */
}

static void take_events(struct gr_watch *w)
{
    enum haste haste = NEVER;
    ssize_t n = read_events(w, &haste);

    if (n <= 0 && n != -EAGAIN && n != -EINTR) {
        /* Never seen; the loop must not spin on it. The next look opens another descriptor. */
        close_events(w);
        haste = BEGUN;
    }
    if (haste != NEVER)
        be_due(w, haste);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    take_events(arg);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct gr_watch *w = arg;

    (void)fd;
    (void)what;
    done(w);
    w->changed(w->user);
}

/* Returns 0; a negative errno. */
static int open_events(struct gr_watch *w)
{
    int fd = w->sys->open(w->sys->user);

    if (fd < 0)
        return fd;
    w->fd = fd;
    w->readable = event_new(w->base, fd, EV_READ | EV_PERSIST, on_readable, w);
    if (w->readable && event_add(w->readable, NULL) == 0)
        return 0;
    close_events(w);
    return -ENOMEM;
}

/* ---- targets ---- */

static bool same_targets(const struct gr_watch *w, const char *const *paths, size_t n)
{
    bool same = w->targets_n == n;

    for (size_t i = 0; same && i < n; i++)
        same = strcmp(w->targets[i].given, paths[i]) == 0;
    return same;
}

/* The walk wants absolute paths. */
static bool copy_target(struct gr_arena *arena, const char *given, struct target *out)
{
    char cwd[GR_LOAD_PATH_BYTES];
    char path[2 * GR_LOAD_PATH_BYTES];

    out->given = gr_arena_copy(arena, gr_str_from(given));
    out->path = out->given;
    if (given[0] != '/' && getcwd(cwd, sizeof(cwd))) {
        (void)snprintf(path, sizeof(path), "%s/%s", cwd, given);
        out->path = gr_arena_copy(arena, gr_str_from(path));
    }
    return out->given && out->path;
}

void gr_watch_set(struct gr_watch *w, const char *const *paths, size_t n)
{
    struct target *copies;
    struct gr_arena arena;
    bool copied;

    if (same_targets(w, paths, n))
        return;
    gr_arena_init(&arena, 1024, 0);
    copies = gr_arena_array(&arena, n, sizeof(*copies));
    copied = copies != NULL;
    for (size_t i = 0; copied && i < n; i++)
        copied = copy_target(&arena, paths[i], &copies[i]);
    if (!copied) {
        gr_arena_fini(&arena);
        return;
    }
    gr_arena_fini(&w->arena);
    w->arena = arena;
    w->targets = copies;
    w->targets_n = n;
    gr_watch_look(w);
}

void gr_watch_look(struct gr_watch *w)
{
    struct gr_err problem = {0};
    int r = w->fd < 0 ? open_events(w) : 0;

    (void)event_del(w->due);
    done(w);
    if (r)
        explain_open(&problem, r);
    else
        find_directories(w, &problem);
    note_problem(w, &problem);
}

bool gr_watch_is_stirred(const struct gr_watch *w)
{
    int fd = atomic_load(&w->fd);
    int bytes = 0;

    return atomic_load(&w->stirred) || (fd >= 0 && ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0);
}

void gr_watch_stir(struct gr_watch *w)
{
    be_due(w, SOON);
}

void gr_watch_status(const struct gr_watch *w, struct gr_watch_status *out_status)
{
    *out_status = (struct gr_watch_status){
        .working = w->fd >= 0 && !w->problem.code,
        .pending = w->debounce.pending,
        .watches = w->table.n,
        .events = w->events,
        .overflows = w->overflows,
        .problem = w->problem.code ? w->problem.text : NULL,
    };
}

/* ---- life ---- */

int gr_watch_new(struct event_base *base, const struct gr_log *log, const struct gr_watch_sys *sys,
                 gr_watch_changed_fn *changed, void *user, struct gr_watch **out_watch)
{
    struct gr_watch *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    w->sys = sys ? sys : &real_sys;
    w->log = log;
    w->changed = changed;
    w->user = user;
    w->base = base;
    w->fd = -1;
    w->debounce = (struct gr_debounce){.quiet_ns = GR_WATCH_QUIET_MS * NS_PER_MS,
                                       .latest_ns = GR_WATCH_LATEST_MS * NS_PER_MS};
    gr_arena_init(&w->arena, 1024, 0);
    table_init(&w->table);
    w->due = evtimer_new(base, on_due, w);
    if (!w->due) {
        gr_watch_free(w);
        return -ENOMEM;
    }
    *out_watch = w;
    return 0;
}

void gr_watch_free(struct gr_watch *w)
{
    if (!w)
        return;
    close_events(w);
    if (w->due)
        event_free(w->due);
    gr_arena_fini(&w->table.arena);
    gr_arena_fini(&w->arena);
    free(w);
}
