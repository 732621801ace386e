/* SPDX-License-Identifier: Apache-2.0 */
/* Where programs of hooks may lie: directories of policies, what cannot be seen, proc. */
#include "loading.h"

static struct memfs host;

#define RULES HOOKS "/a.yaml"
#define POLICY_PATH "/etc/grapnel/policy.yaml"
#define POLICY "apiVersion: grapnel/v1beta1\nkind: Policy\nspec:\n"

static struct loaded *load_with(const char *policy, const char *rules)
{
    struct loaded *l = loaded_new(&host);

    mem_file(&host, RULES, rules);
    mem_file(&host, POLICY_PATH, policy);
    l->options.policy.path = POLICY_PATH;
    load_again(l);
    return l;
}

static void begin(void)
{
    host_init(&host);
}

static void end(struct loaded *l)
{
    loaded_free(l);
    memfs_fini(&host);
}

static void assert_blocked(const struct loaded *l, const char *code, const char *text)
{
    const struct gr_hookset *set = set_of(l, "a");

    assert_finding(&l->findings, code, text);
    if (set->blocked.n == 0 || !strstr(set->blocked.p, text))
        fail_msg("expected the set to be blocked by \"%s\", found \"%.*s\"", text,
                 GR_STR_FMT(set->blocked));
    assert_string_equal(findings_need(&l->findings, code)->file, RULES);
    assert_int_equal(findings_need(&l->findings, code)->line, 8);
    assert_int_equal(l->result.blocked, 1);
}

static void assert_fine(const struct loaded *l)
{
    assert_no_findings(&l->findings);
    assert_int_equal(set_of(l, "a")->blocked.n, 0);
}

/* A program of the rule, what it is besides, and whether /opt/hooks allows it. */
struct row {
    const char *name;
    const char *path;          /* in the rule */
    const char *program;       /* made */
    const char *link, *target; /* made */
    const char *found;         /* NULL: allowed */
};

static const struct row rows[] = {
    {"inside", "/opt/hooks/x", NULL, NULL, NULL, NULL},
    {"deeper inside", "/opt/hooks/a/b", "/opt/hooks/a/b", NULL, NULL, NULL},
    {"a longer name", "/opt/hooksX/x", "/opt/hooksX/x", NULL, NULL, "at /opt/hooksX/x;"},
    {"elsewhere", "/usr/bin/x", "/usr/bin/x", NULL, NULL, "at /usr/bin/x;"},
    {"a link out of it", "/opt/hooks/l", "/usr/bin/x", "/opt/hooks/l", "/usr/bin/x",
     "the hook program /opt/hooks/l at /usr/bin/x;"},
    {"a link out of it by ..", "/opt/hooks/l", "/opt/x", "/opt/hooks/l", "../x", "at /opt/x;"},
    {"a link out of it and in again", "/opt/hooks/l", NULL, "/opt/hooks/l", "../hooks/x", NULL},
    {"a directory that is a link out of it", "/opt/hooks/d/x", "/usr/bin/x", "/opt/hooks/d",
     "/usr/bin", "at /usr/bin/x;"},
    {"a link to inside", "/usr/bin/l", NULL, "/usr/bin/l", "/opt/hooks/x", NULL},
    {"a directory that is a link to inside", "/srv/d/x", NULL, "/srv/d", "/opt/hooks", NULL},
};

static void stays_in_the_directory(void **state)
{
    const struct row *row = *state;
    char rules[512];
    struct loaded *l;

    begin();
    if (row->program)
        mem_program(&host, row->program);
    if (row->link)
        mem_link(&host, row->link, row->target);
    (void)snprintf(rules, sizeof(rules), SET_WITH("a", "", "%s"), row->path);
    l = load_with(POLICY "  programs: {directories: [/opt/hooks]}\n", rules);
    if (row->found) {
        assert_blocked(l, "policy-violation", row->found);
        assert_finding(&l->findings, "policy-violation",
                       "policy " POLICY_PATH ":4 allows programs in /opt/hooks only, found");
    } else {
        assert_fine(l);
    }
    end(l);
}

/* As on hosts whose /opt is a link: what is allowed is where it leads. */
static void test_the_directory_is_a_link(void **state)
{
    struct loaded *l;

    (void)state;
    memfs_init(&host);
    mem_dir(&host, HOOKS);
    mem_link(&host, "/opt", "var/opt");
    mem_program(&host, "/var/opt/hooks/x");
    mem_program(&host, "/var/opt/hooksX/x");
    l = load_with(POLICY "  programs: {directories: [/opt/hooks]}\n", SET("a"));
    assert_null(findings_get(&l->findings, "policy-violation"));
    assert_int_equal(set_of(l, "a")->blocked.n, 0);
    mem_file(&host, RULES, SET_WITH("a", "", "/opt/hooksX/x"));
    load_again(l);
    assert_blocked(l, "policy-violation", "/var/opt/hooksX/x");
    /* Also when the rule names it by its other name. */
    mem_file(&host, RULES, SET_WITH("a", "", "/var/opt/hooks/x"));
    load_again(l);
    assert_int_equal(set_of(l, "a")->blocked.n, 0);
    end(l);
}

/* Who may put a link in the place of the directory must not choose what it means. */
static void test_the_directory_is_somebodys_link(void **state)
{
    struct loaded *l;

    (void)state;
    begin();
    mem_dir(&host, "/tmp")->meta.mode = 0777;
    mem_link(&host, "/tmp/hooks", "/usr/bin");
    mem_program(&host, "/usr/bin/x");
    l = load_with(POLICY "  programs: {directories: [/tmp/hooks]}\n",
                  SET_WITH("a", "", "/usr/bin/x"));
    assert_blocked(l, "policy-violation", "allows programs in /tmp/hooks only");
    end(l);
}

static void test_a_directory_that_is_missing(void **state)
{
    struct loaded *l;

    (void)state;
    begin();
    l = load_with(POLICY "  programs: {directories: [/srv/none, /opt/hooks]}\n", SET("a"));
    assert_fine(l);
    mem_file(&host, POLICY_PATH, POLICY "  programs: {directories: [/srv/none]}\n");
    load_again(l);
    assert_blocked(l, "policy-violation", "allows programs in /srv/none only");
    mem_file(&host, POLICY_PATH, POLICY "  programs: {directories: [/srv/none, /srv/other]}\n");
    load_again(l);
    assert_blocked(l, "policy-violation", "/srv/none and the other directories there only");
    end(l);
}

static void test_two_policies(void **state)
{
    struct loaded *l;

    (void)state;
    begin();
    l = load_with(POLICY "  programs: {directories: [/opt]}\n---\n" POLICY
                         "  programs: {directories: [/opt/hooks]}\n",
                  SET("a"));
    assert_fine(l);
    mem_program(&host, "/opt/x");
    mem_file(&host, RULES, SET_WITH("a", "", "/opt/x"));
    load_again(l);
    assert_blocked(l, "policy-violation", POLICY_PATH ":9 allows programs in /opt/hooks only");
    end(l);
}

/* Paths of startContainer are inside the container. */
static void test_start_container(void **state)
{
    struct loaded *l;

    (void)state;
    begin();
    l = load_with(POLICY "  programs: {directories: [/opt/hooks]}\n",
                  "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec:\n  match: {always: true}\n"
                  "  hooks: {startContainer: [{path: /bin/sh}]}\n");
    assert_fine(l);
    end(l);
}

/* A pod that sees only /opt/hooks of the host. */
static void make_partial(struct loaded *l)
{
    l->options.host_root = "/host";
    mem_program(&host, "/host/opt/hooks/x");
    mem_mount(&host, "/host/opt/hooks", 7, false);
}

static void test_unverified(void **state)
{
    struct loaded *l;

    (void)state;
    begin();
    l = loaded_new(&host);
    make_partial(l);
    mem_file(&host, RULES, SET("a"));
    mem_file(&host, POLICY_PATH,
             POLICY "  programs: {unverified: Warn, directories: [/opt/hooks]}\n");
    l->options.policy.path = POLICY_PATH;
    load_again(l);
    assert_int_equal(l->findings.errors, 0);
    assert_finding(&l->findings, "hook-unverified", "is unverified");
    assert_int_equal(set_of(l, "a")->blocked.n, 0);
    mem_file(&host, POLICY_PATH, POLICY "  programs:\n    unverified: Block\n");
    load_again(l);
    assert_blocked(l, "hook-unverified", "policy " POLICY_PATH ":5 blocks such programs");
    assert_int_equal(l->findings.errors, 1);
    end(l);
}

/* ---- proc ---- */

struct proc_row {
    const char *name;
    const char *path;
    const char *link, *target;
};

static const struct proc_row proc_rows[] = {
    {"its own program", "/proc/self/exe", "/proc/self/exe", "/opt/hooks/x"},
    {"a file there", "/proc/x", NULL, NULL},
    {"a link into it", "/opt/hooks/l", "/opt/hooks/l", "/proc/self/exe"},
    {"a link to its directory", "/opt/fd/3", "/opt/fd", "/proc/self/fd"},
    {"another proc", "/srv/proc/x", NULL, NULL},
};

static void refuses_proc(void **state)
{
    const struct proc_row *row = *state;
    char rules[512];
    struct loaded *l;

    begin();
    mem_program(&host, "/proc/x");
    mem_link(&host, "/proc/self/exe", "/opt/hooks/x");
    mem_program(&host, "/proc/self/fd/3");
    mem_program(&host, "/srv/proc/x");
    mem_at(&host, "/srv/proc")->meta.proc = true;
    if (row->link)
        mem_link(&host, row->link, row->target);
    (void)snprintf(rules, sizeof(rules), SET_WITH("a", "", "%s"), row->path);
    mem_file(&host, RULES, rules);
    l = load(&host);
    assert_blocked(l, "hook-in-proc", "the way to it leads through /");
    end(l);
}

/* A name that only begins so is nothing special. */
static void test_no_proc(void **state)
{
    struct loaded *l;

    (void)state;
    begin();
    mem_program(&host, "/process/x");
    mem_program(&host, "/opt/proc/x");
    mem_file(&host, RULES,
             SET_WITH("a", "", "/process/x") "---\n" SET_WITH("b", "", "/opt/proc/x"));
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_int_equal(l->result.blocked, 0);
    end(l);
}

int main(void)
{
    TEST_ADD_ROWS(stays_in_the_directory, rows);
    test_add("the directory is a link", test_the_directory_is_a_link);
    test_add("the directory is somebody's link", test_the_directory_is_somebodys_link);
    test_add("a directory that is missing", test_a_directory_that_is_missing);
    test_add("two policies", test_two_policies);
    test_add("startContainer", test_start_container);
    test_add("unverified", test_unverified);
    TEST_ADD_ROWS(refuses_proc, proc_rows);
    test_add("no proc", test_no_proc);
    return test_run("host_policy");
}
