/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What matching costs. Time is not measured here but steps: an expression that is not through when
 * they are gone is an error, and what a step stands for is measured by tests/bench.
 */
#include "testing.h"

#include "rules/limits.h"
#include "rules/pattern/regex.h"

static enum gr_truth match_with(const char *expression, bool search, struct gr_str text,
                                uint64_t *steps)
{
    const struct gr_regex *regex = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;
    enum gr_truth truth;

    gr_arena_init(&arena, 1024, 0);
    if (gr_regex_compile(&arena, gr_str_from(expression), search, &regex, &err) != 0)
        fail_msg("%s", err.text);
    truth = gr_regex_match(regex, text, steps);
    gr_arena_fini(&arena);
    return truth;
}

struct hostile_row {
    const char *name; /* the expression */
    bool search;
    enum gr_truth truth;
    bool spends_all;
};

/* Against 256 KiB of "a", with the budget of a whole request. */
static const struct hostile_row hostile_rows[] = {
    {"(a*)*b|a*c", false, GR_ERROR, true},
    {"(a|aa)+[xy]", false, GR_ERROR, false}, /* too many backtracking points at a time */
    {"(a|b)*[xy]", false, GR_ERROR, false},
    {"(.*a){20}[xy]", true, GR_ERROR, true},
    {"(a+a+)+[xy]", false, GR_ERROR, true},
    {".*.*.*[=x].*", false, GR_ERROR, true},
    {"(a?){100}[xy]", true, GR_ERROR, true},
    {"((a{1,10}){1,10}){1,10}[xy]", false, GR_ERROR, true},
    {"\\pL*\\pL*[12]", false, GR_ERROR, true},
    {"(?i)a*a*[12]", true, GR_FALSE, false}, /* what a match need not have at its ends is cut */
    {"[^x]*[yz]", true, GR_FALSE, false},
    {".*.*.*=.*", false, GR_FALSE, false}, /* the = that it must hold is not there */
    {"[^x]*y", false, GR_FALSE, false},
    {"\\pL*1", true, GR_FALSE, false},
    {"[xy]", true, GR_FALSE, false},
    {"[a-z]*", false, GR_TRUE, false},
    {"a*", true, GR_TRUE, false},
    {"(?s).*", false, GR_TRUE, false},
};

static void hostile(void **state)
{
    const struct hostile_row *row = *state;
    uint64_t steps = GR_MATCH_STEPS_MAX;
    char *text = malloc(GR_ANNOTATIONS_MAX_BYTES);

    assert_non_null(text);
    memset(text, 'a', GR_ANNOTATIONS_MAX_BYTES);
    assert_int_equal(
        match_with(row->name, row->search, (struct gr_str){text, GR_ANNOTATIONS_MAX_BYTES}, &steps),
        row->truth);
    assert_int_equal(steps == 0, row->spends_all);
    free(text);
}

/* Every smaller budget is an error and leaves nothing; the exact one is enough. */
static void budget_at_the_edge(void **state)
{
    static const char text[] = "aaaaaaaaaaaab";
    static const char *const expressions[] = {"(a+)+[xyb]", "[ab]*", "b", "[xy]", "(a|b)*c?"};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(expressions); i++) {
        uint64_t steps = GR_MATCH_STEPS_MAX;
        enum gr_truth truth = match_with(expressions[i], true, GR_STR(text), &steps);
        uint64_t used = GR_MATCH_STEPS_MAX - steps;

        assert_true(truth == GR_TRUE || truth == GR_FALSE);
        assert_true(used > 0);
        for (uint64_t budget = 0; budget <= used; budget += budget + 20 < used ? 19 : 1) {
            steps = budget;
            assert_int_equal(match_with(expressions[i], true, GR_STR(text), &steps),
                             budget < used ? GR_ERROR : truth);
            assert_int_equal(steps, 0);
        }
    }
}

static uint64_t used_by(const char *expression, struct gr_str text)
{
    uint64_t steps = UINT64_C(1) << 40;

    (void)match_with(expression, true, text, &steps);
    return (UINT64_C(1) << 40) - steps;
}

/* What one backtracking point may do is in its price. */
static void dear_expressions_cost_more(void **state)
{
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    (void)state;
    assert_true(used_by("[a-z]{500}[xy]", GR_STR(text)) > 10 * used_by("[a-z][xy]", GR_STR(text)));
    assert_true(used_by("\\pL{500}[xy]", GR_STR(text)) > used_by("[a-z]{500}[xy]", GR_STR(text)));
    assert_true(used_by("[\\pL\\pN\\pZ\\pS][xy]", GR_STR(text)) >
                used_by("[a-z][xy]", GR_STR(text)));
    assert_true(used_by("\\b\\b\\b\\b\\b\\b[xy]", GR_STR(text)) > used_by("\\b[xy]", GR_STR(text)));
}

/* A turn of the group opens two points, and the match needs some of its own. */
static void limit_of_open_points(void **state)
{
    char *text = malloc(GR_REGEX_FRAMES_MAX);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', GR_REGEX_FRAMES_MAX);
    for (size_t n = GR_REGEX_FRAMES_MAX / 2 - 8; n <= GR_REGEX_FRAMES_MAX / 2; n += 8) {
        uint64_t steps = GR_MATCH_STEPS_MAX;

        assert_int_equal(match_with("(?:a|b)*c?", false, (struct gr_str){text, n}, &steps),
                         n < GR_REGEX_FRAMES_MAX / 2 ? GR_TRUE : GR_ERROR);
        assert_true(steps > 0);
    }
    free(text);
}

int main(void)
{
    TEST_ADD_ROWS(hostile, hostile_rows);
    test_add("budget at the edge", budget_at_the_edge);
    test_add("dear expressions cost more", dear_expressions_cost_more);
    test_add("limit of open points", limit_of_open_points);
    return test_run("regex_steps");
}
