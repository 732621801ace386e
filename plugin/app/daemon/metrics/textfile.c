/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/metrics/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon/metrics/metrics.h"
#include "app/daemon/process/thread.h"
#include "base/fd.h"

#define STACK_BYTES (64U << 10)

struct gr_textfile {
    char *path, *aside;
    gr_textfile_fn *fill;
    void *user;
    const struct gr_log *log;
    struct event *timer;
    int claim; /* -1: not yet */
    int told;  /* the failure that was said last; 0: all is well */
    bool running;
    pthread_t thread; /* while running; text is then the thread's */
    struct gr_buf text;
    atomic_bool done;
    int result; /* of the thread; to be read when it is done */
};

/* ---- one writer ---- */

/* Whoever cleans up removes the file while it has the lock: what was opened before that counts for
 * nobody else. Returns 0; -EADDRINUSE: it was removed; another negative errno. */
static int lock(int fd)
{
    struct stat st;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
    if (fstat(fd, &st) != 0)
        return -errno;
    return st.st_nlink > 0 ? 0 : -EADDRINUSE;
}

/*
 * Takes the lock on ".NAME.lock" beside the path: whoever holds it may replace what lies there. The
 * kernel drops it with the process; the file stays, for the next one.
 * Returns a descriptor that is the claim; -EADDRINUSE somebody else has it; another negative errno.
 */
static int claim(const char *path)
{
    size_t slash = gr_str_rfind(gr_str_from(path), '/');
    char *name = NULL;
    int fd, r;

    if (asprintf(&name, "%.*s/" GR_TEXTFILE_LOCK, (int)slash, path, path + slash + 1) < 0)
        return -ENOMEM;
    fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    free(name);
    if (fd < 0)
        return -errno;
    r = lock(fd);
    if (r == 0)
        return fd;
    (void)close(fd);
    return r;
}

/* ---- the writer's thread ---- */

/* O_EXCL follows no link. What a crash left under that name is removed: the claim is ours. */
static int replace_file(const char *path, const char *aside, struct gr_str text)
{
    int fd, r;

    (void)unlink(aside);
    fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = gr_fd_write_all(fd, text);
    if (r == 0 && fchmod(fd, 0644) != 0)
        r = -errno;
    (void)close(fd);
    if (r == 0 && rename(aside, path) != 0)
        r = -errno;
    if (r)
        (void)unlink(aside);
    return r;
}

static void *writer_main(void *arg)
{
    struct gr_textfile *t = arg;

    t->result = replace_file(t->path, t->aside, gr_buf_view(&t->text));
    atomic_store(&t->done, true);
    return NULL;
}

/* ---- the loop's thread ---- */

static void tell(struct gr_textfile *t, int result)
{
    if (result == t->told)
        return;
    t->told = result;
    if (result)
        GR_LOG(t->log, GR_LEVEL_WARNING, "the metrics cannot be written, trying on",
               GR_LOG_TEXT("file", t->path), GR_LOG_TEXT("error", strerror(-result)));
    else
        GR_LOG(t->log, GR_LEVEL_INFO, "the metrics are written again",
               GR_LOG_TEXT("file", t->path));
}

static void join(struct gr_textfile *t)
{
    (void)pthread_join(t->thread, NULL);
    t->running = false;
    gr_buf_fini(&t->text);
    tell(t, t->result);
}

static int start(struct gr_textfile *t)
{
    int r;

    if (t->claim < 0)
        t->claim = claim(t->path);
    if (t->claim < 0)
        return t->claim;
    r = t->fill(t->user, &t->text);
    atomic_store(&t->done, false);
    if (r == 0)
        r = gr_thread_start(writer_main, t, STACK_BYTES, &t->thread);
    if (r)
        gr_buf_fini(&t->text);
    t->running = r == 0;
    return r;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    const struct timeval wait = {.tv_sec = GR_TEXTFILE_INTERVAL_S};
    struct gr_textfile *t = arg;
    int r = 0;

    (void)fd;
    (void)what;
    (void)event_add(t->timer, &wait);
    if (t->running && atomic_load(&t->done))
        join(t);
    if (!t->running)
        r = start(t);
    if (r)
        tell(t, r);
}

int gr_textfile_new(struct event_base *base, const char *path, gr_textfile_fn *fill, void *user,
                    const struct gr_log *log, struct gr_textfile **out_textfile)
{
    struct gr_textfile *t = calloc(1, sizeof(*t));
    size_t slash = gr_str_rfind(gr_str_from(path), '/');
    const struct timeval now = {0};

    if (!t)
        return -ENOMEM;
    t->claim = -1;
    t->fill = fill;
    t->user = user;
    t->log = log;
    gr_buf_init(&t->text, GR_METRICS_TEXT_MAX_BYTES);
    t->path = strdup(path);
    if (asprintf(&t->aside, "%.*s/" GR_TEXTFILE_NEW, (int)slash, path, path + slash + 1) < 0)
        t->aside = NULL;
    t->timer = evtimer_new(base, on_timer, t);
    if (!t->path || !t->aside || !t->timer || event_add(t->timer, &now) != 0) {
        gr_textfile_free(t);
        return -ENOMEM;
    }
    *out_textfile = t;
    return 0;
}

void gr_textfile_free(struct gr_textfile *t)
{
    if (!t)
        return;
    if (t->running)
        join(t);
    if (t->claim >= 0) {
        (void)unlink(t->path);
        (void)close(t->claim);
    }
    if (t->timer)
        event_free(t->timer);
    free(t->path);
    free(t->aside);
    free(t);
}
