/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/suspend/suspend.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/suspend/suspend_parts.h"
#include "base/hash.h"
#include "base/utc.h"
#include "state/rundir.h"

/* The timer never waits longer: somebody may set the clock. */
#define WAIT_MAX_S 60

#define ARENA_BLOCK_BYTES 4096

/* ---- the audit ---- */

void gr_suspend_log(const struct gr_suspend *suspend, const char *message,
                    const struct gr_suspension *suspension, struct gr_str by)
{
    char until[GR_UTC_BYTES] = "";

    if (suspension->until_s != 0)
        (void)gr_utc_text(suspension->until_s, until);
    GR_LOG(suspend->log, GR_LEVEL_WARNING, message,
           GR_LOG_STR("set", suspension->set.n > 0 ? suspension->set : GR_STR("(all)")),
           GR_LOG_TEXT("kind", gr_suspension_kind_name(suspension->kind)),
           GR_LOG_STR("by", by.n > 0 ? by : suspension->by), GR_LOG_TEXT("until", until),
           GR_LOG_STR("reason", suspension->reason));
}

/* A problem is said once. */
static void note_problem(struct gr_suspend *suspend, const struct gr_err *err)
{
    if (strcmp(suspend->problem, err->text) == 0)
        return;
    (void)snprintf(suspend->problem, sizeof(suspend->problem), "%s", err->text);
    gr_log_finding(suspend->log, GR_LEVEL_ERROR, err);
}

/* ---- the list ---- */

const struct gr_suspension *gr_suspend_entry(const struct gr_suspend *suspend, struct gr_str set,
                                             enum gr_suspension_kind kind)
{
    const struct gr_suspension wanted = {.set = set, .kind = kind};

    for (size_t i = 0; i < suspend->now.n; i++) {
        if (gr_suspension_cmp(&suspend->now.items[i], &wanted) == 0)
            return &suspend->now.items[i];
    }
    return NULL;
}

static bool has_same(const struct gr_pauses *pauses, const struct gr_suspension *one)
{
    for (size_t i = 0; i < pauses->n; i++) {
        const struct gr_suspension *other = &pauses->items[i];

        if (gr_suspension_cmp(one, other) == 0)
            return one->since_s == other->since_s && one->until_s == other->until_s;
    }
    return false;
}

static void set_timer(struct gr_suspend *suspend)
{
    int64_t now_s = suspend->clock();
    int64_t wait_s = WAIT_MAX_S;
    bool needed = false;
    struct timeval wait;

    for (size_t i = 0; i < suspend->now.n; i++) {
        const struct gr_suspension *item = &suspend->now.items[i];

        if (item->until_s == 0)
            continue;
        needed = true;
        wait_s = GR_MIN(wait_s, item->until_s > now_s ? item->until_s - now_s : 0);
    }
    wait = (struct timeval){.tv_sec = (time_t)wait_s};
    (void)event_del(suspend->timer);
    if (needed)
        (void)event_add(suspend->timer, &wait); /* without it only the log line is late */
}

/* Takes pauses. */
static void replace(struct gr_suspend *suspend, struct gr_pauses *pauses)
{
    gr_pauses_fini(&suspend->now);
    suspend->now = *pauses;
    *pauses = (struct gr_pauses){0};
    set_timer(suspend);
}

void gr_suspend_tick(struct gr_suspend *suspend)
{
    int64_t now_s = suspend->clock();
    size_t n = 0;

    for (size_t i = 0; i < suspend->now.n; i++) {
        struct gr_suspension *item = &suspend->now.items[i];

        if (gr_suspension_holds(item, now_s))
            suspend->now.items[n++] = *item;
        else
            gr_suspend_log(suspend, "the pause has ended, the HookSet is in force again", item,
                           GR_STR_NONE);
    }
    suspend->now.n = n;
    set_timer(suspend);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    gr_suspend_tick(arg);
}

/* ---- the file ---- */

/* What another instance did, or what is found at the start. */
static void log_differences(const struct gr_suspend *suspend, const struct gr_pauses *before,
                            int64_t now_s)
{
    for (size_t i = 0; i < suspend->now.n; i++) {
        if (!has_same(before, &suspend->now.items[i]))
            gr_suspend_log(suspend, "a HookSet is suspended, says the file pauses",
                           &suspend->now.items[i], GR_STR_NONE);
    }
    for (size_t i = 0; i < before->n; i++) {
        if (gr_suspension_holds(&before->items[i], now_s) &&
            !gr_suspend_entry(suspend, before->items[i].set, before->items[i].kind))
            gr_suspend_log(suspend, "a HookSet is in force again, says the file pauses",
                           &before->items[i], GR_STR("the file"));
    }
}

static void drop_ended(struct gr_pauses *pauses, int64_t now_s)
{
    size_t n = 0;

    for (size_t i = 0; i < pauses->n; i++) {
        if (gr_suspension_holds(&pauses->items[i], now_s))
            pauses->items[n++] = pauses->items[i];
    }
    pauses->n = n;
}

static void read_file(struct gr_suspend *suspend)
{
    int64_t now_s = suspend->clock();
    struct gr_pauses pauses, before;
    struct gr_err err = {0};
    int r = gr_pauses_read(suspend->dir, &pauses, &err);

    if (r)
        note_problem(suspend, &err);
    if (r == -ENOMEM) { /* what is known still stands */
        gr_pauses_fini(&pauses);
        return;
    }
    if (r == 0)
        suspend->problem[0] = '\0';
    drop_ended(&pauses, now_s);
    before = suspend->now;
    suspend->now = (struct gr_pauses){0};
    suspend->unsaved = false;
    replace(suspend, &pauses);
    log_differences(suspend, &before, now_s);
    gr_pauses_fini(&before);
}

void gr_suspend_refresh(struct gr_suspend *suspend)
{
    struct gr_pauses_stamp stamp;

    if (suspend->dir < 0)
        return;
    stamp = gr_pauses_stamp(suspend->dir);
    if (gr_pauses_same_stamp(&stamp, &suspend->stamp))
        return;
    /* The look comes before the reading: a change in between is seen by the next look. */
    suspend->stamp = stamp;
    read_file(suspend);
}

/* ---- a change ---- */

static bool goes(const struct gr_suspend_change *change, const struct gr_suspension *item)
{
    return change->everything ||
           (gr_str_eq(item->set, change->set) && (change->kinds & 1U << item->kind));
}

static bool copy(struct gr_pauses *to, const struct gr_suspension *item)
{
    struct gr_suspension *out = &to->items[to->n++];

    *out = *item;
    return gr_arena_str(&to->arena, item->set, &out->set) &&
           gr_arena_str(&to->arena, item->by, &out->by) &&
           gr_arena_str(&to->arena, item->reason, &out->reason);
}

/* The list as it will be, sorted, in memory of its own. */
static int make_list(const struct gr_suspend *suspend, const struct gr_suspend_change *change,
                     struct gr_pauses *out_list, size_t *out_gone)
{
    const struct gr_suspension *add = change->add;
    int64_t now_s = suspend->clock();
    bool fine = true;

    gr_arena_init(&out_list->arena, ARENA_BLOCK_BYTES, 0);
    out_list->n = 0;
    out_list->items = gr_arena_array(&out_list->arena, suspend->now.n + 1, sizeof(*add));
    if (!out_list->items)
        return -ENOMEM;
    for (size_t i = 0; i < suspend->now.n && fine; i++) {
        const struct gr_suspension *item = &suspend->now.items[i];

        if (!gr_suspension_holds(item, now_s))
            continue;
        if (add && gr_suspension_cmp(add, item) < 0)
            fine = copy(out_list, gr_take(add));
        if (goes(change, item))
            ++*out_gone;
        else
            fine = fine && copy(out_list, item);
    }
    if (add && fine)
        fine = copy(out_list, add);
    return fine ? 0 : -ENOMEM;
}

/* A file that cannot be written is no reason to leave a set in force that does harm. */
static void write_file(struct gr_suspend *suspend, const struct gr_pauses *list)
{
    struct gr_err err = {0};

    suspend->unsaved = true;
    if (suspend->dir < 0)
        return;
    suspend->unsaved = gr_pauses_write(suspend->dir, list->items, list->n, &err) != 0;
    if (suspend->unsaved)
        note_problem(suspend, &err);
    else
        suspend->problem[0] = '\0';
    suspend->stamp = gr_pauses_stamp(suspend->dir);
}

static void log_resumed(const struct gr_suspend *suspend, const struct gr_suspend_change *change)
{
    int64_t now_s = suspend->clock();

    for (size_t i = 0; i < suspend->now.n && change->by.n > 0; i++) {
        const struct gr_suspension *item = &suspend->now.items[i];

        if (goes(change, item) && gr_suspension_holds(item, now_s))
            gr_suspend_log(suspend, item->set.n > 0 ? "HookSet resumed" : "all HookSets resumed",
                           item, change->by);
    }
}

static int apply_locked(struct gr_suspend *suspend, const struct gr_suspend_change *change,
                        size_t *out_gone, struct gr_err *err)
{
    struct gr_pauses list = {0};
    int r;

    gr_suspend_refresh(suspend);
    r = make_list(suspend, change, &list, out_gone);
    if (r)
        r = gr_fail(err, r, "no-memory", "no memory to change what is paused");
    else if (list.n > GR_PAUSES_MAX)
        r = gr_fail(err, -ENOSPC, "too-many-pauses",
                    "%d sets are paused or tripped already, more cannot be; resume some, or pause "
                    "all",
                    GR_PAUSES_MAX);
    if (r == 0) {
        write_file(suspend, &list);
        log_resumed(suspend, change);
        replace(suspend, &list);
    }
    gr_pauses_fini(&list);
    return r;
}

int gr_suspend_apply(struct gr_suspend *suspend, const struct gr_suspend_change *change,
                     size_t *out_gone, struct gr_err *err)
{
    int lock = suspend->dir >= 0 ? gr_pauses_lock(suspend->dir) : -ENOENT;
    int r;

    *out_gone = 0;
    if (lock == -EAGAIN)
        return gr_fail(err, lock, "pauses-busy",
                       "another instance is changing what is paused; try again");
    r = apply_locked(suspend, change, out_gone, err);
    if (lock >= 0) /* a file system without locks is better than none */
        gr_pauses_unlock(lock);
    return r;
}

/* ---- the directory ---- */

/* What was paused while there was no directory, or another one, does not get lost. */
static void add_ours(struct gr_suspend *suspend, const struct gr_pauses *ours)
{
    for (size_t i = 0; i < ours->n; i++) {
        const struct gr_suspension *item = &ours->items[i];
        const struct gr_suspend_change change = {
            .set = item->set, .kinds = 1U << item->kind, .add = item};
        struct gr_err err = {0};
        size_t gone;

        if (gr_suspension_holds(item, suspend->clock()) &&
            !gr_suspend_entry(suspend, item->set, item->kind) &&
            apply_locked(suspend, &change, &gone, &err) != 0)
            note_problem(suspend, &err);
    }
}

/* A missing file is made: each decision looks at it, and a name that is not there is searched anew
 * each time. */
static void begin_file(struct gr_suspend *suspend)
{
    int lock = gr_pauses_lock(suspend->dir);
    struct gr_pauses ours = {0};

    suspend->stamp = gr_pauses_stamp(suspend->dir);
    if (suspend->stamp.inode == 0 && lock != -EAGAIN) {
        write_file(suspend, &suspend->now);
    } else {
        if (suspend->unsaved) {
            ours = suspend->now;
            suspend->now = (struct gr_pauses){0};
        }
        read_file(suspend);
        add_ours(suspend, &ours);
        gr_pauses_fini(&ours);
    }
    if (lock >= 0)
        gr_pauses_unlock(lock);
}

static void open_dir(struct gr_suspend *suspend, const char *path)
{
    struct gr_err err = {0};

    if (suspend->dir >= 0)
        (void)close(suspend->dir);
    suspend->dir = path[0] ? gr_rundir_open(path, &err) : -1;
    if (suspend->dir < 0 && path[0])
        note_problem(suspend, &err);
    else
        suspend->problem[0] = '\0';
    if (suspend->dir >= 0)
        begin_file(suspend);
}

static bool leads_there(const struct gr_suspend *suspend)
{
    return suspend->dir >= 0 && gr_rundir_leads_to(suspend->path, suspend->dir);
}

static void follow_dir(struct gr_suspend *suspend, const char *path)
{
    bool same = suspend->path && strcmp(suspend->path, path) == 0;

    if (same && (path[0] == '\0' || leads_there(suspend)))
        return;
    if (!same) {
        free(suspend->path);
        suspend->path = strdup(path); /* without memory it is opened again next time */
        suspend->unsaved = true;
    }
    open_dir(suspend, path);
}

/* ---- what policies say later ---- */

static void say_protected(struct gr_suspend *suspend, const struct gr_inforce_status *rules)
{
    const struct gr_policies *policies = gr_ruleset_policies(rules->ruleset);
    uint64_t hash = GR_HASH_START;
    const struct gr_policy *by;
    uint32_t line;

    for (size_t i = 0; i < suspend->now.n; i++) {
        struct gr_str set = suspend->now.items[i].set;

        if (set.n > 0 && gr_policies_protect(policies, set, &by, &line))
            hash = gr_hash_more(hash, set);
    }
    if (hash == suspend->protected_hash)
        return;
    suspend->protected_hash = hash;
    for (size_t i = 0; i < suspend->now.n; i++) {
        struct gr_str set = suspend->now.items[i].set;

        if (set.n > 0 && gr_policies_protect(policies, set, &by, &line))
            gr_suspend_log(suspend,
                           "a policy protects the HookSet now: it is in force though it was "
                           "suspended",
                           &suspend->now.items[i], GR_STR_NONE);
    }
}

void gr_suspend_follow(struct gr_suspend *suspend, const struct gr_inforce_status *rules)
{
    follow_dir(suspend, rules->settings->config.run_dir);
    gr_suspend_refresh(suspend);
    if (rules->ruleset)
        say_protected(suspend, rules);
}

/* ---- what is told ---- */

void gr_suspend_fill(struct gr_suspend *suspend, struct gr_decide_options *options)
{
    gr_suspend_refresh(suspend);
    options->suspended = suspend->now.items;
    options->suspended_n = suspend->now.n;
    options->now_s = suspend->clock();
}

bool gr_suspend_is_required(const struct gr_inforce_status *rules, struct gr_str set)
{
    struct gr_strs required = rules->settings->config.required_sets;

    for (size_t i = 0; i < required.n; i++) {
        if (gr_str_eq(required.items[i], set))
            return true;
    }
    return false;
}

const struct gr_suspension *gr_suspend_of(const struct gr_view *view, struct gr_str set)
{
    /* What has ended is not in the view. */
    const struct gr_suspension *found =
        gr_suspension_find(view->suspended, view->suspended_n, set, INT64_MIN);
    const struct gr_policy *by;
    uint32_t line;

    if (!found || !view->rules.ruleset ||
        gr_policies_protect(gr_ruleset_policies(view->rules.ruleset), set, &by, &line) ||
        (found->kind == GR_TRIPPED && gr_suspend_is_required(&view->rules, set)))
        return NULL;
    return found;
}

static void count(struct gr_view *view)
{
    const struct gr_ruleset *ruleset = view->rules.ruleset;

    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);
        const struct gr_suspension *found = set->other_node ? NULL : gr_suspend_of(view, set->name);

        view->paused += found && found->kind == GR_PAUSED;
        view->tripped += found && found->kind == GR_TRIPPED;
    }
}

void gr_suspend_view(struct gr_suspend *suspend, struct gr_view *view)
{
    gr_suspend_refresh(suspend);
    gr_suspend_tick(suspend);
    view->suspended = suspend->now.items;
    view->suspended_n = suspend->now.n;
    view->suspended_problem = suspend->problem[0] ? suspend->problem : NULL;
    if (view->rules.ruleset && suspend->now.n > 0)
        count(view);
}

/* ---- life ---- */

static int64_t real_clock(void)
{
    return (int64_t)time(NULL);
}

int gr_suspend_new(struct event_base *base, const struct gr_log *log, gr_suspend_clock_fn *clock,
                   struct gr_suspend **out_suspend)
{
    struct gr_suspend *suspend = calloc(1, sizeof(*suspend));

    if (!suspend)
        return -ENOMEM;
    suspend->log = log;
    suspend->clock = clock ? clock : real_clock;
    suspend->dir = -1;
    suspend->protected_hash = GR_HASH_START;
    suspend->timer = evtimer_new(base, on_timer, suspend);
    suspend->breaker = gr_breaker_new();
    if (!suspend->timer || !suspend->breaker) {
        gr_suspend_free(suspend);
        return -ENOMEM;
    }
    *out_suspend = suspend;
    return 0;
}

void gr_suspend_free(struct gr_suspend *suspend)
{
    if (!suspend)
        return;
    if (suspend->timer)
        event_free(suspend->timer);
    gr_breaker_free(suspend->breaker);
    gr_pauses_fini(&suspend->now);
    if (suspend->dir >= 0)
        (void)close(suspend->dir);
    free(suspend->path);
    free(suspend);
}
