/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/rundir.h"

static char top[] = "/tmp/grapnel-rundir-XXXXXX";

static int opened(void)
{
    struct gr_err err = {0};
    char path[128];
    int dir;

    (void)snprintf(path, sizeof(path), "%s/run", top);
    dir = gr_rundir_open(path, &err);
    assert_true(dir >= 0);
    return dir;
}

static void assert_reads(int dir, const char *name, const char *text)
{
    struct gr_buf buf;

    gr_buf_init(&buf, 4096);
    assert_int_equal(gr_rundir_read(dir, name, 4096, &buf), 0);
    assert_true(gr_str_is(gr_buf_view(&buf), text));
    gr_buf_fini(&buf);
}

static void test_write_and_read(void **state)
{
    int dir = opened();
    struct stat st;

    (void)state;
    assert_int_equal(gr_rundir_write(dir, "pauses", GR_STR("one")), 0);
    assert_reads(dir, "pauses", "one");
    assert_int_equal(gr_rundir_write(dir, "pauses", GR_STR("another")), 0);
    assert_reads(dir, "pauses", "another");
    assert_int_equal(fstatat(dir, "pauses", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(unlinkat(dir, "pauses", 0), 0);
    (void)close(dir);
}

/* Removed, and made anew: the path leads to another one. */
static void test_leads_to(void **state)
{
    char path[128];
    int dir = opened(), again;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/run", top);
    assert_true(gr_rundir_leads_to(path, dir));
    assert_int_equal(rmdir(path), 0);
    assert_false(gr_rundir_leads_to(path, dir));
    again = opened();
    assert_false(gr_rundir_leads_to(path, dir));
    assert_true(gr_rundir_leads_to(path, again));
    (void)close(dir);
    (void)close(again);
}

static void test_refused(void **state)
{
    int dir = opened();
    struct gr_buf buf;

    (void)state;
    gr_buf_init(&buf, 4096);
    assert_int_equal(gr_buf_text(&buf, "kept"), 0);
    assert_int_equal(gr_rundir_read(dir, "none", 10, &buf), -ENOENT);
    assert_int_equal(gr_rundir_write(dir, "ten", GR_STR("0123456789")), 0);
    assert_int_equal(gr_rundir_read(dir, "ten", 9, &buf), -EFBIG);
    assert_true(gr_str_is(gr_buf_view(&buf), "kept"));
    assert_int_equal(gr_rundir_read(dir, "ten", 10, &buf), 0);
    assert_true(gr_str_is(gr_buf_view(&buf), "kept0123456789"));
    assert_int_equal(fchmodat(dir, "ten", 0622, 0), 0);
    assert_int_equal(gr_rundir_read(dir, "ten", 10, &buf), -EPERM);
    assert_int_equal(symlinkat("ten", dir, "link"), 0);
    assert_int_equal(gr_rundir_read(dir, "link", 10, &buf), -ELOOP);
    assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
    assert_int_equal(gr_rundir_read(dir, "fifo", 10, &buf), -EPERM);
    gr_buf_fini(&buf);
    assert_int_equal(unlinkat(dir, "ten", 0), 0);
    assert_int_equal(unlinkat(dir, "link", 0), 0);
    assert_int_equal(unlinkat(dir, "fifo", 0), 0);
    (void)close(dir);
}

static void test_open_refuses_what_others_may_change(void **state)
{
    struct gr_err err = {0};
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/run", top);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(gr_rundir_open(path, &err), -EPERM);
    assert_string_equal(err.code, "run-dir");
    assert_int_equal(chmod(path, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/none/run", top);
    assert_int_equal(gr_rundir_open(path, &err), -ENOENT);
}

static void test_names(void **state)
{
    static const char *const ours[] = {
        "decisions",   "decisions.old", ".decisions.new", "pauses",
        "pauses.lock", ".pauses.4711",  "since",          "instances",
        ".since.1",    "control.sock",  "reports.sock",   ".grapnel.0123456789abcdef"};
    static const char *const others[] = {"",          "decisions.bak", "decisions.", ".pauses.",
                                         ".pauses.x", ".grapnel.",     "pauses.1",   "Since"};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(ours); i++)
        assert_true(gr_is_rundir_name(gr_str_from(ours[i])));
    for (size_t i = 0; i < GR_ARRAY_LEN(others); i++)
        assert_false(gr_is_rundir_name(gr_str_from(others[i])));
}

int main(void)
{
    char path[128];
    int r;

    if (!mkdtemp(top))
        return 1;
    test_add("write and read", test_write_and_read);
    test_add("refused", test_refused);
    test_add("open refuses what others may change", test_open_refuses_what_others_may_change);
    test_add("leads to", test_leads_to);
    test_add("names", test_names);
    r = test_run("rundir");
    (void)snprintf(path, sizeof(path), "%s/run", top);
    (void)rmdir(path);
    (void)rmdir(top);
    return r;
}
