/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What expressions mean, above all where PCRE2 means something else. (tests/peer/regexp compares
 * many more with Go.)
 */
#include "testing.h"

#include "rules/limits.h"
#include "rules/pattern/regex.h"

struct meaning_row {
    const char *name; /* the expression */
    const char *text;
    bool full, search;
};

static const struct meaning_row meaning_rows[] = {
    {"", "", true, true},
    {"", "a", false, true},
    {"a", "a", true, true},
    {"a", "ba", false, true},
    {"a|ab", "ab", true, true}, /* the whole text, not the first alternative */
    {"(a|ab)(c|bcd)", "abcd", true, true},
    {"^a$", "a\n", false, false}, /* $ is the end of the text only */
    {"a\\z", "a\n", false, false},
    {"(?m)a$", "a\n", false, true},
    {"(?m)^b", "a\nb", false, true},
    {"(?m)\\n^", "a\n", false, true}, /* behind the last line feed a line begins */
    {"(?m)^$", "a\n", false, true},
    {"(?m)^b", "a\rb", false, false},
    {".", "\n", false, false},
    {".", "\r", true, true},
    {".", "\xE2\x80\xA8", true, true}, /* U+2028 is no line feed */
    {"(?s).", "\n", true, true},
    {"(?s:.)(?-s:.)", "\n\n", false, false},
    {"[^a]", "\n", true, true},
    {"\\s", "\v", false, false},
    {"\\v", "\v", true, true},
    {"\\v", "\n", false, false},
    {"[[:space:]]", "\v", true, true},
    {"\\s", "\xC2\xA0", false, false},
    {"\\d", "\xD9\xA3", false, false}, /* U+0663 */
    {"\\p{Nd}", "\xD9\xA3", true, true},
    {"\\w+", "caf\xC3\xA9", false, true},
    {"caf\\b.", "caf\xC3\xA9", true, true},
    {".", "\xF0\x9F\x98\x80", true, true},
    {"\\x{1F600}{2}", "\xF0\x9F\x98\x80\xF0\x9F\x98\x80", true, true},
    {"\\p{Greek}", "\xCE\xB1", true, true},
    {"\\p{Greek}", "\xC2\xB5", false, false}, /* the micro sign is common to many scripts */
    {"(?i)\\p{Greek}", "\xC2\xB5", true, true},
    {"\\P{Greek}", "a", true, true},
    {"[\\p{Greek}a-c]", "b", true, true},
    {"(?i)K", "\xE2\x84\xAA", true, true}, /* the Kelvin sign */
    {"(?i)[^k]", "\xE2\x84\xAA", false, false},
    {"(?i)\\w", "\xC5\xBF", true, true}, /* long s */
    {"(?i)[\\W]", "\xC5\xBF", false, false},
    {"(?i)\xC3\x9F", "\xE1\xBA\x9E", true, true},
    {"(?i)[\xCE\xB1-\xCF\x89]+", "\xCE\xA3\xCF\x82\xCF\x83", true, true},
    {"(?i)a(?-i)b", "AB", false, false},
    {"(?i)a(?-i)b", "Ab", true, true},
    {"a(?i:b)c", "aBc", true, true},
    {"(a(?i)b|c)d", "Cd", true, true},
    {"(a(?i)b|c)d", "CD", false, false},
    {"\\Qa.b\\E", "a.b", true, true},
    {"\\Qa.b\\E", "axb", false, false},
    {"\\Qab\\E+", "abbb", true, true},
    {"a{2}", "aaa", false, true},
    {"a{2,}", "aaa", true, true},
    {"a{,2}", "a{,2}", true, true},
    {"a{0}b", "b", true, true},
    {"{", "{", true, true},
    {"(a*)*b", "aab", true, true},
    {"(|a)*b", "aab", true, true},
    {"(^|a)*b", "aab", true, true},
    {"(?U)a+b?", "aab", true, true},
    {"a#b c", "a#b c", true, true}, /* no comments, blanks count */
    {"[^\\x00-\\x{10FFFF}]", "a", false, false},
    {"\\x{D800}|a", "a", true, true},
    {"[\\x{D800}-\\x{E000}]", "\xEE\x80\x80", true, true},
    {"[^\\x{D800}]", "a", true, true},
    {"\\x{D800}*a", "a", true, true},
    {"\\12", "\n", true, true},
    {"\\bfoo\\b", "a foo b", false, true},
    {"\\Boo", "foo", false, true},
    {".*\\.example\\.com", "www.example.com", true, true},
    {".*\\.example\\.com", "www.example.com.org", false, true},
    {"x*y+", "xxyy", true, true},
    {"x*y+", "zy", false, true},
    {"(x|y+)*z", "az", false, true},
    {"\\Ax", "yx", false, false},
    {"(\\Ax|\\Ay)z", "ayz", false, false},
    {"x\\z|y\\z", "xa", false, false},
};

static void means(void **state)
{
    const struct meaning_row *row = *state;

    for (int search = 0; search < 2; search++) {
        const struct gr_regex *regex = NULL;
        uint64_t steps = GR_MATCH_STEPS_MAX;
        struct gr_err err = {0};
        struct gr_arena arena;
        size_t n = strlen(row->text);
        char *text = (char *)test_exact(row->text, n);

        gr_arena_init(&arena, 1024, 0);
        if (gr_regex_compile(&arena, gr_str_from(row->name), search, &regex, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(gr_regex_match(regex, (struct gr_str){text, n}, &steps),
                         (search ? row->search : row->full) ? GR_TRUE : GR_FALSE);
        gr_arena_fini(&arena);
        free(text);
    }
}

static void the_empty_text_may_be_nothing(void **state)
{
    const struct gr_regex *regex = NULL;
    uint64_t steps = GR_MATCH_STEPS_MAX;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_regex_compile(&arena, GR_STR("x*[y]?"), true, &regex, NULL), 0);
    assert_int_equal(gr_regex_match(regex, GR_STR_NONE, &steps), GR_TRUE);
    assert_int_equal(gr_regex_compile(&arena, GR_STR("[xy]\\b"), false, &regex, NULL), 0);
    assert_int_equal(gr_regex_match(regex, GR_STR_NONE, &steps), GR_FALSE);
    gr_arena_fini(&arena);
}

/* NUL is a character like others, in the expression and in the text. */
static void nul_is_a_character(void **state)
{
    const struct gr_regex *regex = NULL;
    uint64_t steps = GR_MATCH_STEPS_MAX;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_regex_compile(&arena, GR_STR("a\0[b]"), false, &regex, NULL), 0);
    assert_int_equal(gr_regex_match(regex, GR_STR("a\0b"), &steps), GR_TRUE);
    assert_int_equal(gr_regex_match(regex, GR_STR("a"), &steps), GR_FALSE);
    gr_arena_fini(&arena);
}

/* What is no UTF-8 is never "no match". */
static void broken_text_is_an_error(void **state)
{
    static const char *const texts[] = {"\xFF", "a\xC3", "aaaaaaaaaaaaaaaa\xED\xA0\x80"};
    static const char *const expressions[] = {"b", "[ab]*", "x|y"};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(expressions); i++) {
        const struct gr_regex *regex = NULL;
        struct gr_arena arena;

        gr_arena_init(&arena, 1024, 0);
        assert_int_equal(gr_regex_compile(&arena, gr_str_from(expressions[i]), true, &regex, NULL),
                         0);
        for (size_t k = 0; k < GR_ARRAY_LEN(texts); k++) {
            uint64_t steps = GR_MATCH_STEPS_MAX;

            assert_int_equal(gr_regex_match(regex, gr_str_from(texts[k]), &steps), GR_ERROR);
        }
        gr_arena_fini(&arena);
    }
}

int main(void)
{
    TEST_ADD_ROWS(means, meaning_rows);
    test_add("the empty text may be nothing", the_empty_text_may_be_nothing);
    test_add("NUL is a character", nul_is_a_character);
    test_add("broken text is an error", broken_text_is_an_error);
    return test_run("regex");
}
