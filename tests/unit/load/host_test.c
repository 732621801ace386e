/* SPDX-License-Identifier: Apache-2.0 */
/* load/host: who may change a program, of which kind it is, and what is told of several. */
#include "judging.h"

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
    test_add("every stage but startContainer", test_every_stage_but_start_container);
    test_add("the first failure blocks, all are reported",
             test_first_failure_blocks_all_are_reported);
    test_add("looks once per path", test_looks_once_per_path);
    test_add("does not flood the log", test_does_not_flood);
    test_add("long paths", test_long_paths);
    return test_run("host");
}
