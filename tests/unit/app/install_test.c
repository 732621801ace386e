/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/install: what is there afterwards, whatever was there before, and whichever operation
 * fails on the way.
 */
#include "load/realfs.h"

#include <errno.h>

#include "app/setup/install.h"
#include "failing_writes.h"

static struct gr_installed done;
static struct gr_err err;

static uint64_t wait_s;
static const char *owner;
static void on_waits(const char *path, uint64_t seconds);

static int install_from(const char *from)
{
    static char source[512], to[512];
    const struct gr_install what = {.fs = &fs,
                                    .host_root = "/",
                                    .from = source,
                                    .to = to,
                                    .owner = owner,
                                    .wait_s = wait_s,
                                    .waits = on_waits};

    (void)snprintf(source, sizeof(source), "%s", at(from));
    (void)snprintf(to, sizeof(to), "%s", at("/programs/net"));
    err = (struct gr_err){0};
    return gr_install(&what, &done, &err);
}

static void begin_sources(void)
{
    begin();
    count_writes(&fs);
    dir("/one", 0700);
    dir("/one/bin", 0700);
    make("/one/bin/setup", "one", 0700);
    make("/one/conf", "one", 0600);
    dir("/two", 0700);
    make("/two/setup", "two", 0700);
}

/* What current names is whole, and is one of these; NULL: there is no current. */
static void assert_current(const char *one, const char *other)
{
    char text[128] = "";
    ssize_t n = readlink(at("/programs/net/current"), text, sizeof(text) - 1);
    char path[256];
    struct gr_arena arena;
    struct gr_tree tree;
    int node;

    if (n < 0 && (!one || !other))
        return;
    assert_int_equal(n, GR_SHA256_HEX);
    assert_true((one && strcmp(text, one) == 0) || (other && strcmp(text, other) == 0));
    (void)snprintf(path, sizeof(path), "/programs/net/%s", text);
    assert_int_equal(fs.open_root(fs.user, at(path), &node), 0);
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_tree_list(&fs, node, "", GR_TREE_INSTALLED, &arena, &tree, NULL), 0);
    assert_int_equal(gr_tree_read(&fs, node, "", &tree, NULL), 0);
    assert_string_equal(tree.digest, text);
    gr_arena_fini(&arena);
    gr_fs_close(&fs, &node);
}

static void test_installs(void **state)
{
    char one[GR_SHA256_HEX + 1];
    struct stat st;
    char path[256];

    (void)state;
    begin_sources();
    assert_int_equal(install_from("/one"), 0);
    assert_true(done.copied && done.switched && !done.damaged);
    assert_int_equal(done.files, 2);
    assert_string_equal(done.before, "");
    memcpy(one, done.digest, sizeof(one));
    assert_current(one, one);
    (void)snprintf(path, sizeof(path), "/programs/net/%s/bin/setup", one);
    assert_int_equal(stat(at(path), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(install_from("/one"), 0);
    assert_true(!done.copied && !done.switched);
    assert_int_equal(install_from("/two"), 0);
    assert_true(done.copied && done.switched);
    assert_string_equal(done.before, one);
    assert_int_equal(entries("/programs/net"), 4);
    assert_int_equal(install_from("/one"), 0);
    assert_true(!done.copied && done.switched);
    assert_current(one, one);
    end();
}

/* ---- a digest that is not what its name says ---- */

static char digest_dir[128];

static const char *in_digest(const char *name)
{
    static char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", digest_dir, name);
    return path;
}

static void other_content(void)
{
    make(in_digest("conf"), "ONE", 0644);
}

static void other_mode(void)
{
    assert_int_equal(chmod(at(in_digest("conf")), 0666), 0);
}

static void open_to_all(void)
{
    assert_int_equal(chmod(at(digest_dir), 0777), 0);
}

static void one_more(void)
{
    make(in_digest("more"), "", 0644);
}

static void one_less(void)
{
    assert_int_equal(unlink(at(in_digest("conf"))), 0);
}

static void a_link(void)
{
    one_less();
    link_to(in_digest("conf"), "/etc/passwd");
}

static void a_file(void)
{
    remove_tree(at(digest_dir));
    make(digest_dir, "x", 0644);
}

static void a_link_to_another(void)
{
    assert_int_equal(rename(at(digest_dir), at("/programs/net/other")), 0);
    link_to(digest_dir, "other");
}

struct damage {
    const char *name;
    void (*make)(void);
};

static const struct damage damages[] = {
    {"content", other_content}, {"a mode", other_mode},        {"its own mode", open_to_all},
    {"a file more", one_more},  {"a file less", one_less},     {"a link in it", a_link},
    {"a file", a_file},         {"a link", a_link_to_another},
};

static void repairs(void **state)
{
    const struct damage *damage = *state;
    char one[GR_SHA256_HEX + 1];

    begin_sources();
    assert_int_equal(install_from("/one"), 0);
    memcpy(one, done.digest, sizeof(one));
    (void)snprintf(digest_dir, sizeof(digest_dir), "/programs/net/%s", one);
    damage->make();
    assert_int_equal(install_from("/one"), 0);
    assert_true(done.copied && done.damaged && !done.switched);
    assert_current(one, one);
    end();
}

/* A file system that cannot exchange two names. */
static int no_exchange(void *user GR_UNUSED, int dir_ GR_UNUSED, const char *a GR_UNUSED,
                       const char *b GR_UNUSED)
{
    return -EINVAL;
}

static void test_repairs_without_exchange(void **state)
{
    char one[GR_SHA256_HEX + 1];

    (void)state;
    begin_sources();
    assert_int_equal(install_from("/one"), 0);
    memcpy(one, done.digest, sizeof(one));
    (void)snprintf(digest_dir, sizeof(digest_dir), "/programs/net/%s", one);
    other_content();
    fs.exchange = no_exchange;
    assert_int_equal(install_from("/one"), 0);
    assert_current(one, one);
    assert_int_equal(entries("/programs/net"), 3);
    end();
}

/* ---- whose it is ---- */

static void assert_owner(const char *expected)
{
    char text[256] = "";

    (void)!readlink(at("/programs/net/.owner"), text, sizeof(text) - 1);
    assert_string_equal(text, expected);
}

/* The last one that installs it. */
static void test_owner(void **state)
{
    const struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct stat st;

    (void)state;
    begin_sources();
    owner = "a/one";
    assert_int_equal(install_from("/one"), 0);
    assert_string_equal(done.owner_before.name, "");
    assert_owner("a/one");
    assert_int_equal(utimensat(AT_FDCWD, at("/programs/net/.owner"), past, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(install_from("/one"), 0);
    assert_string_equal(done.owner_before.name, "a/one");
    assert_true(!done.copied && !done.switched);
    assert_int_equal(lstat(at("/programs/net/.owner"), &st), 0);
    assert_true(st.st_mtim.tv_sec > 1000); /* it tells when that was */
    owner = "b/two";
    assert_int_equal(install_from("/one"), 0);
    assert_string_equal(done.owner_before.name, "a/one");
    assert_owner("b/two");
    assert_int_equal(entries("/programs/net"), 4);
    owner = NULL;
    assert_int_equal(install_from("/one"), 0);
    assert_string_equal(done.owner_before.name, "b/two");
    assert_owner("");
    make("/programs/net/.owner", "b/two", 0644); /* no owner, and nothing in the way of one */
    assert_int_equal(install_from("/one"), 0);
    assert_string_equal(done.owner_before.name, "");
    owner = "a/one";
    assert_int_equal(install_from("/one"), 0);
    assert_owner("a/one");
    owner = NULL;
    end();
}

/* ---- current is something else ---- */

static void test_current(void **state)
{
    char one[GR_SHA256_HEX + 1];

    (void)state;
    begin_sources();
    assert_int_equal(install_from("/one"), 0);
    memcpy(one, done.digest, sizeof(one));
    assert_int_equal(unlink(at("/programs/net/current")), 0);
    link_to("/programs/net/current", "../../etc");
    assert_int_equal(install_from("/one"), 0);
    assert_true(done.switched && !done.copied);
    assert_current(one, one);
    assert_int_equal(unlink(at("/programs/net/current")), 0);
    make("/programs/net/current", "x", 0644);
    assert_int_equal(install_from("/one"), 0);
    assert_current(one, one);
    assert_int_equal(unlink(at("/programs/net/current")), 0);
    dir("/programs/net/current", 0755);
    assert_int_equal(install_from("/one"), -EISDIR);
    assert_string_equal(err.code, "setup-target");
    end();
}

/* ---- every operation that changes something ---- */

struct fault {
    const char *name;
    int error;
    bool dead;
    bool damaged; /* there is a damaged digest in the way */
};

static const struct fault rows[] = {
    {"no space", -ENOSPC, false, false},
    {"an error", -EIO, false, false},
    {"killed", -EIO, true, false},
    {"no space for a repair", -ENOSPC, false, true},
    {"killed while repairing", -EIO, true, true},
};

static bool names_current(const char *digest)
{
    char text[128] = "";

    (void)!readlink(at("/programs/net/current"), text, sizeof(text) - 1);
    return strcmp(text, digest) == 0;
}

/* One is in force; two is installed over it and fails somewhere. */
static void survives(void **state)
{
    const struct fault *row = *state;
    char one[GR_SHA256_HEX + 1], two[GR_SHA256_HEX + 1];
    int n = 0;
    bool struck = true;

    begin_sources();
    assert_int_equal(install_from("/two"), 0);
    memcpy(two, done.digest, sizeof(two));
    owner = "a/one";
    assert_int_equal(install_from("/one"), 0);
    memcpy(one, done.digest, sizeof(one));
    while (struck) {
        int rc;

        (void)snprintf(digest_dir, sizeof(digest_dir), "/programs/net/%s", two);
        remove_tree(at(digest_dir));
        if (row->damaged) {
            dir(digest_dir, 0755);
            make(in_digest("setup"), "bad", 0755);
        }
        arm(++n, row->error, row->dead);
        owner = "b/two";
        rc = install_from("/two");
        struck = faults.struck;
        if (rc != 0) {
            assert_string_equal(err.code, "setup-target");
            assert_non_null(strstr(err.text, "programs/net"));
        }
        arm(0, 0, false);
        assert_current(one, two);
        if (names_current(two))
            assert_owner("b/two"); /* a/one must not retire it */
        /* What comes afterwards finds nothing in its way, and leaves nothing behind. */
        assert_int_equal(install_from("/two"), 0);
        assert_current(two, two);
        owner = "a/one";
        assert_int_equal(install_from("/one"), 0);
        assert_owner("a/one");
        assert_int_equal(entries("/programs/net"), 5);
        assert_in_range(n, 1, 200);
    }
    assert_true(n > 10);
    owner = NULL;
    end();
}

/* ---- the target ---- */

static void target_refused(const char *code, const char *text)
{
    assert_true(install_from("/one") < 0);
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.text, text));
}

static void test_target(void **state)
{
    (void)state;
    begin_sources();
    dir("/programs", 0777);
    target_refused("untrusted-mode", "chmod go-w");
    assert_int_equal(chmod(at("/programs"), 0755), 0);
    dir("/programs/net", 0775);
    target_refused("untrusted-mode", "chmod go-w");
    assert_int_equal(rmdir(at("/programs/net")), 0);
    link_to("/programs/net", "../one");
    target_refused("setup-target", "a symbolic link");
    assert_int_equal(unlink(at("/programs/net")), 0);
    make("/programs/net", "x", 0644);
    target_refused("setup-target", "a regular file");
    assert_int_equal(unlink(at("/programs/net")), 0);
    assert_int_equal(rmdir(at("/programs")), 0);
    make("/programs", "x", 0644);
    target_refused("setup-target", "is none");
    assert_int_equal(unlink(at("/programs")), 0);
    /* A link on the way is fine: /opt is one on some hosts. */
    dir("/elsewhere", 0755);
    link_to("/programs", "elsewhere");
    assert_int_equal(install_from("/one"), 0);
    end();
}

static int (*real_meta)(void *user, int node, struct gr_fs_meta *out);
static struct gr_fs_meta over; /* laid over what is true */

static int meta_over(void *user, int node, struct gr_fs_meta *out)
{
    int rc = real_meta(user, node, out);

    out->read_only = over.read_only;
    out->no_exec = over.no_exec;
    if (over.uid && out->type == GR_FS_DIRECTORY)
        out->uid = over.uid;
    return rc;
}

static void test_mounts(void **state)
{
    (void)state;
    begin_sources();
    dir("/programs", 0755);
    real_meta = fs.meta;
    fs.meta = meta_over;
    over = (struct gr_fs_meta){.read_only = true};
    target_refused("setup-target", "read-only file system; choose another directory with --to");
    over = (struct gr_fs_meta){.no_exec = true};
    target_refused("setup-target", "mounted noexec");
    over = (struct gr_fs_meta){.uid = 4321};
    target_refused("untrusted-owner", "uid 4321");
    over = (struct gr_fs_meta){0};
    assert_int_equal(install_from("/one"), 0);
    end();
}

static int (*real_lock)(void *user, int node);
static int removals; /* that come before a lock is had */

static int lock_late(void *user, int node)
{
    if (removals > 0) {
        removals--;
        assert_int_equal(unlink(at("/programs/net/.lock")), 0);
        assert_int_equal(rmdir(at("/programs/net")), 0);
    }
    return real_lock(user, node);
}

#define LOOKS_A_SECOND (1000 / GR_TURN_LOOK_MS)
static int refusals; /* before somebody else gives the lock up */
static int told;

static int lock_busy(void *user, int node)
{
    if (refusals-- > 0)
        return -EWOULDBLOCK;
    return real_lock(user, node);
}

static void on_waits(const char *path, uint64_t seconds)
{
    assert_non_null(strstr(path, "/net"));
    assert_int_equal(seconds, 1);
    told++;
}

struct busy_row {
    const char *name;
    uint64_t wait_s;
    int refusals;
    int told;
    bool installed;
};

static const struct busy_row busy_rows[] = {
    {"nobody", 1, 0, 0, true},
    {"done at the last look", 1, LOOKS_A_SECOND, 1, true},
    {"not done at the last look", 1, LOOKS_A_SECOND + 1, 1, false},
    {"no wait, nobody", 0, 0, 0, true},
    {"no wait", 0, 1, 0, false},
};

/* Another installer has the directory. */
static void waits(void **state)
{
    const struct busy_row *row = *state;

    begin_sources();
    real_lock = fs.lock;
    fs.lock = lock_busy;
    refusals = row->refusals;
    told = 0;
    wait_s = row->wait_s;
    if (row->installed) {
        assert_int_equal(install_from("/one"), 0);
        assert_current(done.digest, done.digest);
    } else {
        assert_int_equal(install_from("/one"), -EWOULDBLOCK);
        assert_string_equal(err.code, "setup-busy");
        assert_non_null(strstr(err.text, row->wait_s ? "after 1 s;" : "after 0 s;"));
    }
    assert_int_equal(told, row->told);
    assert_int_equal(refusals, row->installed ? -1 : 0);
    wait_s = 0;
    end();
}

/* A clean-up had the lock, and has removed the directory that it was waited for. */
static void test_removed_while_waiting(void **state)
{
    (void)state;
    begin_sources();
    real_lock = fs.lock;
    fs.lock = lock_late;
    removals = 2;
    wait_s = 1;
    assert_int_equal(install_from("/one"), 0);
    wait_s = 0;
    assert_int_equal(removals, 0);
    assert_current(done.digest, done.digest);
    assert_int_equal(entries("/programs/net"), 3);
    end();
}

/* Somebody else may have it open: it is not waited for. */
static void test_lock_of_others(void **state)
{
    (void)state;
    begin_sources();
    assert_int_equal(install_from("/two"), 0);
    assert_int_equal(chmod(at("/programs/net/.lock"), 0644), 0);
    target_refused("setup-target", "/programs/net/.lock to be a regular file with mode 0600");
    assert_int_equal(unlink(at("/programs/net/.lock")), 0); /* as an older version left it */
    assert_int_equal(install_from("/one"), 0);
    assert_current(done.digest, done.digest);
    end();
}

int main(void)
{
    test_add("installs", test_installs);
    TEST_ADD_ROWS(repairs, damages);
    test_add("repairs without exchange", test_repairs_without_exchange);
    test_add("owner", test_owner);
    test_add("current", test_current);
    TEST_ADD_ROWS(survives, rows);
    test_add("target", test_target);
    test_add("mounts", test_mounts);
    test_add("removed while waiting", test_removed_while_waiting);
    test_add("lock of others", test_lock_of_others);
    TEST_ADD_ROWS(waits, busy_rows);
    return test_run("install");
}
