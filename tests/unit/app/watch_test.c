/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes of files and directories are seen, and which are not. */
#include "app/watching.h"

#include <limits.h>

/* ---- one operation ---- */

typedef void op_fn(const struct watching *w);

struct row {
    const char *name;
    const char *watched;
    op_fn *op;
    bool seen;
};

static void write_in_place(const struct watching *w)
{
    put(w, "etc/hooks.d/a.yaml", "new");
}

static void new_file(const struct watching *w)
{
    put(w, "etc/hooks.d/b.yaml", "new");
}

static void empty_file(const struct watching *w)
{
    put(w, "etc/hooks.d/b.yaml", "");
}

/* Not closed: a load that reads it now is known to have read half of it. */
static void begun_to_write(const struct watching *w)
{
    int fd = open(below(w, "etc/hooks.d/a.yaml"), O_TRUNC | O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0 && dup2(fd, 100) == 100);
    (void)close(fd);
}

static void unnamed_file(const struct watching *w)
{
    int fd = open(below(w, "etc"), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
    char name[64];

    assert_true(fd >= 0);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    assert_int_equal(
        linkat(AT_FDCWD, name, AT_FDCWD, below(w, "etc/hooks.d/b.yaml"), AT_SYMLINK_FOLLOW), 0);
    (void)close(fd);
}

static void moved_in(const struct watching *w)
{
    move(w, "etc/other", "etc/hooks.d/a.yaml");
}

static void moved_out(const struct watching *w)
{
    move(w, "etc/hooks.d/a.yaml", "etc/a.yaml");
}

static void renamed(const struct watching *w)
{
    move(w, "etc/hooks.d/a.yaml", "etc/hooks.d/a.yaml.off");
}

static void removed(const struct watching *w)
{
    drop(w, "etc/hooks.d/a.yaml");
}

static void soft_link(const struct watching *w)
{
    link_to(w, "/dev/null", "etc/hooks.d/b.yaml");
}

static void hard_link(const struct watching *w)
{
    assert_int_equal(link(below(w, "etc/other"), below(w, "etc/hooks.d/b.yaml")), 0);
}

static void subdirectory(const struct watching *w)
{
    dir(w, "etc/hooks.d/..2026");
}

static void file_mode(const struct watching *w)
{
    assert_int_equal(chmod(below(w, "etc/hooks.d/a.yaml"), 0666), 0);
}

static void file_owner(const struct watching *w)
{
    assert_int_equal(chown(below(w, "etc/hooks.d/a.yaml"), geteuid(), getegid()), 0);
}

static void directory_mode(const struct watching *w)
{
    assert_int_equal(chmod(below(w, "etc/hooks.d"), 0777), 0);
}

static void mode_above(const struct watching *w)
{
    assert_int_equal(chmod(below(w, "etc"), 0777), 0);
}

static void directory_removed(const struct watching *w)
{
    drop(w, "etc/hooks.d/a.yaml");
    drop(w, "etc/hooks.d");
}

static void directory_moved(const struct watching *w)
{
    move(w, "etc/hooks.d", "etc/hooks.off");
}

static void moved_above(const struct watching *w)
{
    move(w, "etc", "etc.off");
}

static void only_read(const struct watching *w)
{
    char byte;
    int fd = open(below(w, "etc/hooks.d/a.yaml"), O_RDONLY | O_CLOEXEC);
    DIR *stream = opendir(below(w, "etc/hooks.d"));

    assert_true(fd >= 0 && stream && read(fd, &byte, 1) == 1 && readdir(stream));
    (void)close(fd);
    (void)closedir(stream);
}

/* What the process itself writes: last good texts, files of the run directory. */
static void beside_it(const struct watching *w)
{
    dir(w, "etc/last-good");
    put(w, "etc/last-good/0123", "kept");
    put(w, "etc/since.tmp", "new");
    move(w, "etc/since.tmp", "etc/since");
    drop(w, "etc/other");
    dir(w, "else");
}

static void settings_written(const struct watching *w)
{
    put(w, "etc/config.yaml", "new");
}

static void settings_moved_in(const struct watching *w)
{
    move(w, "etc/other", "etc/config.yaml");
}

static void settings_removed(const struct watching *w)
{
    drop(w, "etc/config.yaml");
}

static void settings_mode(const struct watching *w)
{
    assert_int_equal(chmod(below(w, "etc/config.yaml"), 0600), 0);
}

static const struct row rows[] = {
    {"written in place", "etc/hooks.d", write_in_place, true},
    {"a new file", "etc/hooks.d", new_file, true},
    {"a new empty file", "etc/hooks.d", empty_file, true},
    {"begun to write", "etc/hooks.d", begun_to_write, true},
    {"a file that had no name before", "etc/hooks.d", unnamed_file, true},
    {"moved in", "etc/hooks.d", moved_in, true},
    {"moved out", "etc/hooks.d", moved_out, true},
    {"renamed", "etc/hooks.d", renamed, true},
    {"removed", "etc/hooks.d", removed, true},
    {"a link", "etc/hooks.d", soft_link, true},
    {"a hard link", "etc/hooks.d", hard_link, true},
    {"a directory", "etc/hooks.d", subdirectory, true},
    {"a file's mode", "etc/hooks.d", file_mode, true},
    {"a file's owner", "etc/hooks.d", file_owner, true},
    {"the directory's mode", "etc/hooks.d", directory_mode, true},
    {"a mode above", "etc/hooks.d", mode_above, true},
    {"the directory removed", "etc/hooks.d", directory_removed, true},
    {"the directory moved", "etc/hooks.d", directory_moved, true},
    {"the directory above moved", "etc/hooks.d", moved_above, true},
    {"read", "etc/hooks.d", only_read, false},
    {"beside the directory", "etc/hooks.d", beside_it, false},
    {"settings written", "etc/config.yaml", settings_written, true},
    {"settings moved in", "etc/config.yaml", settings_moved_in, true},
    {"settings removed", "etc/config.yaml", settings_removed, true},
    {"settings' mode", "etc/config.yaml", settings_mode, true},
    {"beside the settings", "etc/config.yaml", beside_it, false},
    {"rules are not settings", "etc/config.yaml", write_in_place, false},
    {"settings are not there yet", "etc/none.yaml", settings_written, false},
};

static void sees(void **state)
{
    const struct row *row = *state;
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "etc");
    dir(&w, "etc/hooks.d");
    put(&w, "etc/hooks.d/a.yaml", "old");
    put(&w, "etc/config.yaml", "old");
    put(&w, "etc/other", "other");
    watch_path(&w, row->watched);
    assert_true(status_of(&w).working);
    assert_false(seen(&w));
    row->op(&w);
    assert_int_equal(seen(&w), row->seen);
    (void)close(100); /* of begun_to_write */
    watching_end(&w);
}

/* ---- directories that come and go ---- */

static void test_missing_appears(void **state GR_UNUSED)
{
    static const char *const steps[] = {"a", "a/b", "a/b/c"};
    struct watching w;

    watching_begin(&w, NULL);
    watch_path(&w, "a/b/c");
    for (size_t i = 0; i < GR_ARRAY_LEN(steps); i++) {
        dir(&w, "other");
        assert_false(seen(&w));
        drop(&w, "other");
        dir(&w, steps[i]);
        assert_true(seen_and_looked(&w));
    }
    put(&w, "a/b/c/x.yaml", "x");
    assert_true(seen_and_looked(&w));
    assert_false(seen(&w));
    watching_end(&w);
}

/* Made while nobody looked: one event leads to all of it. */
static void test_missing_appears_at_once(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    watch_path(&w, "a/b/c");
    dir(&w, "a");
    dir(&w, "a/b");
    dir(&w, "a/b/c");
    assert_true(seen_and_looked(&w));
    put(&w, "a/b/c/x.yaml", "x");
    assert_true(seen_and_looked(&w));
    watching_end(&w);
}

static void test_missing_is_moved_in(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "ready");
    dir(&w, "ready/b");
    watch_path(&w, "a/b");
    move(&w, "ready", "a");
    assert_true(seen_and_looked(&w));
    put(&w, "a/b/x.yaml", "x");
    assert_true(seen(&w));
    watching_end(&w);
}

static void test_removed_and_made_again(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "a");
    dir(&w, "a/b");
    watch_path(&w, "a/b");
    for (int i = 0; i < 3; i++) {
        drop(&w, "a/b");
        drop(&w, "a");
        dir(&w, "a");
        dir(&w, "a/b");
        assert_true(seen_and_looked(&w));
        put(&w, "a/b/x.yaml", "x");
        assert_true(seen_and_looked(&w));
        drop(&w, "a/b/x.yaml");
        assert_true(seen_and_looked(&w));
    }
    watching_end(&w);
}

/* What was there before is not followed to where it is now. */
static void test_moved_away_is_forgotten(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "a");
    watch_path(&w, "a");
    move(&w, "a", "b");
    assert_true(seen_and_looked(&w));
    put(&w, "b/x.yaml", "x");
    assert_false(seen(&w));
    watching_end(&w);
}

/* ---- links ---- */

static void test_link_on_the_way(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "v1");
    dir(&w, "v1/hooks.d");
    dir(&w, "v2");
    dir(&w, "v2/hooks.d");
    link_to(&w, "v1", "now");
    watch_path(&w, "now/hooks.d");
    put(&w, "v1/hooks.d/x.yaml", "x");
    assert_true(seen_and_looked(&w));
    link_to(&w, "v2", "next");
    assert_false(seen(&w));
    move(&w, "next", "now");
    assert_true(seen_and_looked(&w));
    put(&w, "v1/hooks.d/x.yaml", "y");
    assert_false(seen(&w));
    put(&w, "v2/hooks.d/x.yaml", "y");
    assert_true(seen(&w));
    watching_end(&w);
}

static void test_link_to_nowhere(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    link_to(&w, "there/it/is", "hooks.d");
    link_to(&w, "loop", "loop");
    watch_path(&w, "hooks.d");
    assert_true(status_of(&w).working);
    dir(&w, "there");
    assert_true(seen_and_looked(&w));
    dir(&w, "there/it");
    dir(&w, "there/it/is");
    assert_true(seen_and_looked(&w));
    put(&w, "there/it/is/x.yaml", "x");
    assert_true(seen_and_looked(&w));
    watch_path(&w, "loop/x");
    assert_true(status_of(&w).working);
    drop(&w, "loop");
    dir(&w, "loop");
    assert_true(seen(&w));
    watching_end(&w);
}

/* As kubelet does it: a new directory, a link to it under another name, a rename. */
static void publish(const struct watching *w, int number)
{
    char data[32];
    char file[64];

    (void)snprintf(data, sizeof(data), "..2026_%d", number);
    (void)snprintf(file, sizeof(file), "map/%s", data);
    dir(w, file);
    (void)snprintf(file, sizeof(file), "map/%s/x.yaml", data);
    put(w, file, "x");
    link_to(w, data, "map/..data_tmp");
    move(w, "map/..data_tmp", "map/..data");
}

static void unpublish(const struct watching *w, int number)
{
    char file[64];

    (void)snprintf(file, sizeof(file), "map/..2026_%d/x.yaml", number);
    drop(w, file);
    (void)snprintf(file, sizeof(file), "map/..2026_%d", number);
    drop(w, file);
}

/* Both ways to use one: as a directory of rules, and for the settings file. */
static void test_config_map(void **state)
{
    const char *watched = *state;
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "map");
    publish(&w, 0);
    link_to(&w, "..data/x.yaml", "map/x.yaml");
    watch_path(&w, watched);
    assert_false(seen(&w));
    for (int i = 1; i < 4; i++) {
        publish(&w, i);
        assert_true(seen_and_looked(&w));
        unpublish(&w, i - 1);
        (void)seen_and_looked(&w);
    }
    assert_false(seen(&w));
    watching_end(&w);
}

/* ---- targets ---- */

static void test_targets_follow(void **state GR_UNUSED)
{
    struct watching w;
    size_t watches;

    watching_begin(&w, NULL);
    assert_int_equal(status_of(&w).watches, 0);
    dir(&w, "a");
    dir(&w, "b");
    watch_path(&w, "a");
    watches = status_of(&w).watches;
    assert_true(watches >= 3); /* /, /tmp, ours, a */
    watch_path(&w, "b");
    assert_int_equal(status_of(&w).watches, watches);
    put(&w, "a/x.yaml", "x");
    assert_false(seen(&w));
    put(&w, "b/x.yaml", "x");
    assert_true(seen(&w));
    gr_watch_set(w.watch, NULL, 0);
    look(&w);
    assert_int_equal(status_of(&w).watches, 0);
    assert_false(seen(&w));
    watching_end(&w);
}

/* What was read before the directories were found may be old when these are not those of before. */
static void test_moved(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "a");
    watch_path(&w, "a");
    assert_false(gr_watch_has_moved(w.watch)); /* the first search is none of them */
    look(&w);
    assert_false(gr_watch_has_moved(w.watch));
    drop(&w, "a");
    look(&w);
    assert_false(gr_watch_has_moved(w.watch)); /* there is nothing new */
    dir(&w, "a");
    look(&w);
    assert_true(gr_watch_has_moved(w.watch));
    assert_false(gr_watch_has_moved(w.watch));
    watching_end(&w);
}

/* Between the search and the moment at which the loop learns what it has found. */
static void test_told_of_what_was_just_found(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "a");
    watch_path(&w, "a");
    put(&w, "a/x.yaml", "x");
    assert_true(seen(&w));
    watching_end(&w);
}

static void test_relative(void **state GR_UNUSED)
{
    static const char *const paths[] = {"hooks.d", "./config.yaml"};
    char before[PATH_MAX];
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "hooks.d");
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(w.top), 0);
    gr_watch_set(w.watch, paths, GR_ARRAY_LEN(paths));
    assert_int_equal(chdir(before), 0);
    look(&w);
    put(&w, "hooks.d/x.yaml", "x");
    assert_true(seen_and_looked(&w));
    put(&w, "config.yaml", "x");
    assert_true(seen_and_looked(&w));
    watching_end(&w);
}

/* ---- when it is told ---- */

static void test_told_once(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "a");
    watch_path(&w, "a");
    for (int i = 0; i < 50; i++)
        put(&w, "a/x.yaml", i % 2 ? "x" : "y");
    wait_for_change(&w);
    assert_int_equal(w.changes, 1);
    look(&w);
    assert_false(seen(&w));
    put(&w, "a/x.yaml", "z");
    wait_for_change(&w);
    assert_int_equal(w.changes, 2);
    watching_end(&w);
}

/* Other threads know of a change before the loop has read it, and until the owner looks. */
static void test_stirred(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "a");
    watch_path(&w, "a");
    while (seen_and_looked(&w))
        ;
    put(&w, "a/x.yaml", "x");
    assert_true(gr_watch_is_stirred(w.watch, 0));
    assert_true(seen(&w));
    assert_true(gr_watch_is_stirred(w.watch, 0));
    watching_end(&w);
}

static void test_stirs(void **state GR_UNUSED)
{
    struct watching w;

    watching_begin(&w, NULL);
    gr_watch_stir(w.watch);
    assert_true(gr_watch_is_stirred(w.watch, 0));
    look(&w);
    assert_false(gr_watch_is_stirred(w.watch, 0));
    gr_watch_stir(w.watch);
    wait_for_change(&w);
    assert_false(gr_watch_is_stirred(w.watch, 0));
    watching_end(&w);
}

/* Also of a file that nobody closes. */
static void test_told_of_an_open_file(void **state GR_UNUSED)
{
    struct watching w;
    int fd;

    watching_begin(&w, NULL);
    dir(&w, "a");
    watch_path(&w, "a");
    fd = open(below(&w, "a/x.yaml"), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    wait_for_change(&w);
    look(&w);
    assert_false(seen(&w));
    (void)close(fd);
    wait_for_change(&w);
    assert_int_equal(w.changes, 2);
    watching_end(&w);
}

int main(void)
{
    TEST_ADD_ROWS(sees, rows);
    test_add("a missing directory appears", test_missing_appears);
    test_add("a missing directory appears at once", test_missing_appears_at_once);
    test_add("a missing directory is moved in", test_missing_is_moved_in);
    test_add("removed and made again", test_removed_and_made_again);
    test_add("moved away is forgotten", test_moved_away_is_forgotten);
    test_add("a link on the way", test_link_on_the_way);
    test_add("a link to nowhere", test_link_to_nowhere);
    test_add_row("a ConfigMap of rules", test_config_map, "map");
    test_add_row("a ConfigMap with the settings", test_config_map, "map/x.yaml");
    test_add("targets follow", test_targets_follow);
    test_add("moved", test_moved);
    test_add("told of what was just found", test_told_of_what_was_just_found);
    test_add("relative paths", test_relative);
    test_add("told once", test_told_once);
    test_add("stirred", test_stirred);
    test_add("stirs", test_stirs);
    test_add("told of an open file", test_told_of_an_open_file);
    return test_run("watch");
}
