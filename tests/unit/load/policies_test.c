/* SPDX-License-Identifier: Apache-2.0 */
/* Policies from their file and from Configure, and what they do to sets. */
#include "loading.h"
#include "load/limits.h"

static struct memfs host;

#define RULES HOOKS "/a.yaml"
#define POLICY_PATH "/etc/grapnel/policy.yaml"
#define HEAD "apiVersion: grapnel/v1beta1\n"
#define POLICY HEAD "kind: Policy\nspec:\n"
#define CONFIG HEAD "kind: Config\nspec: {logLevel: info}\n"

static struct loaded *begin(void)
{
    struct loaded *l;

    host_init(&host);
    mem_file(&host, RULES, SET("a") "---\n" SET("b"));
    l = loaded_new(&host);
    l->options.policy.path = POLICY_PATH;
    return l;
}

static void end(struct loaded *l)
{
    loaded_free(l);
    memfs_fini(&host);
}

static const struct gr_policies *policies(const struct loaded *l)
{
    return gr_ruleset_policies(l->result.ruleset);
}

static void assert_all_blocked(const struct loaded *l, const char *text)
{
    assert_int_equal(l->result.blocked, l->result.sets);
    assert_true(l->result.sets > 0);
    for (size_t i = 0; i < l->result.sets; i++) {
        const struct gr_hookset *set = gr_ruleset_at(l->result.ruleset, i);

        if (set->blocked.n == 0 || !strstr(set->blocked.p, text))
            fail_msg("expected \"%s\", found \"%.*s\"", text, GR_STR_FMT(set->blocked));
    }
    assert_true(l->findings.errors > 0);
}

static void test_missing_default(void **state)
{
    struct loaded *l = begin();

    (void)state;
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(l->result.blocked, 0);
    assert_int_equal(policies(l)->n, 0);
    end(l);
}

static void test_missing_named(void **state)
{
    struct loaded *l = begin();

    (void)state;
    l->options.policy.named = true;
    load_again(l);
    assert_all_blocked(l, "the policy in " POLICY_PATH " cannot be obeyed");
    assert_finding(&l->findings, "missing-file", "the policy that --policy names");
    assert_finding(&l->findings, "policy-unreadable",
                   "every set is blocked until the policy in " POLICY_PATH " is mended");
    assert_string_equal(findings_need(&l->findings, "policy-unreadable")->file, POLICY_PATH);
    /* Once, not for each set. */
    assert_int_equal(l->findings.errors, 2);
    end(l);
}

static void test_in_force(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, POLICY_PATH, POLICY "  stages: [poststop]\n  exemptNamespaces: [x]\n");
    mem_file(&host, HOOKS "/c.yaml",
             HEAD "kind: HookSet\nspec:\n  match: {always: true}\n"
                  "  hooks: {poststop: [{path: /opt/hooks/x}]}\n");
    load_again(l);
    assert_int_equal(policies(l)->n, 1);
    assert_string_equal(policies(l)->items[0].file.p, POLICY_PATH);
    assert_true(gr_policies_exempt(policies(l), GR_STR("x")));
    assert_int_equal(l->result.blocked, 2);
    assert_finding(&l->findings, "policy-violation",
                   "policy " POLICY_PATH ":4 allows no hooks of the stage createRuntime");
    assert_string_equal(findings_need(&l->findings, "policy-violation")->file, RULES);
    assert_int_equal(findings_need(&l->findings, "policy-violation")->line, 8);
    assert_int_equal(set_of(l, "c")->blocked.n, 0);
    end(l);
}

/* Blocked is not refused: the text is accepted, and comes into force with the policy's change. */
static void test_blocked_text_is_accepted(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, POLICY_PATH, POLICY "  stages: [poststop]\n");
    load_again(l);
    assert_state(l, RULES, GR_FILE_LOADED);
    assert_int_equal(l->result.rejected, 0);
    mem_file(&host, POLICY_PATH, POLICY "  stages: [createRuntime]\n");
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(l->result.blocked, 0);
    end(l);
}

struct bad_row {
    const char *name;
    const char *text;
    const char *code;
};

static const struct bad_row bad_rows[] = {
    {"refused", POLICY "  stage: [poststop]\n", "unknown-key"},
    {"broken", POLICY "  stages: [\n", "yaml-syntax"},
    {"empty", "", "empty"},
    {"blank", " \n\n", "empty"},
    {"a comment", "# stages: [poststop]\n", "empty"},
    {"settings", CONFIG, "bad-kind"},
    {"settings behind it", POLICY "  {}\n---\n" CONFIG, "bad-kind"},
    {"bytes", "\xff\xfe", "bad-utf8"},
};

/* Whatever is wrong: all sets are blocked, and there is no last good policy to fall back on. */
static void blocks_everything(void **state)
{
    const struct bad_row *row = *state;
    struct loaded *l = begin();

    mem_file(&host, POLICY_PATH, POLICY "  {}\n");
    load_again(l);
    assert_int_equal(l->result.blocked, 0);
    mem_file(&host, POLICY_PATH, row->text);
    load_again(l);
    assert_all_blocked(l, "the policy in " POLICY_PATH " cannot be obeyed");
    assert_string_equal(findings_need(&l->findings, row->code)->file, POLICY_PATH);
    (void)findings_need(&l->findings, "policy-unreadable");
    assert_int_equal(policies(l)->n, 0);
    assert_false(gr_policies_grant(policies(l), GR_STR("a"), GR_STR("b")));
    mem_file(&host, POLICY_PATH, POLICY "  {}\n");
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(l->result.blocked, 0);
    end(l);
}

struct trust_row {
    const char *name;
    const char *path;
    uint32_t uid, mode;
    const char *code;
};

static const struct trust_row trust_rows[] = {
    {"somebody else's", POLICY_PATH, 1000, 0644, "untrusted-owner"},
    {"group may write", POLICY_PATH, 0, 0664, "untrusted-mode"},
    {"others may write the directory", "/etc/grapnel", 0, 0777, "untrusted-mode"},
    {"others may write above it", "/etc", 0, 0777, "untrusted-mode"},
};

static void distrusts(void **state)
{
    const struct trust_row *row = *state;
    struct loaded *l = begin();
    struct mem_node *n;

    mem_file(&host, POLICY_PATH, POLICY "  {}\n");
    /* The rules lie where nobody else can write, whatever becomes of the policy's directory. */
    mem_file(&host, "/srv/rules/a.yaml", SET("a"));
    l->options.dirs = (const char *const[]){"/srv/rules"};
    l->options.dirs_n = 1;
    n = mem_at(&host, row->path);
    n->meta.uid = row->uid;
    n->meta.mode = row->mode;
    load_again(l);
    assert_all_blocked(l, "cannot be obeyed");
    assert_string_equal(findings_need(&l->findings, row->code)->file, POLICY_PATH);
    end(l);
}

/* Taken away by somebody who may write its directory: not the same as none. */
static void test_taken_away(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, "/srv/rules/a.yaml", SET("a"));
    l->options.dirs = (const char *const[]){"/srv/rules"};
    l->options.dirs_n = 1;
    mem_dir(&host, "/etc/grapnel")->meta.mode = 0777;
    load_again(l);
    assert_all_blocked(l, "cannot be obeyed");
    end(l);
}

/* From the working directory, /srv/here. */
static void test_relative_path(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, "/srv/here/p.yaml", POLICY "  stages: [createRuntime]\n");
    l->options.policy.path = "p.yaml";
    l->options.policy.named = true;
    load_again(l);
    assert_no_findings(&l->findings);
    assert_string_equal(policies(l)->items[0].file.p, "p.yaml");
    l->options.policy.path = "../here/none.yaml";
    load_again(l);
    assert_all_blocked(l, "cannot be obeyed");
    (void)findings_need(&l->findings, "missing-file");
    end(l);
}

static int no_cwd(void *user, char *out, size_t bytes)
{
    (void)user;
    (void)out;
    (void)bytes;
    return -ENOENT;
}

static void test_unknown_working_directory(void **state)
{
    struct loaded *l = begin();

    (void)state;
    host.fs.cwd = no_cwd;
    l->options.policy.path = "p.yaml";
    load_again(l);
    assert_all_blocked(l, "cannot be obeyed");
    assert_finding(&l->findings, "unreadable-file", "the working directory is not known");
    end(l);
}

/* A path at its limit is looked up, one byte more is refused. */
static void test_path_limit(void **state)
{
    struct loaded *l = begin();
    char path[GR_LOAD_PATH_BYTES + 1];

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        memset(path, '/', sizeof(path));
        path[GR_LOAD_PATH_BYTES - 2] = 'x';
        path[GR_LOAD_PATH_BYTES - 2 + over] = 'x';
        path[GR_LOAD_PATH_BYTES - 1 + over] = '\0';
        l->options.policy.path = path;
        load_again(l);
        assert_int_equal(l->findings.errors, over ? 2 : 0);
        if (over)
            assert_finding(&l->findings, "bad-path", "at most 4095 bytes");
    }
    end(l);
}

/* ---- Configure ---- */

static void test_configure_intersects(void **state)
{
    struct loaded *l = begin();
    const struct gr_policy *by = NULL;

    (void)state;
    mem_file(&host, POLICY_PATH, POLICY "  hooksPerContainer: 5\n  timeout: {max: 60}\n");
    l->options.policy.configure_text = GR_STR(
        CONFIG "---\n" POLICY "  hooksPerContainer: 3\n---\n" POLICY "  timeout: {default: 7}\n");
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(policies(l)->n, 3);
    assert_int_equal(gr_policies_hooks_max(policies(l), &by), 3);
    assert_string_equal(by->file.p, "NRI Configure");
    assert_int_equal(by->line, 5);
    assert_int_equal(set_of(l, "a")->hooks[GR_STAGE_CREATE_RUNTIME].items[0].timeout_s, 7);
    /* What Configure allows does not widen what the file forbids. */
    mem_file(&host, POLICY_PATH, POLICY "  stages: [poststop]\n");
    l->options.policy.configure_text = GR_STR(POLICY "  stages: [createRuntime, poststop]\n");
    load_again(l);
    assert_int_equal(l->result.blocked, 2);
    end(l);
}

static void test_configure_alone(void **state)
{
    struct loaded *l = begin();

    (void)state;
    l->options.policy.configure_text = GR_STR(POLICY "  stages: [poststop]\n");
    load_again(l);
    assert_all_blocked(l, "policy NRI Configure:4 allows no hooks of the stage createRuntime");
    l->options.policy.configure_text = GR_STR(CONFIG);
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(policies(l)->n, 0);
    end(l);
}

static void test_configure_is_bad(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, POLICY_PATH, POLICY "  hooksPerContainer: 5\n");
    l->options.policy.configure_text = GR_STR(POLICY "  stage: [poststop]\n");
    load_again(l);
    assert_all_blocked(l, "the policy in NRI Configure cannot be obeyed");
    assert_string_equal(findings_need(&l->findings, "unknown-key")->file, "NRI Configure");
    assert_string_equal(findings_need(&l->findings, "policy-unreadable")->file, "NRI Configure");
    /* The other one is in force all the same. */
    assert_int_equal(policies(l)->n, 1);
    /* Settings that are bad are no policy. */
    l->options.policy.configure_text = GR_STR(HEAD "kind: Config\nspec: {logLevl: x}\n");
    load_again(l);
    assert_no_findings(&l->findings);
    end(l);
}

static void test_both_are_bad(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, POLICY_PATH, "a: b\n");
    l->options.policy.configure_text = GR_STR(POLICY "  stage: [poststop]\n");
    load_again(l);
    assert_all_blocked(l, "the policy in " POLICY_PATH);
    assert_int_equal(findings_count(&l->findings, "policy-unreadable"), 2);
    end(l);
}

/* ---- what else comes from the options ---- */

/* Sets for other nodes are not judged: policies are of this node. */
static void test_other_node(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, RULES, SET_WITH("a", "  nodes: {names: other}\n", "/opt/hooks/x"));
    mem_file(&host, POLICY_PATH, POLICY "  stages: [poststop]\n");
    load_again(l);
    assert_no_findings(&l->findings);
    assert_true(set_of(l, "a")->other_node);
    assert_int_equal(l->result.blocked, 0);
    end(l);
}

/* Also where nobody looks at the host. */
static void test_without_the_host(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, POLICY_PATH, POLICY "  stages: [poststop]\n  programs: {directories: [/x]}\n");
    l->options.check_host = false;
    load_again(l);
    assert_int_equal(l->result.blocked, 2);
    assert_int_equal(l->findings.n, 2);
    end(l);
}

static void test_file_reports(void **state)
{
    struct loaded *l = begin();
    const struct gr_file_report *file;

    (void)state;
    mem_file(&host, HOOKS_LOW "/a.yaml", SET("low"));
    mem_file(&host, HOOKS "/b.yaml", SET("c") "---\n" SET_BAD);
    mem_file(&host, HOOKS "/d.yaml", SET("d"))->meta.uid = 1000;
    load_again(l);
    file = file_of(l, RULES);
    assert_int_equal(file->format, GR_FORMAT_HOOKSET);
    assert_int_equal(file->sets, 2);
    assert_int_equal(file->findings, 0);
    assert_int_equal(file->masked_by.n, 0);
    file = file_of(l, HOOKS_LOW "/a.yaml");
    assert_int_equal(file->sets, 0);
    assert_str(file->masked_by, RULES);
    file = file_of(l, HOOKS "/b.yaml");
    assert_int_equal(file->sets, 1);
    assert_int_equal(file->findings, 3);
    file = file_of(l, HOOKS "/d.yaml");
    assert_int_equal(file->sets, 0);
    assert_int_equal(file->findings, 1);
    assert_non_null(strstr(file->detail.p, "belongs to uid 1000"));
    end(l);
}

int main(void)
{
    test_add("missing, the default", test_missing_default);
    test_add("missing, named", test_missing_named);
    test_add("in force", test_in_force);
    test_add("blocked text is accepted", test_blocked_text_is_accepted);
    TEST_ADD_ROWS(blocks_everything, bad_rows);
    TEST_ADD_ROWS(distrusts, trust_rows);
    test_add("taken away", test_taken_away);
    test_add("relative path", test_relative_path);
    test_add("unknown working directory", test_unknown_working_directory);
    test_add("a path at its limit", test_path_limit);
    test_add("Configure intersects", test_configure_intersects);
    test_add("Configure alone", test_configure_alone);
    test_add("Configure is bad", test_configure_is_bad);
    test_add("both are bad", test_both_are_bad);
    test_add("other node", test_other_node);
    test_add("without the host", test_without_the_host);
    test_add("reports of files", test_file_reports);
    return test_run("policies");
}
