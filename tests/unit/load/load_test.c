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
    return test_run("load");
}
