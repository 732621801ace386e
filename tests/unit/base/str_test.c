/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>

#define TEXT(literal)                            \
    {                                            \
        .p = (literal), .n = sizeof(literal) - 1 \
    }

static const struct pair_row {
    const char *name;
    struct gr_str a, b;
    int cmp; /* its sign */
    bool prefix, suffix;
} pair_rows[] = {
    {"both empty", TEXT(""), TEXT(""), 0, true, true},
    {"both NULL", {NULL, 0}, {NULL, 0}, 0, true, true},
    {"NULL and empty", {NULL, 0}, TEXT(""), 0, true, true},
    {"equal", TEXT("abc"), TEXT("abc"), 0, true, true},
    {"empty is first", TEXT(""), TEXT("a"), -1, false, false},
    {"NULL is first", {NULL, 0}, TEXT("a"), -1, false, false},
    {"anything begins with nothing", TEXT("a"), {NULL, 0}, 1, true, true},
    {"shorter is first", TEXT("ab"), TEXT("abc"), -1, false, false},
    {"prefix", TEXT("abc"), TEXT("ab"), 1, true, false},
    {"suffix", TEXT("abc"), TEXT("bc"), -1, false, true},
    {"differs in the middle", TEXT("abc"), TEXT("axc"), -1, false, false},
    {"bytes are not signed", TEXT("\x7f"), TEXT("\x80"), -1, false, false},
    {"NUL counts", TEXT("a\0b"), TEXT("a\0c"), -1, false, false},
    {"NUL is not the end", TEXT("a\0b"), TEXT("a"), 1, true, false},
};

static void pairs(void **state)
{
    const struct pair_row *row = *state;
    int cmp = gr_str_cmp(row->a, row->b), back = gr_str_cmp(row->b, row->a);

    assert_int_equal((cmp > 0) - (cmp < 0), row->cmp);
    assert_int_equal((back > 0) - (back < 0), -row->cmp);
    assert_int_equal(gr_str_eq(row->a, row->b), row->cmp == 0);
    assert_int_equal(gr_str_has_prefix(row->a, row->b), row->prefix);
    assert_int_equal(gr_str_has_suffix(row->a, row->b), row->suffix);
}

static const struct find_row {
    const char *name;
    struct gr_str s;
    char c;
    size_t first, last;
} find_rows[] = {
    {"NULL", {NULL, 0}, 'a', 0, 0},       {"empty", TEXT(""), 'a', 0, 0},
    {"absent", TEXT("bcd"), 'a', 3, 3},   {"once", TEXT("bad"), 'a', 1, 1},
    {"twice", TEXT("banana"), 'a', 1, 5}, {"at the ends", TEXT("/x/"), '/', 0, 2},
    {"NUL", TEXT("a\0b\0c"), '\0', 1, 3}, {"high byte", TEXT("a\xff"), '\xff', 1, 1},
};

static void find(void **state)
{
    const struct find_row *row = *state;

    assert_int_equal(gr_str_find(row->s, row->c), row->first);
    assert_int_equal(gr_str_rfind(row->s, row->c), row->last);
}

static const struct number_row {
    const char *name;
    struct gr_str s;
    int result;
    uint64_t value;
} number_rows[] = {
    {"zero", TEXT("0"), 0, 0},
    {"one digit", TEXT("7"), 0, 7},
    {"several", TEXT("1234567890"), 0, 1234567890},
    {"largest", TEXT("18446744073709551615"), 0, UINT64_MAX},
    {"one past the largest", TEXT("18446744073709551616"), -ERANGE, 0},
    {"ten times the largest", TEXT("184467440737095516150"), -ERANGE, 0},
    {"very long", TEXT("99999999999999999999999999999999999999"), -ERANGE, 0},
    {"long and not a number", TEXT("99999999999999999999999999999x"), -EINVAL, 0},
    {"empty", TEXT(""), -EINVAL, 0},
    {"NULL", {NULL, 0}, -EINVAL, 0},
    {"leading zero", TEXT("01"), -EINVAL, 0},
    {"two zeros", TEXT("00"), -EINVAL, 0},
    {"plus", TEXT("+1"), -EINVAL, 0},
    {"minus", TEXT("-1"), -EINVAL, 0},
    {"blank before", TEXT(" 1"), -EINVAL, 0},
    {"blank behind", TEXT("1 "), -EINVAL, 0},
    {"hexadecimal", TEXT("0x10"), -EINVAL, 0},
    {"point", TEXT("1.5"), -EINVAL, 0},
    {"NUL behind", TEXT("1\0"), -EINVAL, 0},
    {"colon, the byte after 9", TEXT("1:"), -EINVAL, 0},
    {"slash, the byte before 0", TEXT("1/"), -EINVAL, 0},
    {"high bytes", TEXT("\xb1"), -EINVAL, 0},
};

static void number(void **state)
{
    const struct number_row *row = *state;
    uint64_t value = 4711;

    assert_int_equal(gr_str_to_u64(row->s, &value), row->result);
    assert_int_equal(value, row->result ? 4711 : row->value);
}

static const struct number_row hex_rows[] = {
    {"zero", TEXT("0"), 0, 0},
    {"each digit", TEXT("0123456789abcdef"), 0, UINT64_C(0x0123456789abcdef)},
    {"largest", TEXT("ffffffffffffffff"), 0, UINT64_MAX},
    {"leading zeros", TEXT("000f"), 0, 15},
    {"one digit too many", TEXT("00000000000000001"), -EINVAL, 0},
    {"empty", TEXT(""), -EINVAL, 0},
    {"NULL", {NULL, 0}, -EINVAL, 0},
    {"a capital", TEXT("aB"), -EINVAL, 0},
    {"the letter after f", TEXT("g"), -EINVAL, 0},
    {"the byte before a", TEXT("`"), -EINVAL, 0},
    {"colon, the byte after 9", TEXT(":"), -EINVAL, 0},
    {"slash, the byte before 0", TEXT("/"), -EINVAL, 0},
    {"NUL behind", TEXT("1\0"), -EINVAL, 0},
    {"high bytes", TEXT("\xe1"), -EINVAL, 0},
};

static void hex(void **state)
{
    const struct number_row *row = *state;
    uint64_t value = 4711;

    assert_int_equal(gr_str_hex_to_u64(row->s, &value), row->result);
    assert_int_equal(value, row->result ? 4711 : row->value);
}

static const struct distance_row {
    const char *name;
    struct gr_str a, b;
    size_t limit, distance;
} distance_rows[] = {
    {"both empty", TEXT(""), TEXT(""), 2, 0},
    {"NULL", {NULL, 0}, TEXT("ab"), 5, 2},
    {"equal", TEXT("when"), TEXT("when"), 2, 0},
    {"one changed", TEXT("when"), TEXT("wten"), 2, 1},
    {"one left out", TEXT("when"), TEXT("whn"), 2, 1},
    {"one more", TEXT("when"), TEXT("wheen"), 2, 1},
    {"two swapped", TEXT("when"), TEXT("wehn"), 2, 2},
    {"kitten and sitting", TEXT("kitten"), TEXT("sitting"), 9, 3},
    {"over the limit", TEXT("kitten"), TEXT("sitting"), 2, 3},
    {"far over the limit", TEXT("abcdefgh"), TEXT("zyxwvuts"), 2, 3},
    {"as long as is looked at",
     TEXT("0123456789012345678901234567890123456789012345678901234567890123"),
     TEXT("012345678901234567890123456789012345678901234567890123456789012x"), 2, 1},
    {"one too long", TEXT("01234567890123456789012345678901234567890123456789012345678901234"),
     TEXT("a"), 2, 3},
    {"the other one too long", TEXT("a"),
     TEXT("01234567890123456789012345678901234567890123456789012345678901234"), 2, 3},
    {"without a limit", TEXT("kitten"), TEXT("sitting"), SIZE_MAX, 3},
    {"too long, without a limit", TEXT("a"),
     TEXT("01234567890123456789012345678901234567890123456789012345678901234"), SIZE_MAX, SIZE_MAX},
};

static void distance(void **state)
{
    const struct distance_row *row = *state;

    assert_int_equal(gr_str_distance(row->a, row->b, row->limit), row->distance);
    assert_int_equal(gr_str_distance(row->b, row->a, row->limit), row->distance);
}

static const struct cut_row {
    const char *name;
    struct gr_str s;
    size_t n;
    const char *first, *skip;
} cut_rows[] = {
    {"nothing", TEXT("abc"), 0, "", "abc"}, {"some", TEXT("abc"), 2, "ab", "c"},
    {"all", TEXT("abc"), 3, "abc", ""},     {"too much", TEXT("abc"), 9, "abc", ""},
    {"NULL", {NULL, 0}, 9, "", ""},
};

static void cut(void **state)
{
    const struct cut_row *row = *state;

    assert_str(gr_str_first(row->s, row->n), row->first);
    assert_str(gr_str_skip(row->s, row->n), row->skip);
}

static void test_words(void **state GR_UNUSED)
{
    struct gr_str text = GR_STR(" \t/bin/sh \t-e\t");
    struct gr_str none = GR_STR_NONE;

    assert_str(gr_str_take_word(&text), "/bin/sh");
    assert_str(text, " \t-e\t");
    assert_str(gr_str_skip_blanks(text), "-e\t");
    assert_str(gr_str_take_word(&text), "-e");
    assert_str(gr_str_take_word(&text), "");
    assert_str(text, "");
    assert_str(gr_str_take_word(&none), "");
    text = GR_STR("a\nb");
    assert_str(gr_str_take_word(&text), "a\nb");
}

static void test_from(void **state GR_UNUSED)
{
    assert_int_equal(gr_str_from(NULL).n, 0);
    assert_str(gr_str_from("abc"), "abc");
    assert_true(gr_str_is(GR_STR(""), NULL));
    assert_false(gr_str_is(GR_STR("ab\0"), "ab"));
    assert_int_equal(GR_STR("a\0b").n, 3);
}

static void test_format(void **state GR_UNUSED)
{
    static char large[8192];
    char out[8192];

    assert_int_equal(snprintf(out, sizeof(out), "[%.*s]", GR_STR_FMT(GR_STR_NONE)), 2);
    assert_int_equal(snprintf(out, sizeof(out), "[%.*s]", GR_STR_FMT(GR_STR("abc"))), 5);
    memset(large, 'l', sizeof(large));
    assert_int_equal(snprintf(out, sizeof(out), "%.*s",
                              GR_STR_FMT(((struct gr_str){.p = large, .n = sizeof(large)}))),
                     4096);
}

static void test_map(void **state GR_UNUSED)
{
    static const struct gr_kv items[] = {{TEXT("a"), TEXT("1")},
                                         {TEXT("b"), TEXT("2")},
                                         {TEXT("a"), TEXT("3")},
                                         {TEXT(""), TEXT("4")}};
    struct gr_kvs map = {.items = items, .n = GR_ARRAY_LEN(items)};
    struct gr_str value = GR_STR("before");

    assert_false(gr_kvs_get(map, GR_STR("c"), &value));
    assert_str(value, "before");
    assert_true(gr_kvs_get(map, GR_STR("b"), &value));
    assert_str(value, "2");
    assert_true(gr_kvs_get(map, GR_STR("a"), &value));
    assert_str(value, "3");
    assert_true(gr_kvs_get(map, GR_STR_NONE, &value));
    assert_str(value, "4");
    assert_false(gr_kvs_get((struct gr_kvs){0}, GR_STR("a"), &value));
}

/* The helpers of base/defs that everything is built on. */
static void test_defs(void **state GR_UNUSED)
{
    char *owned = malloc(1);
    char *taken = gr_take(owned);
    size_t sum;

    assert_null(owned);
    assert_non_null(taken);
    free(taken);
    assert_false(gr_add_overflows(SIZE_MAX - 1, (size_t)1, &sum));
    assert_int_equal(sum, SIZE_MAX);
    assert_true(gr_add_overflows(SIZE_MAX, (size_t)1, &sum));
    assert_false(gr_mul_overflows(SIZE_MAX / 2, (size_t)2, &sum));
    assert_true(gr_mul_overflows(SIZE_MAX / 2 + 1, (size_t)2, &sum));
    assert_int_equal(GR_MIN(1, 2), 1);
    assert_int_equal(GR_MAX(1, 2), 2);
}

int main(void)
{
    TEST_ADD_ROWS(pairs, pair_rows);
    TEST_ADD_ROWS(find, find_rows);
    TEST_ADD_ROWS(number, number_rows);
    TEST_ADD_ROWS(hex, hex_rows);
    TEST_ADD_ROWS(distance, distance_rows);
    TEST_ADD_ROWS(cut, cut_rows);
    test_add("words", test_words);
    test_add("from", test_from);
    test_add("format", test_format);
    test_add("map", test_map);
    test_add("defs", test_defs);
    return test_run("base/str");
}
