/* SPDX-License-Identifier: Apache-2.0 */
/* The textfile's writer thread and its hand-over: also built with the thread sanitizer. */
#include "testing.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/daemon/metrics/textfile.h"

struct rig {
    struct event_base *base;
    struct gr_log log;
    struct gr_textfile *textfile;
    char dir[64], path[96], aside[96], lock[96];
    int result; /* what fill returns */
    size_t filled;
};

/* Removed once, in the moment between the lock file's opening and its lock. */
static const char *goes;

int flock(int fd, int operation)
{
    if (goes)
        assert_int_equal(unlink(goes), 0);
    goes = NULL;
    return (int)syscall(SYS_flock, fd, operation);
}

static int fill(void *user, struct gr_buf *out)
{
    struct rig *rig = user;

    rig->filled++;
    return rig->result ? rig->result : gr_buf_text(out, "some_metric 1\n");
}

static void begin(struct rig *rig)
{
    *rig = (struct rig){.log = {.level = GR_LEVEL_ERROR}};
    (void)snprintf(rig->dir, sizeof(rig->dir), "/tmp/grapnel-textfile-test.XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    (void)snprintf(rig->path, sizeof(rig->path), "%s/g.prom", rig->dir);
    (void)snprintf(rig->aside, sizeof(rig->aside), "%s/.g.prom.new", rig->dir);
    (void)snprintf(rig->lock, sizeof(rig->lock), "%s/.g.prom.lock", rig->dir);
    rig->base = event_base_new();
    assert_non_null(rig->base);
}

static void start(struct rig *rig)
{
    assert_int_equal(gr_textfile_new(rig->base, rig->path, fill, rig, &rig->log, &rig->textfile),
                     0);
    assert_int_equal(access(rig->path, F_OK), -1); /* not before the loop turns */
    assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
    assert_int_equal(rig->filled, 1);
}

/* Freeing waits for the writer. */
static void end(struct rig *rig)
{
    gr_textfile_free(rig->textfile);
    event_base_free(rig->base);
    assert_int_equal(access(rig->path, F_OK), -1);
    assert_int_equal(access(rig->aside, F_OK), -1);
    (void)unlink(rig->lock);
    assert_int_equal(rmdir(rig->dir), 0);
}

static void wait_for(const char *path)
{
    for (int i = 0; i < 10000 && access(path, F_OK) != 0; i++)
        (void)usleep(1000);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_written(void **state)
{
    char text[64] = "";
    struct stat st;
    struct rig rig;
    FILE *file;

    (void)state;
    begin(&rig);
    start(&rig);
    wait_for(rig.path);
    file = fopen(rig.path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file)); /* whole as soon as it is there */
    (void)fclose(file);
    assert_string_equal(text, "some_metric 1\n");
    assert_int_equal(stat(rig.path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0644);
    end(&rig);
}

static void test_freed_at_once(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    start(&rig);
    end(&rig);
    begin(&rig);
    assert_int_equal(gr_textfile_new(rig.base, rig.path, fill, &rig, &rig.log, &rig.textfile), 0);
    end(&rig);
}

/* Nothing is written instead of half of it. */
static void test_nothing_to_write(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.result = -EMSGSIZE;
    start(&rig);
    assert_int_equal(access(rig.path, F_OK), -1);
    end(&rig);
}

/* What was there under that name, of a process that is gone, is replaced and not followed. */
static void test_link(void **state)
{
    struct stat st;
    struct rig rig;

    (void)state;
    begin(&rig);
    assert_int_equal(symlink("/nonexistent/elsewhere", rig.aside), 0);
    assert_int_equal(symlink("/nonexistent/elsewhere", rig.path), 0);
    start(&rig);
    wait_for(rig.path); /* follows the link until it is a file */
    assert_int_equal(lstat(rig.path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    end(&rig);
}

/* By whoever cleaned up and had the lock: two would write else, each with a lock of its own. */
static void test_lock_that_goes(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    goes = rig.lock;
    assert_int_equal(gr_textfile_new(rig.base, rig.path, fill, &rig, &rig.log, &rig.textfile), 0);
    assert_int_equal(event_base_loop(rig.base, EVLOOP_ONCE), 0);
    assert_null(goes);
    assert_int_equal(rig.filled, 0);
    gr_textfile_free(rig.textfile);
    start(&rig);
    wait_for(rig.path);
    end(&rig);
}

int main(void)
{
    test_add("written", test_written);
    test_add("freed at once", test_freed_at_once);
    test_add("nothing to write", test_nothing_to_write);
    test_add("links", test_link);
    test_add("lock that goes", test_lock_that_goes);
    return test_run("textfile");
}
