/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/retire: which packages go out of force, and which never do; whichever operation fails, and
 * whoever installs meanwhile.
 */
#include "realfs.h"

#include <errno.h>
#include <sys/file.h>

#include "failing_removals.h"
#include "load/retire.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define MINE "team-a/hooks"
#define NOW_S 1700000000

/* ---- what is told ---- */

static struct {
    size_t n;
    int rc;
    char name[64], why[512];
} told;

static void on_retired(void *user, const char *name, int rc, const char *why)
{
    (void)user;
    told.n++;
    told.rc = rc;
    (void)snprintf(told.name, sizeof(told.name), "%s", name);
    (void)snprintf(told.why, sizeof(told.why), "%s", why);
}

static struct gr_retire what;
static struct gr_err err;

static int retire(void)
{
    static char store[512];

    (void)snprintf(store, sizeof(store), "%s", at("/p"));
    memset(&told, 0, sizeof(told));
    err = (struct gr_err){0};
    what.fs = &fs;
    what.root = "/";
    what.store = store;
    what.owner = MINE;
    what.retired = on_retired;
    return gr_retire(&what, &err);
}

static bool is_there(const char *path)
{
    return faccessat(AT_FDCWD, at(path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An owner of that time. */
static void own(const char *package, const char *owner, int64_t when_s)
{
    const struct timespec times[2] = {{.tv_sec = when_s}, {.tv_sec = when_s}};
    char path[128];

    (void)snprintf(path, sizeof(path), "/p/%s/.owner", package);
    (void)unlink(at(path));
    link_to(path, owner);
    assert_int_equal(utimensat(AT_FDCWD, at(path), times, AT_SYMLINK_NOFOLLOW), 0);
}

static void begin_store(void)
{
    begin();
    what = (struct gr_retire){0};
    dir("/p", 0755);
    dir("/p/net", 0755);
    dir("/p/net/" ONE, 0755);
    make("/p/net/" ONE "/setup", "x", 0755);
    link_to("/p/net/current", ONE);
    own("net", MINE, NOW_S);
}

static void test_goes(void **state)
{
    (void)state;
    begin_store();
    assert_int_equal(retire(), 0);
    assert_true(told.n == 1 && told.rc == 0);
    assert_string_equal(told.name, "net");
    assert_false(is_there("/p/net/current"));
    assert_true(is_there("/p/net/" ONE "/setup"));
    assert_int_equal(retire(), 0); /* once */
    assert_int_equal(told.n, 0);
    end();
}

static void test_dry_run(void **state)
{
    (void)state;
    begin_store();
    what.dry_run = true;
    assert_int_equal(retire(), 0);
    assert_true(told.n == 1 && told.rc == 0);
    assert_true(is_there("/p/net/current"));
    assert_false(is_there("/p/net/.lock"));
    end();
}

static void test_before(void **state)
{
    (void)state;
    begin_store();
    what.before_s = NOW_S;
    assert_int_equal(retire(), 0);
    assert_int_equal(told.n, 0);
    assert_true(is_there("/p/net/current"));
    what.before_s = NOW_S + 1;
    assert_int_equal(retire(), 0);
    assert_int_equal(told.n, 1);
    assert_false(is_there("/p/net/current"));
    end();
}

/* ---- what stays ---- */

static const char *const kept[] = {"other", "net"};

static void is_kept(void)
{
    what.keep = kept;
    what.keep_n = GR_ARRAY_LEN(kept);
}

static void nobodys(void)
{
    assert_int_equal(unlink(at("/p/net/.owner")), 0);
}

static void anothers(void)
{
    own("net", MINE "-2", NOW_S);
}

static void prefix(void)
{
    own("net", "team-a", NOW_S);
}

static void others_may_write(void)
{
    assert_int_equal(chmod(at("/p/net"), 0775), 0);
}

static void no_package(void)
{
    assert_int_equal(rename(at("/p/net"), at("/p/Net")), 0);
    link_to("/p/net", "Net");
}

static void not_in_force(void)
{
    assert_int_equal(rename(at("/p/net/current"), at("/p/net/before")), 0);
}

struct row {
    const char *name;
    void (*change)(void);
};

static const struct row rows[] = {
    {"a package that is kept", is_kept},
    {"nobody's", nobodys},
    {"another one's", anothers},
    {"one of a longer name", prefix},
    {"one that others may write", others_may_write},
    {"what is no package", no_package},
    {"not in force", not_in_force},
};

static size_t links_in(const char *path)
{
    DIR *stream = opendir(at(path));
    const struct dirent *entry;
    size_t n = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream)))
        n += entry->d_type == DT_LNK && entry->d_name[0] != '.';
    closedir(stream);
    return n;
}

static void stays(void **state)
{
    const struct row *row = *state;

    begin_store();
    row->change();
    assert_int_equal(retire(), 0);
    assert_int_equal(told.n, 0);
    assert_int_equal(links_in("/p/net"), 1);
    assert_false(is_there("/p/net/.lock")); /* nothing is written where nothing is due */
    end();
}

static void test_each(void **state)
{
    (void)state;
    begin_store();
    for (int i = 0; i < 3; i++) {
        char name[16], path[64];

        (void)snprintf(name, sizeof(name), "p-%d", i);
        (void)snprintf(path, sizeof(path), "/p/%s", name);
        dir(path, 0755);
        (void)snprintf(path, sizeof(path), "/p/%s/current", name);
        link_to(path, ONE);
        own(name, i == 1 ? "b" : MINE, NOW_S);
    }
    assert_int_equal(retire(), 0);
    assert_int_equal(told.n, 3);
    assert_true(is_there("/p/p-1/current"));
    end();
}

/* ---- others at work ---- */

static void test_installer_at_work(void **state)
{
    int fd;

    (void)state;
    begin_store();
    make("/p/net/.lock", "", 0600);
    fd = open(at("/p/net/.lock"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(retire(), -EWOULDBLOCK);
    assert_true(told.n == 1 && told.rc == -EWOULDBLOCK);
    assert_true(is_there("/p/net/current"));
    assert_int_equal(close(fd), 0);
    assert_int_equal(retire(), 0);
    assert_false(is_there("/p/net/current"));
    end();
}

static void test_lock_of_others(void **state)
{
    (void)state;
    begin_store();
    make("/p/net/.lock", "", 0644);
    assert_int_equal(retire(), -EPERM);
    assert_non_null(strstr(told.why, "/p/net/.lock to be a regular file with mode 0600"));
    assert_true(is_there("/p/net/current"));
    end();
}

static int (*real_lock)(void *user, int node);
static void (*meanwhile)(void);

static int late_lock(void *user, int node)
{
    meanwhile();
    return real_lock(user, node);
}

static void installed_again(void)
{
    own("net", MINE, NOW_S + 1);
}

static void clean_up(void)
{
    assert_int_equal(unlink(at("/p/net/.lock")), 0);
    remove_tree(at("/p/net"));
}

struct race_row {
    const char *name;
    void (*meanwhile)(void);
    int rc;
};

static const struct race_row races[] = {
    {"another one has installed it", anothers, 0},
    {"the same has installed it", installed_again, 0},
    {"a clean-up", clean_up, -EWOULDBLOCK},
};

/* What was seen without the lock does not count. */
static void races_with(void **state)
{
    const struct race_row *row = *state;

    begin_store();
    what.before_s = NOW_S + 1;
    real_lock = fs.lock;
    fs.lock = late_lock;
    meanwhile = row->meanwhile;
    assert_int_equal(retire(), row->rc);
    assert_int_equal(told.n, row->rc ? 1 : 0);
    assert_int_equal(is_there("/p/net/current"), row->rc == 0);
    fs.lock = real_lock;
    assert_int_equal(retire(), 0);
    end();
}

/* ---- the store ---- */

static void test_store(void **state)
{
    (void)state;
    begin();
    what = (struct gr_retire){0};
    assert_int_equal(retire(), 0); /* none */
    make("/p", "x", 0644);
    assert_int_equal(retire(), -ENOTDIR);
    assert_string_equal(err.code, "setup-target");
    assert_int_equal(unlink(at("/p")), 0);
    dir("/p", 0777);
    assert_int_equal(retire(), -EPERM);
    assert_string_equal(err.code, "untrusted-mode");
    end();
}

/* It is told, and done the next time. */
static void test_faults(void **state)
{
    bool struck = true;

    (void)state;
    for (int n = 1; struck; n++) {
        int rc;

        begin_store();
        make_failing();
        faults.struck = false;
        faults.countdown = n;
        rc = retire();
        struck = faults.struck;
        faults.countdown = 0;
        assert_int_equal(rc, struck ? -EIO : 0);
        if (struck)
            assert_true(err.code || told.rc == -EIO);
        assert_int_equal(retire(), 0);
        assert_false(is_there("/p/net/current"));
        end();
        assert_in_range(n, 1, 200);
    }
}

int main(void)
{
    test_add("goes", test_goes);
    test_add("dry run", test_dry_run);
    test_add("before", test_before);
    TEST_ADD_ROWS(stays, rows);
    test_add("each", test_each);
    test_add("installer at work", test_installer_at_work);
    test_add("lock of others", test_lock_of_others);
    TEST_ADD_ROWS(races_with, races);
    test_add("store", test_store);
    test_add("faults", test_faults);
    return test_run("retire");
}
