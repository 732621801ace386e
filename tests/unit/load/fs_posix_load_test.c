/* SPDX-License-Identifier: Apache-2.0 */
/* Walking and loading with the real operations: links, other owners, mounts. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "realfs.h"

/* --- walking -----------------------------------------------------------------------------------
 */

struct walk_row {
    const char *name; /* the path below the root */
    int result;
    const char *reached; /* or where it failed */
};

static const struct walk_row walks[] = {
    {"/", 0, ""},
    {"", 0, ""},
    {"/usr/bin/tool", 0, "/usr/bin/tool"},
    {"//usr/./bin//tool", 0, "/usr/bin/tool"},
    {"/usr/../usr/bin/tool", 0, "/usr/bin/tool"},
    {"/../../usr/bin/tool", 0, "/usr/bin/tool"},
    {"/bin/tool", 0, "/usr/bin/tool"},
    {"/abs/tool", 0, "/usr/bin/tool"},
    {"/out", -ENOENT, "/grapnel-outside"},
    {"/up", 0, "/usr/bin/tool"},
    {"/loop1", -ELOOP, NULL},
    {"/self", -ELOOP, NULL},
    {"/usr/none", -ENOENT, "/usr/none"},
    {"/usr/none/x", -ENOENT, "/usr/none"},
    {"/usr/bin/tool/x", -ENOTDIR, "/usr/bin/tool"},
    {"/root", 0, ""},
    {"/abs", 0, "/usr/bin"},
};

static void walk_to(void **state)
{
    const struct walk_row *row = *state;
    struct gr_walk *walk = calloc(1, sizeof(*walk));
    int rc;

    assert_non_null(walk);
    begin();
    dir("/usr", 0755);
    dir("/usr/bin", 0755);
    make("/usr/bin/tool", "", 0755);
    link_to("/bin", "usr/bin");
    link_to("/abs", "/usr/bin");
    link_to("/out", "../../../grapnel-outside");
    link_to("/up", "../../../../../../usr/bin/tool");
    link_to("/loop1", "loop2");
    link_to("/loop2", "loop1");
    link_to("/self", "self");
    link_to("/root", "/");
    assert_int_equal(gr_walk_open(walk, &fs, top), 0);
    /* Twice: nothing is left over from the first. */
    for (int i = 0; i < 2; i++) {
        rc = gr_walk_to(walk, row->name, NULL, NULL);
        assert_int_equal(rc, row->result);
        if (row->reached)
            assert_string_equal(walk->path, row->reached);
    }
    gr_walk_close(walk);
    gr_walk_close(walk);
    free(walk);
    end();
}

/* --- loading -----------------------------------------------------------------------------------
 */

struct real {
    struct findings findings;
    struct gr_load_result result;
    struct gr_load_options options;
    const char *dirs[2];
    char paths[4][256];
};

static struct real *real_new(void)
{
    struct real *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    begin();
    dir("/low", 0755);
    dir("/high", 0755);
    dir("/host", 0755);
    dir("/host/opt", 0755);
    make("/host/opt/x", "#!/bin/sh\n", 0755);
    (void)snprintf(r->paths[0], sizeof(r->paths[0]), "%s/low", top);
    (void)snprintf(r->paths[1], sizeof(r->paths[1]), "%s/high", top);
    (void)snprintf(r->paths[2], sizeof(r->paths[2]), "%s/host", top);
    (void)snprintf(r->paths[3], sizeof(r->paths[3]), "%s/state/last-good", top);
    r->dirs[0] = r->paths[0];
    r->dirs[1] = r->paths[1];
    r->options = (struct gr_load_options){
        .fs = &fs,
        .dirs = r->dirs,
        .dirs_n = 2,
        .host_root = r->paths[2],
        .last_good_dir = r->paths[3],
        .node_name = GR_STR("n"),
        .check_host = true,
    };
    return r;
}

static void real_load(struct real *r)
{
    gr_ruleset_unref(r->result.ruleset);
    r->result = (struct gr_load_result){0};
    findings_init(&r->findings);
    assert_int_equal(gr_load(&r->options, &r->findings.reporter, &r->result), 0);
    assert_int_equal(count_fds(), fds_before);
}

static void real_free(struct real *r)
{
    gr_ruleset_unref(r->result.ruleset);
    free(r);
    end();
}

#define REAL_SET(name) SET_WITH(name, "", "/opt/x")

static void test_loads(void **state)
{
    struct real *r = real_new();

    (void)state;
    make("/low/a.yaml", REAL_SET("low"), 0644);
    make("/low/b.yaml", REAL_SET("b"), 0644);
    make("/high/a.yaml", REAL_SET("high"), 0644);
    link_to("/high/b.yaml", "/dev/null");
    make("/high/c.yaml", REAL_SET("c"), 0644);
    make("/high/c.yaml~", REAL_SET("backup"), 0644);
    real_load(r);
    assert_no_findings(&r->findings);
    assert_int_equal(r->result.sets, 2);
    assert_int_equal(r->result.files_n, 5);

    /* Bad, then a restart; the other file is not touched by it. */
    make("/high/a.yaml", SET_BAD, 0644);
    for (int i = 0; i < 2; i++) {
        gr_fs_posix(&fs);
        real_load(r);
        assert_int_equal(r->result.sets, 2);
        assert_int_equal(r->result.last_good, 1);
    }
    real_free(r);
}

static void test_config_map_on_disk(void **state)
{
    struct real *r = real_new();

    (void)state;
    dir("/low/..1", 0755);
    make("/low/..1/a.yaml", REAL_SET("a"), 0644);
    link_to("/low/..data", "..1");
    link_to("/low/a.yaml", "..data/a.yaml");
    real_load(r);
    assert_no_findings(&r->findings);
    assert_int_equal(r->result.sets, 1);
    /* Swapped as the kubelet does it. */
    dir("/low/..2", 0755);
    make("/low/..2/a.yaml", REAL_SET("b"), 0644);
    link_to("/low/..data_tmp", "..2");
    assert_int_equal(rename(at("/low/..data_tmp"), at("/low/..data")), 0);
    real_load(r);
    assert_no_findings(&r->findings);
    assert_str(gr_ruleset_at(r->result.ruleset, 0)->name, "b");
    real_free(r);
}

static void test_refuses_on_disk(void **state)
{
    struct real *r = real_new();

    (void)state;
    make("/low/a.yaml", REAL_SET("a"), 0666);
    link_to("/low/b.yaml", "none");
    link_to("/low/c.yaml", "c.yaml");
    assert_int_equal(mkfifo(at("/low/d.yaml"), 0600), 0);
    make("/low/e.yaml", REAL_SET("e"), 0644);
    real_load(r);
    assert_int_equal(r->result.sets, 1);
    assert_finding(&r->findings, "untrusted-mode", "0666");
    assert_finding(&r->findings, "dangling-link", "/low/none");
    assert_finding(&r->findings, "unreadable-file", "Too many levels");
    assert_finding(&r->findings, "untrusted-type", "socket or pipe");

    assert_int_equal(chmod(at("/low"), 0777), 0);
    real_load(r);
    assert_int_equal(r->result.sets, 1);
    assert_int_equal(r->result.last_good, 1);
    assert_finding(&r->findings, "untrusted-mode", "chmod go-w");
    real_free(r);
}

static void test_sticky_on_disk(void **state)
{
    struct real *r = real_new();

    (void)state;
    if (geteuid() != 0) {
        real_free(r);
        test_skip("a directory that others may write needs root");
    }
    assert_int_equal(chmod(at("/low"), 01777), 0);
    make("/low/a.yaml", REAL_SET("a"), 0644);
    make("/low/b.yaml", REAL_SET("b"), 0644);
    assert_int_equal(chown(at("/low/b.yaml"), 1000, 1000), 0);
    make("/high/c.yaml", REAL_SET("c"), 0644);
    assert_int_equal(chown(at("/high/c.yaml"), 1000, 1000), 0);
    real_load(r);
    assert_int_equal(r->result.sets, 1);
    assert_int_equal(findings_count(&r->findings, "untrusted-owner"), 2);

    assert_int_equal(chmod(at("/host/opt"), 01777), 0);
    real_load(r);
    assert_int_equal(r->result.blocked, 0);
    assert_int_equal(chmod(at("/host/opt"), 0777), 0);
    real_load(r);
    assert_int_equal(r->result.blocked, 1);
    assert_int_equal(chmod(at("/host/opt"), 0755), 0);
    assert_int_equal(chown(at("/host/opt/x"), 1000, 1000), 0);
    real_load(r);
    assert_finding(&r->findings, "untrusted-owner", "/opt/x belongs to uid 1000");
    real_free(r);
}

/* The link of a proc names a file that is fine; but it is another one for each who looks. */
static void test_proc(void **state)
{
    struct real *r = real_new();

    (void)state;
    r->options.host_root = "/";
    make("/low/a.yaml",
         SET_WITH("a", "", "/proc/self/exe") "---\n" SET_WITH(
             "b", "", "/dev/fd/0") "---\n" SET_WITH("c", "", "/bin/sh"),
         0644);
    real_load(r);
    assert_int_equal(findings_count(&r->findings, "hook-in-proc"), 2);
    assert_int_equal(r->result.blocked, 2);
    real_free(r);
}

static void test_links_below_the_host_root(void **state)
{
    struct real *r = real_new();

    (void)state;
    make("/low/a.yaml", SET_WITH("a", "", "/bin/x"), 0644);
    link_to("/host/bin", "/opt");
    real_load(r);
    assert_no_findings(&r->findings);
    /* The same name outside of the host root is not it. */
    assert_int_equal(unlink(at("/host/bin")), 0);
    link_to("/host/bin", "../../../../../bin");
    real_load(r);
    assert_finding(&r->findings, "hook-missing", "more than 40 links");
    real_free(r);
}

/* In a child with mounts of its own. Exit status 77: not possible here. */
static int in_own_mounts(void (*body)(struct real *r), struct real *r)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
            _exit(77);
        body(r);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* For the child, where cmocka cannot count a failure. */
static void need(bool ok, int line)
{
    if (!ok) {
        (void)fprintf(stderr, "%s:%d: failed\n", __FILE__, line);
        _exit(1);
    }
}
#define NEED(ok) need((ok), __LINE__)

static void bind(const char *from, const char *to, bool read_only)
{
    if (mount(from, to, NULL, MS_BIND, NULL) != 0)
        _exit(77);
    if (read_only && mount("none", to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0)
        _exit(77);
}

static void load_in_child(struct real *r)
{
    gr_ruleset_unref(r->result.ruleset);
    r->result = (struct gr_load_result){0};
    findings_init(&r->findings);
    NEED(gr_load(&r->options, &r->findings.reporter, &r->result) == 0);
}

static void read_only_body(struct real *r)
{
    r->options.last_good_dir = NULL;
    load_in_child(r);
    NEED(r->result.sets == 0);
    NEED(symlink(".", at("/low/..data")) == 0);
    bind(at("/low"), at("/low"), true);
    load_in_child(r);
    NEED(r->result.sets == 1 && r->result.errors == 0);
}

static void test_read_only_mount(void **state)
{
    struct real *r = real_new();
    int status;

    (void)state;
    make("/low/a.yaml", REAL_SET("a"), 0644);
    assert_int_equal(chmod(at("/low"), 0777), 0);
    status = in_own_mounts(read_only_body, r);
    real_free(r);
    if (status == 77)
        test_skip("no mount namespace");
    assert_int_equal(status, 0);
}

/* As in a pod that has only the directory of the hook programs: below an own root, whose mount the
 * container's directories share. */
static void partial_body(struct real *r)
{
    if (mount("none", at("/pod"), "tmpfs", 0, NULL) != 0)
        _exit(77);
    dir("/pod/host", 0777);
    dir("/pod/host/opt", 0755);
    dir("/pod/low", 0755);
    make("/pod/low/a.yaml",
         REAL_SET("a") "---\n" SET_WITH("b", "", "/usr/y") "---\n" SET_WITH("c", "", "/opt/z"),
         0644);
    bind(at("/host/opt"), at("/pod/host/opt"), false);
    if (chroot(at("/pod")) != 0 || chdir("/") != 0)
        _exit(77);
    r->dirs[0] = "/low";
    r->options.dirs_n = 1;
    r->options.host_root = "/host";
    r->options.last_good_dir = NULL;
    load_in_child(r);
    NEED(r->result.sets == 3);
    NEED(r->result.blocked == 2);
    NEED(findings_count(&r->findings, "hook-unverified") == 1);
    NEED(findings_count(&r->findings, "hook-not-visible") == 1);
    NEED(findings_count(&r->findings, "hook-missing") == 1);
}

static void test_partial_view(void **state)
{
    struct real *r = real_new();
    int status;

    (void)state;
    dir("/pod", 0755);
    status = in_own_mounts(partial_body, r);
    real_free(r);
    if (status == 77)
        test_skip("no mount namespace");
    assert_int_equal(status, 0);
}

int main(void)
{
    TEST_ADD_ROWS(walk_to, walks);
    test_add("loads", test_loads);
    test_add("a ConfigMap on disk", test_config_map_on_disk);
    test_add("refuses on disk", test_refuses_on_disk);
    test_add("sticky directories on disk", test_sticky_on_disk);
    test_add("proc", test_proc);
    test_add("links below the host root", test_links_below_the_host_root);
    test_add("a read-only mount", test_read_only_mount);
    test_add("a partial view of the host", test_partial_view);
    return test_run("fs_posix_load");
}
