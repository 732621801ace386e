/* SPDX-License-Identifier: Apache-2.0 */
#include "load/limits.h"
#include "loading.h"

static struct memfs host;

#define RULES HOOKS "/a.yaml"

static struct loaded *load_set(const char *text)
{
    mem_file(&host, RULES, text);
    return load(&host);
}

static void assert_blocked(const struct loaded *l, const char *code, const char *text)
{
    const struct gr_hookset *set = set_of(l, "a");
    const struct gr_err *err = findings_need(&l->findings, code);

    assert_finding(&l->findings, code, text);
    if (set->blocked.n == 0 || !strstr(set->blocked.p, text))
        fail_msg("expected the set to be blocked by \"%s\", found \"%.*s\"", text,
                 GR_STR_FMT(set->blocked));
    assert_string_equal(err->file, RULES);
    assert_int_equal(err->line, 8);
    assert_true(err->column > 0);
    assert_int_equal(l->result.blocked, 1);
    assert_true(l->result.errors > 0);
}

/* What is changed about a good host, and why the set is blocked then. */
struct row {
    const char *name;
    const char *path;
    uint32_t uid, mode;
    bool no_exec;
    const char *code; /* NULL: fine */
    const char *text;
};

static const struct row rows[] = {
    {"as it should be", "/opt/hooks/x", 0, 0755, false, NULL, NULL},
    {"executable for others only", "/opt/hooks/x", 0, 0701, false, NULL, NULL},
    {"not readable", "/opt/hooks/x", 0, 0111, false, NULL, NULL},
    {"set-user-id", "/opt/hooks/x", 0, 04755, false, NULL, NULL},
    {"not executable", "/opt/hooks/x", 0, 0644, false, "hook-not-executable",
     "found mode 0644; run: chmod 0755 /opt/hooks/x"},
    {"mounted noexec", "/opt/hooks/x", 0, 0755, true, "hook-not-executable", "noexec"},
    {"somebody else's", "/opt/hooks/x", 1000, 0755, false, "untrusted-owner",
     "chown -h root:root /opt/hooks/x"},
    {"group may write", "/opt/hooks/x", 0, 0775, false, "untrusted-mode",
     "chmod go-w /opt/hooks/x"},
    {"others may write", "/opt/hooks/x", 0, 0757, false, "untrusted-mode", "0757"},
    {"directory is somebody else's", "/opt/hooks", 1000, 0755, false, "untrusted-owner",
     "hook program /opt/hooks/x: expected a directory that belongs to root"},
    {"others may write the directory", "/opt/hooks", 0, 0777, false, "untrusted-mode",
     "chmod go-w /opt/hooks"},
    {"sticky directory", "/opt/hooks", 0, 01777, false, NULL, NULL},
    {"others may write the parent", "/opt", 0, 0777, false, "untrusted-mode", "chmod go-w /opt"},
};

static void judges(void **state)
{
    const struct row *row = *state;
    struct mem_node *n;
    struct loaded *l;

    host_init(&host);
    n = mem_at(&host, row->path);
    n->meta.uid = row->uid;
    n->meta.mode = row->mode;
    n->meta.no_exec = row->no_exec;
    l = load_set(SET("a"));
    if (row->code) {
        assert_blocked(l, row->code, row->text);
    } else {
        assert_no_findings(&l->findings);
        assert_int_equal(set_of(l, "a")->blocked.n, 0);
    }
    loaded_free(l);
    memfs_fini(&host);
}

static void test_read_only_is_no_excuse(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_at(&host, "/opt/hooks/x")->meta.mode = 0777;
    mem_mount(&host, "/opt", 9, true);
    l = load_set(SET("a"));
    assert_blocked(l, "untrusted-mode", "0777");
    loaded_free(l);
    memfs_fini(&host);
}

struct type_row {
    const char *name;
    enum gr_fs_type type;
    const char *text;
};

static const struct type_row types[] = {
    {"directory", GR_FS_DIRECTORY, "it is a directory"},
    {"pipe", GR_FS_OTHER, "a device, socket or pipe"},
    {"null device", GR_FS_NULL, "the null device"},
};

static void refuses_type(void **state)
{
    const struct type_row *row = *state;
    struct loaded *l;

    host_init(&host);
    mem_remove(&host, "/opt/hooks/x");
    mem_make(&host, "/opt/hooks/x", row->type);
    l = load_set(SET("a"));
    assert_blocked(l, "hook-type", row->text);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_missing(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_remove(&host, "/opt/hooks/x");
    l = load_set(SET("a"));
    assert_blocked(l, "hook-missing", "found no /opt/hooks/x on the host");
    mem_remove(&host, "/opt/hooks");
    load_again(l);
    assert_blocked(l, "hook-missing", "found no /opt/hooks on the host");
    mem_file(&host, "/opt/hooks", "");
    load_again(l);
    assert_blocked(l, "hook-missing", "/opt/hooks is no directory");

    /* Mended: in force with the next load. */
    mem_remove(&host, "/opt/hooks");
    mem_program(&host, "/opt/hooks/x");
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(l->result.blocked, 0);
    loaded_free(l);
    memfs_fini(&host);
}

/* --- links, and other roots --------------------------------------------------------------------
 */

struct link_row {
    const char *name;
    const char *target; /* of /host/opt/hooks/x */
    const char *code;
    const char *text;
};

/* The host has /usr/lib/hook/x-1.0, /alternatives -> /usr/lib/hook; a trap is outside of it. */
static const struct link_row links[] = {
    {"relative", "../../usr/lib/hook/x-1.0", NULL, NULL},
    {"absolute begins again at the host root", "/usr/lib/hook/x-1.0", NULL, NULL},
    {"through an absolute link", "/alternatives/x-1.0", NULL, NULL},
    {".. stops at the host root", "../../../../../../usr/lib/hook/x-1.0", NULL, NULL},
    {"dots and slashes", "/./usr//lib/../lib/./hook/x-1.0", NULL, NULL},
    {"dangling", "/usr/lib/hook/x-2.0", "hook-missing", "found no /usr/lib/hook/x-2.0"},
    {"would leave the host root", "../../../outside/trap", "hook-missing", "found no /outside"},
    {"to itself", "/opt/hooks/x", "hook-missing", "more than 40 links"},
    {"in a circle", "/circle", "hook-missing", "more than 40 links"},
    {"to a directory", "/usr/lib", "hook-type", "a directory"},
    {"to the host root", "/", "hook-type", "a directory"},
    {"to the directory it is in", ".", "hook-type", "a directory"},
    {"to a directory above", "..", "hook-type", "a directory"},
    {"to a file as a directory", "/usr/lib/hook/x-1.0/y", "hook-missing", "no directory"},
};

static void other_root(void)
{
    host_init(&host);
    mem_remove(&host, "/opt/hooks/x");
    mem_program(&host, "/outside/trap");
    mem_program(&host, "/host/usr/lib/hook/x-1.0");
    mem_link(&host, "/host/alternatives", "/usr/lib/hook");
    mem_link(&host, "/host/circle", "/opt/hooks/x");
    mem_dir(&host, "/host/opt/hooks");
    mem_mount(&host, "/host", 2, false);
}

static void follows(void **state)
{
    const struct link_row *row = *state;
    struct loaded *l;

    other_root();
    mem_link(&host, "/host/opt/hooks/x", row->target);
    mem_at(&host, "/host/opt/hooks/x")->meta.mount = 2;
    l = loaded_new(&host);
    l->options.host_root = "/host";
    mem_file(&host, RULES, SET("a"));
    load_again(l);
    if (row->code)
        assert_blocked(l, row->code, row->text);
    else
        assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_checks_the_way_of_a_link(void **state)
{
    struct loaded *l;

    (void)state;
    other_root();
    mem_link(&host, "/host/opt/hooks/x", "/alternatives/x-1.0")->meta.mount = 2;
    l = loaded_new(&host);
    l->options.host_root = "/host";
    mem_file(&host, RULES, SET("a"));
    mem_at(&host, "/host/usr/lib")->meta.mode = 0777;
    load_again(l);
    assert_blocked(l, "untrusted-mode", "/usr/lib has mode 0777");
    mem_at(&host, "/host/usr/lib")->meta.mode = 0755;
    mem_at(&host, "/host")->meta.mode = 01777;
    load_again(l);
    assert_no_findings(&l->findings);
    mem_at(&host, "/host/alternatives")->meta.uid = 12;
    load_again(l);
    assert_blocked(l, "untrusted-owner", "a link that belongs to root");
    loaded_free(l);
    memfs_fini(&host);
}

static void chain(size_t links_n)
{
    char from[64];
    char to[64];

    host_init(&host);
    mem_remove(&host, "/opt/hooks/x");
    mem_program(&host, "/opt/end");
    for (size_t i = 0; i < links_n; i++) {
        (void)snprintf(from, sizeof(from), i ? "/opt/l%zu" : "/opt/hooks/x", i);
        (void)snprintf(to, sizeof(to), i + 1 < links_n ? "/opt/l%zu" : "/opt/end", i + 1);
        mem_link(&host, from, to);
    }
}

static void test_most_links(void **state)
{
    struct loaded *l;

    (void)state;
    chain(GR_WALK_LINKS_MAX);
    l = load_set(SET("a"));
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);

    chain(GR_WALK_LINKS_MAX + 1);
    l = load_set(SET("a"));
    assert_blocked(l, "hook-missing", "more than 40 links");
    loaded_free(l);
    memfs_fini(&host);
}

/* depth directories, the root counted, and the program in the last. */
static struct loaded *load_deep(size_t depth)
{
    char text[2048];
    char path[512] = "";
    struct loaded *l;

    host_init(&host);
    for (size_t i = 1; i < depth; i++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/x");
    mem_program(&host, path);
    (void)snprintf(text, sizeof(text), SET("a") "      - path: %s\n", path);
    l = load_set(text);
    return l;
}

static void test_deepest(void **state)
{
    struct loaded *l;

    (void)state;
    l = load_deep(GR_WALK_DEPTH_MAX);
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);

    l = load_deep(GR_WALK_DEPTH_MAX + 1);
    assert_finding(&l->findings, "hook-missing", "File name too long");
    assert_int_equal(l->result.blocked, 1);
    loaded_free(l);
    memfs_fini(&host);
}

/* --- what cannot be seen from here -------------------------------------------------------------
 */

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

static void test_others_may_write_the_root(void **state)
{
    struct loaded *l;

    (void)state;
    other_root();
    mem_program(&host, "/host/opt/hooks/x")->meta.mount = 2;
    mem_at(&host, "/host")->meta.mode = 0777;
    mem_file(&host, RULES, SET("a"));
    l = loaded_new(&host);
    l->options.host_root = "/host";
    load_again(l);
    assert_blocked(l, "untrusted-mode", "run: chmod go-w /");
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

/* --- several hooks, sets and looks --------------------------------------------------------------
 */

#define HOOK(stage, path) "    " stage ":\n      - path: " path "\n"
#define HEAD(name)                                                                    \
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: " name "}\nspec:\n" \
    "  match: {always: true}\n  hooks:\n"

static void test_every_stage_but_start_container(void **state)
{
    static const char *const stages[] = {"prestart",       "createRuntime", "createContainer",
                                         "startContainer", "poststart",     "poststop"};
    struct loaded *l;

    (void)state;
    host_init(&host);
    l = loaded_new(&host);
    for (size_t i = 0; i < GR_ARRAY_LEN(stages); i++) {
        char text[512];

        (void)snprintf(text, sizeof(text), HEAD("a") HOOK("%s", "/opt/hooks/none"), stages[i]);
        mem_file(&host, RULES, text);
        load_again(l);
        assert_int_equal(l->result.blocked, strcmp(stages[i], "startContainer") == 0 ? 0 : 1);
    }
    loaded_free(l);
    memfs_fini(&host);
}

static void test_first_failure_blocks_all_are_reported(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    l = load_set(HEAD("a") HOOK("createRuntime", "/opt/hooks/one")
                     HOOK("poststop", "/opt/hooks/two"));
    assert_int_equal(findings_count(&l->findings, "hook-missing"), 2);
    assert_non_null(strstr(set_of(l, "a")->blocked.p, "/opt/hooks/one"));
    loaded_free(l);
    memfs_fini(&host);
}

/* Sets of one document each that name the same program. */
static struct loaded *load_many(size_t sets, const char *path)
{
    struct gr_buf text;
    struct loaded *l;

    gr_buf_init(&text, 1U << 20);
    for (size_t i = 0; i < sets; i++)
        (void)gr_buf_printf(&text, "---\n" HEAD("s%zu") HOOK("createRuntime", "%s"), i, path);
    (void)gr_buf_byte(&text, 0);
    assert_int_equal(text.broken, 0);
    l = load_set((const char *)text.data);
    gr_buf_fini(&text);
    assert_int_equal(l->result.sets, sets);
    return l;
}

static int count_looks(struct memfs *m, enum mem_op op, const char *name)
{
    if (op == MEM_OPEN_AT && strcmp(name, "x") == 0)
        m->countdown++;
    return 0;
}

static void test_looks_once_per_path(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    host.inject = count_looks;
    l = load_many(500, "/opt/hooks/x");
    assert_no_findings(&l->findings);
    assert_int_equal(host.countdown, 1);
    /* Not longer than one load. */
    mem_at(&host, "/opt/hooks/x")->meta.mode = 0644;
    load_again(l);
    assert_int_equal(l->result.blocked, 500);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_does_not_flood(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    l = load_many(GR_HOST_FINDINGS_MAX, "/opt/hooks/none");
    assert_int_equal(l->findings.n, GR_HOST_FINDINGS_MAX);
    assert_null(findings_get(&l->findings, "too-many-findings"));
    loaded_free(l);
    memfs_fini(&host);

    host_init(&host);
    l = load_many(GR_HOST_FINDINGS_MAX + 5, "/opt/hooks/none");
    assert_int_equal(l->result.blocked, GR_HOST_FINDINGS_MAX + 5);
    assert_int_equal(l->findings.n, GR_HOST_FINDINGS_MAX + 1);
    assert_finding(&l->findings, "too-many-findings", "only the first 100");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_unverified_is_said_once_per_program(void **state)
{
    struct loaded *l = load_partial();

    (void)state;
    mem_file(&host, RULES,
             HEAD("a") HOOK("createRuntime", "/opt/hooks/x") "---\n" HEAD("b")
                 HOOK("createRuntime", "/opt/hooks/x"));
    load_again(l);
    assert_int_equal(l->result.warnings, 1);
    loaded_free(l);
    memfs_fini(&host);
}

/* A message never ends in half a path that a command would take for another file. */
static void test_long_paths(void **state)
{
    char text[2048];
    char path[900] = "";
    struct loaded *l;

    (void)state;
    host_init(&host);
    for (size_t i = 0; i < 8; i++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%0100zu", i);
    mem_program(&host, path)->meta.mode = 0644;
    (void)snprintf(text, sizeof(text), HEAD("a") HOOK("createRuntime", "%s"), path);
    l = load_set(text);
    assert_finding(&l->findings, "hook-not-executable", "run: chmod 0755 PATH");
    mem_at(&host, path)->meta.mode = 0757;
    load_again(l);
    assert_finding(&l->findings, "untrusted-mode", "run: chmod go-w PATH");
    loaded_free(l);
    memfs_fini(&host);
}

int main(void)
{
    TEST_ADD_ROWS(judges, rows);
    test_add("a read-only mount is no excuse", test_read_only_is_no_excuse);
    TEST_ADD_ROWS(refuses_type, types);
    test_add("missing", test_missing);
    TEST_ADD_ROWS(follows, links);
    test_add("checks the way of a link", test_checks_the_way_of_a_link);
    test_add("the most links and one more", test_most_links);
    test_add("the deepest path and one deeper", test_deepest);
    test_add("unverified", test_unverified);
    test_add("not visible", test_not_visible);
    test_add("a plain tree", test_plain_tree);
    test_add("others may write the root", test_others_may_write_the_root);
    test_add("no host root", test_no_host_root);
    test_add("unprivileged", test_unprivileged);
    test_add("every stage but startContainer", test_every_stage_but_start_container);
    test_add("the first failure blocks, all are reported",
             test_first_failure_blocks_all_are_reported);
    test_add("looks once per path", test_looks_once_per_path);
    test_add("does not flood the log", test_does_not_flood);
    test_add("unverified is said once per program", test_unverified_is_said_once_per_program);
    test_add("long paths", test_long_paths);
    return test_run("host");
}
