/* SPDX-License-Identifier: Apache-2.0 */
/* app/setup/cleanup: what containers name of the store, and how much of that is kept. */
#include "app/cleaning.h"

static void test_holders(void **state)
{
    const struct gr_str args[] = {GR_STR("sh"), GR_STR("/p/log/current"), GR_STR("/current/x")};
    const struct gr_oci_hook hooks[] = {hook_one,
                                        hook_one,
                                        {.path = GR_STR("/p/net/current/setup"), .args = {args, 3}},
                                        {.path = GR_STR("/p/net/currently/setup")}};
    struct gr_subject subject = {.hooks = hooks, .hooks_n = 4};
    const struct gr_holder *holder;

    (void)state;
    assert_null(gr_holders_find(&holders, GR_STR(ONE)));
    assert_int_equal(gr_holders_add(&holders, &subject, 1), 0);
    assert_int_equal(gr_holders_add(&holders, &subject, 2), 0);
    assert_int_equal(holders.n, 3);
    holder = gr_holders_find(&holders, GR_STR(ONE));
    assert_non_null(holder);
    assert_int_equal(holder->n, 2);
    assert_non_null(gr_holders_find(&holders, GR_STR("net/current")));
    assert_non_null(gr_holders_find(&holders, GR_STR("log/current")));
    gr_holders_fini(&holders);
    gr_holders_fini(&holders);
}

static void test_holders_limit(void **state)
{
    struct gr_oci_hook hook = {0};
    const struct gr_subject subject = {.hooks = &hook, .hooks_n = 1};
    char path[128];

    (void)state;
    for (unsigned i = 0; i <= GR_HOLDERS_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/p/net/%064x/setup", i);
        hook.path = gr_str_from(path);
        assert_int_equal(gr_holders_add(&holders, &subject, i + 1),
                         i < GR_HOLDERS_MAX ? 0 : -E2BIG);
    }
    assert_int_equal(holders.n, GR_HOLDERS_MAX);
    gr_holders_fini(&holders);
}

/* Ids of containers and images look as digests do, and pods may hold any number of them: they take
 * no room from those of the store. */
static void test_holders_of_others(void **state)
{
    struct gr_buf text;
    char id[128];

    (void)state;
    begin_store();
    gr_buf_init(&text, 1U << 20);
    for (unsigned i = 0; i < 2 * GR_HOLDERS_MAX; i++) {
        (void)snprintf(id, sizeof(id), "%064x,/other-%u/current,", i, i);
        assert_int_equal(gr_buf_str(&text, gr_str_from(id)), 0);
    }
    assert_int_equal(gr_buf_str(&text, GR_STR("/p/net/" ONE "/bin/setup,/p/net/current/setup")), 0);
    assert_int_equal(enter("/p"), 0);
    assert_int_equal(gr_cleanup_store_know(&place, &holders), 0);
    gr_cleanup_leave(&place);
    assert_int_equal(gr_holders_add_text(&holders, gr_buf_view(&text), "c"), 0);
    assert_int_equal(holders.n, 2);
    clean_store();
    assert_true(is_there("/p/net/" ONE "/bin/setup") && is_there("/p/net/current") &&
                is_there("/p/net/" TWO "/setup"));
    gr_buf_fini(&text);
    end_store();
}

/* As long as a config.json may be, and no slash before its end: it is walked through once, not once
 * for each byte, which would take hours. */
static void test_long_text(void **state)
{
    const size_t bytes = 16U << 20;
    char *text = malloc(bytes + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', bytes);
    (void)snprintf(text + bytes - 16, 17, "/p/net/current/x");
    assert_int_equal(gr_holders_add_text(&holders, (struct gr_str){.p = text, .n = bytes}, "c"), 0);
    assert_int_equal(holders.n, 1);
    assert_non_null(gr_holders_find(&holders, GR_STR("net/current")));
    gr_holders_fini(&holders);
    free(text);
}

int main(void)
{
    test_add("holders", test_holders);
    test_add("holders limit", test_holders_limit);
    test_add("holders of others", test_holders_of_others);
    test_add("long text", test_long_text);
    return test_run("cleanup_holders");
}
