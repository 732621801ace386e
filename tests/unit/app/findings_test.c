/* SPDX-License-Identifier: Apache-2.0 */
/* What a load had to say: how much of it is kept, and when it is news. */
#include "testing.h"

#include "app/daemon/reload/findings.h"

static void add(struct gr_finding_list *list, const char *text, uint32_t line)
{
    const struct gr_reporter reporter = gr_finding_list_reporter(list);
    struct gr_err err = {0};

    (void)gr_fail(&err, 0, "code", "%s", text);
    gr_err_at(&err, "/a.yaml", line, 1);
    gr_report(&reporter, GR_LEVEL_ERROR, &err);
}

static void test_limit(void **state)
{
    struct gr_finding_list list;

    (void)state;
    gr_finding_list_init(&list);
    for (uint32_t i = 0; i < GR_FINDINGS_KEPT_MAX; i++)
        add(&list, "text", i + 1);
    assert_int_equal(list.n, GR_FINDINGS_KEPT_MAX);
    assert_int_equal(list.dropped, 0);
    assert_int_equal(list.items[GR_FINDINGS_KEPT_MAX - 1].err.line, GR_FINDINGS_KEPT_MAX);
    add(&list, "text", 1);
    assert_int_equal(list.n, GR_FINDINGS_KEPT_MAX);
    assert_int_equal(list.dropped, 1);
    gr_finding_list_fini(&list);
}

/* Equal lists have equal hashes; another text, place or number of findings has another one. */
static void test_hash(void **state)
{
    struct gr_finding_list a, b;

    (void)state;
    gr_finding_list_init(&a);
    gr_finding_list_init(&b);
    assert_true(a.hash == b.hash);
    add(&a, "one", 1);
    assert_true(a.hash != b.hash);
    add(&b, "one", 1);
    assert_true(a.hash == b.hash);
    add(&a, "two", 1);
    add(&b, "two", 2);
    assert_true(a.hash != b.hash);
    gr_finding_list_fini(&a);
    gr_finding_list_fini(&b);
    add(&a, "one", 1);
    add(&b, "other", 1);
    assert_true(a.hash != b.hash);
    gr_finding_list_fini(&a);
    gr_finding_list_fini(&b);
}

int main(void)
{
    test_add("kept up to the limit, counted past it", test_limit);
    test_add("the hash tells lists apart", test_hash);
    return test_run("findings");
}
