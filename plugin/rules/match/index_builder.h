/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/index_builder: what the parts of building the index share.
 *
 * Layer: rules, not for others. index_build.c counts, sorts and lays out; index_choose.c says under
 * which keys a set is listed.
 */
#ifndef GR_RULES_INDEX_BUILDER_H
#define GR_RULES_INDEX_BUILDER_H

#include "rules/match/index_options.h"

/* In place of a set: the key is only mentioned. */
#define GR_INDEX_NO_SET UINT32_MAX

struct gr_index_counter {
    uint64_t key; /* 0: free */
    uint64_t n;
};

struct gr_index_pair {
    uint64_t key;
    uint32_t set;
};

struct gr_index_builder {
    struct gr_index *index;
    struct gr_index_counter *counters; /* open addressing */
    size_t counters_n;
    size_t counters_room; /* a power of two, or 0 */
    struct gr_index_pair *pairs;
    size_t pairs_n;
    size_t pairs_room;
    uint32_t *always;
    size_t always_n;
    uint32_t fields;                 /* bits: what the set at hand is listed by */
    struct gr_index_options options; /* of the test at hand */
    int broken;                      /* 0 or -ENOMEM */
};

/* index_build.c */
void gr_index_count_key(struct gr_index_builder *b, uint64_t key);
uint64_t gr_index_count_of(const struct gr_index_builder *b, uint64_t key);
void gr_index_add_pair(struct gr_index_builder *b, uint64_t key, uint32_t set);

/* index_choose.c: counts every key that the set could be listed under. */
void gr_index_count_set(struct gr_index_builder *b, const struct gr_cond *match);

/* Lists the set under the keys that are shared least, or as one that no key rules out; and notes
 * what its leaves look at. */
void gr_index_list_set(struct gr_index_builder *b, const struct gr_cond *match, uint32_t set);

#endif
