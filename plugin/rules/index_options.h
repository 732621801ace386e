/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/index_options: under which keys one test of a leaf could be listed.
 *
 * Layer: rules, not for others.
 */
#ifndef GR_RULES_INDEX_OPTIONS_H
#define GR_RULES_INDEX_OPTIONS_H

#include "rules/index_keys.h"

#define GR_INDEX_OPTIONS_MAX 3

/*
 * One way to list a test: it cannot be true or unknown unless the container has key, or has also,
 * or does not know the field.
 */
struct gr_index_option {
    enum gr_index_kind kind;
    uint64_t key;
    uint64_t also;     /* 0: none; rarely there, and so not counted as a cost */
    size_t length;     /* exact: of the text; prefix and suffix: as the bit in *_lengths */
    unsigned int rank; /* less is more selective, for equal numbers of sets */
};

/*
 * Returns how many there are; 0: the test can be true without any of them. test is not of the kinds
 * in and notIn.
 */
size_t gr_index_options(const struct gr_cond *leaf, const struct gr_test *test,
                        struct gr_index_option options[GR_INDEX_OPTIONS_MAX]);

#endif
