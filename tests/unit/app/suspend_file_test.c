/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/suspend: the file of pauses, and two instances with one. */
#include "app/suspending.h"

static void two_instances(void **state)
{
    struct gr_suspend *other;
    struct rig rig;
    size_t n;

    (void)state;
    init(&rig);
    other = open_instance(&rig);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_non_null(find(other, "tap"));
    /* The other one adds to what the first has written. */
    gr_suspend_free(rig.suspend);
    rig.suspend = other;
    other = open_instance(&rig);
    assert_int_equal(pause_for(&rig, "plain", 0), 0);
    assert_non_null(find(other, "tap"));
    assert_non_null(find(other, "plain"));
    assert_int_equal(resume(&rig, "tap", &n), 0);
    assert_null(find(other, "tap"));
    assert_non_null(find(other, "plain"));
    gr_suspend_free(other);
    fini(&rig);
}

static void another_holds_the_lock(void **state)
{
    struct gr_err err = {0};
    struct rig rig;
    size_t n;
    int dir, lock;

    (void)state;
    init(&rig);
    dir = gr_rundir_open(rig.dir, &err);
    assert_int_equal(pause_for(&rig, "plain", 0), 0);
    lock = gr_pauses_lock(dir);
    assert_true(lock >= 0);
    assert_int_equal(pause_for(&rig, "tap", 0), -EAGAIN);
    assert_string_equal(rig.err.code, "pauses-busy");
    assert_int_equal(resume(&rig, "plain", &n), -EAGAIN);
    fail_run(&rig, "tap", HASH, 0);
    fail_run(&rig, "tap", HASH, 1);
    assert_null(find(rig.suspend, "tap"));
    gr_pauses_unlock(lock);
    fail_run(&rig, "tap", HASH, 2); /* with the next failure */
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_TRIPPED);
    assert_non_null(find(rig.suspend, "plain"));
    (void)close(dir);
    fini(&rig);
}

static void damaged(void **state)
{
    struct gr_err err = {0};
    struct rig rig;
    int dir;

    (void)state;
    init(&rig);
    dir = gr_rundir_open(rig.dir, &err);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_int_equal(gr_rundir_write(dir, "pauses", GR_STR("{\"v\":1,\"suspended\":[{]}")), 0);
    assert_null(find(rig.suspend, "tap"));
    assert_non_null(strstr(look(&rig).suspended_problem, "is damaged"));
    assert_int_equal(pause_for(&rig, "plain", 0), 0); /* writes a good one */
    assert_null(look(&rig).suspended_problem);
    assert_non_null(find(rig.suspend, "plain"));
    assert_int_equal(unlinkat(dir, "pauses", 0), 0);
    assert_null(find(rig.suspend, "plain"));
    assert_null(look(&rig).suspended_problem);
    (void)close(dir);
    fini(&rig);
}

/* A directory that comes late gets what was paused before. */
static void without_a_directory(void **state)
{
    char path[96];
    struct gr_suspend *later;
    struct rig rig;

    (void)state;
    init(&rig);
    (void)snprintf(path, sizeof(path), "%s/none/run", rig.dir);
    rig.settings.config.run_dir = path;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_non_null(look(&rig).suspended_problem);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_non_null(find(rig.suspend, "tap"));
    rig.settings.config.run_dir = rig.dir;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_null(look(&rig).suspended_problem);
    later = open_instance(&rig);
    assert_non_null(find(later, "tap"));
    gr_suspend_free(later);
    rig.settings.config.run_dir = "";
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_null(look(&rig).suspended_problem);
    assert_non_null(find(rig.suspend, "tap"));
    fini(&rig);
}

/* One that was made before the directory came is added to what the file of the directory says. */
static void joins_a_file(void **state)
{
    char path[96];
    const struct gr_pause plain = {.set = GR_STR("plain"), .by = GR_STR("uid 0")};
    struct gr_suspend *first;
    struct rig rig;

    (void)state;
    init(&rig);
    (void)snprintf(path, sizeof(path), "%s/none/run", rig.dir);
    first = open_instance(&rig);
    rig.settings.config.run_dir = path;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_int_equal(gr_suspend_pause(first, &rig.rules, &plain, &rig.err), 0);
    rig.settings.config.run_dir = rig.dir;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_non_null(find(rig.suspend, "plain"));
    assert_non_null(find(rig.suspend, "tap"));
    assert_non_null(find(first, "plain"));
    assert_non_null(find(first, "tap"));
    gr_suspend_free(first);
    fini(&rig);
}

static void remove_dir(const struct rig *rig)
{
    int dir = open(rig->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(dir >= 0);
    assert_int_equal(unlinkat(dir, "pauses", 0), 0);
    assert_int_equal(unlinkat(dir, "pauses.lock", 0), 0);
    assert_int_equal(close(dir), 0);
    assert_int_equal(rmdir(rig->dir), 0);
}

/* What cannot be written counts all the same, and it is said; a directory that was removed is made
 * again. */
static void not_kept(void **state)
{
    struct gr_suspend *later;
    struct rig rig;

    (void)state;
    init(&rig);
    remove_dir(&rig);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_non_null(find(rig.suspend, "tap"));
    assert_non_null(strstr(look(&rig).suspended_problem, "cannot be written"));
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_null(look(&rig).suspended_problem);
    later = open_instance(&rig);
    assert_non_null(find(later, "tap"));
    gr_suspend_free(later);
    fini(&rig);
}

int main(void)
{
    test_add("two instances", two_instances);
    test_add("another holds the lock", another_holds_the_lock);
    test_add("damaged", damaged);
    test_add("without a directory", without_a_directory);
    test_add("joins a file", joins_a_file);
    test_add("not kept", not_kept);
    return test_run("suspend_file");
}
