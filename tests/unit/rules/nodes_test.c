/* SPDX-License-Identifier: Apache-2.0 */
#include "making.h"

struct name_row {
    const char *name;
    struct gr_test test;
    const char *node;
    bool selected;
};

static const struct gr_test listed[] = {
    {.kind = GR_TEST_EXACT, .text = {.p = "a", .n = 1}},
    {.kind = GR_TEST_EXACT, .text = {.p = "b", .n = 1}},
};

static const struct name_row name_rows[] = {
    {"exact", {.kind = GR_TEST_EXACT, .text = {.p = "gpu-1", .n = 5}}, "gpu-1", true},
    {"exact, other", {.kind = GR_TEST_EXACT, .text = {.p = "gpu-1", .n = 5}}, "gpu-10", false},
    {"glob", {.kind = GR_TEST_GLOB, .text = {.p = "gpu-*", .n = 5}}, "gpu-1", true},
    {"glob, other", {.kind = GR_TEST_GLOB, .text = {.p = "gpu-*", .n = 5}}, "cpu-1", false},
    {"prefix", {.kind = GR_TEST_PREFIX, .text = {.p = "gpu", .n = 3}}, "gpu-1", true},
    {"prefix, other", {.kind = GR_TEST_PREFIX, .text = {.p = "gpu", .n = 3}}, "g", false},
    {"in", {.kind = GR_TEST_IN, .items = listed, .items_n = 2}, "b", true},
    {"in, other", {.kind = GR_TEST_IN, .items = listed, .items_n = 2}, "c", false},
    {"not in", {.kind = GR_TEST_NOT_IN, .items = listed, .items_n = 2}, "c", true},
    {"not in, other", {.kind = GR_TEST_NOT_IN, .items = listed, .items_n = 2}, "a", false},
    {"exists", {.kind = GR_TEST_EXISTS, .exists = true}, "a", true},
    {"exists, no name", {.kind = GR_TEST_EXISTS, .exists = true}, "", false},
    {"no image", {.kind = GR_TEST_IMAGE}, "a", false},
};

static void by_name(void **state)
{
    const struct name_row *row = *state;
    struct gr_hookset set = {.nodes = {.has_names = true, .names = {.items = &row->test, .n = 1}}};

    assert_int_equal(gr_hookset_selects_node(&set, gr_str_from(row->node)), row->selected);
}

static void any_of_several_names(void **state)
{
    struct gr_hookset set = {.nodes = {.has_names = true, .names = {.items = listed, .n = 2}}};

    (void)state;
    assert_true(gr_hookset_selects_node(&set, GR_STR("a")));
    assert_true(gr_hookset_selects_node(&set, GR_STR("b")));
    assert_false(gr_hookset_selects_node(&set, GR_STR("c")));
}

static void no_selection_is_every_node(void **state)
{
    struct gr_hookset set = {0};

    (void)state;
    assert_true(gr_hookset_selects_node(&set, GR_STR("any")));
    assert_true(gr_hookset_selects_node(&set, GR_STR("")));
}

static bool selects(const char *name, uint32_t percent, unsigned int node)
{
    struct gr_hookset set = {.name = gr_str_from(name),
                             .nodes = {.has_percent = true, .percent = percent}};
    char text[32];

    (void)snprintf(text, sizeof(text), "node-%u", node);
    return gr_hookset_selects_node(&set, gr_str_from(text));
}

static void percent_at_the_ends(void **state)
{
    (void)state;
    for (unsigned int node = 0; node < 1000; node++) {
        assert_false(selects("set", 0, node));
        assert_true(selects("set", 100, node));
    }
}

static void raising_only_adds(void **state)
{
    (void)state;
    for (unsigned int node = 0; node < 300; node++) {
        bool before = false;

        for (uint32_t percent = 0; percent <= 100; percent++) {
            bool now = selects("set", percent, node);

            assert_true(now || !before);
            before = now;
        }
    }
}

static void raising_keeps_10000(void **state)
{
    static const uint32_t percents[] = {1, 5, 10, 25, 50, 90};

    (void)state;
    for (unsigned int node = 0; node < 10000; node++) {
        for (size_t i = 1; i < GR_ARRAY_LEN(percents); i++) {
            if (selects("tap-network", percents[i - 1], node))
                assert_true(selects("tap-network", percents[i], node));
        }
    }
}

/* Within a point of so many of 10,000 nodes, and other ones for another set. */
static void percent_is_about_that(void **state)
{
    static const uint32_t percents[] = {1, 5, 10, 25, 50, 90};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(percents); i++) {
        uint32_t n = 0;
        uint32_t both = 0;

        for (unsigned int node = 0; node < 10000; node++) {
            n += selects("tap-network", percents[i], node);
            both +=
                selects("tap-network", percents[i], node) && selects("other", percents[i], node);
        }
        assert_true(n + 100 >= percents[i] * 100 && n <= percents[i] * 100 + 100);
        assert_true(both + 150 >= percents[i] * percents[i] &&
                    both <= percents[i] * percents[i] + 150);
    }
}

/* Fixed for all time: a new release must not move nodes. */
static void places_are_stable(void **state)
{
    static const char expected[] = "1110000001111011001000011000001000001010";

    (void)state;
    for (unsigned int node = 0; node < sizeof(expected) - 1; node++)
        assert_int_equal(selects("tap-network", 50, node), expected[node] == '1');
}

#define NAMES 2000
#define NODES 10000

/* How many nodes each place from 0 to 99 has for one set. */
static void count_places(unsigned int name, uint32_t *counts)
{
    struct gr_hookset set = {0};
    char text[32], node[32];

    (void)snprintf(text, sizeof(text), "set-%u", name);
    set.name = gr_str_from(text);
    memset(counts, 0, 100 * sizeof(*counts));
    for (unsigned int i = 0; i < NODES; i++) {
        (void)snprintf(node, sizeof(node), "node-%u", i);
        counts[gr_hookset_node_place(&set, gr_str_from(node))]++;
    }
}

/* As by chance (a binomial distribution), for every percentage and every name: no share is more
 * than 5 standard deviations off, and of all shares a part of 4.6 % is more than 2 off. */
static void percent_is_as_by_chance(void **state)
{
    size_t off = 0, all = 0;

    (void)state;
    for (unsigned int name = 0; name < NAMES; name++) {
        uint32_t counts[100];
        int64_t n = 0;

        count_places(name, counts);
        for (int64_t percent = 1; percent < 100; percent++) {
            int64_t more, variance = percent * (100 - percent) * (NODES / 100) / 100;

            n += counts[percent - 1];
            more = n - percent * (NODES / 100);
            if (more * more > 25 * variance)
                fail_msg("set-%u: %lld of %d nodes at %lld %%", name, (long long)n, NODES,
                         (long long)percent);
            off += more * more > 4 * variance;
            all++;
        }
    }
    print_message("# %zu of %zu shares are more than 2 standard deviations off\n", off, all);
    assert_true(off * 1000 > all * 36 && off * 1000 < all * 56);
}

static void names_and_percent(void **state)
{
    struct gr_hookset set = {.name = GR_STR("set"),
                             .nodes = {.has_names = true,
                                       .names = {.items = listed, .n = 2},
                                       .has_percent = true,
                                       .percent = 100}};

    (void)state;
    assert_true(gr_hookset_selects_node(&set, GR_STR("a")));
    assert_false(gr_hookset_selects_node(&set, GR_STR("c")));
    set.nodes.percent = 0;
    assert_false(gr_hookset_selects_node(&set, GR_STR("a")));
}

struct order_row {
    const char *name;
    struct gr_hookset a, b;
    int expected;
};

static const struct order_row order_rows[] = {
    {"order", {.order = 9, .file_name = TEXT("z")}, {.order = 10, .file_name = TEXT("a")}, -1},
    {"file name", {.file_name = TEXT("a")}, {.file_name = TEXT("b")}, -1},
    {"file name is bytes", {.file_name = TEXT("10-a")}, {.file_name = TEXT("9-a")}, -1},
    {"document", {.document = 1}, {.document = 0}, 1},
    {"path", {.file = TEXT("/etc/a"), .document = 1}, {.file = TEXT("/run/a")}, -1},
    {"same", {.order = 1}, {.order = 1}, 0},
};

static void total_order(void **state)
{
    const struct order_row *row = *state;
    int forward = gr_hookset_cmp(&row->a, &row->b);
    int backward = gr_hookset_cmp(&row->b, &row->a);

    assert_int_equal((forward > 0) - (forward < 0), row->expected);
    assert_int_equal((backward > 0) - (backward < 0), -row->expected);
}

int main(void)
{
    TEST_ADD_ROWS(by_name, name_rows);
    test_add("any of several names", any_of_several_names);
    test_add("no selection is every node", no_selection_is_every_node);
    test_add("percent at the ends", percent_at_the_ends);
    test_add("raising only adds", raising_only_adds);
    test_add("raising keeps all of 10,000", raising_keeps_10000);
    test_add("percent is about that", percent_is_about_that);
    test_add("percent is as by chance", percent_is_as_by_chance);
    test_add("places are stable", places_are_stable);
    test_add("names and percent", names_and_percent);
    TEST_ADD_ROWS(total_order, order_rows);
    return test_run("nodes");
}
