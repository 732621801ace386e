/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/suspend: the breaker. */
#include "app/suspending.h"

static void trips(void **state)
{
    struct gr_suspend *later;
    struct rig rig;
    size_t n;

    (void)state;
    init(&rig);
    fail_run(&rig, "tap", HASH, 0);
    fail_run(&rig, "tap", HASH + 1, 1); /* of an older text */
    fail_run(&rig, "unknown", HASH, 2);
    assert_null(find(rig.suspend, "tap"));
    fail_run(&rig, "tap", HASH, 60000);
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_TRIPPED);
    assert_str(find(rig.suspend, "tap")->by, "breaker");
    assert_str(find(rig.suspend, "tap")->reason, "2 failed runs within 60 s");
    assert_int_equal(look(&rig).tripped, 1);
    assert_int_equal(look(&rig).paused, 0);
    now_s += 50;
    fail_run(&rig, "tap", HASH, 60001); /* once */
    assert_int_equal(find(rig.suspend, "tap")->since_s, now_s - 50);
    later = open_instance(&rig);
    assert_int_equal(find(later, "tap")->kind, GR_TRIPPED);
    gr_suspend_free(later);
    assert_int_equal(resume(&rig, "tap", &n), 0);
    assert_int_equal(n, 1);
    assert_null(find(rig.suspend, "tap"));
    fail_run(&rig, "tap", HASH, 60002); /* it counts from nothing */
    assert_null(find(rig.suspend, "tap"));
    fail_run(&rig, "tap", HASH, 60003);
    assert_non_null(find(rig.suspend, "tap"));
    fini(&rig);
}

/* Behind a pause that ends the set is still tripped. */
static void paused_and_tripped(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    fail_run(&rig, "tap", HASH, 0);
    fail_run(&rig, "tap", HASH, 1);
    assert_int_equal(pause_for(&rig, "tap", 10), 0);
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_PAUSED);
    now_s += 10;
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_TRIPPED);
    fini(&rig);
}

static void never_trips(void **state)
{
    static const char *const names[] = {"sec-net", "need"};
    struct rig rig;

    (void)state;
    init(&rig);
    for (size_t i = 0; i < 2; i++) {
        for (uint64_t k = 0; k < 10; k++)
            fail_run(&rig, names[i], HASH, k);
        assert_null(find(rig.suspend, names[i]));
    }
    assert_int_equal(look(&rig).suspended_n, 0);
    assert_int_equal(pause_for(&rig, "need", 0), 0);
    assert_int_equal(look(&rig).paused, 1);
    fini(&rig);
}

static void good_runs(void **state)
{
    const struct gr_report good = {.set = GR_STR("tap"), .hash = HASH, .result = GR_REPORT_OK};
    struct rig rig;

    (void)state;
    init(&rig);
    for (uint64_t i = 0; i < 5; i++)
        gr_suspend_report(rig.suspend, &rig.rules, &good, i);
    fail_run(&rig, "tap", HASH, 6);
    assert_null(find(rig.suspend, "tap"));
    fini(&rig);
}

/* A policy that comes later: the set counts as in force. rules/decide does the same. */
static void protected_later(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    put_rules(&rig, make_rules(false));
    assert_int_equal(pause_for(&rig, "sec-net", 0), 0);
    assert_int_equal(look(&rig).paused, 1);
    put_rules(&rig, make_rules(true));
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_int_equal(look(&rig).suspended_n, 1);
    assert_int_equal(look(&rig).paused, 0);
    fini(&rig);
}

int main(void)
{
    test_add("trips", trips);
    test_add("paused and tripped", paused_and_tripped);
    test_add("never trips", never_trips);
    test_add("good runs", good_runs);
    test_add("protected later", protected_later);
    return test_run("suspend_breaker");
}
