/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which conditions of which sets the cases of a suite have seen true, and which false. Recursion
 * goes as deep as a match tree, which the reader bounds.
 */
#include <errno.h>

#include "app/cli/test/parts.h"

struct leaf {
    const struct gr_hookset *set;
    const struct gr_cond *cond;
    bool was_true, was_false;
};

struct gr_test_seen {
    const struct gr_ruleset *ruleset;
    bool *matched; /* per set of the rule set */
    struct leaf *leaves;
    size_t leaves_n;
};

/* Sets of other nodes are no part of what is tested. */
static bool counts(const struct gr_hookset *set)
{
    return !set->other_node;
}

static size_t count_leaves(const struct gr_cond *cond)
{
    size_t n = cond->kind == GR_COND_LEAF;

    for (size_t i = 0; i < cond->children_n; i++)
        n += count_leaves(&cond->children[i]);
    return n;
}

static void collect(struct gr_test_seen *seen, const struct gr_hookset *set,
                    const struct gr_cond *cond)
{
    if (cond->kind == GR_COND_LEAF)
        seen->leaves[seen->leaves_n++] = (struct leaf){.set = set, .cond = cond};
    for (size_t i = 0; i < cond->children_n; i++)
        collect(seen, set, &cond->children[i]);
}

int gr_test_seen_new(struct gr_arena *arena, const struct gr_ruleset *ruleset,
                     struct gr_test_seen **out_seen)
{
    struct gr_test_seen *seen = gr_arena_alloc(arena, sizeof(*seen));
    size_t sets = gr_ruleset_count(ruleset), n = 0;

    if (!seen)
        return -ENOMEM;
    for (size_t i = 0; i < sets; i++)
        n += count_leaves(gr_ruleset_at(ruleset, i)->match);
    seen->ruleset = ruleset;
    seen->matched = gr_arena_array(arena, sets, sizeof(*seen->matched));
    seen->leaves = gr_arena_array(arena, n, sizeof(*seen->leaves));
    if (!seen->matched || !seen->leaves)
        return -ENOMEM;
    for (size_t i = 0; i < sets; i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);

        if (counts(set))
            collect(seen, set, set->match);
    }
    *out_seen = seen;
    return 0;
}

void gr_test_seen_add(struct gr_test_seen *seen, struct gr_explanation *explanation,
                      struct gr_arena *arena)
{
    for (size_t i = 0; i < explanation->n; i++)
        seen->matched[i] |= explanation->sets[i].result && explanation->sets[i].truth == GR_TRUE;
    for (size_t i = 0; i < seen->leaves_n; i++) {
        struct leaf *leaf = &seen->leaves[i];
        enum gr_truth truth;

        if (leaf->was_true && leaf->was_false)
            continue;
        truth = gr_explain_eval(explanation, leaf->set, leaf->cond, arena);
        leaf->was_true |= truth == GR_TRUE;
        leaf->was_false |= truth == GR_FALSE;
    }
}

static struct gr_test_gap *add_gap(struct gr_arena *arena, struct gr_test_coverage *coverage,
                                   const struct gr_hookset *set)
{
    struct gr_test_gap *gap = gr_arena_alloc(arena, sizeof(*gap));

    if (!gap || !gr_arena_str(arena, set->name, &gap->set) ||
        !gr_arena_str(arena, set->file, &gap->file))
        return NULL;
    gap->at = (struct gr_place){.line = set->line, .column = 1};
    *coverage->gaps_end = gap;
    coverage->gaps_end = &gap->next;
    return gap;
}

static int tell_leaf(const struct leaf *leaf, struct gr_arena *arena,
                     struct gr_test_coverage *coverage)
{
    struct gr_test_gap *gap;

    if (leaf->was_true && leaf->was_false) {
        coverage->conditions_covered++;
        return 0;
    }
    gap = add_gap(arena, coverage, leaf->set);
    if (!gap)
        return -ENOMEM;
    gap->at = (struct gr_place){.line = leaf->cond->line, .column = leaf->cond->column};
    gap->never_true = !leaf->was_true;
    gap->never_false = !leaf->was_false;
    return gr_explain_cond(leaf->cond, arena, &gap->condition);
}

int gr_test_seen_tell(const struct gr_test_seen *seen, struct gr_arena *arena,
                      struct gr_test_coverage *out_coverage)
{
    int r = 0;

    *out_coverage = (struct gr_test_coverage){.conditions = seen->leaves_n};
    out_coverage->gaps_end = &out_coverage->gaps;
    for (size_t i = 0; i < gr_ruleset_count(seen->ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(seen->ruleset, i);

        if (!counts(set))
            continue;
        out_coverage->sets++;
        out_coverage->sets_matched += seen->matched[i];
        if (!seen->matched[i] && !add_gap(arena, out_coverage, set))
            return -ENOMEM;
    }
    for (size_t i = 0; i < seen->leaves_n && r == 0; i++)
        r = tell_leaf(&seen->leaves[i], arena, out_coverage);
    return r;
}
