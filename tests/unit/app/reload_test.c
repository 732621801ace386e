/* SPDX-License-Identifier: Apache-2.0 */
/* The loader thread and its hand-over: also built with the thread sanitizer. */
#include "testing.h"

#include <event2/event.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon/reload/reload.h"

#define SET_TEXT                                                                        \
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {match: {always: true}, hooks: " \
    "{poststop: [{path: /bin/true}]}}\n"

struct rig {
    struct event_base *base;
    struct gr_reload *reload;
    struct gr_fs fs;
    char dir[64];
    char run_dir[80]; /* used only where a test says so */
    const char *dirs[1];
    /* what came out */
    size_t seen;
    uint64_t last_number;
    size_t sets, findings, policies;
    uint64_t hash;
    struct gr_since *since; /* of the last one */
    bool since_known;       /* of the first set */
    struct gr_since_of since_of;
    uint64_t until;         /* leave the loop at this number */
    struct gr_watch *watch; /* NULL: none */
    uint64_t ordered;       /* the last one */
    int changes;            /* told by the watch */
    bool (*torn)(void *user, bool drops);
};

static void on_done(void *user, struct gr_reloaded *reloaded)
{
    struct rig *rig = user;

    assert_int_equal(reloaded->result, 0);
    assert_true(reloaded->number > rig->last_number);
    rig->seen++;
    rig->last_number = reloaded->number;
    rig->sets = gr_ruleset_count(reloaded->load.ruleset);
    rig->findings = reloaded->findings.n;
    rig->policies = gr_ruleset_policies(reloaded->load.ruleset)->n;
    rig->hash = reloaded->hash;
    gr_since_unref(rig->since);
    rig->since = gr_take(reloaded->since);
    rig->since_known =
        rig->sets > 0 &&
        gr_since_find(rig->since, gr_ruleset_at(reloaded->load.ruleset, 0), &rig->since_of);
    /* The receiver takes what it keeps, and gives it back to be freed. */
    gr_reload_dispose(rig->reload, gr_take(reloaded->load.ruleset));
    if (reloaded->number >= rig->until)
        (void)event_base_loopbreak(rig->base);
}

static void put_file(const struct rig *rig, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    (void)umask(022);
    strcpy(rig->dir, "/tmp/grapnel-reload-test.XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    rig->dirs[0] = rig->dir;
    rig->base = event_base_new();
    gr_fs_posix(&rig->fs);
    assert_int_equal(gr_reload_new(rig->base, NULL, on_done, rig, &rig->reload), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.yaml", "b.yaml"};
    struct rig *rig = *state;

    gr_reload_free(rig->reload);
    gr_since_unref(rig->since);
    event_base_free(rig->base);
    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", rig->dir, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(rig->dir), 0);
    free(rig);
    return 0;
}

static uint64_t order(struct rig *rig)
{
    const struct gr_load_options options = {
        .fs = &rig->fs,
        .dirs = rig->dirs,
        .dirs_n = 1,
        .host_root = "/",
        .node_name = GR_STR("n"),
        .torn = rig->torn,
    };
    uint64_t number = gr_reload_order(rig->reload, &options, "test");

    assert_true(number > 0);
    rig->ordered = number;
    return number;
}

/* The result may have been taken by an earlier turn of the loop; then nothing else would come. */
static void run_until(struct rig *rig, uint64_t number)
{
    rig->until = number;
    if (rig->last_number < number)
        assert_true(event_base_dispatch(rig->base) >= 0);
    assert_true(rig->last_number >= number);
}

static void test_loads(void **state)
{
    struct rig *rig = *state;

    put_file(rig, "a.yaml", SET_TEXT);
    run_until(rig, order(rig));
    assert_int_equal(rig->sets, 1);
    assert_int_equal(rig->findings, 0);
    put_file(rig, "b.yaml", "nonsense: true\n");
    run_until(rig, order(rig));
    assert_int_equal(rig->sets, 1);
    assert_true(rig->findings >= 1);
}

/* Orders with texts that are gone as soon as the order is given. */
static uint64_t order_with_policy(struct rig *rig, const char *configure, const char *oci_dir)
{
    char *text = strdup(configure);
    char *dir = strdup(oci_dir);
    char *environment = strdup("staging");
    const char *dirs[] = {dir};
    const struct gr_load_options options = {
        .fs = &rig->fs,
        .dirs = rig->dirs,
        .dirs_n = 1,
        .oci_dirs = dirs,
        .oci_dirs_n = 1,
        .policy = {.configure_text = gr_str_from(text)},
        .environment = gr_str_from(environment),
        .host_root = "/",
        .node_name = GR_STR("n"),
    };
    uint64_t number;

    assert_true(text && dir && environment);
    number = gr_reload_order(rig->reload, &options, "policy");
    memset(text, 'x', strlen(text));
    free(text);
    free(dir);
    free(environment);
    assert_true(number > 0);
    return number;
}

#define POLICY_TEXT "apiVersion: grapnel/v1beta1\nkind: Policy\nspec: "

/* A policy that changes what nobody sees in the sets is a change all the same. */
static void test_policies(void **state)
{
    struct rig *rig = *state;
    uint64_t first;

    put_file(rig, "a.yaml", SET_TEXT);
    run_until(rig, order_with_policy(rig, POLICY_TEXT "{exemptNamespaces: a}\n", rig->dir));
    assert_int_equal(rig->policies, 1);
    assert_int_equal(rig->sets, 1);
    first = rig->hash;
    run_until(rig, order_with_policy(rig, POLICY_TEXT "{exemptNamespaces: a}\n", rig->dir));
    assert_true(rig->hash == first);
    run_until(rig, order_with_policy(rig, POLICY_TEXT "{exemptNamespaces: b}\n", rig->dir));
    assert_true(rig->hash != first);
    run_until(rig, order_with_policy(rig, POLICY_TEXT "{exemptNamespace: b}\n", rig->dir));
    assert_int_equal(rig->policies, 0);
    assert_int_equal(rig->findings, 2);
    run_until(rig, order_with_policy(rig, "", "/nowhere/at/all"));
    assert_int_equal(rig->findings, 1);
}

static void restart(struct rig *rig)
{
    gr_reload_free(rig->reload);
    assert_int_equal(gr_reload_new(rig->base, NULL, on_done, rig, &rig->reload), 0);
    rig->last_number = 0;
    gr_reload_set_run_dir(rig->reload, rig->run_dir);
}

/* Since when sets are in force outlives the process; an edit begins anew. */
static void test_since(void **state)
{
    struct rig *rig = *state;
    char path[128];
    FILE *file;

    (void)snprintf(rig->run_dir, sizeof(rig->run_dir), "%s/run", rig->dir);
    (void)snprintf(path, sizeof(path), "%s/since", rig->run_dir);
    put_file(rig, "a.yaml", SET_TEXT);
    gr_reload_set_run_dir(rig->reload, rig->run_dir);
    run_until(rig, order(rig));
    assert_true(rig->since_known && rig->since_of.since_s > 0 && !rig->since_of.before_start);
    assert_int_equal(access(path, R_OK), 0);
    restart(rig);
    run_until(rig, order(rig));
    assert_true(rig->since_known && rig->since_of.before_start);
    put_file(rig, "a.yaml", SET_TEXT "# edited\n");
    run_until(rig, order(rig));
    assert_true(rig->since_known && !rig->since_of.before_start);
    assert_int_equal(rig->findings, 0);

    /* What somebody removed is there again after the next load, though nothing changed. */
    assert_int_equal(unlink(path), 0);
    run_until(rig, order(rig));
    assert_int_equal(access(path, R_OK), 0);

    /* What cannot be read is told, and written anew. */
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("nonsense\n", file);
    (void)fclose(file);
    restart(rig);
    run_until(rig, order(rig));
    assert_int_equal(rig->findings, 1);
    assert_true(rig->since_known && !rig->since_of.before_start);
    restart(rig);
    run_until(rig, order(rig));
    assert_int_equal(rig->findings, 0);
    assert_true(rig->since_of.before_start);

    /* Without a directory it is known for as long as the process lives. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(rig->run_dir), 0);
    (void)snprintf(rig->run_dir, sizeof(rig->run_dir), "%s/none/run", rig->dir);
    restart(rig);
    run_until(rig, order(rig));
    assert_int_equal(rig->findings, 2); /* not read, not written */
    assert_true(rig->since_known);
}

static void test_many_orders(void **state)
{
    struct rig *rig = *state;
    uint64_t last = 0;

    put_file(rig, "a.yaml", SET_TEXT);
    for (int i = 0; i < 2000; i++) {
        last = order(rig);
        if (i % 50 == 0)
            (void)event_base_loop(rig->base, EVLOOP_NONBLOCK);
    }
    run_until(rig, last);
    assert_int_equal(rig->last_number, last);
    assert_true(rig->seen >= 1);
    assert_int_equal(rig->sets, 1);
}

static void test_free_while_busy(void **state)
{
    struct rig *rig = *state;

    put_file(rig, "a.yaml", SET_TEXT);
    for (int i = 0; i < 50; i++) {
        (void)order(rig);
        gr_reload_free(rig->reload);
        assert_int_equal(gr_reload_new(rig->base, NULL, on_done, rig, &rig->reload), 0);
        rig->last_number = 0;
    }
    run_until(rig, order(rig));
}

/* As the owner does: it may be told that a watch was given up, and without a new search that
 * directory is watched no more. */
static void on_changed(void *user)
{
    struct rig *rig = user;

    rig->changes++;
    gr_watch_look(rig->watch);
    (void)order(rig);
}

/* Until every load that was ordered is there. */
static void settle(struct rig *rig)
{
    while (rig->last_number < rig->ordered)
        run_until(rig, rig->ordered);
}

/* The loader searches for directories while the loop reads events of them. */
static void test_searches_before_each_load(void **state)
{
    struct rig *rig = *state;
    const struct gr_log log = {.level = GR_LEVEL_ERROR};
    struct gr_watch_status status;

    assert_int_equal(gr_watch_new(rig->base, &log, NULL, on_changed, rig, &rig->watch), 0);
    gr_reload_free(rig->reload);
    assert_int_equal(gr_reload_new(rig->base, rig->watch, on_done, rig, &rig->reload), 0);
    for (int i = 0; i < 200; i++) {
        /* Different targets make a new table each time. */
        gr_watch_set(rig->watch, i % 2 ? rig->dirs : (const char *const[]){"/tmp"}, 1);
        gr_watch_look(rig->watch);
        put_file(rig, "a.yaml", SET_TEXT);
        (void)order(rig);
        (void)event_base_loop(rig->base, EVLOOP_NONBLOCK);
        (void)gr_watch_has_moved(rig->watch);
    }
    settle(rig);
    gr_watch_status(rig->watch, &status);
    assert_true(status.working);
    assert_true(status.watches >= 3); /* /, /tmp, ours */
    rig->changes = 0;
    put_file(rig, "a.yaml", SET_TEXT);
    while (rig->changes == 0)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
    gr_reload_free(gr_take(rig->reload));
    gr_watch_free(rig->watch);
}

/* ---- other work of the thread ---- */

#define TASKS 8

struct task {
    struct gr_reload_task task;
    struct rig *rig;
    struct gr_ruleset *ruleset; /* one reference; NULL: none */
    pthread_t loop, worker;
    bool worked;
    size_t sets, done;
};

static size_t tasks_done, work_turn;
static size_t turns[TASKS]; /* in which each was worked on */
static struct task tasks[TASKS];

static struct task *task_of(struct gr_reload_task *task)
{
    size_t i = 0;

    while (i < TASKS - 1 && &tasks[i].task != task)
        i++;
    return &tasks[i];
}

static void do_work(struct gr_reload_task *task)
{
    struct task *t = task_of(task);

    t->worked = true;
    t->worker = pthread_self();
    turns[t - tasks] = ++work_turn;
    t->sets = t->ruleset ? gr_ruleset_count(t->ruleset) : 0;
    gr_ruleset_unref(gr_take(t->ruleset));
}

static void on_task_done(struct gr_reload_task *task)
{
    struct task *t = task_of(task);

    t->done++;
    tasks_done++;
    assert_true(pthread_equal(t->loop, pthread_self()));
}

static void give_task(struct rig *rig, size_t i)
{
    tasks[i] = (struct task){
        .task = {.work = do_work, .done = on_task_done}, .rig = rig, .loop = pthread_self()};
    gr_reload_run(rig->reload, &tasks[i].task);
}

static void reset_tasks(void)
{
    tasks_done = work_turn = 0;
    memset(turns, 0, sizeof(turns));
    memset(tasks, 0, sizeof(tasks));
}

/* Each is worked on once, on the other thread and in its order, with loads in between. */
static void test_tasks(void **state)
{
    struct rig *rig = *state;
    uint64_t last = 0;

    reset_tasks();
    put_file(rig, "a.yaml", SET_TEXT);
    for (size_t i = 0; i < TASKS; i++) {
        give_task(rig, i);
        if (i % 2)
            last = order(rig);
    }
    run_until(rig, last);
    while (tasks_done < TASKS)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
    for (size_t i = 0; i < TASKS; i++) {
        assert_int_equal(tasks[i].done, 1);
        assert_int_equal(turns[i], i + 1);
        assert_false(pthread_equal(tasks[i].worker, pthread_self()));
    }
}

/* What is not begun when the thread ends is given back all the same, once. */
static void test_tasks_at_the_end(void **state)
{
    struct rig *rig = *state;

    reset_tasks();
    for (size_t i = 0; i < TASKS; i++)
        give_task(rig, i);
    gr_reload_free(rig->reload);
    assert_int_equal(tasks_done, TASKS);
    for (size_t i = 0; i < TASKS; i++) {
        assert_int_equal(tasks[i].done, 1);
        assert_true(tasks[i].worked == (turns[i] > 0));
    }
    assert_int_equal(gr_reload_new(rig->base, NULL, on_done, rig, &rig->reload), 0);
    rig->last_number = 0;
}

/* Until the loop has been round, which it goes while the other thread works. */
static sem_t loop_went_round;

static void wait_for_loop(struct gr_reload_task *task)
{
    while (sem_wait(&loop_went_round) != 0)
        ;
    do_work(task);
}

static void on_loop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    assert_int_equal(tasks_done, 0);
    assert_int_equal(sem_post(&loop_went_round), 0);
}

static void test_task_does_not_hold_the_loop(void **state)
{
    struct rig *rig = *state;
    struct event *event = evtimer_new(rig->base, on_loop, NULL);
    const struct timeval now = {0};

    reset_tasks();
    assert_int_equal(sem_init(&loop_went_round, 0, 0), 0);
    tasks[0] = (struct task){
        .task = {.work = wait_for_loop, .done = on_task_done}, .rig = rig, .loop = pthread_self()};
    gr_reload_run(rig->reload, &tasks[0].task);
    assert_int_equal(event_add(event, &now), 0);
    while (tasks_done == 0)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
    assert_true(tasks[0].worked);
    event_free(event);
    (void)sem_destroy(&loop_went_round);
}

static struct gr_ruleset *loaded_set;

static void keep_ruleset(void *user, struct gr_reloaded *reloaded)
{
    struct rig *rig = user;

    loaded_set = gr_take(reloaded->load.ruleset);
    rig->last_number = reloaded->number;
    (void)event_base_loopbreak(rig->base);
}

/* Rules that go out of force while a task has a reference stay until it is done with them. */
static void test_task_with_rules(void **state)
{
    struct rig *rig = *state;
    uint64_t number;

    gr_reload_free(rig->reload);
    assert_int_equal(gr_reload_new(rig->base, NULL, keep_ruleset, rig, &rig->reload), 0);
    rig->last_number = 0;
    put_file(rig, "a.yaml", SET_TEXT);
    number = order(rig);
    run_until(rig, number);
    assert_non_null(loaded_set);
    reset_tasks();
    for (size_t i = 0; i < TASKS; i++) {
        tasks[i] = (struct task){.task = {.work = do_work, .done = on_task_done},
                                 .rig = rig,
                                 .ruleset = gr_ruleset_ref(loaded_set),
                                 .loop = pthread_self()};
        gr_reload_run(rig->reload, &tasks[i].task);
    }
    gr_reload_dispose(rig->reload, gr_take(loaded_set));
    while (tasks_done < TASKS)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
    for (size_t i = 0; i < TASKS; i++)
        assert_int_equal(tasks[i].sets, 1);
}

static atomic_int loads; /* that have read everything */
static sem_t loader_is_there;

static bool note_load(void *user, bool drops)
{
    (void)user;
    (void)drops;
    atomic_fetch_add(&loads, 1);
    return false;
}

static void note_turn(struct gr_reload_task *task)
{
    do_work(task);
    assert_int_equal(sem_post(&loader_is_there), 0);
}

static void wait_for_loader(struct rig *rig, size_t i)
{
    tasks[i] = (struct task){
        .task = {.work = note_turn, .done = on_task_done}, .rig = rig, .loop = pthread_self()};
    gr_reload_run(rig->reload, &tasks[i].task);
    while (sem_wait(&loader_is_there) != 0)
        ;
}

/* While the loop has not given back the rules before, no others are read: with those in force there
 * would be three times the memory. Other work goes on. */
static void test_one_load_at_a_time(void **state)
{
    struct rig *rig = *state;

    reset_tasks();
    assert_int_equal(sem_init(&loader_is_there, 0, 0), 0);
    rig->torn = note_load;
    put_file(rig, "a.yaml", SET_TEXT);
    (void)order(rig);
    wait_for_loader(rig, 0);
    (void)order(rig);
    wait_for_loader(rig, 1);
    wait_for_loader(rig, 2); /* an order and a task are taken together, the order first */
    assert_int_equal(atomic_load(&loads), 1);
    run_until(rig, 1);
    run_until(rig, rig->ordered);
    assert_int_equal(atomic_load(&loads), 2);
    while (tasks_done < 3)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
    (void)sem_destroy(&loader_is_there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_since, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_while_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_searches_before_each_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tasks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tasks_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_task_does_not_hold_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_task_with_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_load_at_a_time, setup, teardown),
    };

    return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
