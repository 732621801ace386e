/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes a set is for. The place of a node in the percentage is fixed by the two names alone,
 * and so the same on every node, in every release: the hash must never change.
 */
#include "rules/hookset.h"

#include "base/hash.h"
#include "rules/glob.h"

/* Node names have at most 253 bytes and patterns 1,024: this is never used up. */
#define NAME_STEPS (1U << 20)

static bool name_matches(const struct gr_test *test, struct gr_str name)
{
    uint64_t steps = NAME_STEPS;
    bool in = false;

    switch (test->kind) {
    case GR_TEST_EXACT:
        return gr_str_eq(name, test->text);
    case GR_TEST_GLOB:
        return gr_glob_match(test->text, name, &steps) == GR_TRUE;
    case GR_TEST_PREFIX:
        return gr_str_has_prefix(name, test->text);
    case GR_TEST_IN:
    case GR_TEST_NOT_IN:
        for (size_t i = 0; i < test->items_n && !in; i++)
            in = gr_str_eq(name, test->items[i].text);
        return in == (test->kind == GR_TEST_IN);
    case GR_TEST_EXISTS:
        return test->exists == (name.n > 0);
    case GR_TEST_IMAGE:
        break;
    }
    return false;
}

/* 0 to 99. The last bits of FNV alone are not even enough: they are mixed (MurmurHash3). */
static uint32_t percent_of(struct gr_str set, struct gr_str node)
{
    uint64_t hash = gr_hash_more(gr_hash(set), (struct gr_str){.p = "", .n = 1});

    hash = gr_hash_more(hash, node);
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
    bool named = !nodes->has_names;

    for (size_t i = 0; i < nodes->names_n && !named; i++)
        named = name_matches(&nodes->names[i], node_name);
    return named && (!nodes->has_percent || percent_of(set->name, node_name) < nodes->percent);
}
