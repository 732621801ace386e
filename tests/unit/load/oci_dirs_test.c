/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of oci-hooks(5) files: which files count, which reader they get, last good texts. */
#include "load/dirs.h"
#include "loading.h"

static struct memfs host;

#define OCI_LOW "/usr/share/containers/oci/hooks.d"
#define OCI "/etc/containers/oci/hooks.d"
#define OCI_SET(stage)                                                                            \
    "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/opt/hooks/x\", \"timeout\": 5}, \"when\": " \
    "{\"always\": "                                                                               \
    "true}, \"stages\": [\"" stage "\"]}\n"

static const char *const oci_dirs[] = {OCI_LOW, OCI};

static struct loaded *begin(void)
{
    struct loaded *l;

    host_init(&host);
    mem_dir(&host, OCI_LOW);
    mem_dir(&host, OCI);
    l = loaded_new(&host);
    l->options.oci_dirs = oci_dirs;
    l->options.oci_dirs_n = GR_ARRAY_LEN(oci_dirs);
    return l;
}

static void end(struct loaded *l)
{
    loaded_free(l);
    memfs_fini(&host);
}

static void test_beside_hooksets(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    mem_file(&host, OCI "/b.json", OCI_SET("poststop"));
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a b");
    assert_int_equal(set_of(l, "b")->format, GR_FORMAT_OCI_HOOKS);
    assert_int_equal(set_of(l, "b")->hooks[GR_STAGE_POSTSTOP].n, 1);
    assert_int_equal(set_of(l, "a")->format, GR_FORMAT_HOOKSET);
    assert_int_equal(file_of(l, OCI "/b.json")->format, GR_FORMAT_OCI_HOOKS);
    assert_int_equal(file_of(l, OCI "/b.json")->sets, 1);
    end(l);
}

/* *.json and nothing else, in these letters; also hidden ones, as that format has it. */
static void test_names(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, OCI "/a.yaml", SET("a"));
    mem_file(&host, OCI "/b.yml", SET("b"));
    mem_file(&host, OCI "/c.JSON", OCI_SET("poststop"));
    mem_file(&host, OCI "/d.json", OCI_SET("poststop"));
    mem_file(&host, OCI "/e.json~", OCI_SET("poststop"));
    mem_dir(&host, OCI "/f.json");
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "d");
    assert_int_equal(l->result.files_n, 1);
    assert_true(gr_oci_name_fits(GR_STR(".x.json")));
    assert_false(gr_oci_name_fits(GR_STR("x.yaml")));
    end(l);
}

static void test_masks_among_themselves(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, OCI_LOW "/a.json", OCI_SET("poststart"));
    mem_file(&host, OCI "/a.json", OCI_SET("poststop"));
    mem_file(&host, OCI_LOW "/b.json", OCI_SET("poststart"));
    mem_file(&host, OCI "/B.json", "");
    mem_file(&host, OCI_LOW "/c.json", OCI_SET("poststart"));
    mem_link(&host, OCI "/c.json", "/dev/null");
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a b");
    assert_int_equal(set_of(l, "a")->hooks[GR_STAGE_POSTSTOP].n, 1);
    assert_str(file_of(l, OCI_LOW "/a.json")->masked_by, OCI "/a.json");
    assert_state(l, OCI "/B.json", GR_FILE_DISABLED);
    assert_state(l, OCI "/c.json", GR_FILE_DISABLED);
    end(l);
}

/* Rules of one kind do not hide those of the other. */
static void test_kinds_do_not_mask_each_other(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(
        &host, HOOKS "/a.json",
        "{\"apiVersion\": \"grapnel/v1beta1\", \"kind\": \"HookSet\", \"metadata\": {\"name\": "
        "\"own\"}, \"spec\": {\"match\": {\"always\": true}, \"hooks\": {\"poststop\": "
        "[{\"path\": \"/opt/hooks/x\"}]}}}");
    mem_file(&host, OCI "/a.json", OCI_SET("poststop"));
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "own a");
    end(l);
}

static void test_names_are_unique_over_both(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, HOOKS "/x.yaml", SET("a"));
    mem_file(&host, OCI "/a.json", OCI_SET("poststop"));
    load_again(l);
    assert_sets(l, "a");
    assert_string_equal(findings_need(&l->findings, "duplicate-name")->file, OCI "/a.json");
    end(l);
}

static void test_a_bad_file_leaves_the_rest(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, OCI "/a.json", "{\"version\": 5}");
    mem_file(&host, OCI "/b.json", OCI_SET("poststop"));
    load_again(l);
    assert_sets(l, "b");
    assert_state(l, OCI "/a.json", GR_FILE_REJECTED);
    assert_true(l->findings.errors > 0);
    end(l);
}

static void test_last_good(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, OCI "/a.json", OCI_SET("poststop"));
    load_again(l);
    mem_file(&host, OCI "/a.json", "{");
    load_again(l);
    assert_state(l, OCI "/a.json", GR_FILE_LAST_GOOD);
    assert_int_equal(set_of(l, "a")->hooks[GR_STAGE_POSTSTOP].n, 1);
    assert_int_equal(set_of(l, "a")->format, GR_FORMAT_OCI_HOOKS);
    /* A frozen directory shows what was accepted, though it shows no file any more. */
    mem_remove(&host, OCI "/a.json");
    mem_at(&host, OCI)->meta.mode = 0777;
    load_again(l);
    assert_state(l, OCI "/a.json", GR_FILE_LAST_GOOD);
    assert_sets(l, "a");
    end(l);
}

static void test_trust(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, OCI "/a.json", OCI_SET("poststop"))->meta.uid = 1000;
    load_again(l);
    assert_sets(l, "");
    assert_string_equal(findings_need(&l->findings, "untrusted-owner")->file, OCI "/a.json");
    end(l);
}

/* Each of them was named by somebody. */
static void test_missing(void **state)
{
    static const char *const none[] = {"/etc/none"};
    struct loaded *l = begin();

    (void)state;
    l->options.oci_dirs = none;
    l->options.oci_dirs_n = 1;
    load_again(l);
    assert_int_equal(l->findings.n, 1);
    assert_string_equal(findings_need(&l->findings, "missing-directory")->file, "/etc/none");
    end(l);
}

static void test_only_the_named_file(void **state)
{
    static const char *const names[] = {NULL, "a.yaml", NULL};
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, HOOKS "/a.yaml", SET("a"));
    mem_file(&host, HOOKS "/b.yaml", SET("b"));
    mem_file(&host, OCI "/c.json", OCI_SET("poststop"));
    l->options.names = names;
    load_again(l);
    assert_sets(l, "a c");
    end(l);
}

static void test_policies_hold(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, OCI "/a.json", OCI_SET("poststop"));
    l->options.policy.configure_text =
        GR_STR("apiVersion: grapnel/v1beta1\nkind: Policy\nspec: {stages: [createRuntime]}\n");
    load_again(l);
    assert_int_equal(l->result.blocked, 1);
    assert_string_equal(findings_need(&l->findings, "policy-violation")->file, OCI "/a.json");
    end(l);
}

int main(void)
{
    test_add("beside HookSets", test_beside_hooksets);
    test_add("names", test_names);
    test_add("masks among themselves", test_masks_among_themselves);
    test_add("kinds do not mask each other", test_kinds_do_not_mask_each_other);
    test_add("names are unique over both", test_names_are_unique_over_both);
    test_add("a bad file leaves the rest", test_a_bad_file_leaves_the_rest);
    test_add("last good", test_last_good);
    test_add("trust", test_trust);
    test_add("missing", test_missing);
    test_add("only the named file", test_only_the_named_file);
    test_add("policies hold", test_policies_hold);
    return test_run("oci_dirs");
}
