/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/programs/collector.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/process/thread.h"
#include "load/collect.h"

#define STACK_BYTES (256U << 10)

struct gr_collector {
    const struct gr_log *log;
    int finished; /* eventfd: the thread is at its end */
    struct event *event;
    pthread_t thread;
    bool busy; /* there is a thread; until it is joined the rest is its own */

    struct gr_fs fs;
    struct gr_named named;
    struct gr_arena arena;
    const char *root, *dir;
    struct gr_collect collect;
    struct gr_collected collected;
    int result;
};

static void *collect_main(void *arg)
{
    struct gr_collector *c = arg;
    const uint64_t one = 1;

    c->result = gr_collect(&c->collect, &c->fs, c->root, c->dir, &c->arena, &c->collected);
    if (write(c->finished, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort(); /* the counter is emptied before each thread */
    return NULL;
}

static void forget(struct gr_collector *c)
{
    gr_named_fini(&c->named);
    gr_arena_fini(&c->arena);
    c->collected = (struct gr_collected){0};
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
    struct gr_collector *c = arg;
    uint64_t count;

    (void)what;
    if (read((int)fd, &count, sizeof(count)) != (ssize_t)sizeof(count) || !c->busy)
        return;
    (void)pthread_join(c->thread, NULL);
    c->busy = false;
    for (size_t i = 0; i < c->collected.n; i++)
        GR_LOG(c->log, GR_LEVEL_INFO, "hook programs that nothing names were removed",
               GR_LOG_STR("programs", c->collected.items[i]), GR_LOG_TEXT("store", c->dir));
    GR_LOG(c->log, c->result ? GR_LEVEL_WARNING : GR_LEVEL_DEBUG,
           c->result ? "no memory to look for hook programs that nothing names"
                     : "the program store was looked through",
           GR_LOG_INT("removed", c->collected.n), GR_LOG_INT("kept", c->collect.keep_n));
    forget(c);
}

static bool prepare(struct gr_collector *c, struct gr_named *named, const struct gr_config *config)
{
    c->named = *named;
    *named = (struct gr_named){0};
    gr_arena_init(&c->arena, 4096, 0);
    c->root = gr_arena_copy(&c->arena, gr_str_from(config->host_root));
    c->dir = gr_arena_copy(&c->arena, gr_str_from(config->programs_dir));
    c->collect = (struct gr_collect){
        .keep = c->named.digests, .keep_n = c->named.n, .now_s = (int64_t)time(NULL)};
    return c->root && c->dir;
}

void gr_collector_start(struct gr_collector *c, struct gr_named *named,
                        const struct gr_config *config)
{
    if (c->busy || !named->known || !config->programs_dir[0]) {
        gr_named_fini(named);
        return;
    }
    if (prepare(c, named, config) && gr_thread_start(collect_main, c, STACK_BYTES, &c->thread) == 0)
        c->busy = true;
    else
        forget(c);
}

int gr_collector_new(struct event_base *base, const struct gr_log *log,
                     struct gr_collector **out_collector)
{
    struct gr_collector *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->log = log;
    gr_fs_posix(&c->fs);
    c->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->finished >= 0)
        c->event = event_new(base, c->finished, EV_READ | EV_PERSIST, on_finished, c);
    if (!c->event || event_add(c->event, NULL) != 0) {
        gr_collector_free(c);
        return -ENOMEM;
    }
    *out_collector = c;
    return 0;
}

void gr_collector_free(struct gr_collector *c)
{
    if (!c)
        return;
    if (c->busy)
        (void)pthread_join(c->thread, NULL);
    forget(c);
    if (c->event)
        event_free(c->event);
    if (c->finished >= 0)
        (void)close(c->finished);
    free(c);
}
