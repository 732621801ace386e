/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/programs/collector.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/process/memory.h"
#include "app/daemon/process/thread.h"
#include "load/bundles.h"
#include "load/collect.h"
#include "nri/limits.h"

#define STACK_BYTES (256U << 10)

struct gr_collector {
    const struct gr_log *log;
    int finished; /* eventfd: the thread is at its end */
    struct event *event;
    pthread_t thread;
    bool busy;        /* there is a thread; until it is joined the rest is its own */
    atomic_bool stop; /* what it still looks at is in vain */
    uint64_t rules;   /* hash of those that it knows */
    const char *said; /* why nothing could be removed, a code that was said; NULL: something can */

    struct gr_fs fs;
    struct gr_nri_running *told;
    struct gr_named named;
    struct gr_arena arena;
    const char *crio_dir;
    struct gr_collect collect;
    struct gr_old old;
    struct gr_collected collected;
    struct gr_err err;
    int result;
};

/* ---- the thread ---- */

static int check_stop(const struct gr_collector *c)
{
    return atomic_load(&c->stop) ? -ECANCELED : 0;
}

static void name_texts(struct gr_old *old, struct gr_strs texts)
{
    for (size_t i = 0; i < texts.n; i++)
        gr_old_name(old, texts.items[i]);
}

/* What the paths, arguments and environments of a container's hooks name. */
static void name_hooks(struct gr_old *old, const struct gr_subject *subject)
{
    for (size_t i = 0; i < subject->hooks_n; i++) {
        const struct gr_oci_hook *hook = &subject->hooks[i];

        gr_old_name(old, hook->path);
        name_texts(old, hook->args);
        name_texts(old, hook->env);
    }
}

static int look_at_told(struct gr_collector *c)
{
    struct gr_nri_container container;
    struct gr_arena arena;
    int rc = 0;

    gr_arena_init(&arena, GR_NRI_ARENA_BLOCK_BYTES, GR_NRI_ARENA_MAX_BYTES);
    for (size_t i = 0; i < gr_nri_running_count(c->told) && rc == 0; i++) {
        gr_arena_reset(&arena);
        rc = check_stop(c);
        if (rc == 0)
            rc = gr_nri_running_at(c->told, i, &arena, &container, &c->err);
        if (rc == 0)
            name_hooks(&c->old, &container.subject);
    }
    gr_arena_fini(&arena);
    return rc;
}

static int see_bundle(void *user, const char *id GR_UNUSED, struct gr_str text)
{
    struct gr_collector *c = user;

    gr_old_name(&c->old, text);
    return check_stop(c);
}

/*
 * Those of CRI-O that have ended and are not removed: it runs their poststop only then, and does
 * not tell them. One that comes after Synchronize has its hooks from the rules that are known; one
 * that goes meanwhile needs nothing any more.
 */
static int look_at_ended(struct gr_collector *c)
{
    struct gr_bundles bundles = {
        .fs = &c->fs, .root = c->collect.root, .dir = c->crio_dir, .each = see_bundle, .user = c};

    if (!gr_str_is(gr_nri_running_runtime(c->told), "cri-o"))
        return 0;
    if (!gr_nri_running_ids(c->told, &c->arena, &bundles.running))
        return -ENOMEM;
    return gr_bundles_read(&bundles, &c->err);
}

/* Of digests that the rules name and could not be kept, one may be of the store. */
static int check_named(struct gr_collector *c)
{
    if (c->named.known)
        return 0;
    if (c->named.n < GR_NAMED_MAX)
        return -ENOMEM;
    return gr_fail(&c->err, -E2BIG, "named-limit",
                   "expected at most %d digests of hook programs in the rules in force since "
                   "containers were told of, found more; name programs as NAME/FILE "
                   "(hooks[].program), without a digest",
                   GR_NAMED_MAX);
}

static int collect(struct gr_collector *c)
{
    int rc = gr_old_find(&c->collect, &c->old);

    for (size_t i = 0; i < c->named.n; i++)
        gr_old_name(&c->old, c->named.digests[i]);
    if (rc == 0 && gr_old_has_unnamed(&c->old))
        rc = check_named(c);
    if (rc == 0 && gr_old_has_unnamed(&c->old))
        rc = look_at_told(c);
    if (rc == 0 && gr_old_has_unnamed(&c->old))
        rc = look_at_ended(c);
    if (rc == 0)
        rc = check_stop(c);
    if (rc == 0) /* also packages in which nothing stays */
        rc = gr_collect(&c->collect, &c->old, &c->arena, &c->collected);
    return rc;
}

static void *collect_main(void *arg)
{
    struct gr_collector *c = arg;
    const uint64_t one = 1;

    c->result = collect(c);
    if (write(c->finished, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort(); /* the counter is emptied before each thread */
    return NULL;
}

/* ---- the loop ---- */

static void forget(struct gr_collector *c)
{
    gr_nri_running_free(gr_take(c->told));
    gr_named_fini(&c->named);
    gr_old_fini(&c->old);
    gr_arena_fini(&c->arena);
    c->collected = (struct gr_collected){0};
    c->err = (struct gr_err){0};
}

/* The same reason once, until there is none any more: whoever makes a pod may be the reason. */
static void say_why(struct gr_collector *c)
{
    const char *code = c->err.code               ? c->err.code
                       : c->result == -ECANCELED ? "stopped"
                                                 : "no-memory";
    bool again = c->said && strcmp(c->said, code) == 0;
    /* Where CRI-O keeps what runs is seen only by those who ask for it. */
    enum gr_level level = strcmp(code, "crio-dir") == 0 ? GR_LEVEL_INFO : GR_LEVEL_WARNING;

    if (again || c->result == -ECANCELED)
        level = GR_LEVEL_DEBUG;
    else
        c->said = code;
    GR_LOG(c->log, level, "hook programs that nothing names could not be removed",
           GR_LOG_TEXT("code", code),
           GR_LOG_TEXT("error", c->err.code ? c->err.text : strerror(-c->result)),
           GR_LOG_TEXT("store", c->collect.dir));
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
               GR_LOG_STR("programs", c->collected.items[i]), GR_LOG_TEXT("store", c->collect.dir));
    if (c->result != 0) {
        say_why(c);
    } else {
        c->said = NULL;
        GR_LOG(c->log, GR_LEVEL_DEBUG, "the program store was looked through",
               GR_LOG_INT("removed", c->collected.n), GR_LOG_INT("kept", c->old.named_n));
    }
    forget(c);
    gr_memory_trim();
}

static bool prepare(struct gr_collector *c, const struct gr_config *config)
{
    gr_arena_init(&c->arena, 4096, 0);
    c->collect =
        (struct gr_collect){.fs = &c->fs,
                            .root = gr_arena_copy(&c->arena, gr_str_from(config->host_root)),
                            .dir = gr_arena_copy(&c->arena, gr_str_from(config->programs_dir)),
                            .now_s = (int64_t)time(NULL)};
    c->crio_dir = gr_arena_copy(&c->arena, gr_str_from(config->crio_dir));
    c->rules = c->named.rules_hash;
    atomic_store(&c->stop, false);
    return c->collect.root && c->collect.dir && c->crio_dir;
}

void gr_collector_start(struct gr_collector *c, const struct gr_collecting *collecting)
{
    if (c->busy || !collecting->config->programs_dir[0]) {
        gr_named_fini(collecting->named);
        gr_nri_running_free(collecting->told);
        return;
    }
    c->told = collecting->told;
    c->named = *collecting->named;
    *collecting->named = (struct gr_named){0};
    if (prepare(c, collecting->config) &&
        gr_thread_start(collect_main, c, STACK_BYTES, &c->thread) == 0)
        c->busy = true;
    else
        forget(c);
}

void gr_collector_rules(struct gr_collector *c, uint64_t hash)
{
    if (c->busy && hash != c->rules)
        atomic_store(&c->stop, true);
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
    atomic_store(&c->stop, true);
    if (c->busy)
        (void)pthread_join(c->thread, NULL);
    forget(c);
    if (c->event)
        event_free(c->event);
    if (c->finished >= 0)
        (void)close(c->finished);
    free(c);
}
