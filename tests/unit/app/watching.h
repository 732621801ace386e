/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory and a watch of it. Every operation takes paths below the directory. */
#ifndef GR_TESTS_APP_WATCHING_H
#define GR_TESTS_APP_WATCHING_H

#include "testing.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon/reload/watch.h"

/* Far longer than any wait of the watch: who reaches it has failed. */
#define WATCHING_DEADLINE_S 60

struct watching {
    char top[64];
    struct event_base *base;
    struct gr_log log;
    struct gr_watch *watch;
    int changes; /* told by the watch */
};

/* One of a few static texts, so that several fit into one call. */
static inline const char *below(const struct watching *w, const char *name)
{
    static char texts[8][256];
    static size_t next;
    char *text = texts[next++ % GR_ARRAY_LEN(texts)];

    (void)snprintf(text, sizeof(texts[0]), "%s/%s", w->top, name);
    return text;
}

static inline void put(const struct watching *w, const char *name, const char *text)
{
    FILE *file = fopen(below(w, name), "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void dir(const struct watching *w, const char *name)
{
    assert_int_equal(mkdir(below(w, name), 0755), 0);
}

static inline void link_to(const struct watching *w, const char *target, const char *name)
{
    assert_int_equal(symlink(target, below(w, name)), 0);
}

static inline void move(const struct watching *w, const char *from, const char *to)
{
    assert_int_equal(rename(below(w, from), below(w, to)), 0);
}

static inline void drop(const struct watching *w, const char *name)
{
    assert_int_equal(remove(below(w, name)), 0);
}

static inline void remove_all(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const struct dirent *entry;
    DIR *stream;

    if (fd < 0) {
        (void)unlinkat(parent, name, 0);
        return;
    }
    stream = fdopendir(fd);
    assert_non_null(stream);
    while ((entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_all(fd, entry->d_name);
    (void)closedir(stream);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

static inline void on_changed(void *user)
{
    struct watching *w = user;

    w->changes++;
    (void)event_base_loopbreak(w->base);
}

static inline void watching_begin(struct watching *w, const struct gr_watch_sys *sys)
{
    *w = (struct watching){.log = {.level = GR_LEVEL_INFO}};
    (void)umask(022);
    (void)snprintf(w->top, sizeof(w->top), "/tmp/grapnel-watch-test.XXXXXX");
    assert_non_null(mkdtemp(w->top));
    w->base = event_base_new();
    assert_non_null(w->base);
    assert_int_equal(gr_watch_new(w->base, &w->log, sys, on_changed, w, &w->watch), 0);
}

static inline void watching_end(struct watching *w)
{
    gr_watch_free(w->watch);
    event_base_free(w->base);
    remove_all(AT_FDCWD, w->top);
}

/* What the owner does before it reads files. */
static inline void look(struct watching *w)
{
    gr_watch_look(w->watch);
    gr_watch_search(w->watch);
}

static inline void watch_path(struct watching *w, const char *name)
{
    const char *const paths[] = {below(w, name)};

    gr_watch_look(w->watch);
    gr_watch_set(w->watch, paths, 1);
    gr_watch_search(w->watch);
}

static inline struct gr_watch_status status_of(struct watching *w)
{
    struct gr_watch_status status;

    gr_watch_status(w->watch, &status);
    return status;
}

/* Whether a change was seen since the last look. The kernel queues events before a call returns, so
 * nothing has to be waited for; it may take several turns of the loop. */
static inline bool seen(struct watching *w)
{
    int told = w->changes;
    uint64_t before;

    do {
        before = status_of(w).events;
        assert_true(event_base_loop(w->base, EVLOOP_NONBLOCK) >= 0);
        if (status_of(w).pending || w->changes > told)
            return true;
    } while (status_of(w).events != before);
    return false;
}

/* The same, and looks again, as the owner does. */
static inline bool seen_and_looked(struct watching *w)
{
    bool changed = seen(w);

    look(w);
    return changed;
}

static inline void on_deadline(evutil_socket_t fd GR_UNUSED, short what GR_UNUSED,
                               void *arg GR_UNUSED)
{
    fail_msg("%s", "nothing was told before the deadline");
}

/* Runs the loop until the watch has told of a change. */
static inline void wait_for_change(struct watching *w)
{
    const struct timeval limit = {.tv_sec = WATCHING_DEADLINE_S};
    struct event *deadline = evtimer_new(w->base, on_deadline, NULL);
    int before = w->changes;

    assert_non_null(deadline);
    assert_int_equal(event_add(deadline, &limit), 0);
    while (w->changes == before)
        assert_true(event_base_dispatch(w->base) >= 0);
    event_free(deadline);
}

#endif
