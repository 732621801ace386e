/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/utf8.h"
#include "rules/pattern/glob.h"
#include "rules/limits.h"

#define PLENTY (UINT64_C(1) << 40)

struct glob_row {
    const char *name; /* the pattern */
    const char *text;
    bool matches;
};

static const struct glob_row glob_rows[] = {
    {"", "", true},
    {"", "a", false},
    {"a", "", false},
    {"a", "a", true},
    {"a", "b", false},
    {"a", "aa", false},
    {"aa", "a", false},
    {"*", "", true},
    {"*", "anything at all", true},
    {"**", "", true},
    {"***", "abc", true},
    {"?", "", false},
    {"?", "a", true},
    {"?", "ab", false},
    {"??", "ab", true},
    {"?*", "", false},
    {"?*", "a", true},
    {"*?", "abc", true},
    {"*?", "", false},
    {"*??", "\xC3\xA9", false},
    {"a*", "a", true},
    {"a*", "abc", true},
    {"a*", "ba", false},
    {"*a", "a", true},
    {"*a", "cba", true},
    {"*a", "ab", false},
    {"a*c", "ac", true},
    {"a*c", "abc", true},
    {"a*c", "abcc", true},
    {"a*c", "abcd", false},
    {"*ab*", "xaab", true},
    {"*ab*", "xaxb", false},
    {"a*b*c", "a1b2b3c", true},
    {"a*b*c", "acb", false},
    {"*.example.com", "a.example.com", true},
    {"*.example.com", "example.com", false},
    {"gpu-??", "gpu-01", true},
    {"gpu-??", "gpu-1", false},
    {"*a*b", "aaab", true},
    {"*aab", "aaaab", true},
    {"*a?b", "aaxaab", true},
    {"*?x?", "axb", true},
    {"*?x?", "xb", false},
    {"?", "\xC3\xA9", true},
    {"??", "\xC3\xA9", false},
    {"\xC3\xA9*", "\xC3\xA9t\xC3\xA9", true},
    {"*\xC3\xA9", "t\xC3\xA9", true},
    {"t?t?", "t\xE2\x82\xACt\xF0\x9F\x98\x80", true},
    {"?", "\xFF", true}, /* what is no UTF-8 counts byte by byte */
    {"??", "\xC3(", true},
    {"?", "\xE2\x82", false},
    {"??", "\xE2\x82", true},
    {"[a]", "a", false}, /* no brackets, no escapes */
    {"[a]", "[a]", true},
    {"\\*", "*", false},
    {"\\*", "\\anything", true},
    {"*", "*", true},
    {"a?c", "a*c", true},
};

static void matches(void **state)
{
    const struct glob_row *row = *state;
    uint64_t steps = PLENTY;

    assert_int_equal(gr_glob_match(gr_str_from(row->name), gr_str_from(row->text), &steps),
                     row->matches ? GR_TRUE : GR_FALSE);
}

static void nul_is_a_character(void **state)
{
    uint64_t steps = PLENTY;

    (void)state;
    assert_int_equal(gr_glob_match(GR_STR("a?b"), GR_STR("a\0b"), &steps), GR_TRUE);
    assert_int_equal(gr_glob_match(GR_STR("*b"), GR_STR("a\0b"), &steps), GR_TRUE);
    assert_int_equal(gr_glob_match(GR_STR("a"), GR_STR("a\0b"), &steps), GR_FALSE);
}

/* By the definition, without any cleverness: characters against characters. */
static bool slow(struct gr_str p, struct gr_str t)
{
    size_t n;

    if (p.n == 0)
        return t.n == 0;
    if (p.p[0] == '*')
        return slow(gr_str_skip(p, 1), t) ||
               (t.n > 0 && slow(p, gr_str_skip(t, GR_MAX(gr_utf8_next(t, NULL), (size_t)1))));
    if (t.n == 0)
        return false;
    if (p.p[0] == '?') {
        n = GR_MAX(gr_utf8_next(t, NULL), (size_t)1);
        return slow(gr_str_skip(p, 1), gr_str_skip(t, n));
    }
    return p.p[0] == t.p[0] && slow(gr_str_skip(p, 1), gr_str_skip(t, 1));
}

/* All patterns and texts over a small alphabet. */
static void same_as_the_definition(void **state)
{
    static const char *const in_pattern[] = {"*", "?", "a", "b", "\xC3\xA9"};
    static const char *const in_text[] = {"a", "b", "\xC3\xA9", "\xC3", "\xA9"};
    char pattern[16];
    char text[16];

    (void)state;
    for (unsigned int p = 0; p < 3125; p++) {
        size_t pn = 0;

        for (unsigned int k = p; k > 0 && pn < 12; k /= 5)
            pn += strlen(strcpy(pattern + pn, in_pattern[k % 5]));
        for (unsigned int t = 0; t < 625; t++) {
            struct gr_str ps = {.p = pattern, .n = pn};
            uint64_t steps = PLENTY;
            struct gr_str ts;
            size_t tn = 0;

            for (unsigned int k = t; k > 0; k /= 5)
                tn += strlen(strcpy(text + tn, in_text[k % 5]));
            ts = (struct gr_str){.p = text, .n = tn};
            if ((gr_glob_match(ps, ts, &steps) == GR_TRUE) != slow(ps, ts))
                fail_msg("\"%.*s\" against \"%.*s\"", GR_STR_FMT(ps), GR_STR_FMT(ts));
        }
    }
}

struct hostile_row {
    const char *name;
    const char *unit; /* repeated to make the pattern */
    const char *end;
    bool is_error;
};

/* Against 256 KiB of "a", with the budget of a whole request. */
static const struct hostile_row hostile_rows[] = {
    {"one star", "*", "b", false},
    {"many stars", "*a", "b", false},
    {"stars and marks", "*?", "b", false},
    {"long literal behind a star", "a", "?", true},
    {"marks", "?", "b", true},
};

static void hostile(void **state)
{
    const struct hostile_row *row = *state;
    static char text[GR_ANNOTATIONS_MAX_BYTES];
    char pattern[GR_PATTERN_MAX_BYTES];
    uint64_t steps = GR_MATCH_STEPS_MAX;
    size_t n = 1;

    memset(text, 'a', sizeof(text));
    pattern[0] = '*';
    while (n + strlen(row->unit) + strlen(row->end) <= sizeof(pattern)) {
        memcpy(pattern + n, row->unit, strlen(row->unit));
        n += strlen(row->unit);
    }
    memcpy(pattern + n, row->end, strlen(row->end));
    n += strlen(row->end);
    assert_int_equal(gr_glob_match((struct gr_str){.p = pattern, .n = n},
                                   (struct gr_str){.p = text, .n = sizeof(text)}, &steps),
                     row->is_error ? GR_ERROR : GR_FALSE);
    assert_int_equal(steps == 0, row->is_error);
}

/* What is no ASCII has to be decoded, which takes its time: the work is still bounded. */
static void wide_characters_cost_more(void **state)
{
    /* eight letters, eight characters of two bytes, eight bytes that belong to none */
    static const char *const texts[] = {
        "aaaaaaaa",
        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
        "\xff\xff\xff\xff\xff\xff\xff\xff",
    };
    uint64_t used[GR_ARRAY_LEN(texts)];

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        uint64_t steps = PLENTY;

        assert_int_equal(gr_glob_match(GR_STR("*???b"), gr_str_from(texts[i]), &steps), GR_FALSE);
        used[i] = PLENTY - steps;
        for (uint64_t budget = 0; budget <= used[i]; budget++) {
            steps = budget;
            assert_int_equal(gr_glob_match(GR_STR("*???b"), gr_str_from(texts[i]), &steps),
                             budget < used[i] ? GR_ERROR : GR_FALSE);
            assert_int_equal(steps, 0);
        }
    }
    assert_true(used[1] >= 3 * used[0]);
    assert_int_equal(used[1], used[2]);
}

/* Every smaller budget is an error and leaves nothing; the exact one is enough. */
static void budget_at_the_edge(void **state)
{
    struct gr_str pattern = GR_STR("*ab*c?");
    struct gr_str text = GR_STR("xabaabcabcd");
    uint64_t steps = PLENTY;
    uint64_t used;

    (void)state;
    assert_int_equal(gr_glob_match(pattern, text, &steps), GR_TRUE);
    used = PLENTY - steps;
    for (uint64_t budget = 0; budget <= used; budget++) {
        steps = budget;
        assert_int_equal(gr_glob_match(pattern, text, &steps), budget < used ? GR_ERROR : GR_TRUE);
        assert_int_equal(steps, 0);
    }
}

static void literal_parts(void **state)
{
    (void)state;
    assert_int_equal(gr_glob_literal_prefix(GR_STR("ab*c?de")), 2);
    assert_int_equal(gr_glob_literal_suffix(GR_STR("ab*c?de")), 2);
    assert_int_equal(gr_glob_literal_prefix(GR_STR("abc")), 3);
    assert_int_equal(gr_glob_literal_suffix(GR_STR("abc")), 3);
    assert_int_equal(gr_glob_literal_prefix(GR_STR("?")), 0);
    assert_int_equal(gr_glob_literal_suffix(GR_STR("")), 0);
}

int main(void)
{
    TEST_ADD_ROWS(matches, glob_rows);
    test_add("NUL is a character", nul_is_a_character);
    test_add("same as the definition", same_as_the_definition);
    TEST_ADD_ROWS(hostile, hostile_rows);
    test_add("budget at the edge", budget_at_the_edge);
    test_add("wide characters cost more", wide_characters_cost_more);
    test_add("literal parts", literal_parts);
    return test_run("glob");
}
