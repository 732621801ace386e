/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/test: one form of a value against what is there.
 *
 * Layer: rules. The leaves of a match, the names of nodes and the lists of a policy all compare
 * this way. Spec: specs/matching.md, "Leaves".
 */
#ifndef GR_RULES_TEST_H
#define GR_RULES_TEST_H

#include "rules/hookset.h"

/* What is looked at. */
struct gr_value {
    bool present;         /* false: the key is absent; only notIn and exists: false hold */
    bool empty_is_absent; /* for exists: the value is always there in a way */
    struct gr_str text;
    const struct gr_image *image; /* for image tests */
};

/* True or false; unknown for images only; error when *steps ran out. Everything is borrowed. */
enum gr_truth gr_test_eval(const struct gr_test *test, const struct gr_value *value,
                           uint64_t *steps);

/* Any of them. */
enum gr_truth gr_tests_eval(struct gr_tests tests, const struct gr_value *value, uint64_t *steps);

/*
 * Any of them for any element of a list; notIn and exists ask about the whole list: none of its
 * elements is listed, it has an element.
 */
enum gr_truth gr_tests_eval_list(struct gr_tests tests, struct gr_strs list, uint64_t *steps);

/* Any of them holds for a text that is there (if empty); an error counts as no. For lists that the
 * owner of the node wrote, against short names. */
bool gr_tests_hold(struct gr_tests tests, struct gr_str text);

#endif
