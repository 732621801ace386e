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
#include "rules/index.h"

#include <errno.h>

#include "rules/index_options.h"

/* The cost of what cannot be listed under a key. */
#define NEVER UINT64_MAX

/* One more set under a key costs more than any difference in rank. */
#define COST_OF_SHARING 64

/* In place of a set: the key is only mentioned. */
#define NO_SET UINT32_MAX

struct counter {
    uint64_t key; /* 0: free */
    uint64_t n;
};

struct pair {
    uint64_t key;
    uint32_t set;
};

struct builder {
    struct gr_index *index;
    struct counter *counters; /* open addressing */
    size_t counters_n;
    size_t counters_room; /* a power of two, or 0 */
    struct pair *pairs;
    size_t pairs_n;
    size_t pairs_room;
    uint32_t *always;
    size_t always_n;
    uint32_t fields; /* bits: what the set at hand is listed by */
    int broken;      /* 0 or -ENOMEM */
};

static struct counter *find_counter(struct counter *counters, size_t room, uint64_t key)
{
    size_t at = key & (room - 1);

    while (counters[at].key && counters[at].key != key)
        at = (at + 1) & (room - 1);
    return &counters[at];
}

static void grow_counters(struct builder *b)
{
    size_t room = b->counters_room ? b->counters_room * 2 : 256;
    struct counter *grown = calloc(room, sizeof(*grown));

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

static void count_key(struct builder *b, uint64_t key)
{
    struct counter *counter;

    if (b->counters_n * 2 >= b->counters_room)
        grow_counters(b);
    if (b->broken)
        return;
    counter = find_counter(b->counters, b->counters_room, key);
    b->counters_n += counter->key == 0;
    counter->key = key;
    counter->n++;
}

static void add_pair(struct builder *b, uint64_t key, uint32_t set)
{
    if (b->pairs_n == b->pairs_room) {
        size_t room = b->pairs_room ? b->pairs_room * 2 : 256;
        struct pair *grown = NULL;
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
    b->pairs[b->pairs_n++] = (struct pair){.key = key, .set = set};
}

/* Calls fn for each test of a leaf, the items of an "in" one by one. */
typedef void test_fn(struct builder *b, const struct gr_cond *leaf, const struct gr_test *test,
                     void *user);

static void each_test(struct builder *b, const struct gr_cond *leaf, test_fn *fn, void *user)
{
    for (size_t i = 0; i < leaf->tests.n; i++) {
        const struct gr_test *test = &leaf->tests.items[i];

        if (test->kind != GR_TEST_IN)
            fn(b, leaf, test, user);
        for (size_t j = 0; j < test->items_n && test->kind == GR_TEST_IN; j++)
            fn(b, leaf, &test->items[j], user);
    }
}

/* Pass 1 and the mentioned keys of pass 2: every leaf of a tree. */
static void each_leaf(struct builder *b, const struct gr_cond *cond,
                      void (*fn)(struct builder *b, const struct gr_cond *leaf))
{
    if (cond->kind == GR_COND_LEAF)
        fn(b, cond);
    for (size_t i = 0; i < cond->children_n; i++)
        each_leaf(b, &cond->children[i], fn);
}

static void count_test(struct builder *b, const struct gr_cond *leaf, const struct gr_test *test,
                       void *user)
{
    struct gr_index_option options[GR_INDEX_OPTIONS_MAX];
    size_t n = gr_index_options(leaf, test, options);

    (void)user;
    for (size_t i = 0; i < n && !b->broken; i++)
        count_key(b, options[i].key);
}

static void count_leaf(struct builder *b, const struct gr_cond *leaf)
{
    each_test(b, leaf, count_test, NULL);
}

static void mention_leaf(struct builder *b, const struct gr_cond *leaf)
{
    struct gr_index_field *field = &b->index->fields[leaf->field];

    field->mentioned = true;
    if (!gr_field_is_map(leaf->field))
        return;
    field->key_lengths |= UINT64_C(1) << (leaf->key.n % 64);
    add_pair(b, gr_index_entry_slot(gr_hash(leaf->key), leaf->field), NO_SET);
}

static uint64_t cost_of_option(const struct builder *b, const struct gr_index_option *option)
{
    return find_counter(b->counters, b->counters_room, option->key)->n * COST_OF_SHARING +
           option->rank;
}

/* The cheapest option of a test into *out; NEVER when there is none. */
static uint64_t best_option(const struct builder *b, const struct gr_cond *leaf,
                            const struct gr_test *test, struct gr_index_option *out)
{
    struct gr_index_option options[GR_INDEX_OPTIONS_MAX];
    size_t n = gr_index_options(leaf, test, options);
    uint64_t best = NEVER;

    for (size_t i = 0; i < n; i++) {
        uint64_t cost = cost_of_option(b, &options[i]);

        if (cost >= best)
            continue;
        best = cost;
        *out = options[i];
    }
    return best;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t total;

    return gr_add_overflows(a, b, &total) ? NEVER : total;
}

static void cost_test(struct builder *b, const struct gr_cond *leaf, const struct gr_test *test,
                      void *user)
{
    struct gr_index_option option;
    uint64_t *total = user;

    *total = sum(*total, best_option(b, leaf, test, &option));
}

/* What listing a set by this tree costs; 0: it is always false; NEVER: no key rules it out. */
static uint64_t cost_of(struct builder *b, const struct gr_cond *cond)
{
    uint64_t total = 0;

    switch (cond->kind) {
    case GR_COND_ALWAYS:
        return cond->always ? NEVER : 0;
    case GR_COND_NOT:
    case GR_COND_UNREADABLE:
        return NEVER;
    case GR_COND_LEAF:
        each_test(b, cond, cost_test, &total);
        return total;
    case GR_COND_ANY:
        for (size_t i = 0; i < cond->children_n && total != NEVER; i++)
            total = sum(total, cost_of(b, &cond->children[i]));
        return total;
    case GR_COND_ALL:
        total = NEVER;
        for (size_t i = 0; i < cond->children_n; i++)
            total = GR_MIN(total, cost_of(b, &cond->children[i]));
        return total;
    }
    return NEVER;
}

static void list_test(struct builder *b, const struct gr_cond *leaf, const struct gr_test *test,
                      void *user)
{
    struct gr_index_field *field = &b->index->fields[leaf->field];
    const uint32_t *set = user;
    struct gr_index_option option;

    if (best_option(b, leaf, test, &option) == NEVER)
        return;
    if (option.kind == GR_INDEX_EXACT)
        field->exact_max = GR_MAX(field->exact_max, option.length + 1);
    else if (option.kind == GR_INDEX_PREFIX)
        field->prefix_lengths |= UINT64_C(1) << option.length;
    else if (option.kind == GR_INDEX_SUFFIX)
        field->suffix_lengths |= UINT64_C(1) << option.length;
    add_pair(b, option.key, *set);
    if (option.also)
        add_pair(b, option.also, *set);
}

/* Lists a set by a tree whose cost is not NEVER. */
static void list(struct builder *b, const struct gr_cond *cond, uint32_t set)
{
    const struct gr_cond *best = NULL;
    uint64_t least = NEVER;

    if (cond->kind == GR_COND_LEAF) {
        each_test(b, cond, list_test, &set);
        b->fields |= 1U << cond->field;
    }
    for (size_t i = 0; i < cond->children_n && !b->broken; i++) {
        uint64_t cost;

        if (cond->kind == GR_COND_ANY) {
            list(b, &cond->children[i], set);
            continue;
        }
        cost = cost_of(b, &cond->children[i]);
        if (cost < least) {
            least = cost;
            best = &cond->children[i];
        }
    }
    if (best)
        list(b, best, set);
}

static void list_set(struct builder *b, const struct gr_cond *match, uint32_t set)
{
    each_leaf(b, match, mention_leaf);
    if (b->broken)
        return;
    b->fields = 0;
    if (cost_of(b, match) == NEVER) {
        b->always[b->always_n++] = set;
        return;
    }
    list(b, match, set);
    for (size_t field = 0; field < GR_FIELD_COUNT; field++) {
        if (b->fields >> field & 1)
            add_pair(b, gr_index_unknown((enum gr_field)field), set);
    }
}

static int by_key_and_set(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->set > y->set) - (x->set < y->set);
}

/* The number of different keys and, in the end, of different pairs that name a set. */
static void measure(const struct builder *b, size_t *out_keys, size_t *out_sets)
{
    *out_keys = 0;
    *out_sets = 0;
    for (size_t i = 0; i < b->pairs_n; i++) {
        bool same_key = i > 0 && b->pairs[i].key == b->pairs[i - 1].key;

        *out_keys += !same_key;
        *out_sets +=
            b->pairs[i].set != NO_SET && !(same_key && b->pairs[i].set == b->pairs[i - 1].set);
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
static int lay_out(struct builder *b, struct gr_arena *arena)
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
    if (!index->entries || !postings || sets >= NO_SET)
        return -ENOMEM;
    index->mask = room - 1;
    index->postings = postings;
    for (size_t i = 0; i < b->pairs_n; i++) {
        const struct pair *pair = &b->pairs[i];
        bool same_key = i > 0 && pair->key == b->pairs[i - 1].key;

        if (!same_key) {
            entry = insert(index, pair->key);
            entry->first = n;
        }
        if (pair->set == NO_SET || (same_key && pair->set == b->pairs[i - 1].set))
            continue;
        postings[n++] = pair->set;
        entry->n++;
    }
    return 0;
}

static int build(struct builder *b, struct gr_arena *arena, const struct gr_hookset *const *sets,
                 size_t n)
{
    uint32_t *always;

    grow_counters(b);
    b->always = calloc(n ? n : 1, sizeof(*b->always));
    if (b->broken || !b->always)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!sets[i]->other_node)
            each_leaf(b, sets[i]->match, count_leaf);
    }
    for (size_t i = 0; i < n && !b->broken; i++) {
        if (!sets[i]->other_node)
            list_set(b, sets[i]->match, (uint32_t)i);
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
    struct builder b = {.index = gr_arena_alloc(arena, sizeof(*b.index))};
    int r;

    if (!b.index || sets_n >= NO_SET)
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
