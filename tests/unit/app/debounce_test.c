/* SPDX-License-Identifier: Apache-2.0 */
/* Many events, one deed: with times that the test chooses. */
#include "testing.h"

#include "app/daemon/reload/debounce.h"

#define QUIET 100
#define LATEST 1000

struct row {
    const char *name;
    uint64_t at[4];    /* of the events; the first one always counts, later ones until a 0 */
    uint64_t expected; /* wait after the last of them */
};

static const struct row rows[] = {
    {"one event waits for quiet", {5000}, QUIET},
    {"each event begins the quiet anew", {5000, 5099}, QUIET},
    {"the last full wait", {5000, 5900}, QUIET},
    {"from here on it is shortened", {5000, 5901}, LATEST - 901},
    {"just before the latest", {5000, 5500, 5999}, 1},
    {"at the latest", {5000, 5500, 6000}, 0},
    {"after the latest", {5000, 5500, 9000}, 0},
    {"a clock that stands still", {5000, 5000, 5000}, QUIET},
};

static struct gr_debounce fresh(void)
{
    return (struct gr_debounce){.quiet_ns = QUIET, .latest_ns = LATEST};
}

static void waits(void **state)
{
    const struct row *row = *state;
    struct gr_debounce d = fresh();
    uint64_t wait = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(row->at) && row->at[i] > 0; i++)
        wait = gr_debounce_event(&d, row->at[i]);
    assert_int_equal(wait, row->expected);
    assert_true(d.pending);
}

static void test_done_begins_anew(void **state GR_UNUSED)
{
    struct gr_debounce d = fresh();

    assert_int_equal(gr_debounce_event(&d, 5000), QUIET);
    gr_debounce_done(&d);
    assert_false(d.pending);
    assert_int_equal(gr_debounce_event(&d, 5999), QUIET);
    assert_int_equal(gr_debounce_event(&d, 6950), LATEST - 951);
}

/* What is begun is waited for, but not for ever. */
static void test_begun(void **state GR_UNUSED)
{
    struct gr_debounce d = fresh();

    assert_int_equal(gr_debounce_begun(&d, 5000), LATEST);
    assert_true(d.pending);
    assert_int_equal(gr_debounce_begun(&d, 5300), LATEST - 300);
    assert_int_equal(gr_debounce_begun(&d, 5999), 1);
    assert_int_equal(gr_debounce_begun(&d, 6000), 0);
    assert_int_equal(gr_debounce_begun(&d, 9000), 0);
}

/* Its end is an event like any other; the next one begins anew. */
static void test_begun_and_ended(void **state GR_UNUSED)
{
    struct gr_debounce d = fresh();

    assert_int_equal(gr_debounce_begun(&d, 5000), LATEST);
    assert_int_equal(gr_debounce_event(&d, 5400), QUIET);
    assert_int_equal(gr_debounce_begun(&d, 5450), LATEST);
    assert_int_equal(gr_debounce_event(&d, 5950), LATEST - 950);
    gr_debounce_done(&d);
    assert_int_equal(gr_debounce_begun(&d, 9000), LATEST);
}

/* Not even when a burst has lasted too long is the deed done in the middle of it. */
static void test_begun_at_the_latest(void **state GR_UNUSED)
{
    struct gr_debounce d = fresh();

    assert_int_equal(gr_debounce_event(&d, 5000), QUIET);
    assert_int_equal(gr_debounce_event(&d, 5995), LATEST - 995);
    assert_int_equal(gr_debounce_begun(&d, 5998), LATEST);
    assert_int_equal(gr_debounce_begun(&d, 6500), LATEST - 502);
    assert_int_equal(gr_debounce_event(&d, 6600), 0);
}

int main(void)
{
    TEST_ADD_ROWS(waits, rows);
    test_add("done begins anew", test_done_begins_anew);
    test_add("begun", test_begun);
    test_add("begun and ended", test_begun_and_ended);
    test_add("begun at the latest", test_begun_at_the_latest);
    return test_run("debounce");
}
