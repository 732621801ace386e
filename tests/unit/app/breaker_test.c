/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/suspend/breaker: how many failures within which time. */
#include "testing.h"

#include "app/daemon/suspend/breaker.h"

static struct gr_hookset set_of(const char *name, uint32_t failures, uint32_t window_s)
{
    return (struct gr_hookset){.name = gr_str_from(name),
                               .hash = 1,
                               .breaker = {.failures = failures, .window_s = window_s}};
}

struct row {
    const char *name;
    uint32_t failures, window_s;
    uint64_t at_ms[8]; /* of each failure; ends with UINT64_MAX, or full */
    const char *trips; /* for each: 't' or '.' */
};

#define END UINT64_MAX

static const struct row rows[] = {
    {"one is enough", 1, 1, {0, 500, 9000, END}, "ttt"},
    {"two at once", 2, 1, {5, 5, END}, ".t"},
    {"the window's edge", 2, 1, {0, 1000, END}, ".t"},
    {"beyond the edge", 2, 1, {0, 1001, END}, ".."},
    {"three in sixty", 3, 60, {0, 30000, 60000, END}, "..t"},
    {"three in more", 3, 60, {0, 30000, 60001, END}, "..."},
    {"the first one falls out", 3, 60, {0, 30000, 60001, 90000, END}, "...t"},
    {"never close enough", 2, 1, {0, 2000, 4000, 6000, 8000, END}, "....."},
    {"again, until they are too old", 2, 1, {0, 1, 2, 1003, 1004, END}, ".tt.t"},
    {"the greatest window", 2, 86400, {0, UINT64_C(86400000), END}, ".t"},
    {"beyond the greatest window", 2, 86400, {0, UINT64_C(86400001), END}, ".."},
};

static void times(void **state)
{
    const struct row *row = *state;
    const struct gr_hookset set = set_of("tap", row->failures, row->window_s);
    struct gr_breaker *breaker = gr_breaker_new();

    assert_non_null(breaker);
    for (size_t i = 0; i < 8 && row->at_ms[i] != END; i++) {
        if (gr_breaker_failed(breaker, &set, row->at_ms[i]) !=
            (row->trips[i] == 't' ? GR_BREAKER_TRIPS : 0))
            fail_msg("failure %zu of %s", i, row->trips);
    }
    gr_breaker_free(breaker);
}

static void without(void **state)
{
    const struct gr_hookset set = set_of("tap", 0, 0);
    struct gr_breaker *breaker = gr_breaker_new();

    (void)state;
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(gr_breaker_failed(breaker, &set, i), 0);
    gr_breaker_free(breaker);
}

static void sets_apart(void **state)
{
    const struct gr_hookset a = set_of("a", 2, 10);
    const struct gr_hookset b = set_of("b", 2, 10);
    struct gr_breaker *breaker = gr_breaker_new();

    (void)state;
    assert_int_equal(gr_breaker_failed(breaker, &a, 1), 0);
    assert_int_equal(gr_breaker_failed(breaker, &b, 2), 0);
    assert_int_equal(gr_breaker_failed(breaker, &a, 3), GR_BREAKER_TRIPS);
    gr_breaker_reset(breaker, a.name);
    assert_int_equal(gr_breaker_failed(breaker, &a, 4), 0);
    assert_int_equal(gr_breaker_failed(breaker, &b, 5), GR_BREAKER_TRIPS);
    gr_breaker_reset_all(breaker);
    assert_int_equal(gr_breaker_failed(breaker, &b, 6), 0);
    gr_breaker_reset(breaker, GR_STR("c"));
    gr_breaker_free(breaker);
}

/* Failures of another text, or counted for other numbers, are none of this one. */
static void changed(void **state)
{
    struct gr_hookset set = set_of("a", 2, 10);
    struct gr_breaker *breaker = gr_breaker_new();

    (void)state;
    assert_int_equal(gr_breaker_failed(breaker, &set, 1), 0);
    set.hash = 2;
    assert_int_equal(gr_breaker_failed(breaker, &set, 2), 0);
    assert_int_equal(gr_breaker_failed(breaker, &set, 3), GR_BREAKER_TRIPS);
    set.breaker.failures = 3;
    assert_int_equal(gr_breaker_failed(breaker, &set, 4), 0);
    set.breaker.window_s = 9;
    assert_int_equal(gr_breaker_failed(breaker, &set, 5), 0);
    assert_int_equal(gr_breaker_failed(breaker, &set, 6), 0);
    assert_int_equal(gr_breaker_failed(breaker, &set, 7), GR_BREAKER_TRIPS);
    gr_breaker_free(breaker);
}

/* As many sets as are remembered, and one more: the longest silent one makes room. */
static void many(void **state)
{
    struct gr_breaker *breaker = gr_breaker_new();
    struct gr_hookset set;
    char name[32];

    (void)state;
    for (uint64_t i = 0; i <= GR_BREAKER_SETS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "set-%d", (int)i);
        set = set_of(name, 2, 86400);
        assert_int_equal(gr_breaker_failed(breaker, &set, i), 0);
    }
    set = set_of("set-1", 2, 86400);
    assert_int_equal(gr_breaker_failed(breaker, &set, 5000), GR_BREAKER_TRIPS);
    set = set_of("set-0", 2, 86400);
    assert_int_equal(gr_breaker_failed(breaker, &set, 5000), 0);
    gr_breaker_free(breaker);
    gr_breaker_free(NULL);
}

int main(void)
{
    TEST_ADD_ROWS(times, rows);
    test_add("without a breaker", without);
    test_add("sets apart", sets_apart);
    test_add("changed", changed);
    test_add("many", many);
    return test_run("breaker");
}
