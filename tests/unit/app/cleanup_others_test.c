/* SPDX-License-Identifier: Apache-2.0 */
/* app/setup/cleanup while others change what it removes, or have mounted something there. */
#include "app/cleaning.h"

static int (*real_rename)(void *user, int dir_, const char *from, const char *to);

static int swap_and_rename(void *user, int dir_, const char *from, const char *to)
{
    if (strcmp(from, TWO) == 0) {
        assert_int_equal(rename(at("/p/net/" TWO), at("/moved")), 0);
        link_to("/p/net/" TWO, "../../kept");
    }
    return real_rename(user, dir_, from, to);
}

/* What was looked at is not what is renamed: only the link goes. */
static void test_swapped_digest(void **state)
{
    (void)state;
    begin_store();
    dir("/kept", 0755);
    make("/kept/f", "x", 0644);
    real_rename = fs.rename;
    fs.rename = swap_and_rename;
    clean_store();
    assert_true(is_there("/kept/f") && is_there("/moved/setup"));
    assert_false(is_there("/p"));
    end_store();
}

static int (*real_remove_dir)(void *user, int dir_, const char *name);

static int install_and_remove_dir(void *user, int dir_, const char *name)
{
    if (strcmp(name, "net") == 0)
        make("/p/net/.lock", "", 0600);
    return real_remove_dir(user, dir_, name);
}

/* The lock's file was gone already: one that had waited for it was the next. */
static void test_installer_at_the_end(void **state)
{
    (void)state;
    begin_store();
    real_remove_dir = fs.remove_dir;
    fs.remove_dir = install_and_remove_dir;
    clean_store();
    assert_told("2 /p/net an installer is at work there");
    assert_true(!place.failed && is_there("/p/net/.lock"));
    assert_false(is_there("/p/net/" ONE) || is_there("/p/net/current"));
    end_store();
}

static void test_lock_of_others(void **state)
{
    (void)state;
    begin_store();
    make("/p/net/.lock", "", 0644);
    for (int i = 0; i < 2; i++) {
        cleanup.dry_run = i == 0;
        clean_store();
        assert_told("/p/net/.lock to be a regular file with mode 0600");
        assert_int_equal(told.n[GR_CLEANUP_FAILED], 1);
        assert_true(place.failed && is_there("/p/net/current"));
    }
    end_store();
}

static int (*real_unlink)(void *user, int dir_, const char *name);

static int swap_and_unlink(void *user, int dir_, const char *name)
{
    if (strcmp(name, "our-file") == 0) {
        assert_int_equal(unlink(at("/run/our-file")), 0);
        dir("/run/our-file", 0755);
        make("/run/our-file/f", "x", 0644);
    }
    return real_unlink(user, dir_, name);
}

static void test_swapped_file(void **state)
{
    (void)state;
    begin();
    dir("/run", 0755);
    make("/run/our-file", "", 0600);
    real_unlink = fs.unlink;
    fs.unlink = swap_and_unlink;
    clean_files();
    assert_told("3 /run/our-file Is a directory");
    assert_true(place.failed && is_there("/run/our-file/f"));
    end();
}

static int (*real_meta)(void *user, int node, struct gr_fs_meta *out);
static ino_t mounted;

static int mounted_meta(void *user, int node, struct gr_fs_meta *out)
{
    int rc = real_meta(user, node, out);

    out->mount += out->inode == mounted;
    return rc;
}

static void mount_at(const char *path)
{
    struct stat st;

    assert_int_equal(stat(at(path), &st), 0);
    mounted = st.st_ino;
    real_meta = fs.meta;
    fs.meta = mounted_meta;
}

static void test_mount_in_digest(void **state)
{
    (void)state;
    begin_store();
    dir("/p/net/" TWO "/mnt", 0755);
    make("/p/net/" TWO "/mnt/f", "x", 0644);
    mount_at("/p/net/" TWO "/mnt");
    clean_store();
    assert_told("3 /p/net/" TWO " something is mounted in it");
    assert_true(place.failed && is_there("/p/net"));
    assert_false(is_there("/p/net/" TWO)); /* it does not count any more */
    mounted = 0;
    clean_store();
    assert_false(is_there("/p"));
    end_store();
}

static void test_mounted_package(void **state)
{
    (void)state;
    begin_store();
    mount_at("/p/net");
    clean_store();
    assert_told("2 /p/net it is mounted there");
    assert_true(is_there("/p/net/" TWO "/setup"));
    end_store();
}

/* As in the pod of the chart. */
static void test_mounted_directory(void **state)
{
    (void)state;
    begin();
    dir("/run", 0755);
    make("/run/our", "", 0600);
    mount_at("/run");
    clean_files();
    assert_told("0 /run \n2 /run it is empty, and mounted here");
    assert_false(place.failed || is_there("/run/our"));
    end();
}

int main(void)
{
    test_add("a swapped digest", test_swapped_digest);
    test_add("an installer at the end", test_installer_at_the_end);
    test_add("a lock of others", test_lock_of_others);
    test_add("a swapped file", test_swapped_file);
    test_add("a mount in a digest", test_mount_in_digest);
    test_add("a mounted package", test_mounted_package);
    test_add("a mounted directory", test_mounted_directory);
    return test_run("cleanup_others");
}
