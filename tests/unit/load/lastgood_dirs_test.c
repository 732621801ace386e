/* SPDX-License-Identifier: Apache-2.0 */
/* Last good texts where a directory is gone, cannot be read, or is not trusted. */
#include "keeping.h"

static void test_directory_gone(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_remove(&host, A);
    mem_remove(&host, B);
    mem_remove(&host, HOOKS);
    load_again(l);
    assert_sets(l, "");
    assert_int_equal(kept(NULL), 0);
    end(l);
}

static int fail_list(struct memfs *m, enum mem_op op, const char *name)
{
    return m->countdown && op == MEM_LIST && strcmp(name, "hooks.d") == 0 ? -EIO : 0;
}

/* A directory that cannot be read is not an empty one. */
static void test_unreadable_directory_is_frozen(void **state)
{
    struct loaded *l = begin();

    (void)state;
    host.inject = fail_list;
    host.countdown = 1;
    l = restart(l);
    assert_sets(l, "a b");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    assert_state(l, B, GR_FILE_LAST_GOOD);
    assert_int_equal(l->result.last_good, 2);
    assert_int_equal(kept(NULL), 2);
    host.countdown = 0;
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a b");
    end(l);
}

/* Neither what is put into an untrusted directory nor what is taken out of it has an effect. */
static void test_untrusted_directory_is_frozen(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, HOOKS_LOW "/a.yaml", SET("low"));
    mem_file(&host, HOOKS_LOW "/c.yaml", SET("c"));
    load_again(l);
    assert_sets(l, "a b c");

    mem_at(&host, HOOKS)->meta.mode = 0777;
    mem_remove(&host, B);
    mem_file(&host, A, SET("evil"));
    mem_file(&host, HOOKS "/c.yaml", "");
    mem_file(&host, HOOKS "/d.yaml", SET("evil-too"));
    load_again(l);
    assert_sets(l, "a b c");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    assert_state(l, B, GR_FILE_LAST_GOOD);
    assert_state(l, HOOKS "/c.yaml", GR_FILE_REJECTED);
    assert_state(l, HOOKS "/d.yaml", GR_FILE_REJECTED);
    assert_state(l, HOOKS_LOW "/a.yaml", GR_FILE_MASKED);
    assert_state(l, HOOKS_LOW "/c.yaml", GR_FILE_LOADED);
    assert_int_equal(findings_count(&l->findings, "untrusted-mode"), 1);
    l = restart(l);
    assert_sets(l, "a b c");
    end(l);
}

/* Nor has it one that the directory is taken away as a whole. */
static void test_directory_taken_away_by_others(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_at(&host, "/etc/grapnel")->meta.mode = 0777;
    mem_remove(&host, A);
    mem_remove(&host, B);
    mem_remove(&host, HOOKS);
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    assert_int_equal(findings_count(&l->findings, "untrusted-mode"), 1);
    l = restart(l);
    assert_sets(l, "a b");
    end(l);
}

int main(void)
{
    test_add("the directory is gone", test_directory_gone);
    test_add("an unreadable directory is frozen", test_unreadable_directory_is_frozen);
    test_add("an untrusted directory is frozen", test_untrusted_directory_is_frozen);
    test_add("a directory taken away by others", test_directory_taken_away_by_others);
    return test_run("lastgood_dirs");
}
