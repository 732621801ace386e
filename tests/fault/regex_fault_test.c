/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An expression is compiled and matched while allocations fail: -ENOMEM for the one, an error for
 * the other and never "no match"; nothing leaks.
 */
#include "failing.h"
#include "testing.h"

#include <errno.h>

#include "rules/limits.h"
#include "rules/pattern/regex.h"

/* Small blocks, so that about every step of the code asks for one. */
#define BLOCK_BYTES 64

/* Many alternatives, classes and properties; long enough for PCRE2 to need memory of its own. */
static const char expression[] =
    "(?i)^(a|b[c-e\\W]+|\\p{Greek}{2,3}|[[:^alpha:]\\pN]?)*(?-i:x{3}(y|z)|literal)?(ab?c*d+){2}$";

static int compile(void *user)
{
    const struct gr_regex *regex = NULL;
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_regex_compile(&arena, GR_STR(expression), true, &regex, NULL);
    assert_int_equal(r == 0, regex != NULL);
    gr_arena_fini(&arena);
    return r;
}

struct matching {
    const struct gr_regex *regex;
    struct gr_str text;
    enum gr_truth truth;
};

static int match(void *user)
{
    const struct matching *matching = user;
    uint64_t steps = GR_MATCH_STEPS_MAX;
    enum gr_truth truth = gr_regex_match(matching->regex, matching->text, &steps);

    if (truth == GR_ERROR)
        return -ENOMEM;
    assert_int_equal(truth, matching->truth);
    return 0;
}

static void compile_fails(void **state)
{
    (void)state;
    failing_run(compile, NULL);
}

/* A text for which room for more backtracking points is needed more than once. */
static void match_fails(void **state)
{
    static char text[4000];
    struct matching matching = {.text = {text, sizeof(text)}};
    struct gr_arena arena;

    (void)state;
    memset(text, 'a', sizeof(text));
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    assert_int_equal(gr_regex_compile(&arena, GR_STR("(?:a|b)*c?"), false, &matching.regex, NULL),
                     0);
    matching.truth = GR_TRUE;
    failing_run(match, &matching);
    text[sizeof(text) - 1] = 'd';
    matching.truth = GR_FALSE;
    failing_run(match, &matching);
    gr_arena_fini(&arena);
}

int main(void)
{
    test_add("compile fails", compile_fails);
    test_add("match fails", match_fails);
    return test_run("regex_fault");
}
