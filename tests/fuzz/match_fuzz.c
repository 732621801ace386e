/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule sets and containers that are made of the bytes: what the index finds is what evaluating
 * every set gives, for each of the four results and with any budget.
 */
#include "fuzz.h"

#define GENERATING_CHECK(condition) FUZZ_CHECK(condition)
#include "../unit/rules/generating.h"

#include "rules/match/match.h"

#define PLENTY (UINT64_C(1) << 40)
#define CONTAINERS_MAX 3

struct results {
    const struct gr_match *matches;
    size_t n;
    size_t at;
};

/* For a set; they are asked for in their order. */
static enum gr_truth result_of(struct results *results, const struct gr_hookset *set)
{
    if (results->at < results->n && results->matches[results->at].set == set)
        return results->matches[results->at++].truth;
    return GR_FALSE;
}

/* A set that ran out of steps one way is an error, or what it really is. */
static void check(const struct gr_ruleset *rules, const struct gr_subject *subject,
                  struct gr_arena *arena, uint64_t budget)
{
    struct results truths = {0};
    struct results naive = {0};
    struct results indexed = {0};
    uint64_t plenty = PLENTY;
    uint64_t naive_steps = budget;
    uint64_t steps = budget;

    FUZZ_CHECK(gr_ruleset_match_naive_steps(rules, subject, arena, &plenty, &truths.matches,
                                            &truths.n) == 0);
    FUZZ_CHECK(gr_ruleset_match_naive_steps(rules, subject, arena, &naive_steps, &naive.matches,
                                            &naive.n) == 0);
    FUZZ_CHECK(
        gr_ruleset_match_steps(rules, subject, arena, &steps, &indexed.matches, &indexed.n) == 0);
    FUZZ_CHECK(steps >= naive_steps);
    for (size_t i = 0; i < gr_ruleset_count(rules); i++) {
        const struct gr_hookset *set = gr_ruleset_at(rules, i);
        enum gr_truth truth = result_of(&truths, set);
        enum gr_truth expected = result_of(&naive, set);
        enum gr_truth found = result_of(&indexed, set);

        FUZZ_CHECK(found == expected || (expected == GR_ERROR && found == truth));
    }
    FUZZ_CHECK(truths.at == truths.n && naive.at == naive.n && indexed.at == indexed.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    uint64_t budget = fuzz_take(&input, 2);
    struct gr_ruleset *rules = NULL;
    struct gr_hookset *sets;
    struct gr_arena arena;
    struct generator g = {.arena = &arena, .has_bytes = true, .has_regexes = true};
    size_t n;

    gr_arena_init(&arena, 4096, 0);
    g.bytes = input;
    sets = generate_sets(&g, &n);
    FUZZ_CHECK(gr_ruleset_new(&arena, sets, n, NULL, &rules, NULL) == 0);
    gr_arena_init(&arena, 4096, 0);
    for (size_t i = 0; i < CONTAINERS_MAX; i++) {
        struct gr_subject subject = generate_subject(&g);

        check(rules, &subject, &arena, PLENTY);
        check(rules, &subject, &arena, budget);
    }
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
    return 0;
}
