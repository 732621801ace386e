/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the run directory and reports are read and written while allocations fail: the result is
 * -ENOMEM, nothing leaks, nothing counts that was read in part, and the old file stands.
 */
#include "failing.h"
#include "testing.h"

#include <errno.h>
#include <unistd.h>

#include "state/pauses.h"
#include "state/report.h"
#include "state/rundir.h"

static char top[] = "/tmp/grapnel-state-fault-XXXXXX";
static int dir = -1;

static const struct gr_suspension list[] = {
    {.by = {"uid 0", 5}, .since_s = 1},
    {.set = {"tap", 3}, .by = {"uid 0", 5}, .since_s = 1, .until_s = 2, .reason = {"a \"b\"", 5}},
    {.set = {"tap", 3}, .kind = GR_TRIPPED, .by = {"breaker", 7}, .since_s = 1},
};

static int read_pauses(void *user)
{
    struct gr_pauses pauses;
    struct gr_err err = {0};
    int r = gr_pauses_read(dir, &pauses, &err);

    (void)user;
    assert_int_equal(pauses.n, r == 0 ? GR_ARRAY_LEN(list) : 0);
    gr_pauses_fini(&pauses);
    return r;
}

static int write_pauses(void *user)
{
    struct gr_pauses_stamp before = gr_pauses_stamp(dir);
    struct gr_pauses_stamp after;
    struct gr_err err = {0};
    int r = gr_pauses_write(dir, list, GR_ARRAY_LEN(list), &err);

    (void)user;
    after = gr_pauses_stamp(dir);
    assert_int_equal(gr_pauses_same_stamp(&before, &after), r != 0);
    return r;
}

static int read_report(void *user)
{
    struct gr_report report = {.code = 77};
    struct gr_err err = {0};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, 64, 0);
    r = gr_report_read(&arena,
                       GR_STR("{\"v\":1,\"set\":\"tap\",\"hash\":\"0123456789abcdef\",\"id\":\"c\","
                              "\"stage\":\"poststop\",\"result\":\"exit\",\"code\":1,"
                              "\"durationMs\":3,\"output\":\"a\\nb\"}"),
                       &report, &err);
    assert_int_equal(report.code, r == 0 ? 1 : 77);
    gr_arena_fini(&arena);
    return r;
}

static void reading_fails(void **state)
{
    struct gr_err err = {0};

    (void)state;
    assert_int_equal(gr_pauses_write(dir, list, GR_ARRAY_LEN(list), &err), 0);
    failing_run(read_pauses, NULL);
}

static void writing_fails(void **state)
{
    (void)state;
    failing_run(write_pauses, NULL);
}

static void reports_fail(void **state)
{
    (void)state;
    failing_run(read_report, NULL);
}

int main(void)
{
    struct gr_err err = {0};
    int r;

    if (!mkdtemp(top))
        return 1;
    dir = gr_rundir_open(top, &err);
    test_add("reading pauses", reading_fails);
    test_add("writing pauses", writing_fails);
    test_add("reading a report", reports_fail);
    r = test_run("state fault");
    (void)unlinkat(dir, "pauses", 0);
    (void)close(dir);
    (void)rmdir(top);
    return r;
}
