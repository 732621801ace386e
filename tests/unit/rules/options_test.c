/* SPDX-License-Identifier: Apache-2.0 */
/* How containers are decided about, copied for another thread: nothing is borrowed. */
#include "testing.h"

#include <errno.h>

#include "rules/decide/decide.h"

static char *texts[8];
static size_t texts_n;

/* A text on the heap, which is freed before the copy is looked at. */
static struct gr_str own(const char *text)
{
    assert_true(texts_n < 8);
    texts[texts_n] = strdup(text);
    assert_non_null(texts[texts_n]);
    return gr_str_from(texts[texts_n++]);
}

static void free_texts(void)
{
    while (texts_n > 0) {
        texts_n--;
        memset(texts[texts_n], 'x', strlen(texts[texts_n]));
        free(texts[texts_n]);
    }
}

static void test_copy(void **state)
{
    struct gr_str required[2] = {own("need"), own("also")};
    struct gr_suspension suspended[1] = {{.set = own("tap"),
                                          .kind = GR_TRIPPED,
                                          .by = own("breaker"),
                                          .since_s = 3,
                                          .until_s = 9,
                                          .reason = GR_STR_NONE}};
    const struct gr_decide_options options = {
        .node_name = own("node-1"),
        .own_namespace = own("grapnel"),
        .request_annotation = own("hooks.example.com/sets"),
        .required_sets = {required, 2},
        .suspended = suspended,
        .suspended_n = 1,
        .now_s = 5,
    };
    struct gr_decide_options copy;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_decide_options_copy(&options, &arena, &copy), 0);
    free_texts();
    memset(required, 0, sizeof(required));
    memset(suspended, 0, sizeof(suspended));
    assert_true(gr_str_is(copy.node_name, "node-1"));
    assert_true(gr_str_is(copy.own_namespace, "grapnel"));
    assert_true(gr_str_is(copy.request_annotation, "hooks.example.com/sets"));
    assert_int_equal(copy.required_sets.n, 2);
    assert_true(gr_str_is(copy.required_sets.items[1], "also"));
    assert_int_equal(copy.suspended_n, 1);
    assert_true(gr_str_is(copy.suspended[0].set, "tap"));
    assert_true(gr_str_is(copy.suspended[0].by, "breaker"));
    assert_int_equal(copy.suspended[0].kind, GR_TRIPPED);
    assert_int_equal(copy.suspended[0].until_s, 9);
    assert_int_equal(copy.suspended[0].reason.n, 0);
    assert_int_equal(copy.now_s, 5);
    gr_arena_fini(&arena);
}

static void test_nothing(void **state)
{
    const struct gr_decide_options none = {0};
    struct gr_decide_options copy;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 64, 0);
    assert_int_equal(gr_decide_options_copy(&none, &arena, &copy), 0);
    assert_int_equal(copy.node_name.n + copy.required_sets.n + copy.suspended_n, 0);
    gr_arena_fini(&arena);
}

static void test_no_memory(void **state)
{
    const struct gr_decide_options options = {.node_name = GR_STR("a name that does not fit")};
    struct gr_decide_options copy;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 64, 1);
    assert_int_equal(gr_decide_options_copy(&options, &arena, &copy), -ENOMEM);
    gr_arena_fini(&arena);
}

int main(void)
{
    test_add("copy", test_copy);
    test_add("nothing", test_nothing);
    test_add("no memory", test_no_memory);
    return test_run("options");
}
