/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers are forgotten where more come than are kept. */
#include "testing.h"

#include "state/known.h"
#include "state/limits.h"

#define AT_ONCE 1024U /* are dropped, as the header says */

static uint64_t id(uint32_t i)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "id-%u", i);
    return gr_known_hash(gr_str_from(text));
}

/* Returns whether another one was dropped, or this one was not kept. */
static bool add(struct gr_known_ids *ids, uint32_t i, enum gr_known state)
{
    bool dropped = false;

    assert_int_equal(gr_known_set(ids, id(i), state, &dropped), 0);
    assert_true(ids->n <= GR_JOURNAL_KNOWN_MAX);
    return dropped;
}

/* From first up to, not with, end. */
static void add_many(struct gr_known_ids *ids, uint32_t first, uint32_t end, enum gr_known state)
{
    for (uint32_t i = first; i < end; i++)
        (void)add(ids, i, state);
}

static void expect(const struct gr_known_ids *ids, uint32_t first, uint32_t end,
                   enum gr_known state)
{
    for (uint32_t i = first; i < end; i++)
        if (gr_known_get(ids, id(i)) != state)
            fail_msg("id-%u is %d, not %d", i, gr_known_get(ids, id(i)), state);
}

static void test_edge(void **state)
{
    struct gr_known_ids ids = {0};

    (void)state;
    add_many(&ids, 0, GR_JOURNAL_KNOWN_MAX - 1, GR_KNOWN_SEEN);
    assert_false(add(&ids, GR_JOURNAL_KNOWN_MAX - 1, GR_KNOWN_SEEN));
    assert_int_equal(ids.n, GR_JOURNAL_KNOWN_MAX);
    expect(&ids, 0, GR_JOURNAL_KNOWN_MAX, GR_KNOWN_SEEN);
    /* Somebody who is there already needs no room. */
    assert_false(add(&ids, 0, GR_KNOWN_MISSED));
    assert_true(add(&ids, GR_JOURNAL_KNOWN_MAX, GR_KNOWN_SEEN));
    expect(&ids, 0, 1, GR_KNOWN_MISSED);
    expect(&ids, 1, 1 + AT_ONCE, GR_KNOWN_NOT);
    expect(&ids, 1 + AT_ONCE, GR_JOURNAL_KNOWN_MAX + 1, GR_KNOWN_SEEN);
    gr_known_ids_fini(&ids);
}

/* Those of which least is known go, and then the oldest of the next. */
static void test_order(void **state)
{
    struct gr_known_ids ids = {0};

    (void)state;
    add_many(&ids, 0, 5, GR_KNOWN_MISSED);
    add_many(&ids, 5, GR_JOURNAL_KNOWN_MAX - 1, GR_KNOWN_INJECTED);
    (void)add(&ids, GR_JOURNAL_KNOWN_MAX - 1, GR_KNOWN_SEEN);
    assert_true(add(&ids, GR_JOURNAL_KNOWN_MAX, GR_KNOWN_INJECTED));
    expect(&ids, 0, 5, GR_KNOWN_MISSED);
    expect(&ids, 5, 5 + AT_ONCE - 1, GR_KNOWN_NOT);
    expect(&ids, 5 + AT_ONCE - 1, GR_JOURNAL_KNOWN_MAX - 1, GR_KNOWN_INJECTED);
    expect(&ids, GR_JOURNAL_KNOWN_MAX - 1, GR_JOURNAL_KNOWN_MAX, GR_KNOWN_NOT);
    expect(&ids, GR_JOURNAL_KNOWN_MAX, GR_JOURNAL_KNOWN_MAX + 1, GR_KNOWN_INJECTED);
    gr_known_ids_fini(&ids);
}

/* Nothing makes room for what says less. */
static void test_all_graver(void **state)
{
    const uint32_t end = GR_JOURNAL_KNOWN_MAX;
    struct gr_known_ids ids = {0};

    (void)state;
    add_many(&ids, 0, end, GR_KNOWN_MISSED);
    assert_true(add(&ids, end, GR_KNOWN_SEEN));
    assert_true(add(&ids, end + 1, GR_KNOWN_INJECTED));
    expect(&ids, 0, end, GR_KNOWN_MISSED);
    expect(&ids, end, end + 2, GR_KNOWN_NOT);
    assert_true(add(&ids, end + 2, GR_KNOWN_MISSED));
    expect(&ids, 0, AT_ONCE, GR_KNOWN_NOT);
    expect(&ids, AT_ONCE, end, GR_KNOWN_MISSED);
    expect(&ids, end + 2, end + 3, GR_KNOWN_MISSED);
    gr_known_ids_fini(&ids);
}

/* Somebody who creates containers without end does not make us forget who missed hooks. */
static void test_flood(void **state)
{
    struct gr_known_ids ids = {0};

    (void)state;
    (void)add(&ids, 0, GR_KNOWN_MISSED);
    for (uint32_t i = 1; i < 3 * GR_JOURNAL_KNOWN_MAX; i++)
        (void)add(&ids, i, i % 2 ? GR_KNOWN_SEEN : GR_KNOWN_INJECTED);
    expect(&ids, 0, 1, GR_KNOWN_MISSED);
    gr_known_ids_fini(&ids);
}

int main(void)
{
    test_add("at the edge", test_edge);
    test_add("what goes first", test_order);
    test_add("where all is graver", test_all_graver);
    test_add("a flood of creations", test_flood);
    return test_run("known");
}
