/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern and a text: the result is that of the definition (by a table over characters), the
 * index finds what matches, and a budget ends in an error or in the same result.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "rules/pattern/glob.h"
#include "rules/limits.h"
#include "rules/match/match.h"

#define CHARACTERS_MAX 256

/* Cuts a text into characters; a byte that belongs to none is one. Returns how many, at most max.
 */
static size_t cut(struct gr_str text, struct gr_str *out, size_t max)
{
    size_t n = 0;

    while (text.n > 0 && n < max) {
        size_t bytes = gr_utf8_next(text, NULL);

        out[n++] = gr_str_first(text, bytes ? bytes : 1);
        text = gr_str_skip(text, bytes ? bytes : 1);
    }
    return n;
}

/* row[t]: whether the pattern so far matches the first t characters. */
static bool by_definition(struct gr_str pattern, struct gr_str text)
{
    static struct gr_str p[CHARACTERS_MAX];
    static struct gr_str t[CHARACTERS_MAX];
    bool row[CHARACTERS_MAX + 1] = {true};
    size_t pn = cut(pattern, p, CHARACTERS_MAX);
    size_t tn = cut(text, t, CHARACTERS_MAX);

    for (size_t i = 0; i < pn; i++) {
        bool before = row[0]; /* of the row before, one to the left */

        row[0] = row[0] && gr_str_is(p[i], "*");
        for (size_t j = 1; j <= tn; j++) {
            bool above = row[j];

            if (gr_str_is(p[i], "*"))
                row[j] = row[j] || row[j - 1];
            else
                row[j] = before && (gr_str_is(p[i], "?") || gr_str_eq(p[i], t[j - 1]));
            before = above;
        }
    }
    return row[tn];
}

/* One set that asks for an annotation of this form. */
static void check_index(struct gr_str pattern, struct gr_str text, enum gr_truth truth)
{
    struct gr_test test = {.kind = GR_TEST_GLOB, .text = pattern};
    struct gr_cond match = {.kind = GR_COND_LEAF,
                            .field = GR_FIELD_POD_ANNOTATIONS,
                            .key = GR_STR("key"),
                            .tests = {.items = &test, .n = 1}};
    struct gr_hookset set = {.name = GR_STR("set"), .match = &match};
    struct gr_kv annotation = {GR_STR("key"), text};
    struct gr_subject subject = {.pod_annotations = {&annotation, 1}};
    const struct gr_match *matches;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    size_t n;

    gr_arena_init(&arena, 256, 0);
    FUZZ_CHECK(gr_ruleset_new(&arena, &set, 1, NULL, &rules, NULL) == 0);
    gr_arena_init(&arena, 256, 0);
    FUZZ_CHECK(gr_ruleset_match(rules, &subject, &arena, &matches, &n) == 0);
    FUZZ_CHECK(n == (truth == GR_TRUE));
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = GR_MIN(size, (size_t)CHARACTERS_MAX)};
    size_t pattern_bytes = fuzz_take(&input, 1);
    uint64_t budget = fuzz_take(&input, 1);
    uint64_t steps = GR_MATCH_STEPS_MAX;
    struct gr_str pattern = gr_str_first(input, pattern_bytes);
    struct gr_str text = gr_str_skip(input, pattern_bytes);
    enum gr_truth truth;
    enum gr_truth hurried;

    if (!gr_utf8_is_valid(pattern))
        return 0;
    pattern.p = fuzz_exact(pattern);
    text.p = fuzz_exact(text);
    truth = gr_glob_match(pattern, text, &steps);
    FUZZ_CHECK(truth == GR_TRUE || truth == GR_FALSE);
    FUZZ_CHECK((truth == GR_TRUE) == by_definition(pattern, text));
    hurried = gr_glob_match(pattern, text, &budget);
    FUZZ_CHECK(hurried == truth || (hurried == GR_ERROR && budget == 0));
    check_index(pattern, text, truth);
    free((void *)(uintptr_t)pattern.p);
    free((void *)(uintptr_t)text.p);
    return 0;
}
