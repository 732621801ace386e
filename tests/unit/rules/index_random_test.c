/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index against evaluation of every set, over random rules and containers. GRAPNEL_SEED repeats
 * a run.
 */
#include "making.h"

#include <inttypes.h>

#include "rules/match/match.h"

#define GENERATING_CHECK(condition) assert_true(condition)
#include "generating.h"

/* gcc says it with macros, clang with features. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Rule sets, and containers for each: 110,000 pairs with expressions and as many without. Fewer
 * where every step is watched. */
#define SUBJECTS 11
#ifdef SANITIZED
#define ROUNDS 1500
#else
#define ROUNDS 10000
#endif

/* ---- telling what failed ---- */

static void print_text(const char *what, struct gr_str text)
{
    print_error("%s\"%.*s\"", what, GR_STR_FMT(text));
}

static void print_test(const struct gr_test *test)
{
    static const char *const kinds[] = {"exact", "glob", "prefix", "regex",
                                        "image", "in",   "notIn",  "exists"};

    print_error(" %s", kinds[test->kind]);
    if (test->kind == GR_TEST_EXISTS)
        print_error("=%d", test->exists);
    else
        print_text(" ", test->text);
    for (size_t i = 0; i < test->items_n; i++)
        print_test(&test->items[i]);
}

static void print_tests(const char *before, struct gr_tests tests)
{
    print_error("%s", before);
    for (size_t i = 0; i < tests.n; i++)
        print_test(&tests.items[i]);
}

static void print_cond(const struct gr_cond *cond, int depth)
{
    static const char *const kinds[] = {"always", "all", "any", "not", "leaf", "unreadable"};

    print_error("%*s%s", depth * 2, "", kinds[cond->kind]);
    if (cond->kind == GR_COND_ALWAYS)
        print_error(" %d", cond->always);
    if (cond->kind == GR_COND_LEAF) {
        print_error(" %s", gr_field_name(cond->field));
        print_text(" ", cond->key);
        print_tests("", cond->tests);
        for (size_t i = 0; i < cond->patterns_n; i++) {
            print_tests(" [", cond->patterns[i].parts[0]);
            print_tests(" |", cond->patterns[i].parts[1]);
            print_tests(" |", cond->patterns[i].parts[2]);
            print_error(" ]");
        }
    }
    print_error("\n");
    for (size_t i = 0; i < cond->children_n; i++)
        print_cond(&cond->children[i], depth + 1);
}

static void print_map(const char *what, struct gr_kvs map)
{
    print_error("%s:", what);
    for (size_t i = 0; i < map.n; i++) {
        print_text(" ", map.items[i].key);
        print_text("=", map.items[i].value);
    }
    print_error("\n");
}

static void print_list(const char *what, struct gr_strs list)
{
    print_error("%s:", what);
    for (size_t i = 0; i < list.n; i++)
        print_text(" ", list.items[i]);
    print_error("\n");
}

static void print_subject(const struct gr_subject *s)
{
    print_text("name ", s->name);
    print_text(" pod ", s->pod_name);
    print_text(" namespace ", s->pod_namespace);
    print_text(" handler ", s->runtime_handler);
    print_text(" runtime ", s->runtime);
    print_text(" image ", s->image.name);
    print_error(" unknown %#x\n", s->unknown_fields);
    print_list("args", s->args);
    print_list("env", s->env);
    print_list("requests", s->requests);
    for (size_t i = 0; i < s->mounts_n; i++) {
        print_text("mount ", s->mounts[i].source);
        print_text(" ", s->mounts[i].destination);
        print_text(" ", s->mounts[i].type);
        print_error("\n");
    }
    print_map("podLabels", s->pod_labels);
    print_map("containerLabels", s->container_labels);
    print_map("podAnnotations", s->pod_annotations);
    print_map("containerAnnotations", s->container_annotations);
}

static void fail_pair(uint64_t seed, const struct gr_hookset *set, const struct gr_subject *subject,
                      enum gr_truth expected, enum gr_truth found)
{
    print_error("seed %" PRIu64 ": expected %s, the index gives %s\n", seed,
                gr_truth_name(expected), gr_truth_name(found));
    print_cond(set->match, 1);
    print_subject(subject);
    fail();
}

/* ---- the property ---- */

/* The result for a set, FALSE where it is not among the matches. Both are in the total order. */
static enum gr_truth result_of(const struct gr_hookset *set, const struct gr_match *matches,
                               size_t n, size_t *at)
{
    if (*at < n && matches[*at].set == set)
        return matches[(*at)++].truth;
    return GR_FALSE;
}

/*
 * With a budget that is large enough both ways give the same. With any other one a set that the
 * naive way completed is the same, and one that it did not is an error or what it really is.
 */
static void compare(uint64_t seed, const struct gr_ruleset *rules, const struct gr_subject *subject,
                    struct gr_arena *arena, uint64_t budget, size_t *counts)
{
    uint64_t steps[3] = {UINT64_C(1) << 40, budget, budget};
    const struct gr_match *truths;
    const struct gr_match *naive;
    const struct gr_match *indexed;
    size_t n[3];
    size_t at[3] = {0};

    assert_int_equal(gr_ruleset_match_naive_steps(rules, subject, arena, &steps[0], &truths, &n[0]),
                     0);
    assert_int_equal(gr_ruleset_match_naive_steps(rules, subject, arena, &steps[1], &naive, &n[1]),
                     0);
    assert_int_equal(gr_ruleset_match_steps(rules, subject, arena, &steps[2], &indexed, &n[2]), 0);
    for (size_t i = 0; i < gr_ruleset_count(rules); i++) {
        const struct gr_hookset *set = gr_ruleset_at(rules, i);
        enum gr_truth truth = result_of(set, truths, n[0], &at[0]);
        enum gr_truth expected = result_of(set, naive, n[1], &at[1]);
        enum gr_truth found = result_of(set, indexed, n[2], &at[2]);

        counts[found]++;
        if (found != expected && !(expected == GR_ERROR && found == truth))
            fail_pair(seed, set, subject, expected, found);
    }
    assert_int_equal(at[0], n[0]);
    assert_int_equal(at[1], n[1]);
    assert_int_equal(at[2], n[2]);
    assert_true(steps[2] >= steps[1]);
}

/* One rule set, and containers for it. */
static void compare_round(struct generator *g, uint64_t seed, size_t *counts)
{
    struct gr_ruleset *rules = NULL;
    struct gr_hookset *sets;
    struct gr_arena arena;
    size_t n;

    gr_arena_init(&arena, 65536, 0);
    g->arena = &arena;
    sets = generate_sets(g, &n);
    assert_int_equal(gr_ruleset_new(&arena, sets, n, NULL, &rules, NULL), 0);
    gr_arena_init(&arena, 65536, 0);
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct gr_subject subject = generate_subject(g);

        compare(seed, rules, &subject, &arena, UINT64_C(1) << 40, counts);
        compare(seed, rules, &subject, &arena, below(g, 300), counts);
        gr_arena_reset(&arena);
    }
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

static void compare_many(bool has_regexes)
{
    uint64_t seed = test_seed();
    struct generator g = {.state = seed, .has_regexes = has_regexes};
    size_t counts[4] = {0};
    size_t total;

    for (size_t round = 0; round < ROUNDS; round++)
        compare_round(&g, seed, counts);
    total = counts[0] + counts[1] + counts[2] + counts[3];
    print_message("# %d rule sets with %d containers each; results for sets: %zu false, %zu error, "
                  "%zu unknown, %zu true\n",
                  ROUNDS, SUBJECTS, counts[GR_FALSE], counts[GR_ERROR], counts[GR_UNKNOWN],
                  counts[GR_TRUE]);
    for (size_t i = 0; i < 4; i++)
        assert_true(counts[i] > total / 200);
}

static void indexed_equals_naive(void **test_state)
{
    (void)test_state;
    compare_many(false);
}

static void indexed_equals_naive_with_regexes(void **test_state)
{
    (void)test_state;
    compare_many(true);
}

int main(void)
{
    test_add("indexed matching equals naive matching", indexed_equals_naive);
    test_add("indexed matching equals naive matching, with expressions",
             indexed_equals_naive_with_regexes);
    return test_run("index_random");
}
