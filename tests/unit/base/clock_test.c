/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/clock.h"

static void test_never_goes_back(void **state GR_UNUSED)
{
    uint64_t before = gr_now_ns();

    assert_true(before > 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = gr_now_ns();

        assert_true(now >= before);
        before = now;
    }
}

static void test_is_one_clock(void **state GR_UNUSED)
{
    uint64_t from_ns = gr_now_ns();
    uint64_t now_ms = gr_now_ms();
    uint64_t until_ns = gr_now_ns();

    assert_in_range(now_ms, from_ns / 1000000, until_ns / 1000000);
}

int main(void)
{
    test_add("never goes back", test_never_goes_back);
    test_add("is one clock in ns and in ms", test_is_one_clock);
    return test_run("clock");
}
