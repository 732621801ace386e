/* SPDX-License-Identifier: Apache-2.0 */
/* state/since: from one load to the next, and over the file. */
#include "rules/making.h"

#include <errno.h>
#include <unistd.h>

#include "state/rundir.h"
#include "state/since.h"

static char top[] = "/tmp/grapnel-since-XXXXXX";
static int dir;

/* ---- loads ---- */

/* Sets by their letters: a name, then 0 to 9 for the text. */
static struct gr_ruleset *load(const char *sets)
{
    struct gr_hookset list[16];
    struct gr_arena arena;
    size_t n = 0;

    gr_arena_init(&arena, 4096, 0);
    for (; *sets; sets += 2) {
        char name[] = {sets[0], '\0'};

        list[n] = make_hookset(&arena, name, make_always(true));
        list[n].hash = UINT64_C(0xfedcba9876543210) + (uint64_t)(sets[1] - '0');
        list[n].document = (uint32_t)n;
        n++;
    }
    return make_ruleset(&arena, list, n);
}

static bool find(const struct gr_since *since, const char *set, struct gr_since_of *out_of)
{
    struct gr_ruleset *rules = load(set);
    bool found = gr_since_find(since, gr_ruleset_at(rules, 0), out_of);

    gr_ruleset_unref(rules);
    return found;
}

/* The table that follows; takes before. */
static struct gr_since *follow(struct gr_since *before, const char *sets, int64_t now_s,
                               bool expect_changed)
{
    struct gr_ruleset *rules = load(sets);
    struct gr_since *since = NULL;
    bool changed = !expect_changed;

    assert_int_equal(gr_since_follow(before, rules, now_s, &since, &changed), 0);
    assert_int_equal(changed, expect_changed);
    gr_since_unref(before);
    gr_ruleset_unref(rules);
    return since;
}

static void expect(const struct gr_since *since, const char *set, int64_t since_s, bool before)
{
    struct gr_since_of of = {.since_s = -1};

    assert_int_equal(find(since, set, &of), since_s >= 0);
    assert_int_equal(of.since_s, since_s);
    if (since_s >= 0)
        assert_int_equal(of.before_start, before);
}

static void test_loads(void **state)
{
    struct gr_since *since = follow(NULL, "a1b1c1", 100, true);

    (void)state;
    expect(since, "a1", 100, false);
    expect(since, "c1", 100, false);
    expect(since, "a2", -1, false);
    expect(since, "d1", -1, false);
    since = follow(since, "c1a1b1", 200, false); /* the order is nothing */
    expect(since, "a1", 100, false);
    since = follow(since, "a1b2d1", 300, true);
    expect(since, "a1", 100, false);
    expect(since, "b2", 300, false);
    expect(since, "b1", -1, false);
    expect(since, "c1", -1, false);
    expect(since, "d1", 300, false);
    since = follow(since, "a1", 400, true); /* only fewer */
    since = follow(since, "a1b2", 500, true);
    expect(since, "a1", 100, false);
    expect(since, "b2", 500, false); /* it was gone meanwhile */
    since = follow(since, "", 600, true);
    since = follow(since, "", 700, false);
    expect(since, "a1", -1, false);
    gr_since_unref(since);
}

static void test_a_clock_that_was_set_back(void **state)
{
    struct gr_since *since = follow(NULL, "a1b1", 1000, true);

    (void)state;
    since = follow(since, "a1b1", 50, true);
    expect(since, "a1", 50, false);
    gr_since_unref(since);
}

static void test_the_empty_table(void **state)
{
    struct gr_since *since = follow(NULL, "", 5, false);

    (void)state;
    expect(since, "a1", -1, false);
    expect(NULL, "a1", -1, false);
    gr_since_unref(since);
    gr_since_unref(NULL);
}

/* ---- which count ---- */

struct counting {
    const char *name;
    bool other_node, blocked, observe;
};

static const struct counting countings[] = {
    {"in force", false, false, false}, {"of another node", true, false, false},
    {"blocked", false, true, false},   {"observing", false, false, true},
    {"all of it", true, true, true},
};

static void counts(void **state)
{
    const struct counting *row = *state;
    bool in_force = !row->other_node && !row->blocked && !row->observe;
    struct gr_since *since;
    struct gr_ruleset *rules;
    struct gr_hookset set;
    struct gr_arena arena;
    struct gr_since_of of;
    bool changed;

    gr_arena_init(&arena, 4096, 0);
    set = make_hookset(&arena, "a", make_always(true));
    set.other_node = row->other_node;
    set.blocked = row->blocked ? GR_STR("why") : GR_STR_NONE;
    set.mode = row->observe ? GR_MODE_OBSERVE : GR_MODE_ENFORCE;
    rules = make_ruleset(&arena, &set, 1);
    assert_int_equal(gr_since_is_in_force(gr_ruleset_at(rules, 0)), in_force);
    assert_int_equal(gr_since_follow(NULL, rules, 7, &since, &changed), 0);
    assert_int_equal(changed, in_force);
    assert_int_equal(gr_since_find(since, gr_ruleset_at(rules, 0), &of), in_force);
    gr_since_unref(since);
    gr_ruleset_unref(rules);
}

/* ---- the file ---- */

static struct gr_since *read_back(void)
{
    struct gr_since *since = NULL;
    struct gr_err err = {0};

    assert_int_equal(gr_since_read(dir, &since, &err), 0);
    return since;
}

static void write_file(const struct gr_since *since, const char *sets)
{
    struct gr_ruleset *rules = load(sets);

    assert_int_equal(gr_since_write(since, rules, dir), 0);
    gr_ruleset_unref(rules);
}

static void test_over_the_file(void **state)
{
    struct gr_since *since = follow(NULL, "a1b1", 100, true);
    struct gr_buf text;

    (void)state;
    assert_null(read_back()); /* there is none */
    since = follow(since, "a1b2", 200, true);
    write_file(since, "a1b2");
    gr_since_unref(since);
    gr_buf_init(&text, 4096);
    assert_int_equal(gr_rundir_read(dir, GR_SINCE_FILE, 4096, &text), 0);
    assert_str(gr_buf_view(&text), "grapnel-since 1\n"
                                   "100 fedcba9876543211 a\n"
                                   "200 fedcba9876543212 b\n");
    gr_buf_fini(&text);
    since = read_back();
    expect(since, "a1", 100, true);
    expect(since, "b2", 200, true);
    since = follow(since, "a1b2", 300, false);
    expect(since, "a1", 100, true); /* also after loads */
    since = follow(since, "a2b2", 300, true);
    expect(since, "a2", 300, false);
    expect(since, "b2", 200, true);
    since = follow(since, "", 400, true);
    write_file(since, "");
    gr_since_unref(since);
    since = read_back();
    expect(since, "a1", -1, false);
    gr_since_unref(since);
}

struct bad {
    const char *name;
    const char *text;
};

#define LINE "100 fedcba9876543211 a\n"

static const struct bad bads[] = {
    {"empty", ""},
    {"another version", "grapnel-since 2\n" LINE},
    {"no first line", LINE},
    {"the first line alone, cut", "grapnel-since 1"},
    {"a cut line", "grapnel-since 1\n" LINE "100 fedcba"},
    {"an empty line", "grapnel-since 1\n\n"},
    {"no name", "grapnel-since 1\n100 fedcba9876543211\n"},
    {"an empty name", "grapnel-since 1\n100 fedcba9876543211 \n"},
    {"a time that is none", "grapnel-since 1\n1x0 fedcba9876543211 a\n"},
    {"a negative time", "grapnel-since 1\n-1 fedcba9876543211 a\n"},
    {"a time past 63 bits", "grapnel-since 1\n9223372036854775808 fedcba9876543211 a\n"},
    {"a short hash", "grapnel-since 1\n100 fedcba987654321 a\n"},
    {"a long hash", "grapnel-since 1\n100 0fedcba9876543211 a\n"},
    {"capitals in the hash", "grapnel-since 1\n100 FEDCBA9876543211 a\n"},
};

/* Nothing of it counts. */
static void unreadable(void **state)
{
    const struct bad *bad = *state;
    struct gr_since *since = NULL;
    struct gr_err err = {0};

    assert_int_equal(gr_rundir_write(dir, GR_SINCE_FILE, gr_str_from(bad->text)), 0);
    assert_int_equal(gr_since_read(dir, &since, &err), -EBADMSG);
    assert_string_equal(err.code, "since-not-read");
    assert_null(since);
}

/* The edge of 63 bits is still a time, though one of the future: it becomes now. */
static void test_the_latest_time(void **state)
{
    struct gr_since *since;

    (void)state;
    assert_int_equal(
        gr_rundir_write(dir, GR_SINCE_FILE,
                        GR_STR("grapnel-since 1\n9223372036854775807 fedcba9876543211 a\n")),
        0);
    since = follow(read_back(), "a1", 100, true);
    expect(since, "a1", 100, false);
    gr_since_unref(since);
}

static void test_a_file_that_is_too_long(void **state)
{
    struct gr_since *since = NULL;
    struct gr_err err = {0};
    char path[64];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/%s", top, GR_SINCE_FILE);
    assert_int_equal(truncate(path, GR_SINCE_FILE_MAX_BYTES + 1), 0);
    assert_int_equal(gr_since_read(dir, &since, &err), -EFBIG);
    assert_null(since);
    assert_int_equal(truncate(path, GR_SINCE_FILE_MAX_BYTES), 0);
    assert_int_equal(gr_since_read(dir, &since, &err), -EBADMSG);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(gr_since_read(-1, &since, &err), -EBADF);
}

/* Many sets: each is found, and nothing beside them. */
static void test_many(void **state)
{
    const size_t n = 10000;
    struct gr_hookset *sets;
    struct gr_since *since, *again;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    struct gr_since_of of;
    struct gr_err err = {0};
    bool changed;

    (void)state;
    gr_arena_init(&arena, 1U << 16, 0);
    sets = make_room(&arena, n, sizeof(*sets));
    for (size_t i = 0; i < n; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "set-%zu", i);
        sets[i] = make_hookset(&arena, name, make_always(true));
        sets[i].document = (uint32_t)i;
        sets[i].hash = i * 3;
    }
    rules = make_ruleset(&arena, sets, n);
    assert_int_equal(gr_since_follow(NULL, rules, 1, &since, &changed), 0);
    assert_int_equal(gr_since_write(since, rules, dir), 0);
    assert_int_equal(gr_since_read(dir, &again, &err), 0);
    for (size_t i = 0; i < n; i++) {
        struct gr_hookset set = *gr_ruleset_at(rules, i);

        assert_true(gr_since_find(since, &set, &of) && gr_since_find(again, &set, &of));
        set.hash++;
        assert_false(gr_since_find(again, &set, &of));
    }
    gr_since_unref(since);
    gr_since_unref(again);
    gr_ruleset_unref(rules);
    assert_int_equal(unlinkat(dir, GR_SINCE_FILE, 0), 0);
}

int main(void)
{
    struct gr_err err = {0};
    int r;

    if (!mkdtemp(top))
        return 1;
    dir = gr_rundir_open(top, &err);
    if (dir < 0)
        return 1;
    test_add("loads", test_loads);
    test_add("a clock that was set back", test_a_clock_that_was_set_back);
    test_add("the empty table", test_the_empty_table);
    TEST_ADD_ROWS(counts, countings);
    test_add("over the file", test_over_the_file);
    TEST_ADD_ROWS(unreadable, bads);
    test_add("the latest time", test_the_latest_time);
    test_add("a file that is too long", test_a_file_that_is_too_long);
    test_add("many", test_many);
    r = test_run("since");
    (void)close(dir);
    (void)rmdir(top);
    return r;
}
