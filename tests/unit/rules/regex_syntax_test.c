/* SPDX-License-Identifier: Apache-2.0 */
/* What an expression may be: accepted ones, refused ones with place and text, and the limits. */
#include "testing.h"

#include <errno.h>

#include "base/buf.h"
#include "rules/limits.h"
#include "rules/pattern/regex.h"

struct accepted_row {
    const char *name; /* the expression */
};

static const struct accepted_row accepted_rows[] = {
    {""},
    {"a|b||c"},
    {"()"},
    {"(?:)*"},
    {"^*$+"},
    {"[]a]"},
    {"[^]a]"},
    {"[a-]"},
    {"[-a-b-c]"},
    {"[[:alpha:]-z]"},
    {"[[:^word:]]"},
    {"[[:alpha]"},
    {"{"},
    {"x{,2}"},
    {"x{1"},
    {"x{01}"},
    {"x{a}"},
    {"x{1000}"},
    {"x{0,1000}"},
    {"(?:x{10}){100}"},
    {"(?:x{1000}){0}"},
    {"(?P<name>a)(?<name2>b)(?P<name>c)"},
    {"(?i)a(?-i)b(?s-m:c)(?U)d"},
    {"a(?i)*"},
    {"a*(?i)*"},
    {"\\Q*[\\E*"},
    {"\\Q("},
    {"\\pL\\p{Greek}\\P{^Lu}\\p{lowercase letter}\\p{Any}\\p{ASCII}\\p{Assigned}"},
    {"\\12\\0\\x41\\x{10FFFF}\\_\\-\\a\\f\\n\\r\\t\\v"},
    {"\\A\\z\\b\\B\\d\\D\\s\\S\\w\\W"},
    {"\xC3\xA9{2}"},
};

static void accepts(void **state)
{
    const struct accepted_row *row = *state;
    const struct gr_regex *regex = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;

    gr_arena_init(&arena, 1024, 0);
    for (int search = 0; search < 2; search++) {
        if (gr_regex_compile(&arena, gr_str_from(row->name), search, &regex, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(gr_regex_is_search(regex), search);
    }
    gr_arena_fini(&arena);
}

struct refused_row {
    const char *name; /* the expression */
    uint32_t column;
    const char *text; /* behind "the expression is refused at its character N: " */
};

#define NOTHING_BEFORE(sign)           \
    "nothing stands before this " sign \
    " that it could repeat; for the character itself write \\" sign
#define TWICE(sign)                                                                             \
    "a repetition cannot be repeated like this (possessive forms are not supported); put what " \
    "is repeated into a group, (?:…)" sign
#define BACK(digit) "back references such as \\" digit " are not supported"
#define MEANINGLESS "this escape has no meaning; for a backslash write \\\\"
#define GROUP_FORMS \
    "expected (?:…), (?P<name>…), or flags of i, m, s and U such as (?i) or (?i-s:…)"
#define NAME "a group's name is letters, digits and _ between < and >"
#define HEX "expected two hexadecimal digits behind \\x, or \\x{…} with a number up to 10FFFF"
#define PROPERTY(name)                                                                            \
    "\"" name "\" is no Unicode property that is known here; known are categories such as L, Lu " \
    "and Nd and scripts such as Greek"
#define FOLDED(name)                                                                          \
    "\\p{" name "} is not supported here under (?i), which would change what it holds; take " \
    "it out of the brackets, or write (?-i:…) around it"
#define AHEAD "look-ahead is not supported; use a second condition (all: […], not: …) instead"
#define BEHIND "look-behind is not supported; use a second condition (all: […], not: …) instead"

static const struct refused_row refused_rows[] = {
    {"*", 1, NOTHING_BEFORE("*")},
    {"a|+", 3, NOTHING_BEFORE("+")},
    {"(?i)?", 5, NOTHING_BEFORE("?")},
    {"({1})", 2, NOTHING_BEFORE("{")},
    {"a**", 3, TWICE("*")},
    {"a*+", 3, TWICE("+")},
    {"\xC3\xA9?\?+", 4, TWICE("+")},
    {"a{2}{3}", 5, TWICE("{")},
    {"a{1001}", 2, "a repetition counts at most to 1000"},
    {"a{1001,}", 2, "a repetition counts at most to 1000"},
    {"a{0,99999999999999999999}", 2, "a repetition counts at most to 1000"},
    {"a{3,2}", 2, "the larger number comes first; write {2,3}"},
    {"(a{10}){101}", 8, "nested repetitions multiply to more than 1000"},
    {"((a{2,}){500}){2}", 15, "nested repetitions multiply to more than 1000"},
    {"(", 1, "this ( is never closed; for the character itself write \\("},
    {"a(b(c)", 2, "this ( is never closed; for the character itself write \\("},
    {"a)", 2, "this ) closes no group; for the character itself write \\)"},
    {"a)(b", 2, "this ) closes no group; for the character itself write \\)"},
    {"x[a", 2, "this [ is never closed; for the character itself write \\["},
    {"[]", 1, "this [ is never closed; for the character itself write \\["},
    {"[a-", 1, "this [ is never closed; for the character itself write \\["},
    {"[a\\", 3, "nothing stands behind this backslash; for the character itself write \\\\"},
    {"[xz-a]", 3, "this range ends before it begins; turn it round"},
    {"[a-\\d]", 4, MEANINGLESS},
    {"[[:foo:]]", 2,
     "\"[:foo:]\" is no class; known are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, "
     "print, punct, space, upper, word and xdigit"},
    {"(a)\\1", 4, BACK("1")},
    {"\\8", 1, BACK("8")},
    {"(?P<n>a)\\k<n>", 9, "references to groups such as \\k are not supported"},
    {"(?P=n)", 1, "references to groups are not supported"},
    {"a(?=b)", 2, AHEAD},
    {"a(?!b)", 2, AHEAD},
    {"(?<=b)", 1, BEHIND},
    {"(?<!b)", 1, BEHIND},
    {"(?>a)", 1, "atomic groups are not supported; write (?:…)"},
    {"(?#a)", 1, "comments are not supported in expressions; write them beside the rule, behind #"},
    {"(*UTF)a", 2,
     "nothing stands before this * that it could repeat; (*…) commands are not supported, for the "
     "character itself write \\*"},
    {"(?", 1, GROUP_FORMS},
    {"(?i", 1, GROUP_FORMS},
    {"(?i-)", 1, GROUP_FORMS},
    {"(?-i-s)", 1, GROUP_FORMS},
    {"(?x)a", 1, GROUP_FORMS},
    {"(?'n'a)", 1, GROUP_FORMS},
    {"(?P<>a)", 1, NAME},
    {"(?<a b>c)", 1, NAME},
    {"(?P<n", 1, NAME},
    {"a\\", 2, "nothing stands behind this backslash; for the character itself write \\\\"},
    {"\\Z", 1, "\\Z is not supported; for the end of the text write \\z"},
    {"\\C", 1, "\\C (one byte) is not supported; for one character write ."},
    {"\\h", 1, MEANINGLESS},
    {"\\G", 1, MEANINGLESS},
    {"\\E", 1, MEANINGLESS},
    {"[\\b]", 2, MEANINGLESS},
    {"\\\xC3\xA9", 1, MEANINGLESS},
    {"\\x4g", 1, HEX},
    {"\\x{}", 1, HEX},
    {"\\x{110000}", 1, HEX},
    {"\\x{41", 1, HEX},
    {"\\p", 1, "expected a property behind this, such as \\p{Greek}"},
    {"\\p{Greek", 1, "this \\p{ is never closed by }"},
    {"\\p{Elvish}", 1, PROPERTY("Elvish")},
    {"[\\pX]", 2, PROPERTY("X")},
    {"(?i)\\p{Lu}", 5, FOLDED("Lu")},
    {"(?i)[\\P{Greek}]", 6, FOLDED("Greek")},
    {"a\xFF", 2, "this is no UTF-8; write \\x{…} for a character"},
};

static void refuses(void **state)
{
    const struct refused_row *row = *state;
    const struct gr_regex *regex = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;
    char text[GR_ERR_TEXT_BYTES];

    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_regex_compile(&arena, gr_str_from(row->name), true, &regex, &err), -EINVAL);
    (void)snprintf(text, sizeof(text), "the expression is refused at its character %u: %s",
                   row->column, row->text);
    assert_string_equal(err.text, text);
    assert_string_equal(err.code, "bad-regex");
    assert_int_equal(err.column, row->column);
    assert_null(regex);
    gr_arena_fini(&arena);
}

/* n times what, then middle, then n times end. */
static int compile_many(const char *what, size_t n, const char *middle, const char *end,
                        struct gr_err *err)
{
    const struct gr_regex *regex = NULL;
    struct gr_arena arena;
    struct gr_buf text;
    int r;

    gr_buf_init(&text, 8192);
    gr_arena_init(&arena, 1024, 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(gr_buf_text(&text, what), 0);
    assert_int_equal(gr_buf_text(&text, middle), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(gr_buf_text(&text, end), 0);
    r = gr_regex_compile(&arena, gr_buf_view(&text), false, &regex, err);
    gr_arena_fini(&arena);
    gr_buf_fini(&text);
    return r;
}

static void limit_of_length(void **state)
{
    struct gr_err err = {0};

    (void)state;
    assert_int_equal(compile_many("a", GR_PATTERN_MAX_BYTES, "", "", &err), 0);
    assert_int_equal(compile_many("a", GR_PATTERN_MAX_BYTES + 1, "", "", &err), -EINVAL);
    assert_string_equal(err.text, "the expression has 1025 bytes; at most 1024 are allowed");
    assert_int_equal(err.column, 1);
}

static void limit_of_depth(void **state)
{
    struct gr_err err = {0};

    (void)state;
    assert_int_equal(compile_many("(", GR_REGEX_DEPTH_MAX, "a", ")", &err), 0);
    assert_int_equal(compile_many("(?i:", GR_REGEX_DEPTH_MAX, "a", ")*", &err), 0);
    assert_int_equal(compile_many("(", GR_REGEX_DEPTH_MAX + 1, "a", ")", &err), -EINVAL);
    assert_string_equal(err.text, "the expression is refused at its character 51: groups are "
                                  "nested deeper than 50; take some of them apart");
}

#define TOO_LARGE                                                                             \
    "the expression is larger than 16384 bytes when it is compiled; shorten it, or count to " \
    "less in {…} around groups"

static void bombs_are_refused(void **state)
{
    static const char *const bombs[] = {
        "(?:[a-z]x){1000}",
        "(?:(?:[a-z]x){0,30}y){0,33}",
        "(?:(?:(?:[a-z]x){10}){10}){10}",
        "(?:\\pL?\\pN?\\pZ?x?){900}(?:\\pL?\\pN?\\pZ?x?){900}",
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(bombs); i++) {
        const struct gr_regex *regex = NULL;
        struct gr_err err = {0};
        struct gr_arena arena;

        gr_arena_init(&arena, 1024, 1U << 20);
        assert_int_equal(gr_regex_compile(&arena, gr_str_from(bombs[i]), false, &regex, &err),
                         -EINVAL);
        assert_string_equal(err.text, TOO_LARGE);
        assert_int_equal(err.column, 1);
        gr_arena_fini(&arena);
    }
}

/* Bytes that an expression takes in its arena, about; 0: too large. */
static size_t size_of(size_t turns)
{
    const struct gr_regex *regex = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;
    char text[64];
    size_t size = 0;

    (void)snprintf(text, sizeof(text), "(?:[a-z]x){%zu}", turns);
    gr_arena_init(&arena, 64, 0);
    if (gr_regex_compile(&arena, gr_str_from(text), false, &regex, &err) == 0)
        size = arena.taken_bytes;
    else
        assert_string_equal(err.text, TOO_LARGE);
    gr_arena_fini(&arena);
    return size;
}

/* The last number of turns that is accepted nearly fills the limit; one more goes past it. */
static void limit_of_size(void **state)
{
    size_t turns = 1;
    size_t one_turn = (size_of(101) - size_of(1)) / 100;

    (void)state;
    while (size_of(turns + 1) > 0)
        turns++;
    assert_in_range(one_turn, 30, 100);
    assert_in_range(turns * one_turn, GR_REGEX_COMPILED_MAX_BYTES - 1024,
                    GR_REGEX_COMPILED_MAX_BYTES);
    assert_in_range(size_of(turns), GR_REGEX_COMPILED_MAX_BYTES - 1024,
                    GR_REGEX_COMPILED_MAX_BYTES + 2048);
    assert_int_equal(size_of(turns + 1), 0);
}

static void no_memory(void **state)
{
    static const char expression[] = "(?i)^(a|b[c-e]+|\\p{Greek}{2,3})*x{3}y?$";
    size_t limit = 256;
    int r = -ENOMEM;

    (void)state;
    for (; r == -ENOMEM; limit += 64) {
        const struct gr_regex *regex = NULL;
        struct gr_arena arena;

        gr_arena_init(&arena, 64, limit);
        r = gr_regex_compile(&arena, GR_STR(expression), false, &regex, NULL);
        assert_int_equal(r == 0, regex != NULL);
        gr_arena_fini(&arena);
    }
    assert_int_equal(r, 0);
    assert_true(limit > 512);
}

int main(void)
{
    TEST_ADD_ROWS(accepts, accepted_rows);
    TEST_ADD_ROWS(refuses, refused_rows);
    test_add("limit of length", limit_of_length);
    test_add("limit of depth", limit_of_depth);
    test_add("bombs are refused", bombs_are_refused);
    test_add("limit of size", limit_of_size);
    test_add("no memory", no_memory);
    return test_run("regex_syntax");
}
