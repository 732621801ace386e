/* SPDX-License-Identifier: Apache-2.0 */
/* The questions to one, two and three policies, and that another one never allows more. */
#include "policing.h"

#include <stdarg.h>

static struct policed *p;

/* Reads each text (up to NULL) as a file of its own. */
static void given(const char *first, ...)
{
    va_list args;

    p = policed_new();
    va_start(args, first);
    for (const char *text = first; text; text = va_arg(args, const char *))
        police_good(p, text);
    va_end(args);
}

static void done(void)
{
    policed_free(p);
    p = NULL;
}

static void test_without_a_policy(void **state)
{
    const struct gr_policy *by = (const struct gr_policy *)&by;
    uint32_t line;

    (void)state;
    given(NULL);
    assert_false(gr_policies_exempt(&p->policies, GR_STR("kube-system")));
    assert_true(gr_policies_never_fail(&p->policies, GR_STR("kube-system")));
    assert_false(gr_policies_never_fail(&p->policies, GR_STR("kube-systems")));
    assert_false(gr_policies_never_fail(&p->policies, GR_STR_NONE));
    assert_false(gr_policies_grant(&p->policies, GR_STR("a"), GR_STR("b")));
    assert_int_equal(gr_policies_on_denied(&p->policies), GR_DENIED_FAIL);
    assert_false(gr_policies_protect(&p->policies, GR_STR("a"), &by, &line));
    assert_int_equal(gr_policies_skipped_stages(&p->policies, GR_STR("")), 0);
    assert_int_equal(gr_policies_hooks_max(&p->policies, &by), 0);
    assert_null(by);
    assert_int_equal(gr_policies_create_timeout_max(&p->policies, &by), 0);
    assert_true(gr_policies_allow_program(&p->policies, GR_STR("/x"), &by));
    assert_null(gr_policies_blocks_unverified(&p->policies));
    done();
}

static void test_an_empty_policy_grants_nothing(void **state)
{
    (void)state;
    given(POLICY "  {}\n", NULL);
    assert_int_equal(p->policies.n, 1);
    assert_false(gr_policies_grant(&p->policies, GR_STR("a"), GR_STR("b")));
    assert_int_equal(gr_policies_on_denied(&p->policies), GR_DENIED_FAIL);
    assert_true(gr_policies_never_fail(&p->policies, GR_STR("kube-system")));
    done();
}

static void test_exempt_is_a_union(void **state)
{
    (void)state;
    given(POLICY "  exemptNamespaces: [a, {glob: 'b-*'}]\n", POLICY "  exemptNamespaces: c\n",
          POLICY "  {}\n", NULL);
    assert_true(gr_policies_exempt(&p->policies, GR_STR("a")));
    assert_true(gr_policies_exempt(&p->policies, GR_STR("b-1")));
    assert_true(gr_policies_exempt(&p->policies, GR_STR("c")));
    assert_false(gr_policies_exempt(&p->policies, GR_STR("d")));
    assert_false(gr_policies_exempt(&p->policies, GR_STR("")));
    done();
}

/* Not even a form that holds for every text: nobody knows which namespace it is. */
static void test_unknown_namespace_is_not_exempt(void **state)
{
    (void)state;
    given(POLICY "  exemptNamespaces: {notIn: [a]}\n  neverFail: {notIn: [a]}\n"
                 "  requests: [{sets: {notIn: [a]}, namespaces: {notIn: [a]}}]\n",
          NULL);
    assert_true(gr_policies_exempt(&p->policies, GR_STR("b")));
    assert_false(gr_policies_exempt(&p->policies, GR_STR_NONE));
    assert_false(gr_policies_never_fail(&p->policies, GR_STR_NONE));
    assert_true(gr_policies_grant(&p->policies, GR_STR("s"), GR_STR("b")));
    assert_false(gr_policies_grant(&p->policies, GR_STR("s"), GR_STR_NONE));
    done();
}

static void test_never_fail(void **state)
{
    (void)state;
    given(POLICY "  neverFail: []\n", POLICY "  {}\n", NULL);
    assert_false(gr_policies_never_fail(&p->policies, GR_STR("kube-system")));
    done();
    given(POLICY "  neverFail: [infra]\n", POLICY "  neverFail: [ops]\n", NULL);
    assert_true(gr_policies_never_fail(&p->policies, GR_STR("infra")));
    assert_true(gr_policies_never_fail(&p->policies, GR_STR("ops")));
    assert_false(gr_policies_never_fail(&p->policies, GR_STR("kube-system")));
    done();
}

static void test_every_policy_must_grant(void **state)
{
    (void)state;
    given(POLICY
          "  requests:\n    - {sets: [debug, {prefix: gpu-}], namespaces: {glob: 'team-*'}}\n"
          "    - {sets: trace, namespaces: ops}\n",
          NULL);
    assert_true(gr_policies_grant(&p->policies, GR_STR("debug"), GR_STR("team-a")));
    assert_true(gr_policies_grant(&p->policies, GR_STR("gpu-x"), GR_STR("team-b")));
    assert_true(gr_policies_grant(&p->policies, GR_STR("trace"), GR_STR("ops")));
    assert_false(gr_policies_grant(&p->policies, GR_STR("debug"), GR_STR("ops")));
    assert_false(gr_policies_grant(&p->policies, GR_STR("trace"), GR_STR("team-a")));
    police_good(p, POLICY "  requests: [{sets: debug, namespaces: team-a}]\n");
    assert_true(gr_policies_grant(&p->policies, GR_STR("debug"), GR_STR("team-a")));
    assert_false(gr_policies_grant(&p->policies, GR_STR("debug"), GR_STR("team-b")));
    assert_false(gr_policies_grant(&p->policies, GR_STR("trace"), GR_STR("ops")));
    police_good(p, POLICY "  stages: [poststop]\n");
    assert_false(gr_policies_grant(&p->policies, GR_STR("debug"), GR_STR("team-a")));
    done();
}

static void test_denied_fails_unless_all_ignore(void **state)
{
    (void)state;
    given(POLICY "  onDeniedRequest: Ignore\n", NULL);
    assert_int_equal(gr_policies_on_denied(&p->policies), GR_DENIED_IGNORE);
    police_good(p, POLICY "  onDeniedRequest: Ignore\n");
    assert_int_equal(gr_policies_on_denied(&p->policies), GR_DENIED_IGNORE);
    police_good(p, POLICY "  {}\n");
    assert_int_equal(gr_policies_on_denied(&p->policies), GR_DENIED_FAIL);
    done();
}

static void test_protected_is_a_union(void **state)
{
    const struct gr_policy *by;
    uint32_t line;

    (void)state;
    given(POLICY "  protectedSets: [x, a]\n",
          POLICY "  protectedSets:\n    - {prefix: sec-}\n    - z\n", NULL);
    assert_true(gr_policies_protect(&p->policies, GR_STR("a"), &by, &line));
    assert_ptr_equal(by, &p->policies.items[0]);
    assert_int_equal(line, 4);
    assert_true(gr_policies_protect(&p->policies, GR_STR("sec-1"), &by, &line));
    assert_ptr_equal(by, &p->policies.items[1]);
    assert_int_equal(line, 5);
    assert_true(gr_policies_protect(&p->policies, GR_STR("z"), &by, &line));
    assert_int_equal(line, 6);
    assert_false(gr_policies_protect(&p->policies, GR_STR("b"), &by, &line));
    assert_null(by);
    p->policies.unreadable = GR_STR("it is broken");
    assert_true(gr_policies_protect(&p->policies, GR_STR("b"), &by, &line));
    assert_null(by);
    done();
}

static void test_skips_are_a_union(void **state)
{
    (void)state;
    given(POLICY
          "  skipStages:\n    - {runtimeHandlers: [{glob: 'kata*'}], stages: [startContainer, "
          "createContainer]}\n    - {runtimeHandlers: '', stages: [prestart]}\n",
          POLICY "  skipStages: [{runtimeHandlers: kata-fc, stages: [poststart]}]\n", NULL);
    assert_int_equal(gr_policies_skipped_stages(&p->policies, GR_STR("kata")),
                     GR_STAGE_BIT(GR_STAGE_START_CONTAINER) |
                         GR_STAGE_BIT(GR_STAGE_CREATE_CONTAINER));
    assert_int_equal(gr_policies_skipped_stages(&p->policies, GR_STR("kata-fc")),
                     GR_STAGE_BIT(GR_STAGE_START_CONTAINER) |
                         GR_STAGE_BIT(GR_STAGE_CREATE_CONTAINER) |
                         GR_STAGE_BIT(GR_STAGE_POSTSTART));
    assert_int_equal(gr_policies_skipped_stages(&p->policies, GR_STR("")),
                     GR_STAGE_BIT(GR_STAGE_PRESTART));
    assert_int_equal(gr_policies_skipped_stages(&p->policies, GR_STR_NONE),
                     GR_STAGE_BIT(GR_STAGE_PRESTART));
    assert_int_equal(gr_policies_skipped_stages(&p->policies, GR_STR("runc")), 0);
    done();
}

static void test_the_least_maximum(void **state)
{
    const struct gr_policy *by = NULL;

    (void)state;
    given(POLICY "  hooksPerContainer: 5\n  createTimeoutTotal: 60\n", POLICY "  {}\n",
          "# comment\n" POLICY "  hooksPerContainer: 3\n  createTimeoutTotal: 90s\n", NULL);
    assert_int_equal(gr_policies_hooks_max(&p->policies, &by), 3);
    assert_ptr_equal(by, &p->policies.items[2]);
    assert_int_equal(by->line, 2);
    assert_int_equal(gr_policies_create_timeout_max(&p->policies, &by), 60);
    assert_ptr_equal(by, &p->policies.items[0]);
    done();
}

struct dir_row {
    const char *name;
    const char *program;
    bool allowed;
};

static const struct dir_row dir_rows[] = {
    {"in the directory", "/opt/hooks/x", true},
    {"deeper", "/opt/hooks/a/b/x", true},
    {"in the second directory", "/usr/libexec/oci/x", true},
    {"a longer name", "/opt/hooksX/x", false},
    {"a longer name without a slash", "/opt/hooks-x", false},
    {"the directory itself", "/opt/hooks", false},
    {"above", "/opt/x", false},
    {"elsewhere", "/bin/sh", false},
    {"the same name elsewhere", "/x/opt/hooks/x", false},
    {"the root", "/", false},
};

static void lies_in_directories(void **state)
{
    const struct dir_row *row = *state;
    const struct gr_policy *by = NULL;

    given(POLICY "  programs: {directories: [/opt/hooks, /usr/libexec/oci]}\n", NULL);
    assert_int_equal(gr_policies_allow_program(&p->policies, gr_str_from(row->program), &by),
                     row->allowed);
    assert_ptr_equal(by, row->allowed ? NULL : &p->policies.items[0]);
    done();
}

static void test_every_policy_must_allow_the_directory(void **state)
{
    const struct gr_policy *by = NULL;

    (void)state;
    given(POLICY "  programs: {directories: [/opt, /usr]}\n", POLICY "  {}\n",
          POLICY "  programs: {directories: [/opt/hooks]}\n", NULL);
    assert_true(gr_policies_allow_program(&p->policies, GR_STR("/opt/hooks/x"), &by));
    assert_false(gr_policies_allow_program(&p->policies, GR_STR("/opt/x"), &by));
    assert_ptr_equal(by, &p->policies.items[2]);
    assert_false(gr_policies_allow_program(&p->policies, GR_STR("/bin/x"), &by));
    assert_ptr_equal(by, &p->policies.items[0]);
    done();
}

static void test_unverified(void **state)
{
    (void)state;
    given(POLICY "  programs: {unverified: Warn}\n", POLICY "  programs: {unverified: Block}\n",
          NULL);
    assert_ptr_equal(gr_policies_blocks_unverified(&p->policies), &p->policies.items[1]);
    assert_int_equal(p->policies.items[1].unverified_line, 4);
    done();
}

static void test_an_unreadable_one_is_the_strictest(void **state)
{
    const struct gr_policy *by;
    uint32_t line;

    (void)state;
    given(POLICY "  onDeniedRequest: Ignore\n  requests: [{sets: a, namespaces: b}]\n", NULL);
    assert_true(gr_policies_grant(&p->policies, GR_STR("a"), GR_STR("b")));
    p->policies.unreadable = GR_STR("it is broken");
    assert_false(gr_policies_grant(&p->policies, GR_STR("a"), GR_STR("b")));
    assert_int_equal(gr_policies_on_denied(&p->policies), GR_DENIED_FAIL);
    assert_true(gr_policies_protect(&p->policies, GR_STR("a"), &by, &line));
    assert_true(gr_policies_never_fail(&p->policies, GR_STR("kube-system")));
    done();
}

/* ---- another policy never allows more ---- */

static uint64_t seed;

static unsigned int pick(unsigned int n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (unsigned int)(seed >> 33) % n;
}

static const char *const names[] = {"a", "b", "ab", "kube-system"};
static const char *const values[] = {"a", "[b]", "{prefix: a}", "{notIn: [a]}", "{glob: '*b'}"};
static const char *const paths[] = {"/opt", "/opt/hooks", "/usr", "/opt/hooksX"};
static const char *const programs[] = {"/opt/x", "/opt/hooks/x", "/opt/hooksX/x", "/usr/x", "/x"};

static const char *value(void)
{
    return values[pick(GR_ARRAY_LEN(values))];
}

static void random_policy(char *out, size_t bytes)
{
    size_t n = (size_t)snprintf(out, bytes, POLICY "  {}\n");
    size_t head = n - 5;
    size_t at = head;

#define MAYBE(...)                                                     \
    do {                                                               \
        if (pick(2))                                                   \
            at += (size_t)snprintf(out + at, bytes - at, __VA_ARGS__); \
    } while (0)
    MAYBE("  programs: {directories: [%s, %s]}\n", paths[pick(4)], paths[pick(4)]);
    MAYBE("  stages: [%s, %s]\n", gr_stage_name((enum gr_stage)pick(3)),
          gr_stage_name((enum gr_stage)(3 + pick(3))));
    MAYBE("  timeout: {min: %u, max: %u}\n", 1 + pick(20), 20 + pick(60));
    MAYBE("  createTimeoutTotal: %u\n", 1 + pick(100));
    MAYBE("  hooksPerContainer: %u\n", 1 + pick(9));
    MAYBE("  requests: [{sets: %s, namespaces: %s}]\n", value(), value());
    MAYBE("  onDeniedRequest: %s\n", pick(2) ? "Ignore" : "Fail");
    MAYBE("  exemptNamespaces: %s\n", value());
    MAYBE("  protectedSets: %s\n", value());
    MAYBE("  skipStages: [{runtimeHandlers: %s, stages: [%s]}]\n", value(),
          gr_stage_name((enum gr_stage)pick(6)));
#undef MAYBE
    if (at == head)
        (void)snprintf(out, bytes, POLICY "  {}\n");
}

static const char set_text[] =
    SET_HEAD "  hooks:\n    createRuntime: [{path: /opt/x, timeout: 25}]\n"
             "    poststop: [{path: /opt/x}]\n";

/* Answers as numbers of which a smaller one allows less. */
struct answers {
    bool grant[4][4], may_inject[4], may_pause[4], program[5];
    bool ignore_denied, set_allowed;
    uint32_t hooks, total, stages[4];
};

static uint32_t or_any(uint32_t max)
{
    return max ? max : UINT32_MAX;
}

static struct answers ask(const struct gr_policies *policies)
{
    struct answers a = {0};
    const struct gr_policy *by = NULL;
    struct gr_hookset *set;
    uint32_t line;

    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++)
            a.grant[i][k] =
                gr_policies_grant(policies, gr_str_from(names[i]), gr_str_from(names[k]));
        a.may_inject[i] = !gr_policies_exempt(policies, gr_str_from(names[i]));
        a.may_pause[i] = !gr_policies_protect(policies, gr_str_from(names[i]), &by, &line);
        a.stages[i] = ~gr_policies_skipped_stages(policies, gr_str_from(names[i]));
    }
    for (size_t i = 0; i < 5; i++)
        a.program[i] = gr_policies_allow_program(policies, gr_str_from(programs[i]), &by);
    a.ignore_denied = gr_policies_on_denied(policies) == GR_DENIED_IGNORE;
    a.hooks = or_any(gr_policies_hooks_max(policies, &by));
    a.total = or_any(gr_policies_create_timeout_max(policies, &by));
    set = police_set(p, set_text);
    assert_int_equal(gr_policies_check_set(policies, &p->arena, NULL, set), 0);
    a.set_allowed = set->blocked.n == 0;
    return a;
}

static void assert_not_more(const struct answers *less, const struct answers *more)
{
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++)
            assert_true(less->grant[i][k] <= more->grant[i][k]);
        assert_true(less->may_inject[i] <= more->may_inject[i]);
        assert_true(less->may_pause[i] <= more->may_pause[i]);
        assert_int_equal(less->stages[i] & ~more->stages[i], 0);
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(less->program[i] <= more->program[i]);
    assert_true(less->ignore_denied <= more->ignore_denied);
    assert_true(less->set_allowed <= more->set_allowed);
    assert_true(less->hooks <= more->hooks);
    assert_true(less->total <= more->total);
}

static void test_another_policy_never_allows_more(void **state)
{
    size_t granted = 0, blocked = 0;

    (void)state;
    for (seed = 1; seed < 400; seed++) {
        uint64_t turn = seed;
        struct answers before = {0};

        given(NULL);
        for (size_t i = 0; i < 4; i++) {
            char text[1024];
            struct answers now;

            random_policy(text, sizeof(text));
            police_good(p, text);
            now = ask(&p->policies);
            /* The first policy may grant what nobody grants without one. */
            if (i > 0)
                assert_not_more(&now, &before);
            granted += now.grant[0][0];
            blocked += !now.set_allowed;
            before = now;
        }
        done();
        seed = turn;
    }
    assert_true(granted > 20);
    assert_true(blocked > 100 && blocked < 1500);
}

int main(void)
{
    test_add("without a policy", test_without_a_policy);
    test_add("an empty policy grants nothing", test_an_empty_policy_grants_nothing);
    test_add("exempt namespaces", test_exempt_is_a_union);
    test_add("an unknown namespace", test_unknown_namespace_is_not_exempt);
    test_add("neverFail", test_never_fail);
    test_add("every policy must grant", test_every_policy_must_grant);
    test_add("denied requests", test_denied_fails_unless_all_ignore);
    test_add("protected sets", test_protected_is_a_union);
    test_add("skipped stages", test_skips_are_a_union);
    test_add("the least maximum", test_the_least_maximum);
    TEST_ADD_ROWS(lies_in_directories, dir_rows);
    test_add("every policy must allow the directory", test_every_policy_must_allow_the_directory);
    test_add("unverified programs", test_unverified);
    test_add("an unreadable policy", test_an_unreadable_one_is_the_strictest);
    test_add("another policy never allows more", test_another_policy_never_allows_more);
    return test_run("policy");
}
