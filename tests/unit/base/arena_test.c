/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <stdalign.h>

#include "base/arena.h"

static bool is_aligned(const void *p)
{
    return (uintptr_t)p % alignof(max_align_t) == 0;
}

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i])
            return false;
    }
    return true;
}

static const struct alloc_row {
    const char *name;
    size_t bytes;
} alloc_rows[] = {
    {"nothing", 0},        {"one", 1},       {"odd", 13},
    {"sixteen", 16},       {"a block", 256}, {"one past a block", 257},
    {"far larger", 10000},
};

/* Whatever the size: aligned, zeroed, all of it usable, and apart from its neighbours. */
static void alloc(void **state)
{
    const struct alloc_row *row = *state;
    struct gr_arena arena;
    unsigned char *pieces[20];

    gr_arena_init(&arena, 256, 0);
    for (size_t i = 0; i < GR_ARRAY_LEN(pieces); i++) {
        pieces[i] = gr_arena_alloc(&arena, row->bytes);
        assert_non_null(pieces[i]);
        assert_true(is_aligned(pieces[i]));
        assert_true(is_zero(pieces[i], row->bytes));
        memset(pieces[i], (int)i + 1, row->bytes);
    }
    for (size_t i = 0; i < GR_ARRAY_LEN(pieces) && row->bytes; i++) {
        assert_int_equal(pieces[i][0], i + 1);
        assert_int_equal(pieces[i][row->bytes - 1], i + 1);
    }
    gr_arena_fini(&arena);
    assert_int_equal(arena.taken_bytes, 0);
}

static void test_init_allocates_nothing(void **state GR_UNUSED)
{
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    assert_null(arena.blocks);
    assert_int_equal(arena.taken_bytes, 0);
    gr_arena_fini(&arena);
    gr_arena_fini(&arena);
    gr_arena_reset(&arena);
    arena = (struct gr_arena){0};
    gr_arena_fini(&arena);
}

static const struct limit_row {
    const char *name;
    size_t limit;
    size_t bytes; /* of each piece */
    size_t count; /* pieces that fit */
} limit_rows[] = {
    {"less than an ordinary block", 64, 16, 4},
    {"less than one piece", 15, 16, 0},
    {"a block to the byte", 256, 16, 16},
    {"a block and a bit", 272, 16, 17},
    {"one large piece to the byte", 1024, 1024, 1},
    {"one byte too little", 1023, 1024, 0},
    {"two large pieces", 2048, 1024, 2},
};

static void limit(void **state)
{
    const struct limit_row *row = *state;
    struct gr_arena arena;

    gr_arena_init(&arena, 256, row->limit);
    for (size_t i = 0; i < row->count; i++)
        assert_non_null(gr_arena_alloc(&arena, row->bytes));
    assert_null(gr_arena_alloc(&arena, row->bytes));
    assert_true(arena.taken_bytes <= row->limit);
    gr_arena_fini(&arena);
}

/* A large piece does not end the use of the block that was open. */
static void test_large_piece_goes_aside(void **state GR_UNUSED)
{
    struct gr_arena arena;
    size_t taken;

    gr_arena_init(&arena, 256, 0);
    assert_non_null(gr_arena_alloc(&arena, 16));
    assert_non_null(gr_arena_alloc(&arena, 1000));
    taken = arena.taken_bytes;
    for (size_t i = 0; i < 15; i++)
        assert_non_null(gr_arena_alloc(&arena, 16));
    assert_int_equal(arena.taken_bytes, taken);
    assert_non_null(gr_arena_alloc(&arena, 16));
    assert_int_equal(arena.taken_bytes, taken + 256);
    gr_arena_fini(&arena);
}

static void test_reset_keeps_one_block(void **state GR_UNUSED)
{
    struct gr_arena arena;
    unsigned char *p;

    gr_arena_init(&arena, 256, 0);
    for (size_t i = 0; i < 40; i++) {
        p = gr_arena_alloc(&arena, 100);
        assert_non_null(p);
        memset(p, 0xff, 100);
    }
    assert_non_null(gr_arena_alloc(&arena, 5000));
    gr_arena_reset(&arena);
    assert_int_equal(arena.taken_bytes, 256);
    p = gr_arena_alloc(&arena, 256);
    assert_non_null(p);
    assert_true(is_zero(p, 256));
    assert_int_equal(arena.taken_bytes, 256);
    gr_arena_fini(&arena);
}

static void test_reset_with_only_large_blocks(void **state GR_UNUSED)
{
    struct gr_arena arena;

    gr_arena_init(&arena, 256, 0);
    assert_non_null(gr_arena_alloc(&arena, 5000));
    gr_arena_reset(&arena);
    assert_null(arena.blocks);
    assert_int_equal(arena.taken_bytes, 0);
    gr_arena_fini(&arena);
}

static void test_reset_gives_the_limit_back(void **state GR_UNUSED)
{
    struct gr_arena arena;

    gr_arena_init(&arena, 256, 1024);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 4; i++)
            assert_non_null(gr_arena_alloc(&arena, 256));
        assert_null(gr_arena_alloc(&arena, 1));
        gr_arena_reset(&arena);
    }
    gr_arena_fini(&arena);
}

static const struct array_row {
    const char *name;
    size_t count;
    size_t element_bytes;
    bool fits;
} array_rows[] = {
    {"none", 0, 8, true},
    {"empty elements", 8, 0, true},
    {"some", 100, 24, true},
    {"product overflows", SIZE_MAX / 2, 3, false},
    {"product wraps to little", SIZE_MAX / 8 + 2, 8, false},
    {"rounding overflows", 1, SIZE_MAX, false},
    {"header overflows", 1, SIZE_MAX - 32, false},
};

static void array(void **state)
{
    const struct array_row *row = *state;
    struct gr_arena arena;

    gr_arena_init(&arena, 256, 0);
    if (row->fits)
        assert_non_null(gr_arena_array(&arena, row->count, row->element_bytes));
    else
        assert_null(gr_arena_array(&arena, row->count, row->element_bytes));
    gr_arena_fini(&arena);
}

static void test_copies(void **state GR_UNUSED)
{
    struct gr_str out = GR_STR("before");
    struct gr_arena arena;
    char *copy;

    gr_arena_init(&arena, 64, 64);
    copy = gr_arena_copy(&arena, GR_STR("a\0b"));
    assert_non_null(copy);
    assert_memory_equal(copy, "a\0b", 4);
    copy = gr_arena_copy(&arena, GR_STR_NONE);
    assert_non_null(copy);
    assert_string_equal(copy, "");
    assert_true(gr_arena_str(&arena, GR_STR("text"), &out));
    assert_str(out, "text");
    assert_int_equal(out.p[4], '\0');
    /* No room: the output is left alone. */
    assert_false(gr_arena_str(&arena, GR_STR("more than is left, by far"), &out));
    assert_str(out, "text");
    assert_null(gr_arena_copy(&arena, (struct gr_str){.p = "x", .n = SIZE_MAX}));
    gr_arena_fini(&arena);
}

int main(void)
{
    TEST_ADD_ROWS(alloc, alloc_rows);
    TEST_ADD_ROWS(limit, limit_rows);
    TEST_ADD_ROWS(array, array_rows);
    test_add("init allocates nothing", test_init_allocates_nothing);
    test_add("a large piece goes aside", test_large_piece_goes_aside);
    test_add("reset keeps one block", test_reset_keeps_one_block);
    test_add("reset with only large blocks", test_reset_with_only_large_blocks);
    test_add("reset gives the limit back", test_reset_gives_the_limit_back);
    test_add("copies", test_copies);
    return test_run("base/arena");
}
