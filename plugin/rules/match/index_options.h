/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/index_options: under which keys one test of a leaf could be listed.
 *
 * Layer: rules, not for others.
 */
#ifndef GR_RULES_INDEX_OPTIONS_H
#define GR_RULES_INDEX_OPTIONS_H

#include "rules/match/index_keys.h"

/* Grams of one text that are weighed against each other; those behind the last are not. */
#define GR_INDEX_GRAMS_MAX 48

/* A prefix, a suffix and grams; or as many exact texts as an expression has. */
#define GR_INDEX_OPTIONS_MAX (2 + GR_INDEX_GRAMS_MAX)

/* The text that a test is about. */
struct gr_index_spot {
    uint64_t slot;
    unsigned int place;
    enum gr_field field;
    bool is_entry; /* of a map: the slot alone is a key, too */
};

/*
 * One way to list a test: it cannot be true, unknown or an error unless the container has key, or
 * has also, or does not know the field.
 */
struct gr_index_option {
    enum gr_index_kind kind;
    uint64_t key;
    uint64_t also;         /* 0: none; rarely there, and so not counted as a cost */
    size_t length;         /* exact: of the text; prefix and suffix: as the bit in *_lengths */
    unsigned int rank;     /* less is more selective, for equal numbers of sets */
    unsigned int gram_bit; /* gram */
};

struct gr_index_options {
    struct gr_index_option items[GR_INDEX_OPTIONS_MAX];
    size_t n;        /* 0: the test can be true without any of them */
    bool all_needed; /* the container may have any one of them, so all must be listed */
};

/* test is not of the kinds in and notIn. */
void gr_index_options(const struct gr_index_spot *spot, const struct gr_test *test,
                      struct gr_index_options *out_options);

#endif
