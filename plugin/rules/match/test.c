/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/test.h"

#include "rules/pattern/glob.h"
#include "rules/steps.h"

/* Names have at most 253 bytes and patterns 1,024: this is never used up. */
#define NAME_STEPS (1U << 20)

static enum gr_truth truth_of(bool is)
{
    return is ? GR_TRUE : GR_FALSE;
}

/* The forms that look at one text which is there. */
static enum gr_truth eval_single(const struct gr_test *test, const struct gr_value *value,
                                 uint64_t *steps)
{
    struct gr_str text = value->text;

    if (test->kind == GR_TEST_GLOB)
        return gr_glob_match(test->text, text, steps);
    if (test->kind == GR_TEST_REGEX)
        return gr_regex_match(test->regex, text, steps);
    if (test->kind == GR_TEST_IMAGE)
        return value->image ? gr_image_match(test->image, value->image, steps) : GR_FALSE;
    if (!gr_steps_take(steps, gr_steps_of_bytes(test->text.n)))
        return GR_ERROR;
    return truth_of(test->kind == GR_TEST_EXACT ? gr_str_eq(text, test->text)
                                                : gr_str_has_prefix(text, test->text));
}

static enum gr_truth eval_items(const struct gr_test *test, const struct gr_value *value,
                                uint64_t *steps)
{
    enum gr_truth truth = GR_FALSE;

    for (size_t i = 0; i < test->items_n && truth != GR_TRUE; i++)
        truth = gr_truth_or(truth, eval_single(&test->items[i], value, steps));
    return truth;
}

enum gr_truth gr_test_eval(const struct gr_test *test, const struct gr_value *value,
                           uint64_t *steps)
{
    bool present = value->present;

    /* Some forms compare nothing, and a rule may have very many of them. */
    if (!gr_steps_take(steps, 1))
        return GR_ERROR;
    switch (test->kind) {
    case GR_TEST_EXISTS:
        if (value->empty_is_absent && value->text.n == 0)
            present = false;
        return truth_of(test->exists == present);
    case GR_TEST_NOT_IN:
        return present ? gr_truth_not(eval_items(test, value, steps)) : GR_TRUE;
    case GR_TEST_IN:
        return present ? eval_items(test, value, steps) : GR_FALSE;
    case GR_TEST_EXACT:
    case GR_TEST_GLOB:
    case GR_TEST_PREFIX:
    case GR_TEST_REGEX:
    case GR_TEST_IMAGE:
        break;
    }
    return present ? eval_single(test, value, steps) : GR_FALSE;
}

enum gr_truth gr_tests_eval(struct gr_tests tests, const struct gr_value *value, uint64_t *steps)
{
    enum gr_truth truth = GR_FALSE;

    for (size_t i = 0; i < tests.n && truth != GR_TRUE; i++)
        truth = gr_truth_or(truth, gr_test_eval(&tests.items[i], value, steps));
    return truth;
}

/* Any element, by a form that looks at one text or at several. */
static enum gr_truth eval_elements(const struct gr_test *test, struct gr_strs list, uint64_t *steps)
{
    enum gr_truth truth = GR_FALSE;

    for (size_t i = 0; i < list.n && truth != GR_TRUE; i++) {
        struct gr_value value = {.present = true, .text = list.items[i]};
        bool several = test->kind == GR_TEST_IN || test->kind == GR_TEST_NOT_IN;

        truth = gr_truth_or(truth, several ? eval_items(test, &value, steps)
                                           : eval_single(test, &value, steps));
        /* Nothing more can be looked at: a hostile list is not gone through for nothing. */
        if (*steps == 0 && i + 1 < list.n)
            return truth == GR_TRUE ? GR_TRUE : GR_ERROR;
    }
    return truth;
}

static enum gr_truth eval_list(const struct gr_test *test, struct gr_strs list, uint64_t *steps)
{
    if (test->kind == GR_TEST_EXISTS)
        return truth_of(test->exists == (list.n > 0));
    if (!gr_steps_take(steps, gr_steps_of_entries(list.n)))
        return GR_ERROR;
    if (test->kind == GR_TEST_NOT_IN)
        return gr_truth_not(eval_elements(test, list, steps));
    return eval_elements(test, list, steps);
}

enum gr_truth gr_tests_eval_list(struct gr_tests tests, struct gr_strs list, uint64_t *steps)
{
    enum gr_truth truth = GR_FALSE;

    for (size_t i = 0; i < tests.n && truth != GR_TRUE; i++)
        truth = gr_truth_or(truth, eval_list(&tests.items[i], list, steps));
    return truth;
}

bool gr_tests_hold(struct gr_tests tests, struct gr_str text)
{
    struct gr_value value = {.present = true, .empty_is_absent = true, .text = text};
    uint64_t steps = NAME_STEPS;

    return gr_tests_eval(tests, &value, &steps) == GR_TRUE;
}
