/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/lock: who has it, what is refused to be locked, and what others do between two steps of it.
 */
#include "realfs.h"

#include <errno.h>
#include <sys/file.h>

#include "load/lock.h"

#define LOCK "/d/.lock"

static struct gr_lock how;
static struct gr_err err;
static int node;

static void begin_dir(void)
{
    begin();
    dir("/d", 0755);
    how = (struct gr_lock){.fs = &fs, .name = ".lock", .shown = "/shown"};
    assert_int_equal(fs.open_root(fs.user, at("/d"), &node), 0);
}

static void end_dir(void)
{
    gr_fs_close(&fs, &node);
    end();
}

static int take(int *out_lock)
{
    *out_lock = GR_FS_NO_NODE;
    err = (struct gr_err){0};
    return gr_lock_take(&how, node, out_lock, &err);
}

static void assert_taken(void)
{
    int lock;

    assert_int_equal(take(&lock), 0);
    assert_true(lock != GR_FS_NO_NODE);
    gr_fs_close(&fs, &lock);
}

static void assert_not_taken(int rc)
{
    int lock;

    assert_int_equal(take(&lock), rc);
    assert_int_equal(lock, GR_FS_NO_NODE);
}

static void test_one_after_the_other(void **state)
{
    struct stat st;
    int lock;

    (void)state;
    begin_dir();
    (void)umask(0); /* whatever it is */
    assert_int_equal(take(&lock), 0);
    (void)umask(022);
    assert_int_equal(stat(at(LOCK), &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_not_taken(-EWOULDBLOCK);
    assert_null(err.code);
    gr_fs_close(&fs, &lock);
    assert_taken();
    end_dir();
}

/* The directory itself, which anybody can open, is nobody's concern. */
static void test_directory_locked(void **state)
{
    int fd;

    (void)state;
    begin_dir();
    fd = open(at("/d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_taken();
    assert_int_equal(close(fd), 0);
    end_dir();
}

static void test_look_only(void **state)
{
    int lock, other;

    (void)state;
    begin_dir();
    how.look_only = true;
    assert_int_equal(take(&lock), 0);
    assert_int_equal(lock, GR_FS_NO_NODE);
    assert_int_equal(access(at(LOCK), F_OK), -1);
    how.look_only = false;
    assert_int_equal(take(&lock), 0);
    how.look_only = true;
    assert_not_taken(-EWOULDBLOCK);
    gr_fs_close(&fs, &lock);
    assert_int_equal(take(&other), 0);
    assert_true(other != GR_FS_NO_NODE);
    gr_fs_close(&fs, &other);
    end_dir();
}

static void test_no_directory(void **state)
{
    (void)state;
    begin_dir();
    assert_int_equal(rmdir(at("/d")), 0);
    assert_not_taken(-ENOENT);
    assert_null(err.code);
    end_dir();
}

/* Where the kernel lets everybody give others' files a name (fs.protected_hardlinks), it opens
 * nothing for them: another name must keep nobody from the lock. */
static void test_second_name(void **state)
{
    int lock;

    (void)state;
    begin_dir();
    make(LOCK, "", 0600);
    assert_int_equal(link(at(LOCK), at("/other")), 0);
    assert_int_equal(take(&lock), 0);
    assert_not_taken(-EWOULDBLOCK);
    gr_fs_close(&fs, &lock);
    end_dir();
}

/* ---- what is refused ---- */

static void others_may_read(void)
{
    make(LOCK, "", 0644);
}

static void a_bit_more(void)
{
    make(LOCK, "", 04600);
}

static void not_even_root(void)
{
    make(LOCK, "", 0400);
}

static void a_link(void)
{
    make("/other", "", 0600);
    link_to(LOCK, "../other");
}

static void a_directory(void)
{
    dir(LOCK, 0600);
}

static void a_pipe(void)
{
    assert_int_equal(mkfifo(at(LOCK), 0600), 0);
}

static void somebody_elses(void)
{
    make(LOCK, "", 0600);
    assert_int_equal(chown(at(LOCK), 65534, 65534), 0);
}

struct bad_row {
    const char *name;
    void (*make)(void);
    const char *found;
};

static const struct bad_row bad_rows[] = {
    {"others may read", others_may_read, "found a regular file with mode 0644 and uid"},
    {"a bit more", a_bit_more, "with mode 4600"},
    {"not even root may write", not_even_root, "with mode 0400"},
    {"a link", a_link, "found a symbolic link"},
    {"a directory", a_directory, "found a directory"},
    {"a pipe", a_pipe, "found a device, socket or pipe"},
    {"somebody else's", somebody_elses, "uid 65534"},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;

    if (row->make == somebody_elses && geteuid() != 0)
        test_skip("a file of somebody else needs root");
    begin_dir();
    row->make();
    for (int i = 0; i < 2; i++) {
        how.look_only = i > 0;
        assert_not_taken(-EPERM);
        assert_string_equal(err.code, "setup-target");
        assert_non_null(strstr(err.text, "expected /shown/.lock to be a regular file"));
        if (!strstr(err.text, row->found))
            fail_msg("%s", err.text);
    }
    end_dir();
}

/* ---- others at work between two steps ---- */

static struct gr_fs real;
static void (*meanwhile)(void);

static void others(void)
{
    void (*call)(void) = meanwhile;

    meanwhile = NULL;
    if (call)
        call();
}

static int late_create(void *user, int dir_, const char *name, uint32_t mode, int *out)
{
    others();
    return real.create(user, dir_, name, mode, out);
}

static int late_open(void *user, int dir_, const char *name, int *out)
{
    others();
    return real.open_write(user, dir_, name, out);
}

static int late_lock(void *user, int node_)
{
    others();
    return real.lock(user, node_);
}

static void at_create(void)
{
    fs.create = late_create;
}

static void at_open(void)
{
    make(LOCK, "", 0600);
    fs.open_write = late_open;
}

static void at_lock(void)
{
    make(LOCK, "", 0600);
    fs.lock = late_lock;
}

static void comes(void)
{
    make(LOCK, "", 0600);
}

static void goes(void)
{
    assert_int_equal(unlink(at(LOCK)), 0);
}

static void is_replaced(void)
{
    make("/d/new", "", 0600);
    assert_int_equal(rename(at("/d/new"), at(LOCK)), 0);
}

static void directory_goes(void)
{
    (void)unlink(at(LOCK));
    assert_int_equal(rmdir(at("/d")), 0);
}

static void becomes_a_pipe(void)
{
    goes();
    a_pipe();
}

static void becomes_readable(void)
{
    assert_int_equal(chmod(at(LOCK), 0644), 0);
}

struct race_row {
    const char *name;
    void (*when)(void);
    void (*what)(void);
    int rc;
    int then; /* the next time */
};

static const struct race_row races[] = {
    {"it comes before it is made", at_create, comes, -EWOULDBLOCK, 0},
    {"the directory goes before it is made", at_create, directory_goes, -ENOENT, -ENOENT},
    {"it goes before it is opened", at_open, goes, -EWOULDBLOCK, 0},
    {"the directory goes before it is opened", at_open, directory_goes, -EWOULDBLOCK, -ENOENT},
    {"another one when it is opened", at_open, is_replaced, 0, 0},
    {"a pipe when it is opened", at_open, becomes_a_pipe, -EPERM, -EPERM},
    {"readable when it is opened", at_open, becomes_readable, -EPERM, -EPERM},
    {"it goes before it is locked", at_lock, goes, -EWOULDBLOCK, 0},
    {"another one when it is locked", at_lock, is_replaced, -EWOULDBLOCK, 0},
    {"the directory goes before it is locked", at_lock, directory_goes, -EWOULDBLOCK, -ENOENT},
};

static void races_with(void **state)
{
    const struct race_row *row = *state;
    int lock;

    begin_dir();
    real = fs;
    meanwhile = row->what;
    row->when();
    assert_int_equal(take(&lock), row->rc);
    assert_null(meanwhile);
    assert_int_equal(lock == GR_FS_NO_NODE, row->rc != 0);
    gr_fs_close(&fs, &lock);
    assert_int_equal(take(&lock), row->then);
    gr_fs_close(&fs, &lock);
    end_dir();
}

int main(void)
{
    test_add("one after the other", test_one_after_the_other);
    test_add("directory locked", test_directory_locked);
    test_add("look only", test_look_only);
    test_add("no directory", test_no_directory);
    test_add("second name", test_second_name);
    TEST_ADD_ROWS(refuses, bad_rows);
    TEST_ADD_ROWS(races_with, races);
    return test_run("lock");
}
