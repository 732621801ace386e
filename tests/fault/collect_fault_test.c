/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for what nothing names with each of the allocations failing: what a container has named
 * stays, no leak, no open descriptor. */
#include "failing.h"
#include "load/realfs.h"

#include <errno.h>
#include <time.h>

#include "load/bundles.h"
#include "load/collect.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define BUNDLE "/c/overlay-containers/a/userdata"

static int see(void *user, const char *id, struct gr_str text)
{
    assert_string_equal(id, "a");
    gr_old_name(user, text);
    return 0;
}

static int collect(void *user)
{
    const struct gr_collect what = {
        .fs = &fs, .root = top, .dir = "/p", .now_s = (int64_t)time(NULL) + GR_STORE_AGE_MIN_S + 1};
    struct gr_old old = {0};
    const struct gr_bundles bundles = {
        .fs = &fs, .root = top, .dir = "/c", .each = see, .user = &old};
    struct gr_collected collected;
    struct gr_arena arena;
    struct gr_err err = {0};
    int rc;

    (void)user;
    if (mkdir(at("/p/net/" TWO), 0755) != 0)
        assert_int_equal(errno, EEXIST);
    gr_arena_init(&arena, 4096, 0);
    rc = gr_old_find(&what, &old);
    if (rc == 0)
        rc = gr_bundles_read(&bundles, &err);
    assert_int_equal(err.code != NULL, rc != 0 && old.items);
    if (rc == 0)
        rc = gr_collect(&what, &old, &arena, &collected);
    /* A directory that cannot be listed is left alone. */
    if (rc == 0)
        assert_int_equal(collected.n, access(at("/p/net/" TWO), F_OK) != 0);
    gr_arena_fini(&arena);
    gr_old_fini(&old);
    assert_int_equal(access(at("/p/net/" ONE), F_OK), 0);
    return rc;
}

static void test_collect(void **state)
{
    (void)state;
    begin();
    dir("/p", 0755);
    dir("/p/net", 0755);
    dir("/p/net/" ONE, 0755);
    dir("/c", 0700);
    dir("/c/overlay-containers", 0700);
    dir("/c/overlay-containers/a", 0700);
    dir(BUNDLE, 0700);
    make(BUNDLE "/config.json", "\\u003c" ONE, 0600);
    failing_run(collect, NULL);
    assert_int_equal(collect(NULL), 0);
    assert_int_equal(access(at("/p/net/" TWO), F_OK), -1);
    end();
}

int main(void)
{
    test_add("collect", test_collect);
    return test_run("collect_fault");
}
