/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule set: an array of pointers to its sets in their total order, and the index, whose bits
 * are positions in that array.
 */
#include "rules/match/ruleset.h"

#include <errno.h>
#include <stdatomic.h>

#include "rules/match/index.h"
#include "rules/limits.h"
#include "rules/match/match.h"

/* Distance up to which a name is a slip of another, where at least half of it is right. */
#define SLIP_MAX 3

struct gr_ruleset {
    struct gr_arena arena;
    atomic_size_t refs;
    const struct gr_hookset **sets;
    const struct gr_hookset **by_name;
    size_t n;
    uint32_t fields; /* that the sets look at */
    bool adjusts;
    struct gr_policies policies;
    const struct gr_index *index;
};

int gr_hookset_cmp(const struct gr_hookset *a, const struct gr_hookset *b)
{
    int order;

    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    order = gr_str_cmp(a->file_name, b->file_name);
    if (order == 0)
        order = gr_str_cmp(a->file, b->file);
    if (order == 0)
        order = (a->document > b->document) - (a->document < b->document);
    return order;
}

static int by_order(const void *a, const void *b)
{
    return gr_hookset_cmp(*(const struct gr_hookset *const *)a,
                          *(const struct gr_hookset *const *)b);
}

static int by_name(const void *a, const void *b)
{
    const struct gr_hookset *x = *(const struct gr_hookset *const *)a;
    const struct gr_hookset *y = *(const struct gr_hookset *const *)b;
    int order = gr_str_cmp(x->name, y->name);

    return order ? order : gr_hookset_cmp(x, y);
}

/* sets is sorted by name here. */
static int check_names(const struct gr_hookset **sets, size_t n, struct gr_err *err)
{
    qsort(sets, n, sizeof(*sets), by_name);
    for (size_t i = 1; i < n; i++) {
        if (!gr_str_eq(sets[i - 1]->name, sets[i]->name))
            continue;
        gr_err_at(err, sets[i]->file.p, sets[i]->line, 1);
        return gr_fail(err, -EEXIST, "duplicate-name",
                       "two HookSets have the name \"%.*s\"; the other is at %.*s:%u; rename one",
                       GR_STR_FMT(sets[i]->name), GR_STR_FMT(sets[i - 1]->file), sets[i - 1]->line);
    }
    return 0;
}

/* Depth: as gr_cond_eval. */
static uint32_t fields_of(const struct gr_cond *cond)
{
    uint32_t fields = cond->kind == GR_COND_LEAF ? 1U << cond->field : 0;

    for (size_t i = 0; i < cond->children_n; i++)
        fields |= fields_of(&cond->children[i]);
    return fields;
}

/* Fills sets and by_name, in any order. */
static int list(struct gr_ruleset *ruleset, const struct gr_sets *parts, size_t parts_n)
{
    size_t n = 0;

    for (size_t i = 0; i < parts_n; i++)
        ruleset->n += parts[i].n;
    ruleset->sets = gr_arena_array(&ruleset->arena, ruleset->n, sizeof(struct gr_hookset *));
    ruleset->by_name = gr_arena_array(&ruleset->arena, ruleset->n, sizeof(struct gr_hookset *));
    if (!ruleset->sets || !ruleset->by_name)
        return -ENOMEM;
    for (size_t i = 0; i < parts_n; i++) {
        for (size_t k = 0; k < parts[i].n; k++)
            ruleset->by_name[n++] = &parts[i].items[k];
    }
    return 0;
}

static int build(struct gr_ruleset *ruleset, struct gr_err *err)
{
    int r = check_names(ruleset->by_name, ruleset->n, err);

    if (r)
        return r;
    for (size_t i = 0; i < ruleset->n; i++) {
        ruleset->sets[i] = ruleset->by_name[i];
        ruleset->fields |= fields_of(ruleset->sets[i]->match);
        ruleset->adjusts |= ruleset->sets[i]->adjust_n > 0;
    }
    qsort(ruleset->sets, ruleset->n, sizeof(*ruleset->sets), by_order);
    return gr_index_build(&ruleset->arena, ruleset->sets, ruleset->n, &ruleset->index);
}

int gr_ruleset_new_of(struct gr_arena *arena, const struct gr_sets *parts, size_t parts_n,
                      const struct gr_policies *policies, struct gr_ruleset **out_ruleset,
                      struct gr_err *err)
{
    struct gr_ruleset *ruleset = calloc(1, sizeof(*ruleset));
    int r;

    if (!ruleset) {
        gr_arena_fini(arena);
        return -ENOMEM;
    }
    atomic_init(&ruleset->refs, 1);
    ruleset->arena = *arena;
    gr_arena_init(arena, arena->block_bytes, arena->limit_bytes);
    if (policies)
        ruleset->policies = *policies;
    r = list(ruleset, parts, parts_n);
    if (r == 0)
        r = build(ruleset, err);
    if (r) {
        gr_ruleset_unref(ruleset);
        return r;
    }
    *out_ruleset = ruleset;
    return 0;
}

int gr_ruleset_new(struct gr_arena *arena, const struct gr_hookset *sets, size_t sets_n,
                   const struct gr_policies *policies, struct gr_ruleset **out_ruleset,
                   struct gr_err *err)
{
    const struct gr_sets all = {.items = sets, .n = sets_n};

    return gr_ruleset_new_of(arena, &all, 1, policies, out_ruleset, err);
}

struct gr_ruleset *gr_ruleset_ref(struct gr_ruleset *ruleset)
{
    (void)atomic_fetch_add(&ruleset->refs, 1);
    return ruleset;
}

void gr_ruleset_unref(struct gr_ruleset *ruleset)
{
    if (!ruleset || atomic_fetch_sub(&ruleset->refs, 1) > 1)
        return;
    gr_arena_fini(&ruleset->arena);
    free(ruleset);
}

size_t gr_ruleset_count(const struct gr_ruleset *ruleset)
{
    return ruleset->n;
}

const struct gr_hookset *gr_ruleset_at(const struct gr_ruleset *ruleset, size_t i)
{
    return ruleset->sets[i];
}

static int name_against(const void *name, const void *set)
{
    return gr_str_cmp(*(const struct gr_str *)name, (*(const struct gr_hookset *const *)set)->name);
}

const struct gr_hookset *gr_ruleset_find(const struct gr_ruleset *ruleset, struct gr_str name)
{
    const struct gr_hookset *const *found = NULL;

    if (ruleset->n > 0)
        found = bsearch(&name, ruleset->by_name, ruleset->n, sizeof(*found), name_against);
    return found ? *found : NULL;
}

struct gr_str gr_ruleset_nearest(const struct gr_ruleset *ruleset, struct gr_str name)
{
    struct gr_str nearest = GR_STR_NONE;
    size_t best = GR_MIN(SLIP_MAX + 1, GR_MIN((name.n + 1) / 2 + 1, name.n));

    for (size_t i = 0; i < ruleset->n; i++) {
        struct gr_str known = ruleset->sets[i]->name;
        size_t distance = gr_str_distance(name, known, best);

        if (distance < best) {
            best = distance;
            nearest = known;
        }
    }
    return nearest;
}

const struct gr_policies *gr_ruleset_policies(const struct gr_ruleset *ruleset)
{
    return &ruleset->policies;
}

uint32_t gr_ruleset_fields(const struct gr_ruleset *ruleset)
{
    return ruleset->fields;
}

bool gr_ruleset_adjusts(const struct gr_ruleset *ruleset)
{
    return ruleset->adjusts;
}

/* Evaluates one set, with no more than a share of the steps, and keeps it unless it is false. */
static void evaluate(const struct gr_hookset *set, const struct gr_subject *subject, uint64_t share,
                     uint64_t *steps, struct gr_match *matches, size_t *n)
{
    const uint64_t given = GR_MIN(share, *steps);
    uint64_t left = given;
    enum gr_truth truth;

    if (set->other_node)
        return;
    truth = gr_cond_eval(set->match, subject, &left);
    *steps -= given - left;
    if (truth != GR_FALSE)
        matches[(*n)++] = (struct gr_match){.set = set, .truth = truth};
}

/*
 * Evaluates again, with all that is left, the sets that were not completed, those that are only
 * tried last: one costly expression, which a pod drives to its worst, must take no other set out
 * of force.
 */
static void complete(const struct gr_subject *subject, uint64_t *steps, struct gr_match *matches,
                     size_t *n)
{
    static const enum gr_mode modes[] = {GR_MODE_ENFORCE, GR_MODE_OBSERVE};
    size_t kept = 0;

    for (size_t k = 0; k < GR_ARRAY_LEN(modes); k++) {
        for (size_t i = 0; i<*n && * steps> 0; i++) {
            if (matches[i].truth == GR_ERROR && matches[i].set->mode == modes[k])
                matches[i].truth = gr_cond_eval(matches[i].set->match, subject, steps);
        }
    }
    for (size_t i = 0; i < *n; i++) {
        if (matches[i].truth != GR_FALSE)
            matches[kept++] = matches[i];
    }
    *n = kept;
}

int gr_ruleset_match_steps(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
                           struct gr_arena *arena, uint64_t *steps,
                           const struct gr_match **out_matches, size_t *out_n)
{
    const uint64_t share = *steps / GR_MATCH_SHARES;
    struct gr_candidates candidates;
    struct gr_match *matches;
    size_t n = 0;
    int r;

    r = gr_index_find(ruleset->index, subject, arena, &candidates);
    if (r)
        return r;
    matches = gr_arena_array(arena, gr_candidates_count(&candidates), sizeof(*matches));
    if (!matches)
        return -ENOMEM;
    for (size_t word = 0; word < candidates.words_n; word++) {
        for (uint64_t bits = candidates.words[word]; bits; bits &= bits - 1) {
            size_t i = word * 64 + (size_t)__builtin_ctzll(bits);

            evaluate(ruleset->sets[i], &candidates.subject, share, steps, matches, &n);
        }
    }
    complete(&candidates.subject, steps, matches, &n);
    *out_matches = matches;
    *out_n = n;
    return 0;
}

int gr_ruleset_match_naive_steps(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
                                 struct gr_arena *arena, uint64_t *steps,
                                 const struct gr_match **out_matches, size_t *out_n)
{
    struct gr_match *matches = gr_arena_array(arena, ruleset->n, sizeof(*matches));
    const uint64_t share = *steps / GR_MATCH_SHARES;
    size_t n = 0;

    if (!matches)
        return -ENOMEM;
    for (size_t i = 0; i < ruleset->n; i++)
        evaluate(ruleset->sets[i], subject, share, steps, matches, &n);
    complete(subject, steps, matches, &n);
    *out_matches = matches;
    *out_n = n;
    return 0;
}

int gr_ruleset_candidates(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
                          struct gr_arena *arena, size_t *out_n)
{
    struct gr_candidates candidates;
    int r = gr_index_find(ruleset->index, subject, arena, &candidates);

    if (r == 0)
        *out_n = gr_candidates_count(&candidates);
    return r;
}

int gr_ruleset_match(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
                     struct gr_arena *arena, const struct gr_match **out_matches, size_t *out_n)
{
    uint64_t steps = GR_MATCH_STEPS_MAX;

    return gr_ruleset_match_steps(ruleset, subject, arena, &steps, out_matches, out_n);
}
