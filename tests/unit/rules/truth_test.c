/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "rules/truth.h"

static const enum gr_truth all[] = {GR_FALSE, GR_ERROR, GR_UNKNOWN, GR_TRUE};

/* Rows and columns: false, error, unknown, true. As specs/matching.md has them. */
static const enum gr_truth and_table[4][4] = {
    {GR_FALSE, GR_FALSE, GR_FALSE, GR_FALSE},
    {GR_FALSE, GR_ERROR, GR_ERROR, GR_ERROR},
    {GR_FALSE, GR_ERROR, GR_UNKNOWN, GR_UNKNOWN},
    {GR_FALSE, GR_ERROR, GR_UNKNOWN, GR_TRUE},
};

static const enum gr_truth or_table[4][4] = {
    {GR_FALSE, GR_ERROR, GR_UNKNOWN, GR_TRUE},
    {GR_ERROR, GR_ERROR, GR_ERROR, GR_TRUE},
    {GR_UNKNOWN, GR_ERROR, GR_UNKNOWN, GR_TRUE},
    {GR_TRUE, GR_TRUE, GR_TRUE, GR_TRUE},
};

static void tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            assert_int_equal(gr_truth_and(all[i], all[j]), and_table[i][j]);
            assert_int_equal(gr_truth_or(all[i], all[j]), or_table[i][j]);
        }
    }
    assert_int_equal(gr_truth_not(GR_FALSE), GR_TRUE);
    assert_int_equal(gr_truth_not(GR_TRUE), GR_FALSE);
    assert_int_equal(gr_truth_not(GR_UNKNOWN), GR_UNKNOWN);
    assert_int_equal(gr_truth_not(GR_ERROR), GR_ERROR);
}

/* Order and grouping of children must not matter. */
static void laws(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        enum gr_truth a = all[i];

        assert_int_equal(gr_truth_not(gr_truth_not(a)), a);
        assert_int_equal(gr_truth_and(a, a), a);
        assert_int_equal(gr_truth_or(a, a), a);
        for (size_t j = 0; j < 4; j++) {
            enum gr_truth b = all[j];

            assert_int_equal(gr_truth_and(a, b), gr_truth_and(b, a));
            assert_int_equal(gr_truth_or(a, b), gr_truth_or(b, a));
            for (size_t k = 0; k < 4; k++) {
                enum gr_truth c = all[k];

                assert_int_equal(gr_truth_and(gr_truth_and(a, b), c),
                                 gr_truth_and(a, gr_truth_and(b, c)));
                assert_int_equal(gr_truth_or(gr_truth_or(a, b), c),
                                 gr_truth_or(a, gr_truth_or(b, c)));
            }
        }
    }
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(gr_truth_name(GR_FALSE), "false");
    assert_string_equal(gr_truth_name(GR_ERROR), "error");
    assert_string_equal(gr_truth_name(GR_UNKNOWN), "unknown");
    assert_string_equal(gr_truth_name(GR_TRUE), "true");
}

int main(void)
{
    test_add("tables", tables);
    test_add("laws", laws);
    test_add("names", names);
    return test_run("truth");
}
