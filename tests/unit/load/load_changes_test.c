/* SPDX-License-Identifier: Apache-2.0 */
/* load/load: files that change under the loader. */
#include "loading.h"

static struct memfs host;

static int vanish(struct memfs *m, enum mem_op op, const char *name)
{
    if (op == MEM_OPEN_AT && strcmp(name, "a.yaml") == 0 && mem_find(m, HOOKS "/a.yaml"))
        mem_remove(m, HOOKS "/a.yaml");
    return 0;
}

static void test_vanishes_between_list_and_open(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    mem_file(&host, HOOKS "/b.yaml", SET("b"));
    host.inject = vanish;
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "b");
    assert_int_equal(l->result.files_n, 1);
    loaded_free(l);
    memfs_fini(&host);
}

/* As an editor does it: another file of the same name, between the look and the opening. */
static int replace(struct memfs *m, enum mem_op op, const char *name)
{
    if (op == MEM_OPEN_READ && strcmp(name, "a.yaml") == 0 && m->countdown > 0) {
        m->countdown--;
        mem_remove(m, HOOKS "/a.yaml");
        mem_file(m, HOOKS "/a.yaml", SET("new"));
    }
    return 0;
}

static void test_replaced_between_look_and_open(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("old"));
    host.inject = replace;
    host.countdown = 1;
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "new");

    host.countdown = 2;
    load_again(l);
    assert_finding(&l->findings, "file-changing", "changed twice");
    assert_state(l, HOOKS "/a.yaml", GR_FILE_LAST_GOOD);
    assert_sets(l, "new");
    loaded_free(l);
    memfs_fini(&host);
}

/* A link to somebody's file is put there after the look. */
static int swap_for_link(struct memfs *m, enum mem_op op, const char *name)
{
    if (op == MEM_OPEN_READ && strcmp(name, "a.yaml") == 0 && m->countdown > 0) {
        m->countdown--;
        mem_remove(m, HOOKS "/a.yaml");
        mem_link(m, HOOKS "/a.yaml", "/home/u/evil.yaml");
    }
    return 0;
}

static void test_swapped_for_a_link(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, "/home/u/evil.yaml", SET("evil"))->meta.uid = 1000;
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    host.inject = swap_for_link;
    host.countdown = 1;
    l = load(&host);
    assert_sets(l, "");
    assert_finding(&l->findings, "untrusted-owner", "/home/u/evil.yaml belongs to uid 1000");
    loaded_free(l);
    memfs_fini(&host);
}

/* Written to while it is read. */
static int append(struct memfs *m, enum mem_op op, const char *name)
{
    struct mem_node *n;

    if (op == MEM_READ && strcmp(name, "a.yaml") == 0 && m->countdown > 0) {
        m->countdown--;
        n = mem_at(m, HOOKS "/a.yaml");
        mem_set(m, n, SET("b"), strlen(SET("b")));
    }
    return 0;
}

static void test_written_while_read(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    host.inject = append;
    host.countdown = 1;
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "b");

    host.countdown = 100;
    load_again(l);
    assert_finding(&l->findings, "file-changing", "rename");
    assert_state(l, HOOKS "/a.yaml", GR_FILE_LAST_GOOD);
    assert_sets(l, "b");
    loaded_free(l);
    memfs_fini(&host);
}

int main(void)
{
    test_add("vanishes between list and open", test_vanishes_between_list_and_open);
    test_add("replaced between look and open", test_replaced_between_look_and_open);
    test_add("swapped for a link", test_swapped_for_a_link);
    test_add("written while it is read", test_written_while_read);
    return test_run("load_changes");
}
