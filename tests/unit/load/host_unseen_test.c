/* SPDX-License-Identifier: Apache-2.0 */
/* load/host: what cannot be seen from where we are. */
#include "judging.h"

/* A pod with only the host's /opt/hooks mounted: /host and /host/opt are the container's own. */
static struct loaded *load_partial(void)
{
    struct loaded *l;

    host_init(&host);
    mem_program(&host, "/host/opt/hooks/x");
    mem_mount(&host, "/host/opt/hooks", 2, false);
    mem_file(&host, RULES, SET("a"));
    l = loaded_new(&host);
    l->options.host_root = "/host";
    return l;
}

static void test_unverified(void **state)
{
    struct loaded *l = load_partial();

    (void)state;
    load_again(l);
    assert_int_equal(l->result.blocked, 0);
    assert_int_equal(l->result.warnings, 1);
    assert_int_equal(l->result.errors, 0);
    assert_finding(&l->findings, "hook-unverified", "/opt/hooks/x is unverified");

    /* The container's own directories are not judged for those of the host. */
    mem_at(&host, "/host/opt")->meta.mode = 0777;
    mem_at(&host, "/host/opt")->meta.uid = 1000;
    load_again(l);
    assert_int_equal(l->result.blocked, 0);

    /* What is the host's own is. */
    mem_at(&host, "/host/opt/hooks")->meta.mode = 0777;
    load_again(l);
    assert_blocked(l, "untrusted-mode", "/opt/hooks has mode 0777");
    mem_at(&host, "/host/opt/hooks")->meta.mode = 0755;
    mem_at(&host, "/host/opt/hooks")->meta.uid = 5;
    load_again(l);
    assert_blocked(l, "untrusted-owner", "/opt/hooks belongs to uid 5");
    mem_at(&host, "/host/opt/hooks")->meta.uid = 0;
    mem_at(&host, "/host/opt/hooks/x")->meta.mode = 0775;
    load_again(l);
    assert_blocked(l, "untrusted-mode", "/opt/hooks/x");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_not_visible(void **state)
{
    struct loaded *l = load_partial();

    (void)state;
    mem_file(&host, RULES, SET_WITH("a", "", "/usr/bin/tool"));
    load_again(l);
    assert_blocked(l, "hook-not-visible", "found no /usr below /host");

    /* In a directory that is the host's it is known to be missing. */
    mem_file(&host, RULES, SET_WITH("a", "", "/opt/hooks/y"));
    load_again(l);
    assert_blocked(l, "hook-missing", "found no /opt/hooks/y on the host");
    loaded_free(l);
    memfs_fini(&host);
}

/* A tree on the same mount, as for an image that is being built: everything is visible. */
static void test_plain_tree(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_program(&host, "/tree/opt/hooks/x");
    mem_at(&host, "/tree/opt/hooks/x")->meta.no_exec = true;
    mem_file(&host, RULES, SET("a"));
    l = loaded_new(&host);
    l->options.host_root = "/tree";
    load_again(l);
    assert_no_findings(&l->findings);
    mem_at(&host, "/tree/opt")->meta.mode = 0777;
    load_again(l);
    assert_blocked(l, "untrusted-mode", "/opt has mode 0777");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_no_host_root(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, RULES, SET("a"));
    l = loaded_new(&host);
    l->options.host_root = "/host";
    load_again(l);
    assert_blocked(l, "host-root", "the host's / at /host");
    loaded_free(l);
    memfs_fini(&host);
}

static int forbid(struct memfs *m, enum mem_op op, const char *name)
{
    (void)m;
    return op == MEM_OPEN_AT && strcmp(name, "x") == 0 ? -EACCES : 0;
}

static void test_unprivileged(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    host.fs.euid = 1000;
    host.fs.egid = 1000;
    mem_at(&host, "/opt/hooks/x")->meta.uid = 1000;
    mem_file(&host, RULES, SET("a"));
    l = loaded_new(&host);
    l->options.last_good_dir = NULL;
    load_again(l);
    assert_no_findings(&l->findings);

    mem_at(&host, "/opt/hooks/x")->meta.uid = 1001;
    load_again(l);
    assert_blocked(l, "untrusted-owner", "root or to you (uid 1000)");

    /* What only root may look at is not known to be wrong. */
    host.inject = forbid;
    load_again(l);
    assert_int_equal(l->result.blocked, 0);
    assert_finding(&l->findings, "hook-unverified", "only root may look at /opt/hooks/x");

    host.fs.euid = 0;
    load_again(l);
    assert_blocked(l, "hook-missing", "Permission denied");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_unverified_is_said_once_per_program(void **state)
{
    struct loaded *l = load_partial();

    (void)state;
    mem_file(&host, RULES, SET("a") "---\n" SET("b"));
    load_again(l);
    assert_int_equal(l->result.warnings, 1);
    loaded_free(l);
    memfs_fini(&host);
}

int main(void)
{
    test_add("unverified", test_unverified);
    test_add("not visible", test_not_visible);
    test_add("a plain tree", test_plain_tree);
    test_add("no host root", test_no_host_root);
    test_add("unprivileged", test_unprivileged);
    test_add("unverified is said once per program", test_unverified_is_said_once_per_program);
    return test_run("host_unseen");
}
