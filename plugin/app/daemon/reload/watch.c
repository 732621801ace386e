/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/reload/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon/reload/debounce.h"
#include "app/daemon/reload/watch_table.h"
#include "base/clock.h"
#include "load/limits.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US 1000
#define US_PER_S 1000000

/* Of a directory itself; IN_IGNORED: the kernel gave the watch up. */
#define SELF_EVENTS ((uint32_t)IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

/* What is to be watched. Not changed once it is there. */
struct targets {
    struct gr_arena arena;    /* holds the rest */
    const char *const *given; /* as the owner named them */
    const char *const *paths; /* absolute */
    size_t n;
};

/* What a search has brought. */
struct found {
    struct gr_watch_table table;
    struct gr_err problem; /* code NULL: none */
    bool complete;         /* false: no memory, there is no table */
    bool again;            /* for the same targets as the search before it */
};

struct gr_watch {
    const struct gr_watch_sys *sys;
    const struct gr_log *log;
    gr_watch_changed_fn *changed;
    void *user;
    struct event_base *base;
    struct event *readable; /* NULL while there is no descriptor */
    struct event *due;
    atomic_int fd; /* -1: none yet; set by the loop's thread, and closed at the end */
    bool broken;   /* it cannot be read any more */
    struct gr_watch_table table;
    struct gr_debounce debounce;
    uint64_t events, overflows;
    struct gr_err problem; /* code NULL: none */
    bool moved;            /* a search found other directories than the one before */

    /* Between the loop's thread and the one that searches. */
    pthread_mutex_t lock; /* guards targets and searched */
    struct targets *targets;
    const struct targets *searched; /* by the last search; only compared */
    _Atomic(struct found *) found;  /* not taken yet; owned */
    atomic_bool searching;          /* numbers that the table does not have may be new ones */
    atomic_bool stirred;            /* debounce.pending */
    atomic_bool reading;            /* events that are not in the descriptor any more */
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

static void explain_open(struct gr_err *err, int r)
{
    const char *fix = "inotify is needed to notice changed files at once";

    if (r == -EMFILE || r == -ENFILE)
        fix = "raise the sysctl fs.inotify.max_user_instances, or the limits of open files";
    (void)gr_fail(err, 0, "no-inotify", "files cannot be watched (%s): %s%s", strerror(-r), fix,
                  GR_WATCH_BY_RESCAN);
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

/* ---- searching ---- */

static void found_free(struct found *found)
{
    if (!found)
        return;
    gr_watch_table_fini(&found->table);
    free(found);
}

static void targets_free(struct targets *targets)
{
    if (!targets)
        return;
    gr_arena_fini(&targets->arena);
    free(targets);
}

static void take_table(struct gr_watch *w, struct found *found)
{
    for (const struct gr_watch_spot *spot = w->table.spots; spot; spot = spot->next)
        if (!gr_watch_table_get(&found->table, spot->number))
            (void)inotify_rm_watch(w->fd, spot->number); /* may be gone with its directory */
    w->moved = w->moved || (found->again && !gr_watch_table_within(&found->table, &w->table));
    gr_watch_table_fini(&w->table);
    w->table = found->table;
    found->table = (struct gr_watch_table){0};
}

/* Takes what the last search has brought. */
static void take_found(struct gr_watch *w)
{
    struct found *found = atomic_exchange(&w->found, NULL);

    if (!found)
        return;
    if (found->complete)
        take_table(w, found);
    if (!w->broken)
        note_problem(w, &found->problem);
    found_free(found);
}

/* Copies, since the owner may set others meanwhile. */
static bool copy_paths(struct gr_watch *w, struct gr_arena *arena, const char ***out_paths,
                       size_t *out_n, bool *out_again)
{
    const struct targets *t;
    bool copied;

    (void)pthread_mutex_lock(&w->lock);
    t = w->targets;
    *out_again = t == w->searched;
    w->searched = t;
    *out_n = t ? t->n : 0;
    *out_paths = gr_arena_array(arena, *out_n, sizeof(**out_paths));
    copied = *out_paths != NULL;
    for (size_t i = 0; copied && i < *out_n; i++) {
        (*out_paths)[i] = gr_arena_copy(arena, gr_str_from(t->paths[i]));
        copied = (*out_paths)[i] != NULL;
    }
    (void)pthread_mutex_unlock(&w->lock);
    return copied;
}

void gr_watch_search(struct gr_watch *w)
{
    int fd = atomic_load(&w->fd);
    struct found *found = fd >= 0 ? calloc(1, sizeof(*found)) : NULL;
    const char **paths;
    struct gr_arena arena;
    size_t n;

    if (!found)
        return; /* without memory what is watched stays */
    gr_arena_init(&arena, 1024, 0);
    atomic_store(&w->searching, true);
    found->complete =
        copy_paths(w, &arena, &paths, &n, &found->again) &&
        gr_watch_table_make(w->sys, fd, paths, n, &found->problem, &found->table) == 0;
    if (!found->complete)
        (void)gr_fail(&found->problem, 0, "not-watched", "no memory to watch files%s",
                      GR_WATCH_BY_RESCAN);
    gr_arena_fini(&arena);
    found_free(atomic_exchange(&w->found, found));
    atomic_store(&w->searching, false);
}

/* ---- events ---- */

enum haste { NEVER, BEGUN, SOON };

/*
 * A new file that is being written tells of itself again when it is closed; read before that, it
 * would be half a file. But a finished one may have been given this name, so it is read at last.
 * Everything else that was made is there at once: directories, links and further hard ones.
 */
static enum haste haste_of_new(const struct gr_watch_spot *spot, const char *name)
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
    const struct gr_watch_spot *spot;

    w->events++;
    if (event->mask & IN_Q_OVERFLOW) {
        w->overflows++;
        return SOON;
    }
    spot = gr_watch_table_get(&w->table, event->wd);
    if (!spot && atomic_load(&w->searching))
        return SOON; /* of a directory that was found a moment ago */
    if (!spot) {
        take_found(w); /* the search may have ended in between */
        spot = gr_watch_table_get(&w->table, event->wd);
    }
    if (!spot)
        return NEVER; /* not watched any more */
    if (name[0] == '\0')
        return (event->mask & (SELF_EVENTS | IN_ATTRIB)) != 0 ? SOON : NEVER;
    if (!gr_watch_spot_has(spot, gr_str_from(name)))
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
    if (event_add(w->due, &wait) != 0)
        done(w); /* no memory: the rescan comes */
}

/* Never seen; the loop must not spin on it. The rescan remains. */
static void give_up(struct gr_watch *w, int r)
{
    struct gr_err problem = {0};

    (void)event_del(w->readable);
    explain_open(&problem, r);
    note_problem(w, &problem);
    w->broken = true;
}

static void take_events(struct gr_watch *w)
{
    enum haste haste = NEVER;
    ssize_t n;

    take_found(w);
    atomic_store(&w->reading, true);
    n = read_events(w, &haste);
    if (n <= 0 && n != -EAGAIN && n != -EINTR)
        give_up(w, n < 0 ? (int)n : -EIO);
    if (haste != NEVER)
        be_due(w, haste);
    atomic_store(&w->reading, false);
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
    w->readable = event_new(w->base, fd, EV_READ | EV_PERSIST, on_readable, w);
    if (w->readable && event_add(w->readable, NULL) == 0) {
        atomic_store(&w->fd, fd);
        return 0;
    }
    if (w->readable)
        event_free(w->readable);
    w->readable = NULL;
    (void)close(fd);
    return -ENOMEM;
}

/* ---- what the owner says ---- */

static bool same_targets(const struct gr_watch *w, const char *const *paths, size_t n)
{
    bool same = w->targets && w->targets->n == n;

    for (size_t i = 0; same && i < n; i++)
        same = strcmp(w->targets->given[i], paths[i]) == 0;
    return same;
}

/* An absolute path, as the walk wants it. NULL: no memory. */
static const char *absolute(struct gr_arena *arena, const char *given)
{
    char cwd[GR_LOAD_PATH_BYTES];
    char path[2 * GR_LOAD_PATH_BYTES];

    if (given[0] == '/' || !getcwd(cwd, sizeof(cwd)))
        return gr_arena_copy(arena, gr_str_from(given));
    (void)snprintf(path, sizeof(path), "%s/%s", cwd, given);
    return gr_arena_copy(arena, gr_str_from(path));
}

static struct targets *targets_new(const char *const *paths, size_t n)
{
    struct targets *t = calloc(1, sizeof(*t));
    const char **copies;
    bool copied;

    if (!t)
        return NULL;
    gr_arena_init(&t->arena, 1024, 0);
    copies = gr_arena_array(&t->arena, 2 * n, sizeof(*copies));
    copied = copies != NULL;
    for (size_t i = 0; copied && i < n; i++) {
        copies[i] = gr_arena_copy(&t->arena, gr_str_from(paths[i]));
        copies[n + i] = absolute(&t->arena, paths[i]);
        copied = copies[i] && copies[n + i];
    }
    if (!copied) {
        targets_free(t);
        return NULL;
    }
    t->given = copies;
    t->paths = copies + n;
    t->n = n;
    return t;
}

void gr_watch_set(struct gr_watch *w, const char *const *paths, size_t n)
{
    struct targets *targets;
    struct targets *old;

    if (same_targets(w, paths, n))
        return;
    targets = targets_new(paths, n);
    if (!targets)
        return;
    (void)pthread_mutex_lock(&w->lock);
    old = w->targets;
    w->targets = targets;
    w->searched = NULL;
    (void)pthread_mutex_unlock(&w->lock);
    targets_free(old);
}

void gr_watch_look(struct gr_watch *w)
{
    struct gr_err problem = {0};
    int r = w->fd < 0 ? open_events(w) : 0;

    (void)event_del(w->due);
    done(w);
    if (r == 0)
        return;
    explain_open(&problem, r);
    note_problem(w, &problem);
}

bool gr_watch_has_moved(struct gr_watch *w)
{
    bool moved;

    take_found(w);
    moved = w->moved;
    w->moved = false;
    return moved;
}

static bool has_unread(const struct gr_watch *w)
{
    int fd = atomic_load(&w->fd);
    int bytes = 0;

    return fd >= 0 && ((ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0) || atomic_load(&w->reading));
}

bool gr_watch_is_stirred(const struct gr_watch *w, int wait_ms)
{
    /* The loop reads events as they come, and says which of them matter; as long once more when it
     * is busy. */
    for (int ms = 0; ms < 2 * wait_ms && !atomic_load(&w->stirred); ms++) {
        if (ms >= wait_ms && !has_unread(w))
            return atomic_load(&w->stirred);
        (void)poll(NULL, 0, 1);
    }
    return has_unread(w) || atomic_load(&w->stirred);
}

void gr_watch_stir(struct gr_watch *w)
{
    be_due(w, SOON);
}

void gr_watch_status(struct gr_watch *w, struct gr_watch_status *out_status)
{
    take_found(w);
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
    atomic_init(&w->fd, -1);
    w->debounce = (struct gr_debounce){.quiet_ns = GR_WATCH_QUIET_MS * NS_PER_MS,
                                       .latest_ns = GR_WATCH_LATEST_MS * NS_PER_MS};
    (void)pthread_mutex_init(&w->lock, NULL);
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
    if (w->readable)
        event_free(w->readable);
    if (w->due)
        event_free(w->due);
    if (w->fd >= 0)
        (void)close(w->fd);
    found_free(atomic_load(&w->found));
    gr_watch_table_fini(&w->table);
    targets_free(w->targets);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}
