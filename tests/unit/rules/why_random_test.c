/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition that a refusal names is the first that an explanation names, over random rules and
 * containers. GRAPNEL_SEED repeats a run.
 */
#include "making.h"

#include "rules/tell/explain.h"

#define GENERATING_CHECK(condition) assert_true(condition)
#include "generating.h"

#define ROUNDS 400
#define SUBJECTS 8

/* Each condition gets a line of its own, so that two of one field are told apart. */
static void number_lines(const struct gr_cond *cond, uint32_t *line)
{
    ((struct gr_cond *)cond)->line = ++*line;
    for (size_t i = 0; i < cond->children_n; i++)
        number_lines(&cond->children[i], line);
}

static struct gr_ruleset *make_rules(struct generator *g)
{
    struct gr_ruleset *rules = NULL;
    struct gr_hookset *sets;
    struct gr_arena arena;
    size_t n;

    gr_arena_init(&arena, 65536, 0);
    g->arena = &arena;
    sets = generate_sets(g, &n);
    for (size_t i = 0; i < n; i++) {
        uint32_t line = 0;

        number_lines(sets[i].match, &line);
        sets[i].on_unknown = GR_UNKNOWN_FAIL;
    }
    assert_int_equal(gr_ruleset_new(&arena, sets, n, NULL, &rules, NULL), 0);
    return rules;
}

/* Whether leaf is in this tree, and everything from the top down to it has the truth of the set:
 * nothing on the way decided otherwise. */
static bool is_to_blame(struct gr_explanation *explanation, const struct gr_explained *explained,
                        struct gr_arena *arena, const struct gr_cond *cond,
                        const struct gr_cond *leaf)
{
    if (gr_explain_eval(explanation, explained->set, cond, arena) != explained->truth)
        return false;
    for (size_t i = 0; i < cond->children_n; i++) {
        if (is_to_blame(explanation, explained, arena, &cond->children[i], leaf))
            return true;
    }
    return cond == leaf;
}

static void check_set(struct gr_explanation *explanation, const struct gr_explained *explained,
                      struct gr_arena *arena)
{
    const struct gr_cond *cond;
    struct gr_explain_leaves leaves;
    char expected[128], reason[1024];

    assert_int_equal(gr_explain_leaves(explanation, explained, arena, &leaves), 0);
    assert_true(leaves.n > 0);
    cond = leaves.items[0].cond;
    assert_true(is_to_blame(explanation, explained, arena, explained->set->match, cond));
    (void)snprintf(expected, sizeof(expected), "(line %u: %s)", cond->line,
                   cond->kind == GR_COND_LEAF ? gr_field_name(cond->field)
                                              : "a condition that this version does not know");
    (void)snprintf(reason, sizeof(reason), "%.*s", GR_STR_FMT(explained->result->reason));
    if (!strstr(reason, expected))
        fail_msg("%.*s: expected %s in: %s", GR_STR_FMT(explained->set->name), expected, reason);
}

static void check_container(const struct gr_ruleset *rules, const struct gr_subject *subject,
                            struct gr_arena *arena, size_t *counts)
{
    static const struct gr_decide_options options;
    struct gr_explanation e;

    assert_int_equal(gr_explain(rules, subject, &options, arena, &e), 0);
    for (size_t i = 0; i < e.n; i++) {
        if (e.sets[i].result && (e.sets[i].truth == GR_UNKNOWN || e.sets[i].truth == GR_ERROR)) {
            check_set(&e, &e.sets[i], arena);
            counts[e.sets[i].truth]++;
        }
    }
}

static void refusal_names_what_explain_names(void **state)
{
    struct generator g = {.state = test_seed(), .has_regexes = true};
    size_t counts[4] = {0};

    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct gr_ruleset *rules = make_rules(&g);
        struct gr_arena arena;

        gr_arena_init(&arena, 65536, 0);
        for (size_t i = 0; i < SUBJECTS; i++) {
            struct gr_subject subject;

            g.arena = &arena;
            subject = generate_subject(&g);
            check_container(rules, &subject, &arena, counts);
            gr_arena_reset(&arena);
        }
        gr_arena_fini(&arena);
        gr_ruleset_unref(rules);
    }
    print_message("# %zu unknown, %zu error\n", counts[GR_UNKNOWN], counts[GR_ERROR]);
    assert_true(counts[GR_UNKNOWN] > ROUNDS);
    assert_true(counts[GR_ERROR] > ROUNDS / 4);
}

int main(void)
{
    test_add("a refusal names what explain names", refusal_names_what_explain_names);
    return test_run("why_random");
}
