/* SPDX-License-Identifier: Apache-2.0 */
/* load/load: failures of the system, one by one. */
#include "loading.h"

static struct memfs host;

struct failure {
    const char *name;
    enum mem_op op;
    const char *on; /* the name that it happens to */
    int result;
    const char *code;
    const char *sets; /* in force: a.yaml has a, b.yaml has b */
};

static const struct failure failures[] = {
    {"read error", MEM_READ, "a.yaml", -EIO, "unreadable-file", "b"},
    {"no descriptor", MEM_OPEN_READ, "a.yaml", -EMFILE, "unreadable-file", "b"},
    {"not permitted", MEM_OPEN_READ, "a.yaml", -EACCES, "unreadable-file", "b"},
    {"look-up fails", MEM_OPEN_AT, "a.yaml", -EIO, "unreadable-file", "b"},
    {"metadata fails", MEM_META, "a.yaml", -EIO, "unreadable-file", "b"},
    {"always gone at the opening", MEM_OPEN_READ, "a.yaml", -ENOENT, "file-changing", "b"},
    {"listing fails", MEM_LIST, "hooks.d", -EIO, "unreadable-directory", ""},
    {"directory fails", MEM_OPEN_AT, "etc", -EIO, "unreadable-directory", ""},
    {"directory not permitted", MEM_OPEN_AT, "grapnel", -EACCES, "unreadable-directory", ""},
    {"program fails", MEM_META, "x", -EIO, "hook-missing", "a b"},
    {"last good directory fails", MEM_LIST, "last-good", -EIO, "last-good-directory", "a b"},
    {"last good directory cannot be made", MEM_MAKE_DIR, "last-good", -EROFS, "last-good-directory",
     "a b"},
    {"no space for the last good text", MEM_WRITE, "", -ENOSPC, "last-good-write", "a b"},
    {"no file for the last good text", MEM_CREATE, "", -EROFS, "last-good-write", "a b"},
    {"sync fails", MEM_SYNC, "", -EIO, "last-good-write", "a b"},
    {"rename fails", MEM_RENAME, "", -EIO, "last-good-write", "a b"},
};

static int fail_it(struct memfs *m, enum mem_op op, const char *name)
{
    const struct failure *f = m->inject_user;

    return op == f->op && (!f->on[0] || strcmp(name, f->on) == 0) ? f->result : 0;
}

static void survives(void **state)
{
    static struct failure f;
    struct loaded *l;

    memcpy(&f, *state, sizeof(f));
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    mem_file(&host, HOOKS "/b.yaml", SET("b"));
    host.inject = fail_it;
    host.inject_user = &f;
    l = load(&host);
    assert_sets(l, f.sets);
    if (!findings_get(&l->findings, f.code)) {
        findings_print(&l->findings);
        fail_msg("expected a finding %s", f.code);
    }
    /* No text is left half-written under its final name, and no temporary file stays. */
    for (int i = 0; i < MEM_NODES_MAX; i++)
        assert_false(host.nodes[i].alive && strstr(host.nodes[i].name, ".tmp"));
    host.inject = NULL;
    load_again(l);
    assert_sets(l, "a b");
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);
}

/* Every operation is interrupted once, and moves one byte at a time. */
static int interrupt(struct memfs *m, enum mem_op op, const char *name)
{
    (void)name;
    if (op != MEM_READ && op != MEM_WRITE && op != MEM_OPEN_AT && op != MEM_OPEN_READ &&
        op != MEM_OPEN_ROOT)
        return 0;
    m->countdown = !m->countdown;
    return m->countdown ? -EINTR : 0;
}

static void test_interrupted_and_short(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    mem_file(&host, HOOKS "/b.yaml", SET("b"));
    host.inject = interrupt;
    host.read_max = 1;
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "a b");
    mem_file(&host, HOOKS "/a.yaml", SET_BAD);
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, HOOKS "/a.yaml", GR_FILE_LAST_GOOD);
    loaded_free(l);
    memfs_fini(&host);
}

/* Memory of the kernel that runs out is no fault of a file: nothing is given. */
static int no_memory(struct memfs *m, enum mem_op op, const char *name)
{
    return op == MEM_OPEN_READ && strcmp(name, "a.yaml") == 0 && m->countdown ? -ENOMEM : 0;
}

static void test_no_memory(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    host.inject = no_memory;
    l = load(&host);
    host.countdown = 1;
    gr_ruleset_unref(l->result.ruleset);
    l->result = (struct gr_load_result){.sets = 77};
    assert_int_equal(gr_load(&l->options, NULL, &l->result), -ENOMEM);
    assert_null(l->result.ruleset);
    assert_int_equal(l->result.sets, 77);
    host.countdown = 0;
    load_again(l);
    assert_sets(l, "a");
    loaded_free(l);
    memfs_fini(&host);
}

int main(void)
{
    TEST_ADD_ROWS(survives, failures);
    test_add("interrupted and short operations", test_interrupted_and_short);
    test_add("no memory", test_no_memory);
    return test_run("load_failures");
}
