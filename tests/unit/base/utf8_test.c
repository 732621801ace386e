/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/utf8.h"

/* An encoder of our own, so that every code point can be tried. */
static size_t encode(uint32_t rune, char out[4])
{
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xC0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3F));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xE0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3F));
        out[2] = (char)(0x80 | (rune & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3F));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3F));
    out[3] = (char)(0x80 | (rune & 0x3F));
    return 4;
}

/* All code points and some that are none: exactly those of RFC 3629 are taken. */
static void test_every_code_point(void **state GR_UNUSED)
{
    for (uint32_t rune = 0; rune < 0x1FFFFF; rune++) {
        bool valid = rune <= 0x10FFFF && (rune < 0xD800 || rune > 0xDFFF);
        uint32_t found = UINT32_MAX;
        char bytes[4];
        char put[4];
        size_t n = encode(rune, bytes);

        if (valid && (gr_utf8_put(rune, put) != n || memcmp(put, bytes, n) != 0))
            fail_msg("U+%X", rune);

        if (gr_utf8_next((struct gr_str){bytes, n}, &found) != (valid ? n : 0) ||
            (valid && found != rune))
            fail_msg("U+%X", rune);
        /* Cut, it is nothing. */
        for (size_t cut = 0; cut < n; cut++) {
            if (gr_utf8_next((struct gr_str){bytes, cut}, NULL) != 0)
                fail_msg("U+%X cut to %zu bytes", rune, cut);
        }
    }
}

/* Every sequence of two bytes, and of three with a fixed end: against a plain statement of the
 * grammar. */
static void test_every_pair(void **state GR_UNUSED)
{
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            char bytes[2] = {(char)a, (char)b};
            size_t expected = 0;

            if (a < 0x80)
                expected = 1;
            else if (a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF)
                expected = 2;
            if (gr_utf8_next((struct gr_str){bytes, 2}, NULL) != expected)
                fail_msg("%02x %02x", a, b);
        }
    }
}

static const struct row {
    const char *name;
    struct gr_str s;
    size_t valid_prefix;
    bool clean;
} rows[] = {
    {"NULL", {NULL, 0}, 0, true},
    {"empty", {"", 0}, 0, true},
    {"ASCII", {"hello", 5}, 5, true},
    {"ASCII of eight", {"12345678", 8}, 8, true},
    {"ASCII of nine", {"123456789", 9}, 9, true},
    {"NUL", {"a\0b", 3}, 3, false},
    {"NUL at the end", {"ab\0", 3}, 3, false},
    {"two bytes", {"\xc3\xa9", 2}, 2, true},
    {"largest", {"\xf4\x8f\xbf\xbf", 4}, 4, true},
    {"past the largest", {"\xf4\x90\x80\x80", 4}, 0, false},
    {"behind eight of ASCII", {"12345678\xff", 9}, 8, false},
    {"within the second eight", {"12345678abc\xc3(xyz", 16}, 11, false},
    {"tail without a head", {"ab\x80", 3}, 2, false},
    {"head without a tail", {"ab\xe2\x82", 4}, 2, false},
    {"overlong of two", {"\xc1\xbf", 2}, 0, false},
    {"overlong of three", {"\xe0\x9f\xbf", 3}, 0, false},
    {"overlong of four", {"\xf0\x8f\xbf\xbf", 4}, 0, false},
    {"surrogate", {"\xed\xa0\x80", 3}, 0, false},
    {"before the surrogates", {"\xed\x9f\xbf", 3}, 3, true},
    {"five bytes", {"\xf8\x88\x80\x80\x80", 5}, 0, false},
    {"fe", {"\xfe", 1}, 0, false},
};

/* At every offset within a word, since ASCII is skipped eight bytes at a time. */
static void valid(void **state)
{
    const struct row *row = *state;

    for (size_t before = 0; before < 17; before++) {
        char *bytes = malloc(before + row->s.n + 1);
        struct gr_str s = {.p = bytes, .n = before + row->s.n};

        assert_non_null(bytes);
        memset(bytes, 'x', before);
        if (row->s.n)
            memcpy(bytes + before, row->s.p, row->s.n);
        assert_int_equal(gr_utf8_valid_prefix(s), before + row->valid_prefix);
        assert_int_equal(gr_utf8_is_valid(s), row->valid_prefix == row->s.n);
        assert_int_equal(gr_utf8_is_clean(s), row->clean);
        free(bytes);
    }
    assert_int_equal(gr_utf8_valid_prefix(row->s), row->valid_prefix);
    assert_int_equal(gr_utf8_is_clean(row->s), row->clean);
}

static const struct control_row {
    const char *name;
    uint32_t rune;
    bool control;
} control_rows[] = {
    {"NUL", 0, true},         {"newline", '\n', true}, {"unit separator", 0x1f, true},
    {"blank", 0x20, false},   {"tilde", 0x7e, false},  {"delete", 0x7f, true},
    {"first C1", 0x80, true}, {"last C1", 0x9f, true}, {"no-break space", 0xa0, false},
    {"2027", 0x2027, false},  {"line", 0x2028, true},  {"paragraph", 0x2029, true},
    {"202a", 0x202a, false},
};

/* None of these is a control. */
static const struct plain_row {
    const char *name;
    uint32_t rune;
    bool plain;
} plain_rows[] = {
    {"letter", 'a', true},
    {"061b", 0x061b, true},
    {"Arabic mark", 0x061c, false},
    {"061d", 0x061d, true},
    {"200d", 0x200d, true},
    {"left-to-right mark", 0x200e, false},
    {"right-to-left mark", 0x200f, false},
    {"2010", 0x2010, true},
    {"first embedding", 0x202a, false},
    {"override", 0x202e, false},
    {"202f", 0x202f, true},
    {"2065", 0x2065, true},
    {"first isolate", 0x2066, false},
    {"last isolate", 0x2069, false},
    {"206a", 0x206a, true},
};

static void plain(void **state)
{
    const struct plain_row *row = *state;

    assert_false(gr_utf8_is_control(row->rune));
    assert_int_equal(gr_utf8_is_plain(row->rune), row->plain);
}

static void control(void **state)
{
    const struct control_row *row = *state;

    assert_int_equal(gr_utf8_is_control(row->rune), row->control);
    if (row->control)
        assert_false(gr_utf8_is_plain(row->rune));
}

static const struct printable_row {
    const char *name;
    const char *text;
    const char *expected;
} printable_rows[] = {
    {"empty", "", ""},
    {"plain", "hello", "hello"},
    {"characters of all lengths", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
     "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"controls", "a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?"},
    {"C1 control", "a\xc2\x85z", "a?z"},
    {"line separator", "a\xe2\x80\xa8z", "a?z"},
    {"turned round", "a\xe2\x80\xaez", "a?z"},
    {"bad bytes", "a\xff\xfe long", "a?? long"},
    {"tail without a head", "a\x80z", "a?z"},
    {"head without a tail", "a\xc3 long", "a? long"},
    {"cut after one byte", "abc\xe2", "abc"},
    {"cut after two bytes", "abc\xe2\x82", "abc"},
    {"cut after three bytes", "abc\xf0\x9f\x98", "abc"},
    {"only a cut character", "\xc3", ""},
    {"a bad byte near the end", "abc\xffz", "abc?z"},
    {"a head before another character", "\xc3z", "?z"},
    {"a head whose tail cannot follow", "\xe0\x80", "??"},
    {"surrogate near the end", "\xed\xa0", "??"},
};

static void printable(void **state)
{
    const struct printable_row *row = *state;
    char *text = (char *)test_exact(row->text, strlen(row->text) + 1);

    gr_utf8_make_printable(text);
    assert_string_equal(text, row->expected);
    assert_true(gr_utf8_is_valid(gr_str_from(text)));
    /* Once is enough. */
    gr_utf8_make_printable(text);
    assert_string_equal(text, row->expected);
    free(text);
}

int main(void)
{
    TEST_ADD_ROWS(valid, rows);
    TEST_ADD_ROWS(control, control_rows);
    TEST_ADD_ROWS(plain, plain_rows);
    TEST_ADD_ROWS(printable, printable_rows);
    test_add("every code point", test_every_code_point);
    test_add("every pair of bytes", test_every_pair);
    return test_run("base/utf8");
}
