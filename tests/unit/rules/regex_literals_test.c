/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of every text that matches, for the index. */
#include "testing.h"

#include "rules/limits.h"
#include "rules/pattern/regex.h"

struct literals_row {
    const char *name; /* the expression */
    bool search;
    const char *exacts; /* one behind the other with "," between them; NULL: none */
    const char *prefix, *suffix, *inner;
};

#define FULL false
#define SEARCH true

static const struct literals_row literals_rows[] = {
    {"abc", FULL, "abc", "abc", "abc", "abc"},
    {"abc", SEARCH, NULL, "", "", "abc"},
    {"^abc", SEARCH, NULL, "abc", "", "abc"},
    {"abc$", SEARCH, NULL, "", "abc", "abc"},
    {"^abc$", SEARCH, "abc", "abc", "abc", "abc"},
    {"^(a|b\\.c)$", SEARCH, "a,b.c", "", "", ""},
    {"^a$|^b$", SEARCH, "a,b", "", "", ""},
    {"^a|b$", SEARCH, NULL, "", "", ""},
    {"(?m)^abc$", SEARCH, NULL, "", "", "abc"}, /* ends of lines, not of the text */
    {"true|yes|on", FULL, "true,yes,on", "", "", ""},
    {"v1[.][01]", FULL, "v1.1,v1.0", "v1.", "", "v1."},
    {"(a|b)(c|d)", FULL, "ac,ad,bc,bd", "", "", ""},
    {"colou?r", FULL, "color,colour", "colo", "r", "colo"},
    {"foo.*", FULL, NULL, "foo", "", "foo"},
    {".*\\.example\\.com", FULL, NULL, "", ".example.com", ".example.com"},
    {"a.*longest.*b", FULL, NULL, "a", "b", "longest"},
    {"a[0-9]+(foo|fob)x", FULL, NULL, "a", "x", "fo"},
    {"gpu-(a100|h100)-.*", FULL, NULL, "gpu-", "", "gpu-"},
    {"(?:foo)+", FULL, NULL, "foo", "foo", "foo"},
    {"(?:ab){3}c", FULL, "abababc", "abababc", "abababc", "abababc"},
    {"(?:ab){2,}c", FULL, NULL, "abab", "ababc", "ababc"},
    {"(?:ab)?c", FULL, "c,abc", "", "c", "c"},
    {"(?:ab)*c", FULL, NULL, "", "c", "c"},
    {"(?:a{3}){0}b", FULL, "b", "b", "b", "b"},
    {"(?i)abc", FULL, NULL, "", "", ""},
    {"(?i)1\\.2-", FULL, "1.2-", "1.2-", "1.2-", "1.2-"}, /* has no other case */
    {"(?i)a(?-i:bc)d", FULL, NULL, "", "", "bc"},
    {"\\bfoo\\b", FULL, "foo", "foo", "foo", "foo"},
    {"x*foo", SEARCH, NULL, "", "", "foo"},
    {"\xC3\xA9|\xC3\xA8", FULL, "\xC3\xA9,\xC3\xA8", "", "", ""}, /* no half characters */
    {"[a-p]", FULL, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", "", "", ""},
    {"[a-q]", FULL, NULL, "", "", ""}, /* more than 16 */
    {"[a-h][ab]", FULL, "aa,ab,ba,bb,ca,cb,da,db,ea,eb,fa,fb,ga,gb,ha,hb", "", "", ""},
    {"[a-h][abc]", FULL, NULL, "", "", ""},
    {"\\pN", FULL, NULL, "", "", ""},
    {"[^a]", FULL, NULL, "", "", ""},
    {".", FULL, NULL, "", "", ""},
    {"", FULL, "", "", "", ""},
};

static bool has_exact(const struct gr_regex_literals *literals, struct gr_str text)
{
    for (size_t i = 0; i < literals->exacts_n; i++) {
        if (gr_str_eq(literals->exacts[i], text))
            return true;
    }
    return false;
}

static void check_exacts(const struct gr_regex_literals *literals, const char *expected)
{
    struct gr_str rest = gr_str_from(expected);
    size_t n = expected ? 1 : 0;

    for (; expected; n++) {
        struct gr_str one = gr_str_first(rest, gr_str_find(rest, ','));

        if (!has_exact(literals, one))
            fail_msg("\"%.*s\" is missing", GR_STR_FMT(one));
        if (one.n == rest.n)
            break;
        rest = gr_str_skip(rest, one.n + 1);
    }
    assert_int_equal(literals->exacts_n, n);
}

static void finds(void **state)
{
    const struct literals_row *row = *state;
    const struct gr_regex *regex = NULL;
    const struct gr_regex_literals *literals;
    struct gr_arena arena;

    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_regex_compile(&arena, gr_str_from(row->name), row->search, &regex, NULL),
                     0);
    literals = gr_regex_literals(regex);
    check_exacts(literals, row->exacts);
    assert_str(literals->prefix, row->prefix);
    assert_str(literals->suffix, row->suffix);
    assert_str(literals->inner, row->inner);
    gr_arena_fini(&arena);
}

/* A long literal is cut, which keeps it true. */
static void long_ones_are_cut(void **state)
{
    const struct gr_regex *regex = NULL;
    const struct gr_regex_literals *literals;
    uint64_t steps = GR_MATCH_STEPS_MAX;
    struct gr_arena arena;
    char text[401];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    text[399] = 'b';
    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_regex_compile(&arena, gr_str_from(text), false, &regex, NULL), 0);
    literals = gr_regex_literals(regex);
    assert_int_equal(literals->exacts_n, 0);
    assert_int_equal(literals->prefix.n, 256);
    assert_int_equal(literals->suffix.n, 256);
    assert_int_equal(literals->suffix.p[255], 'b');
    assert_int_equal(gr_regex_match(regex, gr_str_from(text), &steps), GR_TRUE);
    text[100] = 'b';
    assert_int_equal(gr_regex_match(regex, gr_str_from(text), &steps), GR_FALSE);
    gr_arena_fini(&arena);
}

int main(void)
{
    TEST_ADD_ROWS(finds, literals_rows);
    test_add("long ones are cut", long_ones_are_cut);
    return test_run("regex_literals");
}
