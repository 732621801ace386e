/* SPDX-License-Identifier: Apache-2.0 */
/* Last good texts that cannot be written: held in memory as long as that is so, and no others. */
#include "keeping.h"

static struct gr_held held;

/* Two files that were accepted, with a place for what cannot be kept. */
static struct loaded *begin_held(void)
{
    struct loaded *l = begin();

    l->options.held = &held;
    load_again(l);
    assert_null(held.first);
    assert_int_equal(l->result.unkept, 0);
    return l;
}

static void end_held(struct loaded *l)
{
    gr_held_fini(&held);
    end(l);
}

static void assert_held(const struct loaded *l, size_t n)
{
    size_t found = 0;

    for (const struct gr_held_text *text = held.first; text; text = text->next)
        found++;
    assert_int_equal(found, n);
    assert_int_equal(l->result.unkept, n);
}

/* The directory is in somebody's way, and mended while a file is bad. */
static void test_directory_not_usable(void **state)
{
    struct loaded *l = begin_held();

    (void)state;
    mem_at(&host, LAST_GOOD)->meta.mode = 0755;
    mem_file(&host, A, SET("a2"));
    load_again(l);
    assert_finding(&l->findings, "last-good-directory", "chmod 0700");
    assert_held(l, 2);
    mem_file(&host, A, SET_BAD);
    for (int i = 0; i < 2; i++) {
        load_again(l);
        assert_sets(l, "a2 b");
        assert_state(l, A, GR_FILE_LAST_GOOD);
        assert_held(l, 2);
    }
    mem_at(&host, LAST_GOOD)->meta.mode = 0700;
    load_again(l);
    assert_sets(l, "a2 b");
    assert_held(l, 0);
    l = restart(l);
    assert_sets(l, "a2 b");
    assert_int_equal(l->result.last_good, 1);
    end_held(l);
}

/* What an administrator takes away does not come back. */
static void test_file_gone(void **state)
{
    struct loaded *l = begin_held();

    (void)state;
    mem_at(&host, LAST_GOOD)->meta.mode = 0755;
    load_again(l);
    assert_held(l, 2);
    mem_remove(&host, A);
    mem_file(&host, B, "");
    load_again(l);
    assert_sets(l, "");
    assert_held(l, 0);
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "");
    end_held(l);
}

static int fail_op(struct memfs *m, enum mem_op op, const char *name)
{
    (void)name;
    return (int)op == m->countdown ? -ENOSPC : 0;
}

struct op_row {
    const char *name;
    enum mem_op op;
};

static const struct op_row ops[] = {
    {"writing", MEM_WRITE},
    {"making", MEM_CREATE},
    {"syncing", MEM_SYNC},
    {"renaming", MEM_RENAME},
};

/* The disk is full: the older text stays there, the newer one counts until there is room. */
static void fails(void **state)
{
    const struct op_row *row = *state;
    struct loaded *l = begin_held();

    host.inject = fail_op;
    host.countdown = (int)row->op;
    mem_file(&host, A, SET("new"));
    load_again(l);
    assert_sets(l, "new b");
    assert_finding(&l->findings, "last-good-write", A);
    assert_held(l, 1); /* only what could not be written */
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "new b");
    assert_held(l, 1);
    host.inject = NULL;
    load_again(l);
    assert_held(l, 0);
    l = restart(l);
    assert_sets(l, "new b");
    end_held(l);
}

/* A directory that is frozen has its files as they are held. */
static void test_frozen(void **state)
{
    struct loaded *l = begin_held();

    (void)state;
    mem_at(&host, LAST_GOOD)->meta.mode = 0755;
    load_again(l);
    mem_at(&host, HOOKS)->meta.mode = 0777;
    mem_remove(&host, B);
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, B, GR_FILE_LAST_GOOD);
    end_held(l);
}

static bool is_torn(void *user, bool drops)
{
    (void)user;
    (void)drops;
    return true;
}

/* A load that is dropped changes nothing of it; without a directory nothing is to be kept. */
static void test_left_alone(void **state)
{
    struct loaded *l = begin_held();

    (void)state;
    mem_at(&host, LAST_GOOD)->meta.mode = 0755;
    load_again(l);
    l->options.torn = is_torn;
    mem_file(&host, A, "");
    load_again(l);
    assert_true(l->result.torn);
    l->options.torn = NULL;
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "a b");
    assert_held(l, 2);
    l->options.last_good_dir = NULL;
    load_again(l);
    assert_sets(l, "b");
    assert_held(l, 0);
    end_held(l);
}

/* As much as there may be of rule files. */
static void test_limit(void **state)
{
    static char bytes[1U << 20];
    const struct gr_str text = {.p = bytes, .n = sizeof(bytes)};
    const struct gr_str path = GR_STR("/a");
    struct gr_held_text *last = NULL;
    struct gr_held many = {0};

    (void)state;
    while (many.bytes + text.n + path.n <= GR_LOAD_TEXT_MAX_BYTES) {
        last = gr_held_put(&many, NULL, path, text);
        assert_non_null(last);
    }
    assert_null(gr_held_put(&many, NULL, path, text));
    assert_non_null(gr_held_put(&many, last, path, text)); /* in its place */
    assert_non_null(gr_held_put(
        &many, NULL, path,
        (struct gr_str){.p = bytes, .n = GR_LOAD_TEXT_MAX_BYTES - many.bytes - path.n}));
    assert_int_equal(many.bytes, GR_LOAD_TEXT_MAX_BYTES);
    assert_null(gr_held_put(&many, NULL, GR_STR("/"), GR_STR_NONE));
    gr_held_fini(&many);
    assert_int_equal(many.bytes, 0);
}

int main(void)
{
    test_add("directory not usable", test_directory_not_usable);
    test_add("file gone", test_file_gone);
    TEST_ADD_ROWS(fails, ops);
    test_add("frozen", test_frozen);
    test_add("left alone", test_left_alone);
    test_add("limit", test_limit);
    return test_run("lastgood_held");
}
