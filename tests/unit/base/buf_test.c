/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>

#include "base/buf.h"

static void test_adds(void **state GR_UNUSED)
{
    struct gr_buf buf;

    gr_buf_init(&buf, 1000);
    assert_int_equal(gr_buf_add(&buf, "ab", 2), 0);
    assert_int_equal(gr_buf_add(&buf, NULL, 0), 0);
    assert_int_equal(gr_buf_str(&buf, GR_STR("cd")), 0);
    assert_int_equal(gr_buf_str(&buf, GR_STR_NONE), 0);
    assert_int_equal(gr_buf_text(&buf, "ef"), 0);
    assert_int_equal(gr_buf_byte(&buf, 'g'), 0);
    assert_int_equal(gr_buf_printf(&buf, "%s%d", "h", 1), 0);
    assert_str(gr_buf_view(&buf), "abcdefgh1");
    gr_buf_fini(&buf);
    assert_int_equal(buf.len, 0);
    assert_null(buf.data);
    assert_int_equal(buf.max, 1000);
    assert_int_equal(gr_buf_text(&buf, "again"), 0);
    gr_buf_fini(&buf);
    gr_buf_fini(&buf);
}

static const struct limit_row {
    const char *name;
    size_t max;
    size_t piece;
    size_t count; /* pieces that fit */
} limit_rows[] = {
    {"no room at all", 0, 1, 0},           {"one byte", 1, 1, 1},
    {"below the first size", 100, 10, 10}, {"at the first size", 256, 16, 16},
    {"beyond it", 1000, 10, 100},          {"not a multiple", 1000, 300, 3},
    {"in one go", 70000, 70000, 1},        {"too large in one go", 69999, 70000, 0},
};

/* Just to the limit; what goes past it leaves the content as it was, and the buffer broken. */
static void limit(void **state)
{
    const struct limit_row *row = *state;
    char *piece = malloc(row->piece);
    struct gr_buf buf;

    assert_non_null(piece);
    memset(piece, 'p', row->piece);
    gr_buf_init(&buf, row->max);
    for (size_t i = 0; i < row->count; i++)
        assert_int_equal(gr_buf_add(&buf, piece, row->piece), 0);
    assert_int_equal(gr_buf_add(&buf, piece, row->piece), -EMSGSIZE);
    assert_int_equal(buf.len, row->count * row->piece);
    assert_int_equal(buf.broken, -EMSGSIZE);
    /* Broken for everything from now on, also what would fit. */
    assert_int_equal(gr_buf_text(&buf, ""), -EMSGSIZE);
    assert_null(gr_buf_grow(&buf, 0));
    assert_int_equal(gr_buf_printf(&buf, "x"), -EMSGSIZE);
    assert_int_equal(buf.len, row->count * row->piece);
    /* Until it is reset. */
    gr_buf_reset(&buf, SIZE_MAX);
    assert_int_equal(buf.broken, 0);
    assert_int_equal(gr_buf_add(&buf, piece, row->count ? row->piece : 0), 0);
    gr_buf_fini(&buf);
    free(piece);
}

static void test_length_overflow(void **state GR_UNUSED)
{
    struct gr_buf buf;

    gr_buf_init(&buf, SIZE_MAX);
    assert_int_equal(gr_buf_text(&buf, "abc"), 0);
    assert_null(gr_buf_grow(&buf, SIZE_MAX - 1));
    assert_int_equal(buf.broken, -EMSGSIZE);
    assert_str(gr_buf_view(&buf), "abc");
    gr_buf_fini(&buf);
}

static void test_grow(void **state GR_UNUSED)
{
    struct gr_buf buf;
    uint8_t *at;

    gr_buf_init(&buf, 10000);
    for (size_t i = 0; i < 100; i++) {
        at = gr_buf_grow(&buf, 100);
        assert_non_null(at);
        assert_ptr_equal(at, buf.data + 100 * i);
        memset(at, (int)i, 100);
    }
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(buf.data[i], i / 100);
    gr_buf_fini(&buf);
}

static const struct printf_row {
    const char *name;
    int width;
    size_t max;
    int result;
} printf_rows[] = {
    {"empty", 0, 0, 0},
    {"short", 10, 1000, 0},
    {"as long as the small buffer", 255, 1000, 0},
    {"one longer", 256, 1000, 0},
    {"long", 900, 1000, 0},
    {"short, at the limit", 100, 100, 0},
    {"short, past the limit", 101, 100, -EMSGSIZE},
    {"long, at the limit", 300, 300, 0},
    {"long, one past the limit", 301, 300, -EMSGSIZE},
    {"long, past the limit", 1001, 1000, -EMSGSIZE},
    {"short, without a limit", 255, SIZE_MAX, 0},
    {"long, without a limit", 256, SIZE_MAX, 0},
    {"long, at the limit below that", 256, SIZE_MAX - 1, 0},
};

static void print(void **state)
{
    const struct printf_row *row = *state;
    struct gr_buf buf;

    gr_buf_init(&buf, row->max);
    assert_int_equal(gr_buf_printf(&buf, "%*s", row->width, ""), row->result);
    assert_true(buf.max == row->max);
    assert_int_equal(buf.len, row->result ? 0 : row->width);
    for (size_t i = 0; i < buf.len; i++)
        assert_int_equal(buf.data[i], ' ');
    if (row->result == 0 && (size_t)row->width < row->max) {
        assert_int_equal(gr_buf_text(&buf, "!"), 0);
        assert_int_equal(buf.data[row->width], '!');
    }
    gr_buf_fini(&buf);
}

static void test_reset_and_keep(void **state GR_UNUSED)
{
    struct gr_buf buf;

    gr_buf_init(&buf, 100000);
    assert_non_null(gr_buf_grow(&buf, 1000));
    gr_buf_reset(&buf, 100000);
    assert_int_equal(buf.len, 0);
    assert_true(buf.cap >= 1000);
    gr_buf_reset(&buf, buf.cap);
    assert_non_null(buf.data);
    gr_buf_reset(&buf, buf.cap - 1);
    assert_null(buf.data);
    assert_int_equal(buf.cap, 0);
    gr_buf_reset(&buf, 0);
    gr_buf_fini(&buf);
}

static const struct drop_row {
    const char *name;
    const char *text;
    size_t n;
    const char *rest;
} drop_rows[] = {
    {"nothing", "abcdef", 0, "abcdef"}, {"some", "abcdef", 2, "cdef"},
    {"all", "abcdef", 6, ""},           {"more than there is", "abcdef", 7, ""},
    {"from nothing", "", 3, ""},
};

static void drop_front(void **state)
{
    const struct drop_row *row = *state;
    struct gr_buf buf;

    gr_buf_init(&buf, 100);
    assert_int_equal(gr_buf_text(&buf, row->text), 0);
    gr_buf_drop_front(&buf, row->n);
    assert_str(gr_buf_view(&buf), row->rest);
    assert_int_equal(gr_buf_byte(&buf, '!'), 0);
    assert_int_equal(buf.len, strlen(row->rest) + 1);
    gr_buf_fini(&buf);
}

int main(void)
{
    TEST_ADD_ROWS(limit, limit_rows);
    TEST_ADD_ROWS(print, printf_rows);
    TEST_ADD_ROWS(drop_front, drop_rows);
    test_add("adds", test_adds);
    test_add("length overflow", test_length_overflow);
    test_add("grow", test_grow);
    test_add("reset and keep", test_reset_and_keep);
    return test_run("base/buf");
}
