/* SPDX-License-Identifier: Apache-2.0 */
/* load/collect: what goes, and everything that stays. */
#include "realfs.h"

#include <errno.h>
#include <sys/file.h>

#include "load/collect.h"
#include "load/store_limits.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define THREE "3333333333333333333333333333333333333333333333333333333333333333"
#define NOW_S 1700000000

static void age(const char *path, int64_t age_s)
{
    const struct timespec times[2] = {{.tv_sec = NOW_S - age_s}, {.tv_sec = NOW_S - age_s}};

    assert_int_equal(utimensat(AT_FDCWD, at(path), times, AT_SYMLINK_NOFOLLOW), 0);
}

/* A package with two digests, the second one current, all of it old. */
static void begin_store(void)
{
    begin();
    dir("/p", 0755);
    dir("/p/net", 0755);
    dir("/p/net/" ONE, 0755);
    dir("/p/net/" ONE "/bin", 0755);
    make("/p/net/" ONE "/bin/setup", "x", 0755);
    dir("/p/net/" TWO, 0755);
    make("/p/net/" TWO "/setup", "x", 0755);
    link_to("/p/net/current", TWO);
    age("/p/net/" ONE, GR_STORE_AGE_MIN_S);
    age("/p/net/" TWO, GR_STORE_AGE_MIN_S);
    age("/p/net/current", GR_STORE_AGE_MIN_S);
}

static struct gr_arena arena;

static struct gr_old found;

static void begin_collecting(struct gr_collect *out)
{
    static char store[512];

    (void)snprintf(store, sizeof(store), "%s", at("/p"));
    *out = (struct gr_collect){.fs = &fs, .root = "/", .dir = store, .now_s = NOW_S};
    assert_int_equal(gr_old_find(out, &found), 0);
}

static size_t end_collecting(const struct gr_collect *what, struct gr_collected *out)
{
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_collect(what, &found, &arena, out), 0);
    gr_old_fini(&found);
    gr_old_fini(&found);
    return out->n;
}

/* keep: a text; NULL: nobody names anything. */
static size_t collect(const char *keep, struct gr_collected *out)
{
    struct gr_collect what;

    begin_collecting(&what);
    if (keep)
        gr_old_name(&found, gr_str_from(keep));
    return end_collecting(&what, out);
}

static void assert_stays(void)
{
    struct gr_collected out;

    assert_int_equal(collect(NULL, &out), 0);
    assert_int_equal(access(at("/p/net/" ONE "/bin/setup"), F_OK), 0);
    gr_arena_fini(&arena);
}

static void test_goes(void **state)
{
    struct gr_collected out;

    (void)state;
    begin_store();
    assert_int_equal(collect(NULL, &out), 1);
    assert_true(gr_str_is(out.items[0], "net/" ONE));
    assert_int_equal(access(at("/p/net/" ONE), F_OK), -1);
    assert_int_equal(access(at("/p/net/current/setup"), F_OK), 0);
    gr_arena_fini(&arena);
    assert_int_equal(collect(NULL, &out), 0);
    gr_arena_fini(&arena);
    end();
}

static void test_named(void **state)
{
    struct gr_collected out;

    (void)state;
    begin_store();
    assert_int_equal(collect("LIB=" TWO ":/p/net/" ONE "/bin:" ONE, &out), 0);
    gr_arena_fini(&arena);
    assert_int_equal(collect(TWO " " ONE "1", &out), 1);
    gr_arena_fini(&arena);
    end();
}

/* Only what is old and not current takes room, however much else is named. */
static void test_found(void **state)
{
    struct gr_collect what;
    char other[80];

    (void)state;
    begin_store();
    dir("/p/log", 0755);
    dir("/p/log/" ONE, 0755);
    age("/p/log/" ONE, GR_STORE_AGE_MIN_S);
    begin_collecting(&what);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0].digest, ONE);
    for (unsigned i = 0; i <= 2 * GR_COLLECT_MAX; i++) {
        (void)snprintf(other, sizeof(other), "%064x", i);
        gr_old_name(&found, gr_str_from(other));
    }
    assert_true(gr_old_has_unnamed(&found));
    gr_old_name(&found, GR_STR(ONE));
    gr_old_name(&found, GR_STR(ONE));
    assert_false(gr_old_has_unnamed(&found));
    assert_int_equal(found.named_n, 1);
    gr_old_fini(&found);
    assert_false(gr_old_has_unnamed(&found));
    gr_old_name(&found, GR_STR(ONE));
    end();
}

/* What is installed while containers are asked, and what an installer makes current then. */
static void test_installed_meanwhile(void **state)
{
    struct gr_collected out;
    struct gr_collect what;

    (void)state;
    begin_store();
    begin_collecting(&what);
    dir("/p/net/" THREE, 0755);
    age("/p/net/" THREE, GR_STORE_AGE_MIN_S);
    assert_int_equal(unlink(at("/p/net/current")), 0);
    link_to("/p/net/current", ONE);
    age("/p/net/current", GR_STORE_AGE_MIN_S);
    assert_int_equal(end_collecting(&what, &out), 0);
    gr_arena_fini(&arena);
    assert_int_equal(collect(NULL, &out), 2);
    gr_arena_fini(&arena);
    assert_int_equal(access(at("/p/net/" ONE "/bin/setup"), F_OK), 0);
    end();
}

/* More that may go than are looked at: the others stay, whether they are named or not. */
static void test_found_limit(void **state)
{
    struct gr_collected out;
    char path[96];

    (void)state;
    begin();
    dir("/p", 0755);
    dir("/p/a", 0755);
    dir("/p/b", 0755);
    for (unsigned i = 0; i <= GR_COLLECT_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/p/%s/%064x", i % 2 ? "a" : "b", i);
        dir(path, 0755);
        age(path, GR_STORE_AGE_MIN_S);
    }
    age("/p/a", GR_STORE_AGE_MIN_S);
    age("/p/b", GR_STORE_AGE_MIN_S);
    assert_int_equal(collect(NULL, &out), GR_COLLECT_MAX);
    gr_arena_fini(&arena);
    age(access(at("/p/a"), F_OK) == 0 ? "/p/a" : "/p/b", GR_STORE_AGE_MIN_S);
    assert_int_equal(collect(NULL, &out), 1);
    gr_arena_fini(&arena);
    end();
}

/* What grapnel setup cleanup, or a retirement, left for containers that are gone now. */
static void test_no_current(void **state)
{
    struct gr_collected out;

    (void)state;
    begin_store();
    assert_int_equal(unlink(at("/p/net/current")), 0);
    age("/p/net", GR_STORE_AGE_MIN_S);
    assert_int_equal(collect(TWO, &out), 1);
    assert_true(gr_str_is(out.items[0], "net/" ONE));
    gr_arena_fini(&arena);
    age("/p/net", GR_STORE_AGE_MIN_S);
    assert_int_equal(collect(NULL, &out), 1);
    assert_true(gr_str_is(out.items[0], "net/" TWO));
    gr_arena_fini(&arena);
    assert_int_equal(access(at("/p/net"), F_OK), -1);
    assert_int_equal(access(at("/p"), F_OK), 0);
    end();
}

/* ---- a package in which nothing stays ---- */

/* As retired, or as an installer left it that failed: with one that was killed before. */
static void begin_empty(void)
{
    begin();
    dir("/p", 0755);
    dir("/p/net", 0755);
    make("/p/net/.lock", "", 0600);
    link_to("/p/net/.owner", "a/b");
    dir("/p/net/.tmp-0123456789abcdef", 0755);
    make("/p/net/.tmp-0123456789abcdef/setup", "x", 0755);
    age("/p/net", GR_STORE_AGE_MIN_S);
}

static void collect_none(void)
{
    struct gr_collected out;

    assert_int_equal(collect(NULL, &out), 0);
    gr_arena_fini(&arena);
}

static void test_empty(void **state)
{
    (void)state;
    begin_empty();
    collect_none();
    assert_int_equal(access(at("/p/net"), F_OK), -1);
    assert_int_equal(access(at("/p"), F_OK), 0);
    end();
}

static void something_else(void)
{
    make("/p/net/README", "", 0644);
    age("/p/net", GR_STORE_AGE_MIN_S);
}

static void just_left(void)
{
    age("/p/net", GR_STORE_AGE_MIN_S - 1);
}

static void young_digest(void)
{
    dir("/p/net/" ONE, 0755);
    age("/p/net/" ONE, GR_STORE_AGE_MIN_S - 1);
    age("/p/net", GR_STORE_AGE_MIN_S);
}

static void in_force(void)
{
    link_to("/p/net/current", ONE);
    age("/p/net/current", GR_STORE_AGE_MIN_S);
}

/* An administrator's, or one that an installer has just made. */
static void no_lock_yet(void)
{
    assert_int_equal(unlink(at("/p/net/.lock")), 0);
    age("/p/net", GR_STORE_AGE_MIN_S);
}

static int locked = -1;

static void locked_by_another(void)
{
    locked = open(at("/p/net/.lock"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(locked, LOCK_EX), 0);
}

struct kept_row {
    const char *name;
    void (*change)(void);
};

static const struct kept_row kept_rows[] = {
    {"something else", something_else}, {"what was just left", just_left},
    {"a young digest", young_digest},   {"current", in_force},
    {"no lock", no_lock_yet},           {"an installer at work", locked_by_another},
};

static void keeps(void **state)
{
    const struct kept_row *row = *state;

    begin_empty();
    row->change();
    collect_none();
    assert_int_equal(access(at("/p/net/.tmp-0123456789abcdef/setup"), F_OK), 0);
    assert_int_equal(access(at("/p/net"), F_OK), 0);
    if (locked >= 0) {
        assert_int_equal(close(locked), 0);
        locked = -1;
    }
    end();
}

static int (*real_remove_dir)(void *user, int dir_, const char *name);

static int install_and_remove_dir(void *user, int dir_, const char *name)
{
    if (strcmp(name, "net") == 0)
        make("/p/net/.lock", "", 0600);
    return real_remove_dir(user, dir_, name);
}

/* One that comes when the lock's file is gone has the package. */
static void test_installer_at_the_end(void **state)
{
    (void)state;
    begin_empty();
    real_remove_dir = fs.remove_dir;
    fs.remove_dir = install_and_remove_dir;
    collect_none();
    assert_int_equal(access(at("/p/net/.lock"), F_OK), 0);
    end();
}

/* ---- why it stays ---- */

static void young(void)
{
    age("/p/net/" ONE, GR_STORE_AGE_MIN_S - 1);
}

static void just_switched(void)
{
    age("/p/net/current", GR_STORE_AGE_MIN_S - 1);
}

/* Another instance, or this one before it was started anew, may just have named it. */
static void just_retired(void)
{
    assert_int_equal(unlink(at("/p/net/current")), 0);
    age("/p/net", GR_STORE_AGE_MIN_S - 1);
}

static void from_the_future(void)
{
    age("/p/net/" ONE, -1000000);
}

static void is_current(void)
{
    assert_int_equal(unlink(at("/p/net/current")), 0);
    link_to("/p/net/current", ONE);
    age("/p/net/current", GR_STORE_AGE_MIN_S);
    remove_tree(at("/p/net/" TWO));
}

static void strange_current(void)
{
    assert_int_equal(unlink(at("/p/net/current")), 0);
    link_to("/p/net/current", "../other");
    age("/p/net/current", GR_STORE_AGE_MIN_S);
}

static void others_may_write(void)
{
    assert_int_equal(chmod(at("/p/net"), 01777), 0);
}

static void strange_package(void)
{
    assert_int_equal(rename(at("/p/net"), at("/p/Net")), 0);
    dir("/p/net", 0755);
    dir("/p/net/" ONE, 0755);
    dir("/p/net/" ONE "/bin", 0755);
    make("/p/net/" ONE "/bin/setup", "", 0755);
}

static void package_link(void)
{
    assert_int_equal(rename(at("/p/net"), at("/elsewhere")), 0);
    link_to("/p/net", "../elsewhere");
}

struct row {
    const char *name;
    void (*change)(void);
};

static const struct row rows[] = {
    {"young", young},
    {"current was just switched", just_switched},
    {"current has just gone", just_retired},
    {"from the future", from_the_future},
    {"current", is_current},
    {"a strange current", strange_current},
    {"a package that others may write", others_may_write},
    {"what is no package", strange_package},
    {"a package that is a link", package_link},
};

static void stays(void **state)
{
    const struct row *row = *state;

    begin_store();
    row->change();
    assert_stays();
    end();
}

/* A link in place of a digest leads to something that is not ours. */
static void test_digest_link(void **state)
{
    (void)state;
    begin_store();
    assert_int_equal(rename(at("/p/net/" ONE), at("/kept")), 0);
    link_to("/p/net/" ONE, "../../kept");
    age("/p/net/" ONE, GR_STORE_AGE_MIN_S);
    assert_stays();
    end();
}

static void test_installer_at_work(void **state)
{
    struct gr_collected out;
    int fd;

    (void)state;
    begin_store();
    make("/p/net/.lock", "", 0600);
    fd = open(at("/p/net/.lock"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_stays();
    assert_int_equal(close(fd), 0);
    assert_int_equal(collect(NULL, &out), 1);
    gr_arena_fini(&arena);
    end();
}

static int (*real_create)(void *user, int dir_, const char *name, uint32_t mode, int *out);

static int no_create(void *user GR_UNUSED, int dir_ GR_UNUSED, const char *name,
                     uint32_t mode GR_UNUSED, int *out GR_UNUSED)
{
    assert_string_equal(name, ".lock");
    return -EACCES;
}

/* It may look, and cannot make sure that nobody else is at work. */
static void test_no_lock(void **state)
{
    (void)state;
    begin_store();
    fs.create = no_create;
    assert_stays();
    make("/p/net/.lock", "", 0644);
    assert_stays();
    end();
}

/* The lock's file is made where something goes, and nowhere else. */
static void test_lock_where_needed(void **state)
{
    struct gr_collected out;

    (void)state;
    begin_store();
    assert_int_equal(collect(ONE, &out), 0);
    gr_arena_fini(&arena);
    assert_int_equal(access(at("/p/net/.lock"), F_OK), -1);
    assert_int_equal(collect(NULL, &out), 1);
    gr_arena_fini(&arena);
    assert_int_equal(access(at("/p/net/.lock"), F_OK), 0);
    end();
}

static int install_and_create(void *user, int dir_, const char *name, uint32_t mode, int *out)
{
    is_current();
    return real_create(user, dir_, name, mode, out);
}

/* What was seen without the lock does not count. */
static void test_installed_before_the_lock(void **state)
{
    (void)state;
    begin_store();
    real_create = fs.create;
    fs.create = install_and_create;
    assert_stays();
    assert_int_equal(access(at("/p/net/.lock"), F_OK), 0);
    end();
}

static int retire_and_create(void *user, int dir_, const char *name, uint32_t mode, int *out)
{
    assert_int_equal(unlink(at("/p/net/current")), 0);
    return real_create(user, dir_, name, mode, out);
}

static void test_retired_before_the_lock(void **state)
{
    (void)state;
    begin_store();
    age("/p/net", GR_STORE_AGE_MIN_S);
    real_create = fs.create;
    fs.create = retire_and_create;
    assert_stays();
    assert_int_equal(access(at("/p/net/.lock"), F_OK), 0);
    end();
}

static void test_no_store(void **state)
{
    struct gr_collected out;

    (void)state;
    begin();
    assert_int_equal(collect(NULL, &out), 0);
    gr_arena_fini(&arena);
    make("/p", "x", 0644);
    assert_int_equal(collect(NULL, &out), 0);
    gr_arena_fini(&arena);
    end();
}

static int (*real_meta)(void *user, int node, struct gr_fs_meta *out);

static int read_only_meta(void *user, int node, struct gr_fs_meta *out)
{
    int rc = real_meta(user, node, out);

    out->read_only = true;
    return rc;
}

static void test_read_only(void **state)
{
    (void)state;
    begin_store();
    real_meta = fs.meta;
    fs.meta = read_only_meta;
    assert_stays();
    end();
}

/* More entries than are looked at: which ones were seen would be chance. */
static void test_limit(void **state)
{
    struct gr_collected out;
    char path[64];

    (void)state;
    begin_store();
    for (int i = 3; i < GR_COLLECT_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/p/net/other-%d", i);
        make(path, "", 0644);
    }
    make("/p/net/more", "", 0644);
    assert_stays();
    assert_int_equal(unlink(at("/p/net/more")), 0);
    assert_int_equal(collect(NULL, &out), 1);
    gr_arena_fini(&arena);
    end();
}

int main(void)
{
    test_add("goes", test_goes);
    test_add("named", test_named);
    test_add("found", test_found);
    test_add("found limit", test_found_limit);
    test_add("installed meanwhile", test_installed_meanwhile);
    test_add("no current", test_no_current);
    test_add("empty", test_empty);
    TEST_ADD_ROWS(keeps, kept_rows);
    test_add("installer at the end", test_installer_at_the_end);
    TEST_ADD_ROWS(stays, rows);
    test_add("digest link", test_digest_link);
    test_add("installer at work", test_installer_at_work);
    test_add("no lock", test_no_lock);
    test_add("lock where needed", test_lock_where_needed);
    test_add("installed before the lock", test_installed_before_the_lock);
    test_add("retired before the lock", test_retired_before_the_lock);
    test_add("no store", test_no_store);
    test_add("read-only", test_read_only);
    test_add("limit", test_limit);
    return test_run("collect");
}
