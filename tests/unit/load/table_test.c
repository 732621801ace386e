/* SPDX-License-Identifier: Apache-2.0 */
#include "load/table.h"

#include <errno.h>

#include "testing.h"

#define MANY 20000

static void test_empty(void **state)
{
    struct gr_arena arena;
    struct gr_table table;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    gr_table_init(&table, &arena);
    assert_null(gr_table_get(&table, GR_STR("a")));
    assert_null(gr_table_get(&table, GR_STR("")));
    gr_arena_fini(&arena);
}

static void test_puts_and_replaces(void **state)
{
    struct gr_arena arena;
    struct gr_table table;
    int one;
    int two;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    gr_table_init(&table, &arena);
    assert_int_equal(gr_table_put(&table, GR_STR("a"), &one), 0);
    assert_int_equal(gr_table_put(&table, GR_STR(""), &two), 0);
    assert_ptr_equal(gr_table_get(&table, GR_STR("a")), &one);
    assert_ptr_equal(gr_table_get(&table, GR_STR("")), &two);
    assert_int_equal(gr_table_put(&table, GR_STR("a"), &two), 0);
    assert_ptr_equal(gr_table_get(&table, GR_STR("a")), &two);
    assert_int_equal(gr_table_put(&table, GR_STR("a"), NULL), 0);
    assert_null(gr_table_get(&table, GR_STR("a")));
    assert_int_equal(table.used, 2);
    gr_arena_fini(&arena);
}

static void test_many(void **state)
{
    static char keys[MANY][32];
    struct gr_arena arena;
    struct gr_table table;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    gr_table_init(&table, &arena);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "key-%zu", i);
        assert_null(gr_table_get(&table, gr_str_from(keys[i])));
        assert_int_equal(gr_table_put(&table, gr_str_from(keys[i]), keys[i]), 0);
    }
    assert_int_equal(table.used, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(gr_table_get(&table, gr_str_from(keys[i])), keys[i]);
    gr_arena_fini(&arena);
}

/* What was in it stays when it cannot grow. */
static void test_no_memory(void **state)
{
    static char keys[64][32];
    struct gr_arena arena;
    struct gr_table table;
    size_t n = 0;

    (void)state;
    gr_arena_init(&arena, 64, 64 * sizeof(struct gr_table_slot));
    gr_table_init(&table, &arena);
    for (;; n++) {
        int rc;

        assert_true(n < GR_ARRAY_LEN(keys));
        (void)snprintf(keys[n], sizeof(keys[n]), "key-%zu", n);
        rc = gr_table_put(&table, gr_str_from(keys[n]), keys[n]);
        if (rc == 0)
            continue;
        assert_int_equal(rc, -ENOMEM);
        break;
    }
    assert_int_equal(n, 32);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(gr_table_get(&table, gr_str_from(keys[i])), keys[i]);
    assert_null(gr_table_get(&table, gr_str_from(keys[n])));
    gr_arena_fini(&arena);
}

int main(void)
{
    test_add("empty", test_empty);
    test_add("puts and replaces", test_puts_and_replaces);
    test_add("many", test_many);
    test_add("no memory", test_no_memory);
    return test_run("table");
}
