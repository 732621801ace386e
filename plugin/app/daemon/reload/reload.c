/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/reload/reload.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/process/thread.h"
#include "base/clock.h"
#include "base/hash.h"
#include "load/lastsettings.h"
#include "state/rundir.h"

/* The reader's and the matcher's recursion is bounded by the depth limit of the format. */
#define STACK_BYTES (512U << 10)

/* Rule sets that wait to be freed. More than one only when loads follow each other at once. */
#define GARBAGE_MAX 4

struct order {
    uint64_t number;
    const char *cause;
    struct gr_arena arena; /* holds the text that options points at */
    struct gr_load_options options;
    const char *run_dir; /* NULL: none */
    struct gr_reload_settings settings;
};

/* First in, first out. */
struct queue {
    struct gr_reload_task *first, *last; /* last counts only where there is a first */
};

struct gr_reload {
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows up to finished */
    pthread_cond_t wake;
    struct order *next;                      /* the order that waits; owned */
    struct gr_reloaded *ready;               /* the result that waits; owned */
    bool handed;                             /* the loop is not done with the last result */
    struct gr_ruleset *garbage[GARBAGE_MAX]; /* to be freed; owned */
    size_t garbage_n;
    struct queue tasks, done_tasks; /* to be worked on; to be told of. Borrowed */
    bool stop;

    int finished; /* eventfd: a result waits, or a task is done */
    struct event *event;
    struct gr_watch *watch; /* NULL: none */
    gr_reloaded_fn *done;
    void *user;
    uint64_t last_number; /* loop thread only, as the next one */
    const char *run_dir;  /* NULL: none */
    struct gr_reload_settings settings;

    /* Loader thread only: of the last load that succeeded. */
    struct gr_since *since;
    bool since_read;     /* what a process before this one left */
    struct gr_held held; /* what could not be kept on disk */
};

static void put_task(struct queue *queue, struct gr_reload_task *task)
{
    task->next = NULL;
    if (queue->first)
        queue->last->next = task;
    else
        queue->first = task;
    queue->last = task;
}

/* NULL: it is empty. */
static struct gr_reload_task *take_task(struct queue *queue)
{
    struct gr_reload_task *task = queue->first;

    if (task)
        queue->first = task->next;
    return task;
}

static void order_free(struct order *order)
{
    if (!order)
        return;
    gr_arena_fini(&order->arena);
    free(order);
}

static void reloaded_free(struct gr_reloaded *reloaded)
{
    if (!reloaded)
        return;
    gr_ruleset_unref(reloaded->load.ruleset);
    gr_since_unref(reloaded->since);
    gr_finding_list_fini(&reloaded->findings);
    free(reloaded);
}

/* ---- the loader's thread ---- */

/* Where the programs of the store are now. */
static uint64_t hash_programs(uint64_t hash, const struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < set->hooks[stage].n; i++) {
            if (set->hooks[stage].items[i].program.n > 0)
                hash = gr_hash_more(hash, set->hooks[stage].items[i].path);
        }
    }
    return hash;
}

static uint64_t hash_rules(const struct gr_ruleset *ruleset)
{
    const struct gr_policies *policies = gr_ruleset_policies(ruleset);
    uint64_t hash = gr_hash_more(GR_HASH_START, policies->unreadable);

    hash = gr_hash_more(hash, gr_str_bytes(&policies->hash, sizeof(policies->hash)));
    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);
        const uint64_t numbers[] = {set->hash, set->other_node, set->blocked.n};
        const struct gr_str environment = set->environment ? set->environment->name : GR_STR_NONE;

        hash = gr_hash_more(hash, set->name);
        hash = gr_hash_more(hash, set->file);
        hash = gr_hash_more(hash, set->blocked);
        hash = gr_hash_more(hash, gr_str_bytes(numbers, sizeof(numbers)));
        hash = gr_hash_more(hash, environment);
        hash = hash_programs(hash, set);
    }
    return hash;
}

/* The run directory is opened anew: it may be another one now, and it is hardly ever needed. */
static void read_since(struct gr_reload *reload, const struct order *order,
                       const struct gr_reporter *reporter)
{
    struct gr_err err = {0};
    int dir = gr_rundir_open(order->run_dir, &err);
    int r = dir < 0 ? dir : gr_since_read(dir, &reload->since, &err);

    if (dir >= 0)
        (void)close(dir);
    if (r && r != -ENOMEM)
        gr_report(reporter, GR_LEVEL_WARNING, &err);
}

/* Writes what changed, or all of it where somebody removed the file. */
static void keep_since(const struct gr_reloaded *out, const struct gr_since *since, bool changed,
                       const struct order *order, const struct gr_reporter *reporter)
{
    struct gr_err err = {0};
    int dir = gr_rundir_open(order->run_dir, &err);
    int r = dir < 0 ? dir : 0;

    if (dir >= 0 && (changed || !gr_since_is_there(dir)))
        r = gr_since_write(since, out->load.ruleset, dir);
    if (dir >= 0 && r)
        (void)gr_fail_errno(&err, r, "since-not-written",
                            "expected to write the file %s/" GR_SINCE_FILE
                            ", so that a later start knows since when sets are in force",
                            order->run_dir);
    if (dir >= 0)
        (void)close(dir);
    if (r)
        gr_report(reporter, GR_LEVEL_WARNING, &err);
}

/* Since when what was loaded is in force. Without memory that is not known until the next load. */
static void follow_since(struct gr_reload *reload, const struct order *order,
                         const struct gr_reporter *reporter, struct gr_reloaded *out)
{
    struct gr_since *since;
    bool changed;

    if (!reload->since_read && order->run_dir)
        read_since(reload, order, reporter);
    reload->since_read = true;
    if (gr_since_follow(reload->since, out->load.ruleset, (int64_t)time(NULL), &since, &changed))
        return;
    if (order->run_dir)
        keep_since(out, since, changed, order, reporter);
    gr_since_unref(reload->since);
    reload->since = since;
    out->since = gr_since_ref(since);
}

/* On this thread, since a disk may be slow, and in turn with the texts of rules. Without memory
 * that is for the next load. */
static void keep_settings(const struct order *order, const struct gr_reporter *reporter,
                          struct gr_load_result *result)
{
    const char *rules = order->options.last_good_dir;
    const struct gr_lastsettings where = {.fs = order->options.fs,
                                          .dir = order->settings.dir,
                                          .path = order->settings.path,
                                          .dir_is_told = rules && order->settings.dir &&
                                                         strcmp(rules, order->settings.dir) == 0};

    if (where.dir &&
        gr_lastsettings_keep(&where, order->settings.text, reporter) == GR_LASTSETTINGS_UNKEPT)
        result->unkept++;
}

static struct gr_reloaded *work_on(struct gr_reload *reload, struct order *order)
{
    struct gr_reloaded *out = calloc(1, sizeof(*out));
    struct gr_reporter reporter;
    uint64_t start = gr_now_ns();

    if (!out)
        return NULL;
    out->number = order->number;
    out->cause = order->cause;
    gr_finding_list_init(&out->findings);
    reporter = gr_finding_list_reporter(&out->findings);
    order->options.held = &reload->held;
    out->result = gr_load(&order->options, &reporter, &out->load);
    if (out->result == 0) {
        out->hash = hash_rules(out->load.ruleset);
        follow_since(reload, order, &reporter, out);
        if (!out->load.torn)
            keep_settings(order, &reporter, &out->load);
    }
    out->took_ns = gr_now_ns() - start;
    return out;
}

static void tell(const struct gr_reload *reload)
{
    const uint64_t one = 1;

    /* The counter cannot overflow: it is emptied by each turn of the loop. */
    if (write(reload->finished, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort();
}

/* What the loader is to do next, in this order; nothing: end. */
struct job {
    struct gr_ruleset *garbage[GARBAGE_MAX];
    size_t garbage_n;
    struct order *order;
    struct gr_reload_task *task;
};

/* Not while the loop still has to give back the rules that the last load replaces: three
 * generations would be there at once. */
static bool may_load(const struct gr_reload *reload)
{
    return reload->next && !reload->handed;
}

static bool wait_for_job(struct gr_reload *reload, struct job *job)
{
    *job = (struct job){0};
    (void)pthread_mutex_lock(&reload->lock);
    while (!may_load(reload) && !reload->tasks.first && reload->garbage_n == 0 && !reload->stop)
        (void)pthread_cond_wait(&reload->wake, &reload->lock);
    if (!reload->stop) {
        if (may_load(reload))
            job->order = gr_take(reload->next);
        job->task = take_task(&reload->tasks);
        memcpy(job->garbage, reload->garbage, sizeof(job->garbage));
        job->garbage_n = reload->garbage_n;
        reload->garbage_n = 0;
    }
    (void)pthread_mutex_unlock(&reload->lock);
    return job->order || job->task || job->garbage_n > 0;
}

/* NULL: there was no memory, and the loop is told of nothing. */
static void hand_over(struct gr_reload *reload, struct gr_reloaded *out)
{
    (void)pthread_mutex_lock(&reload->lock);
    reload->ready = out;
    reload->handed = out != NULL;
    (void)pthread_mutex_unlock(&reload->lock);
    tell(reload);
}

static void load(struct gr_reload *reload, struct order *order)
{
    if (reload->watch)
        gr_watch_search(reload->watch);
    hand_over(reload, work_on(reload, order));
    order_free(order);
}

static void do_task(struct gr_reload *reload, struct gr_reload_task *task)
{
    task->work(task);
    (void)pthread_mutex_lock(&reload->lock);
    put_task(&reload->done_tasks, task);
    (void)pthread_mutex_unlock(&reload->lock);
    tell(reload);
}

static void *loader_main(void *arg)
{
    struct gr_reload *reload = arg;
    struct job job;

    while (wait_for_job(reload, &job)) {
        /* Before the load, for the same reason as in may_load. */
        for (size_t i = 0; i < job.garbage_n; i++)
            gr_ruleset_unref(job.garbage[i]);
        if (job.order)
            load(reload, job.order);
        if (job.task)
            do_task(reload, job.task);
    }
    return NULL;
}

/* ---- the loop's thread ---- */

static void finish_tasks(struct gr_reload *reload, struct queue *queue)
{
    struct gr_reload_task *task;

    do {
        (void)pthread_mutex_lock(&reload->lock);
        task = take_task(queue);
        (void)pthread_mutex_unlock(&reload->lock);
        if (task)
            task->done(task);
    } while (task);
}

/* The rules before are given back, so the next load may begin. */
static void end_hand_over(struct gr_reload *reload)
{
    (void)pthread_mutex_lock(&reload->lock);
    reload->handed = false;
    (void)pthread_cond_signal(&reload->wake);
    (void)pthread_mutex_unlock(&reload->lock);
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
    struct gr_reload *reload = arg;
    struct gr_reloaded *out;
    uint64_t count;

    (void)what;
    if (read((int)fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return;
    (void)pthread_mutex_lock(&reload->lock);
    out = gr_take(reload->ready);
    (void)pthread_mutex_unlock(&reload->lock);
    if (out) {
        reload->done(reload->user, out);
        reloaded_free(out);
        end_hand_over(reload);
    }
    finish_tasks(reload, &reload->done_tasks);
}

static int prepare(struct gr_reload *reload, struct event_base *base)
{
    reload->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (reload->finished < 0)
        return -errno;
    reload->event = event_new(base, reload->finished, EV_READ | EV_PERSIST, on_finished, reload);
    if (!reload->event || event_add(reload->event, NULL) != 0)
        return -ENOMEM;
    return 0;
}

static void release(struct gr_reload *reload)
{
    if (reload->event)
        event_free(reload->event);
    if (reload->finished >= 0)
        (void)close(reload->finished);
    (void)pthread_cond_destroy(&reload->wake);
    (void)pthread_mutex_destroy(&reload->lock);
    for (size_t i = 0; i < reload->garbage_n; i++)
        gr_ruleset_unref(reload->garbage[i]);
    order_free(reload->next);
    reloaded_free(reload->ready);
    gr_since_unref(reload->since);
    gr_held_fini(&reload->held);
    free(reload);
}

int gr_reload_new(struct event_base *base, struct gr_watch *watch, gr_reloaded_fn *done, void *user,
                  struct gr_reload **out_reload)
{
    struct gr_reload *reload = calloc(1, sizeof(*reload));
    int r;

    if (!reload)
        return -ENOMEM;
    reload->finished = -1;
    reload->watch = watch;
    reload->done = done;
    reload->user = user;
    (void)pthread_mutex_init(&reload->lock, NULL);
    (void)pthread_cond_init(&reload->wake, NULL);
    r = prepare(reload, base);
    if (r == 0)
        r = gr_thread_start(loader_main, reload, STACK_BYTES, &reload->thread);
    if (r) {
        release(reload);
        return r;
    }
    *out_reload = reload;
    return 0;
}

void gr_reload_free(struct gr_reload *reload)
{
    if (!reload)
        return;
    (void)pthread_mutex_lock(&reload->lock);
    reload->stop = true;
    (void)pthread_cond_signal(&reload->wake);
    (void)pthread_mutex_unlock(&reload->lock);
    (void)pthread_join(reload->thread, NULL);
    finish_tasks(reload, &reload->done_tasks);
    finish_tasks(reload, &reload->tasks);
    release(reload);
}

void gr_reload_run(struct gr_reload *reload, struct gr_reload_task *task)
{
    (void)pthread_mutex_lock(&reload->lock);
    put_task(&reload->tasks, task);
    (void)pthread_cond_signal(&reload->wake);
    (void)pthread_mutex_unlock(&reload->lock);
}

void gr_reload_dispose(struct gr_reload *reload, struct gr_ruleset *ruleset)
{
    if (!ruleset)
        return;
    (void)pthread_mutex_lock(&reload->lock);
    if (reload->garbage_n < GARBAGE_MAX) {
        reload->garbage[reload->garbage_n++] = gr_take(ruleset);
        (void)pthread_cond_signal(&reload->wake);
    }
    (void)pthread_mutex_unlock(&reload->lock);
    gr_ruleset_unref(ruleset);
}

/* False: no memory. */
static bool copy_text(struct gr_arena *arena, const char **text)
{
    if (*text)
        *text = gr_arena_copy(arena, gr_str_from(*text));
    return *text != NULL;
}

static bool copy_dirs(struct gr_arena *arena, const char *const **dirs, size_t n)
{
    const char **copies = gr_arena_array(arena, n, sizeof(*copies));

    if (!copies)
        return false;
    for (size_t i = 0; i < n; i++) {
        copies[i] = (*dirs)[i];
        if (!copy_text(arena, &copies[i]))
            return false;
    }
    *dirs = copies;
    return true;
}

static bool copy_settings(struct order *order)
{
    struct gr_reload_settings *settings = &order->settings;

    return !settings->dir ||
           (copy_text(&order->arena, &settings->dir) && copy_text(&order->arena, &settings->path) &&
            gr_arena_str(&order->arena, settings->text, &settings->text));
}

/* Copies the text that options borrows; the table of file operations and the version are static. */
static bool copy_options(struct order *order, const struct gr_load_options *from)
{
    struct gr_load_options *to = &order->options;
    struct gr_arena *arena = &order->arena;

    *to = *from;
    return copy_dirs(arena, &to->dirs, to->dirs_n) &&
           copy_dirs(arena, &to->oci_dirs, to->oci_dirs_n) && copy_text(arena, &to->host_root) &&
           (!to->programs_dir || copy_text(arena, &to->programs_dir)) &&
           (!to->last_good_dir || copy_text(arena, &to->last_good_dir)) &&
           (!order->run_dir || copy_text(arena, &order->run_dir)) && copy_settings(order) &&
           (!to->policy.path || copy_text(arena, &to->policy.path)) &&
           gr_arena_str(arena, from->policy.configure_text, &to->policy.configure_text) &&
           gr_arena_str(arena, from->environment, &to->environment) &&
           gr_arena_str(arena, from->node_name, &to->node_name);
}

void gr_reload_set_run_dir(struct gr_reload *reload, const char *run_dir)
{
    reload->run_dir = run_dir && run_dir[0] ? run_dir : NULL;
}

void gr_reload_set_settings(struct gr_reload *reload, const struct gr_reload_settings *settings)
{
    reload->settings = *settings;
}

uint64_t gr_reload_order(struct gr_reload *reload, const struct gr_load_options *options,
                         const char *cause)
{
    struct order *order = calloc(1, sizeof(*order));
    struct order *replaced;

    if (!order)
        return 0;
    gr_arena_init(&order->arena, 1024, 0);
    order->run_dir = reload->run_dir;
    order->settings = reload->settings;
    if (!copy_options(order, options)) {
        order_free(order);
        return 0;
    }
    order->number = ++reload->last_number;
    order->cause = cause;
    (void)pthread_mutex_lock(&reload->lock);
    replaced = reload->next;
    reload->next = order;
    (void)pthread_cond_signal(&reload->wake);
    (void)pthread_mutex_unlock(&reload->lock);
    order_free(replaced);
    return reload->last_number;
}
