/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building the index, in three passes over the sets:
 *
 *  1. count how often each possible key occurs in all sets;
 *  2. choose for each set the keys that are shared least: of an "all" the best child, of an "any"
 *     all children, since each of them may make it true; and note the keys that leaves mention;
 *  3. sort what was chosen and lay it out as the table.
 *
 * Recursion goes as deep as a match tree (GR_YAML_DEPTH_MAX). What is only needed while building
 * comes from malloc and is given back.
 */
#include "rules/match/index.h"

#include <errno.h>

#include "rules/match/index_builder.h"

static struct gr_index_counter *find_counter(struct gr_index_counter *counters, size_t room,
                                             uint64_t key)
{
    size_t at = key & (room - 1);

    while (counters[at].key && counters[at].key != key)
        at = (at + 1) & (room - 1);
    return &counters[at];
}

static void grow_counters(struct gr_index_builder *b)
{
    size_t room = b->counters_room ? b->counters_room * 2 : 256;
    struct gr_index_counter *grown = calloc(room, sizeof(*grown));

    if (!grown) {
        b->broken = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < b->counters_room; i++) {
        if (b->counters[i].key)
            *find_counter(grown, room, b->counters[i].key) = b->counters[i];
    }
    free(b->counters);
    b->counters = grown;
    b->counters_room = room;
}

void gr_index_count_key(struct gr_index_builder *b, uint64_t key)
{
    struct gr_index_counter *counter;

    if (b->counters_n * 2 >= b->counters_room)
        grow_counters(b);
    if (b->broken)
        return;
    counter = find_counter(b->counters, b->counters_room, key);
    b->counters_n += counter->key == 0;
    counter->key = key;
    counter->n++;
}

uint64_t gr_index_count_of(const struct gr_index_builder *b, uint64_t key)
{
    return find_counter(b->counters, b->counters_room, key)->n;
}

void gr_index_add_pair(struct gr_index_builder *b, uint64_t key, uint32_t set)
{
    if (b->pairs_n == b->pairs_room) {
        size_t room = b->pairs_room ? b->pairs_room * 2 : 256;
        struct gr_index_pair *grown = NULL;
        size_t bytes;

        if (!gr_mul_overflows(room, sizeof(*grown), &bytes))
            grown = realloc(b->pairs, bytes);
        if (!grown) {
            b->broken = -ENOMEM;
            return;
        }
        b->pairs = grown;
        b->pairs_room = room;
    }
    b->pairs[b->pairs_n++] = (struct gr_index_pair){.key = key, .set = set};
}

static int by_key_and_set(const void *a, const void *b)
{
    const struct gr_index_pair *x = a;
    const struct gr_index_pair *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->set > y->set) - (x->set < y->set);
}

/* The number of different keys and, in the end, of different pairs that name a set. */
static void measure(const struct gr_index_builder *b, size_t *out_keys, size_t *out_sets)
{
    *out_keys = 0;
    *out_sets = 0;
    for (size_t i = 0; i < b->pairs_n; i++) {
        bool same_key = i > 0 && b->pairs[i].key == b->pairs[i - 1].key;

        *out_keys += !same_key;
        *out_sets += b->pairs[i].set != GR_INDEX_NO_SET &&
                     !(same_key && b->pairs[i].set == b->pairs[i - 1].set);
    }
}

static struct gr_index_entry *insert(struct gr_index *index, uint64_t key)
{
    size_t at = key & index->mask;

    while (index->entries[at].hash)
        at = (at + 1) & index->mask;
    index->entries[at].hash = key;
    return &index->entries[at];
}

/* Pass 3. The pairs are sorted by key, and so the sets of one key lie side by side. */
static int lay_out(struct gr_index_builder *b, struct gr_arena *arena)
{
    struct gr_index *index = b->index;
    struct gr_index_entry *entry = NULL;
    uint32_t *postings;
    size_t room = 2;
    size_t keys;
    size_t sets;
    uint32_t n = 0;

    if (b->pairs_n)
        qsort(b->pairs, b->pairs_n, sizeof(*b->pairs), by_key_and_set);
    measure(b, &keys, &sets);
    while (room < keys + keys / 2 + 1)
        room *= 2;
    index->entries = gr_arena_array(arena, room, sizeof(*index->entries));
    postings = gr_arena_array(arena, sets, sizeof(*postings));
    if (!index->entries || !postings || sets >= GR_INDEX_NO_SET)
        return -ENOMEM;
    index->mask = room - 1;
    index->postings = postings;
    for (size_t i = 0; i < b->pairs_n; i++) {
        const struct gr_index_pair *pair = &b->pairs[i];
        bool same_key = i > 0 && pair->key == b->pairs[i - 1].key;

        if (!same_key) {
            entry = insert(index, pair->key);
            entry->first = n;
        }
        if (pair->set == GR_INDEX_NO_SET || (same_key && pair->set == b->pairs[i - 1].set))
            continue;
        postings[n++] = pair->set;
        entry->n++;
    }
    return 0;
}

static int build(struct gr_index_builder *b, struct gr_arena *arena,
                 const struct gr_hookset *const *sets, size_t n)
{
    uint32_t *always;

    grow_counters(b);
    b->always = calloc(n ? n : 1, sizeof(*b->always));
    if (b->broken || !b->always)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!sets[i]->other_node)
            gr_index_count_set(b, sets[i]->match);
    }
    for (size_t i = 0; i < n && !b->broken; i++) {
        if (!sets[i]->other_node)
            gr_index_list_set(b, sets[i]->match, (uint32_t)i);
    }
    always = gr_arena_array(arena, b->always_n, sizeof(*always));
    if (b->broken || !always)
        return -ENOMEM;
    if (b->always_n)
        memcpy(always, b->always, b->always_n * sizeof(*always));
    b->index->always = always;
    b->index->always_n = b->always_n;
    return lay_out(b, arena);
}

int gr_index_build(struct gr_arena *arena, const struct gr_hookset *const *sets, size_t sets_n,
                   const struct gr_index **out_index)
{
    struct gr_index_builder b = {.index = gr_arena_alloc(arena, sizeof(*b.index))};
    int r;

    if (!b.index || sets_n >= GR_INDEX_NO_SET)
        return -ENOMEM;
    b.index->sets_n = sets_n;
    r = build(&b, arena, sets, sets_n);
    free(b.counters);
    free(b.pairs);
    free(b.always);
    if (r == 0)
        *out_index = b.index;
    return r;
}
