/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "app/daemon/backoff.h"

static void test_connect_waits_double(void **state)
{
    static const uint32_t expected[] = {500, 1000, 2000, 4000, 5000, 5000};
    struct gr_backoff backoff;

    (void)state;
    gr_backoff_init(&backoff);
    for (size_t i = 0; i < GR_ARRAY_LEN(expected); i++)
        assert_int_equal(gr_backoff_connect_failed(&backoff, 0), expected[i]);
}

static void test_young_sessions_wait_longer(void **state)
{
    static const uint32_t expected[] = {5000, 10000, 20000, 40000, 60000, 60000};
    struct gr_backoff backoff;

    (void)state;
    gr_backoff_init(&backoff);
    for (size_t i = 0; i < GR_ARRAY_LEN(expected); i++)
        assert_int_equal(gr_backoff_session_ended(&backoff, 59999, 0), expected[i]);
    assert_int_equal(gr_backoff_session_ended(&backoff, 60000, 0), 500);
    assert_int_equal(gr_backoff_session_ended(&backoff, 0, 0), 5000);
}

static void test_a_session_resets_the_connect_wait(void **state)
{
    struct gr_backoff backoff;

    (void)state;
    gr_backoff_init(&backoff);
    (void)gr_backoff_connect_failed(&backoff, 0);
    (void)gr_backoff_connect_failed(&backoff, 0);
    (void)gr_backoff_session_ended(&backoff, 0, 0);
    assert_int_equal(gr_backoff_connect_failed(&backoff, 0), 500);
}

static void test_jitter_takes_at_most_a_quarter(void **state)
{
    (void)state;
    for (uint32_t random = 0; random < 10000; random++) {
        struct gr_backoff backoff;
        uint32_t wait_ms;

        gr_backoff_init(&backoff);
        wait_ms = gr_backoff_session_ended(&backoff, 0, random * 429497U);
        assert_in_range(wait_ms, 3750, 5000);
    }
}

int main(void)
{
    test_add("waits after failed connects double up to 5 s", test_connect_waits_double);
    test_add("waits after young sessions double up to 60 s", test_young_sessions_wait_longer);
    test_add("a session resets the wait for connect", test_a_session_resets_the_connect_wait);
    test_add("jitter takes at most a quarter", test_jitter_takes_at_most_a_quarter);
    return test_run("backoff");
}
