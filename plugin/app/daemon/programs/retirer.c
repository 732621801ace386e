/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/programs/retirer.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/daemon/process/thread.h"
#include "load/retire.h"

#define STACK_BYTES (256U << 10)
#define MS_PER_S 1000

/* What became of one package. */
struct item {
    struct item *next;
    const char *name, *why;
    int rc;
};

struct gr_retirer {
    const struct gr_retirer_options *options;
    const struct gr_log *log;
    int64_t started_s;
    int finished; /* eventfd: the thread is at its end */
    struct event *event;
    bool done;
    bool settled;
    uint64_t settled_ms; /* since then, or since the last attempt */

    pthread_t thread;
    bool busy; /* there is a thread; until it is joined the rest is its own */
    struct gr_fs fs;
    struct gr_arena arena;
    struct gr_retire retire;
    struct item *items;
    struct gr_err err;
    int result;
};

static void on_retired(void *user, const char *name, int rc, const char *why)
{
    struct gr_retirer *r = user;
    struct item *item = gr_arena_alloc(&r->arena, sizeof(*item));

    if (!item)
        return; /* it is done, and not told */
    *item = (struct item){.next = r->items,
                          .name = gr_arena_copy(&r->arena, gr_str_from(name)),
                          .why = gr_arena_copy(&r->arena, gr_str_from(why)),
                          .rc = rc};
    r->items = item;
}

static void *retire_main(void *arg)
{
    struct gr_retirer *r = arg;
    const uint64_t one = 1;

    r->result = gr_retire(&r->retire, &r->err);
    if (write(r->finished, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort(); /* the counter is emptied before each thread */
    return NULL;
}

static void tell(const struct gr_retirer *r)
{
    for (const struct item *item = r->items; item; item = item->next) {
        const char *name = item->name ? item->name : "";

        if (item->rc == 0)
            GR_LOG(r->log, GR_LEVEL_INFO,
                   "hook programs that are not installed any more were retired",
                   GR_LOG_TEXT("package", name), GR_LOG_TEXT("owner", r->retire.owner),
                   GR_LOG_TEXT("store", r->retire.store));
        else
            GR_LOG(r->log, GR_LEVEL_WARNING,
                   "hook programs that are not installed any more stay for now",
                   GR_LOG_TEXT("package", name), GR_LOG_TEXT("owner", r->retire.owner),
                   GR_LOG_TEXT("error", item->rc == -EWOULDBLOCK ? "an installer is at work"
                                        : item->why              ? item->why
                                                                 : ""));
    }
    if (r->err.code)
        GR_LOG(r->log, GR_LEVEL_WARNING,
               "hook programs that are not installed any more stay for now",
               GR_LOG_TEXT("owner", r->retire.owner), GR_LOG_TEXT("code", r->err.code),
               GR_LOG_TEXT("error", r->err.text));
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
    struct gr_retirer *r = arg;
    uint64_t count;

    (void)what;
    if (read((int)fd, &count, sizeof(count)) != (ssize_t)sizeof(count) || !r->busy)
        return;
    (void)pthread_join(r->thread, NULL);
    r->busy = false;
    r->done = r->result == 0;
    tell(r);
    gr_arena_fini(&r->arena);
    r->items = NULL;
}

static void start(struct gr_retirer *r, const struct gr_config *config)
{
    gr_arena_init(&r->arena, 4096, 0);
    r->err = (struct gr_err){0};
    r->retire = (struct gr_retire){.fs = &r->fs,
                                   .owner = r->options->owner,
                                   .keep = r->options->keep,
                                   .keep_n = r->options->keep_n,
                                   .before_s = r->started_s,
                                   .retired = on_retired,
                                   .user = r};
    r->retire.root = gr_arena_copy(&r->arena, gr_str_from(config->host_root));
    r->retire.store = gr_arena_copy(&r->arena, gr_str_from(config->programs_dir));
    if (r->retire.root && r->retire.store &&
        gr_thread_start(retire_main, r, STACK_BYTES, &r->thread) == 0)
        r->busy = true;
    else
        gr_arena_fini(&r->arena);
}

bool gr_retirer_waits(const struct gr_retirer *r)
{
    return r->options->owner && !r->done && !r->busy;
}

void gr_retirer_look(struct gr_retirer *r, bool settled, const struct gr_config *config,
                     uint64_t now_ms)
{
    if (!gr_retirer_waits(r))
        return;
    if (!settled || !r->settled)
        r->settled_ms = now_ms;
    r->settled = settled;
    if (!settled || !config->programs_dir[0] ||
        now_ms - r->settled_ms < r->options->after_s * MS_PER_S)
        return;
    r->settled_ms = now_ms;
    start(r, config);
}

int gr_retirer_new(struct event_base *base, const struct gr_retirer_options *options,
                   int64_t started_s, const struct gr_log *log, struct gr_retirer **out_retirer)
{
    struct gr_retirer *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->options = options;
    r->started_s = started_s;
    r->log = log;
    gr_fs_posix(&r->fs);
    r->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->finished >= 0)
        r->event = event_new(base, r->finished, EV_READ | EV_PERSIST, on_finished, r);
    if (!r->event || event_add(r->event, NULL) != 0) {
        gr_retirer_free(r);
        return -ENOMEM;
    }
    *out_retirer = r;
    return 0;
}

void gr_retirer_free(struct gr_retirer *r)
{
    if (!r)
        return;
    if (r->busy) {
        (void)pthread_join(r->thread, NULL);
        gr_arena_fini(&r->arena);
    }
    if (r->event)
        event_free(r->event);
    if (r->finished >= 0)
        (void)close(r->finished);
    free(r);
}
