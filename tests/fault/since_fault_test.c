/* SPDX-License-Identifier: Apache-2.0 */
/* state/since while memory runs out: the file is whole, and tables are there or not. */
#include "failing.h"

#include "rules/making.h"

#include <unistd.h>

#include "state/rundir.h"
#include "state/since.h"

struct loads {
    struct gr_ruleset *first, *second;
    int dir;
};

static struct gr_ruleset *load(size_t n)
{
    struct gr_hookset sets[3];
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    for (size_t i = 0; i < n; i++) {
        char name[] = {(char)('a' + i), '\0'};

        sets[i] = make_hookset(&arena, name, make_always(true));
        sets[i].document = (uint32_t)i;
    }
    return make_ruleset(&arena, sets, n);
}

static int scenario(void *user)
{
    const struct loads *loads = user;
    struct gr_since *before = NULL, *since = NULL;
    struct gr_err err = {0};
    bool changed;
    int r;

    (void)unlinkat(loads->dir, GR_SINCE_FILE, 0);
    r = gr_since_follow(NULL, loads->first, 1, &since, &changed);
    if (r == 0)
        r = gr_since_write(since, loads->first, loads->dir);
    gr_since_unref(gr_take(since));
    if (r == 0)
        r = gr_since_read(loads->dir, &before, &err);
    if (r == 0)
        r = gr_since_follow(before, loads->second, 2, &since, &changed);
    if (r == 0)
        r = gr_since_write(since, loads->second, loads->dir);
    gr_since_unref(before);
    gr_since_unref(since);
    return r;
}

static void test_each(void **state)
{
    char top[] = "/tmp/grapnel-since-fault-XXXXXX";
    struct loads loads = {.first = load(2), .second = load(3)};
    struct gr_err err = {0};

    (void)state;
    assert_non_null(mkdtemp(top));
    loads.dir = gr_rundir_open(top, &err);
    assert_true(loads.dir >= 0);
    failing_run(scenario, &loads);
    assert_int_equal(unlinkat(loads.dir, GR_SINCE_FILE, 0), 0);
    (void)close(loads.dir);
    assert_int_equal(rmdir(top), 0);
    gr_ruleset_unref(loads.first);
    gr_ruleset_unref(loads.second);
}

int main(void)
{
    test_add("each allocation fails", test_each);
    return test_run("since_fault");
}
