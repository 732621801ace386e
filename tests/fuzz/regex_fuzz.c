/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An expression and a text: both are compiled and matched without a crash, as a whole and as a
 * search; every match has the literals that are promised; a whole match is found by a search; a
 * budget ends in an error or in the same result; and no match goes on for longer than its steps
 * stand for.
 */
#include "fuzz.h"

#include <errno.h>
#include <time.h>

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/pattern/regex.h"

/* A step is 5 ns at most with optimisation; under the sanitizers and a busy machine much more. */
#define NS_PER_STEP 100

/* Below this nothing is measured. */
#define BUSY_NS UINT64_C(2000000000)

static uint64_t now_ns(void)
{
    struct timespec ts;

    /* The time of the process: the machine may be busy with others. */
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static bool holds(struct gr_str text, struct gr_str part)
{
    return part.n == 0 || (text.n > 0 && memmem(text.p, text.n, part.p, part.n) != NULL);
}

static void check_literals(const struct gr_regex *regex, struct gr_str text)
{
    const struct gr_regex_literals *literals = gr_regex_literals(regex);
    bool found = literals->exacts_n == 0;

    for (size_t i = 0; i < literals->exacts_n; i++)
        found = found || gr_str_eq(literals->exacts[i], text);
    FUZZ_CHECK(found);
    FUZZ_CHECK(gr_str_has_prefix(text, literals->prefix));
    FUZZ_CHECK(gr_str_has_suffix(text, literals->suffix));
    FUZZ_CHECK(holds(text, literals->inner));
}

static enum gr_truth match(const struct gr_regex *regex, struct gr_str text, uint64_t hurry)
{
    uint64_t steps = GR_MATCH_STEPS_MAX;
    uint64_t start = now_ns();
    enum gr_truth truth = gr_regex_match(regex, text, &steps);
    uint64_t ns = now_ns() - start;
    enum gr_truth hurried = gr_regex_match(regex, text, &hurry);

    FUZZ_CHECK(ns < BUSY_NS + (GR_MATCH_STEPS_MAX - steps) * NS_PER_STEP);
    FUZZ_CHECK(truth == GR_TRUE || truth == GR_FALSE || truth == GR_ERROR);
    FUZZ_CHECK(gr_utf8_is_valid(text) || truth == GR_ERROR);
    FUZZ_CHECK(hurried == truth || (hurried == GR_ERROR && hurry == 0));
    if (truth == GR_TRUE)
        check_literals(regex, text);
    return truth;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    size_t expression_bytes = fuzz_take(&input, 1) * 8;
    uint64_t hurry = fuzz_take(&input, 2);
    size_t copies = 1 + fuzz_take(&input, 1) % 64;
    struct gr_str expression = gr_str_first(input, expression_bytes);
    struct gr_str unit = gr_str_skip(input, expression_bytes);
    const struct gr_regex *full = NULL;
    const struct gr_regex *search = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;
    struct gr_str text;
    struct gr_buf whole;
    int r;

    gr_arena_init(&arena, 1024, 1U << 20);
    expression.p = fuzz_exact(expression);
    r = gr_regex_compile(&arena, expression, false, &full, &err);
    FUZZ_CHECK(r == 0 || (r == -EINVAL && err.column > 0 && err.code));
    r = gr_regex_compile(&arena, expression, true, &search, &err);
    FUZZ_CHECK(r == 0 || (r == -EINVAL && err.column > 0 && err.code));
    free((void *)(uintptr_t)expression.p);
    gr_buf_init(&whole, 1U << 20);
    for (size_t i = 0; i < copies; i++)
        FUZZ_CHECK(gr_buf_str(&whole, unit) == 0);
    text = gr_buf_view(&whole);
    text.p = fuzz_exact(text);
    if (full && search) {
        enum gr_truth as_whole = match(full, text, hurry);
        enum gr_truth somewhere = match(search, text, hurry);

        FUZZ_CHECK(as_whole != GR_TRUE || somewhere != GR_FALSE);
    }
    free((void *)(uintptr_t)text.p);
    gr_buf_fini(&whole);
    gr_arena_fini(&arena);
    return 0;
}
