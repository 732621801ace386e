/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under which keys a set is listed.
 *
 * A leaf offers one or more ways; one way is one list of tests about one or more texts, and takes a
 * key for each test of each text. Of an "all" the best child is listed, of an "any" all children,
 * since each of them may make it true; nothing under a "not". Recursion goes as deep as a match
 * tree (GR_YAML_DEPTH_MAX).
 */
#include "rules/match/index_builder.h"

/* The cost of what cannot be listed under a key. */
#define NEVER UINT64_MAX

/* One more set under a key costs more than any difference in rank. */
#define COST_OF_SHARING 64

/* More keys of anyAnnotation than this are not combined with their values. */
#define SPOTS_MAX 16

/* For anyAnnotation the value under each key; and the parts of an element. */
#define WAYS_MAX (GR_PARTS_MAX + 1)

struct way {
    struct gr_index_spot spots[SPOTS_MAX];
    size_t n;
    struct gr_tests tests;
};

/* ---- the tests of a leaf ---- */

/* Goes over tests, the items of an "in" one by one; at is {0, 0} at first. NULL at the end. */
struct at {
    size_t test, item;
};

static const struct gr_test *next_test(struct gr_tests tests, struct at *at)
{
    while (at->test < tests.n) {
        const struct gr_test *test = tests.items + at->test;

        if (test->kind == GR_TEST_IN && at->item < test->items_n)
            return test->items + at->item++;
        at->test++;
        at->item = 0;
        if (test->kind != GR_TEST_IN)
            return test;
    }
    return NULL;
}

/* ---- ways ---- */

static struct gr_index_spot spot_of(const struct gr_cond *leaf)
{
    bool is_map = gr_field_is_map(leaf->field);

    return (struct gr_index_spot){
        .slot = is_map ? gr_index_entry_slot(gr_hash(leaf->key), leaf->field)
                       : gr_index_text_slot(leaf->field),
        .place = leaf->field,
        .field = leaf->field,
        .is_entry = is_map,
    };
}

static unsigned int place_of_part(enum gr_field field, unsigned int part)
{
    return field == GR_FIELD_MOUNTS ? GR_INDEX_MOUNT_PLACE(part) : GR_INDEX_ENTRY_PLACE(part);
}

/* By one part of an element, whatever the others are. */
static size_t part_ways(enum gr_field field, const struct gr_pattern *pattern, struct way *ways)
{
    size_t n = 0;

    for (unsigned int part = 0; part < GR_PARTS_MAX; part++) {
        unsigned int place = place_of_part(field, part);

        if (pattern->parts[part].n == 0)
            continue;
        ways[n].spots[0] = (struct gr_index_spot){
            .slot = gr_index_text_slot(place), .place = place, .field = field};
        ways[n].n = 1;
        ways[n].tests = pattern->parts[part];
        n++;
    }
    return n;
}

/* By the value under each of a few exact keys. */
static bool entry_way(const struct gr_pattern *pattern, struct way *way)
{
    const struct gr_test *key;
    struct at at = {0};

    way->n = 0;
    way->tests = pattern->parts[GR_ENTRY_VALUE];
    while ((key = next_test(pattern->parts[GR_ENTRY_KEY], &at))) {
        if (key->kind != GR_TEST_EXACT || way->n == SPOTS_MAX)
            return false;
        way->spots[way->n++] = (struct gr_index_spot){
            .slot = gr_index_entry_slot(gr_hash(key->text), GR_FIELD_ANY_ANNOTATION),
            .place = GR_FIELD_ANY_ANNOTATION,
            .field = GR_FIELD_ANY_ANNOTATION,
            .is_entry = true,
        };
    }
    return way->n > 0 && way->tests.n > 0;
}

/* A leaf is any of its patterns, or, where its field has no parts, one list of tests. */
static size_t alternatives_of(const struct gr_cond *leaf)
{
    return gr_field_has_parts(leaf->field) ? leaf->patterns_n : 1;
}

static size_t ways_of(const struct gr_cond *leaf, size_t alternative, struct way ways[WAYS_MAX])
{
    size_t n;

    if (!gr_field_has_parts(leaf->field)) {
        ways[0].spots[0] = spot_of(leaf);
        ways[0].n = 1;
        ways[0].tests = leaf->tests;
        return 1;
    }
    n = leaf->field == GR_FIELD_ANY_ANNOTATION && entry_way(&leaf->patterns[alternative], ways);
    return n + part_ways(leaf->field, &leaf->patterns[alternative], ways + n);
}

/* ---- what they cost ---- */

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t total;

    return gr_add_overflows(a, b, &total) ? NEVER : total;
}

static uint64_t cost_of_option(const struct gr_index_builder *b,
                               const struct gr_index_option *option)
{
    return gr_index_count_of(b, option->key) * COST_OF_SHARING + option->rank;
}

/* The cheapest of b->options. There is one. */
static size_t best_option(const struct gr_index_builder *b)
{
    uint64_t least = NEVER;
    size_t best = 0;

    for (size_t i = 0; i < b->options.n; i++) {
        uint64_t cost = cost_of_option(b, &b->options.items[i]);

        if (cost >= least)
            continue;
        least = cost;
        best = i;
    }
    return best;
}

static uint64_t cost_of_test(struct gr_index_builder *b, const struct gr_index_spot *spot,
                             const struct gr_test *test)
{
    uint64_t total = 0;

    gr_index_options(spot, test, &b->options);
    if (b->options.n == 0)
        return NEVER;
    if (!b->options.all_needed)
        return cost_of_option(b, &b->options.items[best_option(b)]);
    for (size_t i = 0; i < b->options.n; i++)
        total = sum(total, cost_of_option(b, &b->options.items[i]));
    return total;
}

static uint64_t cost_of_way(struct gr_index_builder *b, const struct way *way)
{
    const struct gr_test *test;
    uint64_t total = 0;

    for (size_t i = 0; i < way->n; i++) {
        struct at at = {0};

        while (total != NEVER && (test = next_test(way->tests, &at)))
            total = sum(total, cost_of_test(b, &way->spots[i], test));
    }
    return total;
}

/* Finds the cheapest of several. NEVER: none will do. */
static uint64_t best_way(struct gr_index_builder *b, const struct way *ways, size_t n,
                         size_t *out_best)
{
    uint64_t least = NEVER;

    for (size_t i = 0; i < n; i++) {
        uint64_t cost = cost_of_way(b, &ways[i]);

        if (cost >= least)
            continue;
        least = cost;
        *out_best = i;
    }
    return least;
}

static uint64_t cost_of_leaf(struct gr_index_builder *b, const struct gr_cond *leaf)
{
    struct way ways[WAYS_MAX];
    uint64_t total = 0;
    size_t best;

    for (size_t i = 0; i < alternatives_of(leaf) && total != NEVER; i++)
        total = sum(total, best_way(b, ways, ways_of(leaf, i, ways), &best));
    return total;
}

/* What listing a set by this tree costs; 0: it is always false; NEVER: no key rules it out. */
static uint64_t cost_of(struct gr_index_builder *b, const struct gr_cond *cond)
{
    uint64_t total = 0;

    switch (cond->kind) {
    case GR_COND_ALWAYS:
        return cond->always ? NEVER : 0;
    case GR_COND_NOT:
    case GR_COND_UNREADABLE:
        return NEVER;
    case GR_COND_LEAF:
        return cost_of_leaf(b, cond);
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

/* ---- listing ---- */

static void list_option(struct gr_index_builder *b, const struct gr_index_spot *spot,
                        const struct gr_index_option *option, uint32_t set)
{
    struct gr_index_place *place = &b->index->places[spot->place];

    if (option->kind == GR_INDEX_EXACT)
        place->exact_max = GR_MAX(place->exact_max, option->length + 1);
    else if (option->kind == GR_INDEX_PREFIX)
        place->prefix_lengths |= UINT64_C(1) << option->length;
    else if (option->kind == GR_INDEX_SUFFIX)
        place->suffix_lengths |= UINT64_C(1) << option->length;
    else if (option->kind == GR_INDEX_GRAM)
        place->grams[option->gram_bit / 64] |= UINT64_C(1) << (option->gram_bit % 64);
    place->has_grams |= option->kind == GR_INDEX_GRAM;
    place->has_bad_text |= option->also != 0 && option->kind != GR_INDEX_TAG;
    gr_index_add_pair(b, option->key, set);
    if (option->also)
        gr_index_add_pair(b, option->also, set);
}

static void list_way(struct gr_index_builder *b, const struct way *way, uint32_t set)
{
    const struct gr_test *test;

    for (size_t i = 0; i < way->n && !b->broken; i++) {
        const struct gr_index_spot *spot = &way->spots[i];
        struct at at = {0};

        while ((test = next_test(way->tests, &at))) {
            size_t n;

            gr_index_options(spot, test, &b->options);
            n = b->options.all_needed ? b->options.n : 1;
            for (size_t j = b->options.all_needed ? 0 : best_option(b); n > 0; n--, j++)
                list_option(b, spot, &b->options.items[j], set);
        }
    }
}

static void list_leaf(struct gr_index_builder *b, const struct gr_cond *leaf, uint32_t set)
{
    struct way ways[WAYS_MAX];
    size_t best = 0;

    b->fields |= 1U << leaf->field;
    for (size_t i = 0; i < alternatives_of(leaf); i++) {
        if (best_way(b, ways, ways_of(leaf, i, ways), &best) != NEVER)
            list_way(b, &ways[best], set);
    }
}

/* Lists a set by a tree whose cost is not NEVER. */
static void list(struct gr_index_builder *b, const struct gr_cond *cond, uint32_t set)
{
    const struct gr_cond *best = NULL;
    uint64_t least = NEVER;

    if (cond->kind == GR_COND_LEAF)
        list_leaf(b, cond, set);
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

/* ---- every leaf of a tree ---- */

typedef void leaf_fn(struct gr_index_builder *b, const struct gr_cond *leaf);

static void each_leaf(struct gr_index_builder *b, const struct gr_cond *cond, leaf_fn *fn)
{
    if (cond->kind == GR_COND_LEAF)
        fn(b, cond);
    for (size_t i = 0; i < cond->children_n && !b->broken; i++)
        each_leaf(b, &cond->children[i], fn);
}

static void count_way(struct gr_index_builder *b, const struct way *way)
{
    const struct gr_test *test;

    for (size_t i = 0; i < way->n; i++) {
        struct at at = {0};

        while (!b->broken && (test = next_test(way->tests, &at))) {
            gr_index_options(&way->spots[i], test, &b->options);
            for (size_t j = 0; j < b->options.n && !b->broken; j++)
                gr_index_count_key(b, b->options.items[j].key);
        }
    }
}

static void count_leaf(struct gr_index_builder *b, const struct gr_cond *leaf)
{
    struct way ways[WAYS_MAX];

    for (size_t i = 0; i < alternatives_of(leaf); i++) {
        size_t n = ways_of(leaf, i, ways);

        for (size_t j = 0; j < n; j++)
            count_way(b, &ways[j]);
    }
}

/*
 * Which annotations a pattern may hold for must be told by a key or a value alone, so that the
 * others need not be looked at. Entries that may hide another one need not be kept: evaluation
 * looks for them in the whole maps.
 */
static void mention_pattern(struct gr_index_builder *b, const struct gr_pattern *pattern)
{
    struct way ways[WAYS_MAX];
    size_t n = part_ways(GR_FIELD_ANY_ANNOTATION, pattern, ways);
    struct way combined;
    size_t best = 0;

    if (best_way(b, ways, n, &best) == NEVER)
        b->index->places[GR_FIELD_ANY_ANNOTATION].keep_all = true;
    else
        list_way(b, &ways[best], GR_INDEX_NO_SET);
    if (!entry_way(pattern, &combined))
        return;
    for (size_t i = 0; i < combined.n; i++)
        gr_index_add_pair(b, combined.spots[i].slot, GR_INDEX_NO_SET);
}

static void mention_leaf(struct gr_index_builder *b, const struct gr_cond *leaf)
{
    struct gr_index_place *place = &b->index->places[leaf->field];

    place->mentioned = true;
    if (leaf->field == GR_FIELD_ANY_ANNOTATION) {
        for (size_t i = 0; i < leaf->patterns_n; i++)
            mention_pattern(b, &leaf->patterns[i]);
    }
    if (!gr_field_is_map(leaf->field))
        return;
    place->key_lengths |= UINT64_C(1) << (leaf->key.n % 64);
    gr_index_add_pair(b, gr_index_entry_slot(gr_hash(leaf->key), leaf->field), GR_INDEX_NO_SET);
}

void gr_index_count_set(struct gr_index_builder *b, const struct gr_cond *match)
{
    each_leaf(b, match, count_leaf);
}

void gr_index_list_set(struct gr_index_builder *b, const struct gr_cond *match, uint32_t set)
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
            gr_index_add_pair(b, gr_index_unknown((enum gr_field)field), set);
    }
}
