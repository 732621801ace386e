/* SPDX-License-Identifier: Apache-2.0 */
#include "load/limits.h"
#include "loading.h"
#include "rules/limits.h"

static struct memfs host;

static void test_empty_host(void **state)
{
    struct loaded *l;

    (void)state;
    memfs_init(&host);
    l = loaded_new(&host);
    l->options.last_good_dir = NULL;
    load_again(l);
    assert_sets(l, "");
    assert_int_equal(l->result.files_n, 0);
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_no_directories_at_all(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    l = loaded_new(&host);
    l->options.dirs = NULL;
    l->options.dirs_n = 0;
    load_again(l);
    assert_sets(l, "");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_loads_three_directories(void **state)
{
    const struct gr_hookset *set;
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS_LOW "/a.yaml", SET("low"));
    mem_file(&host, HOOKS "/b.yml", SET("one") "---\n" SET("two"));
    mem_file(&host, HOOKS_HIGH "/c.json",
             "{\"apiVersion\": \"grapnel/v1beta1\", \"kind\": \"HookSet\", \"spec\": {\"match\": "
             "{\"always\": true}, \"hooks\": {\"poststop\": [{\"path\": \"/opt/hooks/x\"}]}}}");
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "low one two c");
    assert_int_equal(l->result.files_n, 3);
    set = set_of(l, "two");
    assert_str(set->file, HOOKS "/b.yml");
    assert_str(set->file_name, "b.yml");
    assert_int_equal(set->document, 1);
    assert_str(l->result.files[0].path, HOOKS_LOW "/a.yaml");
    assert_str(l->result.files[2].path, HOOKS_HIGH "/c.json");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_bad_file_leaves_the_rest(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    mem_file(&host, HOOKS "/b.yaml", SET_BAD);
    mem_file(&host, HOOKS "/c.yaml", "[[[[");
    mem_file(&host, HOOKS "/d.yaml", SET("d") "---\n" SET_BAD "---\n" SET("e"));
    mem_file(&host, HOOKS "/f.yaml", "\xff\xfe");
    l = load(&host);
    assert_sets(l, "a d e");
    assert_state(l, HOOKS "/a.yaml", GR_FILE_LOADED);
    assert_state(l, HOOKS "/b.yaml", GR_FILE_REJECTED);
    assert_state(l, HOOKS "/c.yaml", GR_FILE_REJECTED);
    assert_state(l, HOOKS "/d.yaml", GR_FILE_REJECTED);
    assert_int_equal(l->result.rejected, 4);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_masks_and_disables(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS_LOW "/a.yaml", SET("a-low"));
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    mem_file(&host, HOOKS_LOW "/b.yaml", SET("b"));
    mem_link(&host, HOOKS_HIGH "/b.yaml", "/dev/null");
    mem_file(&host, HOOKS_LOW "/c.yaml", SET("c"));
    mem_file(&host, HOOKS "/c.yaml", " \r\n\t\n");
    mem_file(&host, HOOKS_LOW "/d.yaml", SET("d"));
    mem_file(&host, HOOKS "/d.yaml", "");
    mem_link(&host, HOOKS "/e.yaml", "../../../dev/null");
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "a");
    assert_state(l, HOOKS_LOW "/a.yaml", GR_FILE_MASKED);
    assert_str(file_of(l, HOOKS_LOW "/a.yaml")->masked_by, HOOKS "/a.yaml");
    assert_state(l, HOOKS_HIGH "/b.yaml", GR_FILE_DISABLED);
    assert_state(l, HOOKS_LOW "/b.yaml", GR_FILE_MASKED);
    assert_state(l, HOOKS "/c.yaml", GR_FILE_DISABLED);
    assert_state(l, HOOKS "/d.yaml", GR_FILE_DISABLED);
    assert_state(l, HOOKS "/e.yaml", GR_FILE_DISABLED);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_null_link_needs_no_device(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_remove(&host, "/dev/null");
    mem_link(&host, HOOKS "/a.yaml", "/dev/null");
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_state(l, HOOKS "/a.yaml", GR_FILE_DISABLED);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_duplicate_name_in_a_later_file(void **state)
{
    struct loaded *l;
    const struct gr_err *err;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS_LOW "/z.yaml", SET("tap"));
    mem_file(&host, HOOKS "/a.yaml", "# first line\n" SET("other") "---\n" SET("tap"));
    l = load(&host);
    assert_sets(l, "tap other");
    assert_str(set_of(l, "tap")->file, HOOKS_LOW "/z.yaml");
    assert_state(l, HOOKS "/a.yaml", GR_FILE_REJECTED);
    assert_int_equal(l->result.rejected, 1);
    err = findings_need(&l->findings, "duplicate-name");
    assert_string_equal(err->file, HOOKS "/a.yaml");
    assert_int_equal(err->line, set_of(l, "other")->line + 10);
    assert_non_null(strstr(err->text, HOOKS_LOW "/z.yaml:1"));
    loaded_free(l);
    memfs_fini(&host);
}

static void test_duplicate_name_in_one_file(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET("tap") "---\n" SET("tap") "---\n" SET("b"));
    l = load(&host);
    assert_sets(l, "tap b");
    assert_int_equal(l->result.rejected, 1);
    assert_non_null(findings_get(&l->findings, "duplicate-name"));
    loaded_free(l);
    memfs_fini(&host);
}

static void test_other_nodes(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml",
             SET_WITH("here", "  nodes: {names: node-1}\n", "/opt/hooks/x") "---\n" SET_WITH(
                 "there", "  nodes: {names: node-2}\n", "/opt/hooks/missing"));
    l = load(&host);
    assert_sets(l, "here there");
    assert_false(set_of(l, "here")->other_node);
    assert_true(set_of(l, "there")->other_node);
    /* Its programs need not be here. */
    assert_int_equal(l->result.blocked, 0);
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_blocked_sets_stay(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET_WITH("bad", "", "/opt/hooks/missing") "---\n" SET("good"));
    l = load(&host);
    assert_sets(l, "bad good");
    assert_int_equal(l->result.blocked, 1);
    assert_int_equal(l->result.rejected, 0);
    assert_true(set_of(l, "bad")->blocked.n > 0);
    assert_int_equal(set_of(l, "good")->blocked.n, 0);
    assert_state(l, HOOKS "/a.yaml", GR_FILE_LOADED);
    assert_finding(&l->findings, "hook-missing", "/opt/hooks/missing");

    l->options.check_host = false;
    load_again(l);
    assert_int_equal(l->result.blocked, 0);
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);
}

/* A set for a later version is in force, blocked, and passes on: its text is the last good one. */
static void test_later_version(void **state)
{
    static const char text[] =
        "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec:\n  minVersion: \"2.0\"\n"
        "  match: {always: true}\n  hooks: {poststop: [{path: /opt/hooks/x}]}\n";
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", text);
    l = load(&host);
    assert_int_equal(l->result.blocked, 1);
    assert_int_equal(l->result.warnings, 1);
    assert_int_equal(l->result.errors, 0);
    assert_state(l, HOOKS "/a.yaml", GR_FILE_LOADED);
    assert_str(set_of(l, "a")->blocked,
               "it needs Grapnel 2.0 or later, this is of unknown version");
    l->options.version = GR_STR("2.0.0");
    load_again(l);
    assert_int_equal(l->result.blocked, 0);
    assert_int_equal(l->result.warnings, 0);
    assert_int_equal(set_of(l, "a")->hooks[GR_STAGE_POSTSTOP].n, 1);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_relative_directory(void **state)
{
    static const char *const dirs[] = {"rules"};
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, "/srv/here/rules/a.yaml", SET("a"));
    l = loaded_new(&host);
    l->options.dirs = dirs;
    l->options.dirs_n = 1;
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a");
    assert_str(l->result.files[0].path, "/srv/here/rules/a.yaml");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_config_map(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/..2024_01_01/a.yaml", SET("a"));
    mem_file(&host, HOOKS "/..2024_01_01/b.yaml", SET("b"));
    mem_link(&host, HOOKS "/..data", "..2024_01_01");
    mem_link(&host, HOOKS "/a.yaml", "..data/a.yaml");
    mem_link(&host, HOOKS "/b.yaml", "..data/b.yaml");
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "a b");
    assert_int_equal(l->result.files_n, 2);
    assert_str(set_of(l, "a")->file, HOOKS "/a.yaml");

    /* The kubelet swaps ..data to a new directory. */
    mem_file(&host, HOOKS "/..2024_01_02/a.yaml", SET("a2"));
    mem_file(&host, HOOKS "/..2024_01_02/b.yaml", SET("b2"));
    mem_set(&host, mem_at(&host, HOOKS "/..data"), "..2024_01_02", 12);
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a2 b2");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_directory_named_like_a_file(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS_LOW "/a.yaml", SET("a"));
    mem_dir(&host, HOOKS "/a.yaml");
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "a");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_file_of_the_largest_size(void **state)
{
    struct loaded *l;
    char *text;
    size_t n = strlen(SET("a"));

    (void)state;
    host_init(&host);
    text = malloc(GR_YAML_FILE_MAX_BYTES + 1);
    assert_non_null(text);
    memset(text, '\n', GR_YAML_FILE_MAX_BYTES + 1);
    memcpy(text, SET("a"), n);
    mem_set(&host, mem_file(&host, HOOKS "/a.yaml", ""), text, GR_YAML_FILE_MAX_BYTES);
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "a");

    memcpy(text, SET("b"), n);
    mem_set(&host, mem_at(&host, HOOKS "/a.yaml"), text, GR_YAML_FILE_MAX_BYTES + 1);
    load_again(l);
    assert_finding(&l->findings, "file-too-big", "at most 1048576 bytes");
    assert_sets(l, "a");
    assert_state(l, HOOKS "/a.yaml", GR_FILE_LAST_GOOD);
    free(text);
    loaded_free(l);
    memfs_fini(&host);
}

/* 64 files of 1 MiB are all that may be; then one byte more. */
static void test_text_of_all_files(void **state)
{
    size_t n = GR_LOAD_TEXT_MAX_BYTES / GR_YAML_FILE_MAX_BYTES;
    struct mem_node *big;
    struct loaded *l;

    (void)state;
    host_init(&host);
    big = mem_file(&host, "/big", "");
    free(big->text);
    big->text = malloc(GR_YAML_FILE_MAX_BYTES);
    assert_non_null(big->text);
    memset(big->text, '#', GR_YAML_FILE_MAX_BYTES);
    big->text_n = GR_YAML_FILE_MAX_BYTES;
    big->meta.size_bytes = big->text_n;
    host.fakes_of = (int)(mem_at(&host, HOOKS) - host.nodes);
    host.fakes_n = n;
    host.fakes_suffix = ".yaml";
    host.fake_node = (int)(big - host.nodes);
    l = loaded_new(&host);
    l->options.last_good_dir = NULL;
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(l->result.files_n, n);

    mem_file(&host, HOOKS "/99999.yaml", "#");
    load_again(l);
    assert_int_equal(l->result.errors, 1);
    assert_finding(&l->findings, "too-much-text", "at most 67108864 bytes");
    assert_state(l, HOOKS "/99999.yaml", GR_FILE_REJECTED);
    loaded_free(l);
    memfs_fini(&host);
}

/* --- files that change under the loader --------------------------------------------------------
 */

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

/* --- failures of the system --------------------------------------------------------------------
 */

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
    test_add("an empty host", test_empty_host);
    test_add("no directories at all", test_no_directories_at_all);
    test_add("loads three directories", test_loads_three_directories);
    test_add("a bad file leaves the rest", test_bad_file_leaves_the_rest);
    test_add("masks and disables", test_masks_and_disables);
    test_add("a link to /dev/null needs no device", test_null_link_needs_no_device);
    test_add("duplicate name in a later file", test_duplicate_name_in_a_later_file);
    test_add("duplicate name in one file", test_duplicate_name_in_one_file);
    test_add("sets for other nodes", test_other_nodes);
    test_add("blocked sets stay", test_blocked_sets_stay);
    test_add("later version", test_later_version);
    test_add("a relative directory", test_relative_directory);
    test_add("a ConfigMap mount", test_config_map);
    test_add("a directory named like a file", test_directory_named_like_a_file);
    test_add("a file of the largest size and one byte more", test_file_of_the_largest_size);
    test_add("the largest text of all files and one byte more", test_text_of_all_files);
    test_add("vanishes between list and open", test_vanishes_between_list_and_open);
    test_add("replaced between look and open", test_replaced_between_look_and_open);
    test_add("swapped for a link", test_swapped_for_a_link);
    test_add("written while it is read", test_written_while_read);
    TEST_ADD_ROWS(survives, failures);
    test_add("interrupted and short operations", test_interrupted_and_short);
    test_add("no memory", test_no_memory);
    return test_run("load");
}
