/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes a set is for. The place of a node in the percentage is fixed by the two names alone,
 * and so the same on every node, in every release: the hash must never change.
 */
#include "rules/hookset.h"

#include "base/hash.h"
#include "rules/match/test.h"

/* The last bits of FNV alone are not even enough: they are mixed (MurmurHash3). */
uint32_t gr_hookset_node_place(const struct gr_hookset *set, struct gr_str node_name)
{
    uint64_t hash = gr_hash_more(gr_hash(set->name), (struct gr_str){.p = "", .n = 1});

    hash = gr_hash_more(hash, node_name);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    hash ^= hash >> 33;
    return (uint32_t)(hash % 100);
}

bool gr_hookset_selects_node(const struct gr_hookset *set, struct gr_str node_name)
{
    const struct gr_nodes *nodes = &set->nodes;
    bool named = !nodes->has_names || gr_tests_hold(nodes->names, node_name);

    return named && (!nodes->has_percent || gr_hookset_node_place(set, node_name) < nodes->percent);
}
