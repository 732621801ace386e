/* SPDX-License-Identifier: Apache-2.0 */
/* What policies say about a set's own text. */
#include "policing.h"

#include "rules/limits.h"

#define TWO_STAGES                                                                 \
    SET_HEAD "  hooks:\n    createRuntime:\n      - {path: /opt/x, timeout: 25}\n" \
             "      - {path: /opt/y}\n    poststart:\n      - {path: /opt/z}\n"

static struct policed *p;
static struct gr_hookset *set;

static void check(const char *policy, const char *second, const char *text)
{
    p = policed_new();
    police_good(p, policy);
    if (second)
        police_good(p, second);
    set = police_set(p, text);
    police_check(p, set);
}

static void done(void)
{
    policed_free(p);
    p = NULL;
}

static void assert_violation(size_t i, uint32_t line, uint32_t column, const char *text)
{
    assert_true(i < p->findings_n);
    assert_string_equal(p->findings[i].text, text);
    assert_string_equal(p->findings[i].code, "policy-violation");
    assert_string_equal(p->findings[i].file, "a.yaml");
    assert_int_equal(p->findings[i].line, line);
    assert_int_equal(p->findings[i].column, column);
}

static void test_allowed(void **state)
{
    (void)state;
    check(POLICY "  stages: [createRuntime, poststart]\n  timeout: {min: 10, max: 25}\n"
                 "  programs: {verify: None}\n",
          NULL, TWO_STAGES);
    assert_int_equal(p->findings_n, 0);
    assert_int_equal(set->blocked.n, 0);
    assert_int_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[1].timeout_s, 10);
    done();
}

static void test_stage(void **state)
{
    static const char expected[] =
        "policy policy.yaml:5 allows no hooks of the stage poststart, found one; use another "
        "stage, or have the policy allow it";

    (void)state;
    check(POLICY "  hooksPerContainer: 9\n  stages: [createRuntime]\n", NULL, TWO_STAGES);
    assert_int_equal(p->findings_n, 1);
    assert_violation(0, 10, 9, expected);
    assert_string_equal(set->blocked.p, expected);
    done();
}

static void test_timeouts(void **state)
{
    (void)state;
    check(POLICY "  timeout: {max: 24}\n", NULL, TWO_STAGES);
    assert_int_equal(p->findings_n, 1);
    assert_violation(0, 7, 9,
                     "policy policy.yaml:4 allows timeouts from 1 to 24 seconds, found 25; change "
                     "the timeout, or have the policy allow it");
    assert_true(set->blocked.n > 0);
    done();
    check(POLICY "  timeout: {min: 26}\n", NULL, TWO_STAGES);
    assert_int_equal(p->findings_n, 1);
    assert_violation(0, 7, 9,
                     "policy policy.yaml:4 allows timeouts from 26 to 120 seconds, found 25; "
                     "change the timeout, or have the policy allow it");
    /* Those that are not given move into the limits by themselves. */
    assert_int_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[1].timeout_s, 26);
    assert_int_equal(set->hooks[GR_STAGE_POSTSTART].items[0].timeout_s, 26);
    done();
}

struct default_row {
    const char *name;
    const char *first, *second;
    uint32_t expected;
};

static const struct default_row default_rows[] = {
    {"none", POLICY "  {}\n", NULL, GR_HOOK_TIMEOUT_DEFAULT_S},
    {"one", POLICY "  timeout: {default: 17}\n", NULL, 17},
    {"the least", POLICY "  timeout: {default: 17}\n", POLICY "  timeout: {default: 16}\n", 16},
    {"raised to the other's minimum", POLICY "  timeout: {default: 17}\n",
     POLICY "  timeout: {min: 20}\n", 20},
    {"lowered to the other's maximum", POLICY "  timeout: {default: 40}\n",
     POLICY "  timeout: {max: 30}\n", 30},
    {"the built-in one is lowered", POLICY "  timeout: {max: 5}\n", NULL, 5},
};

static void fills_in(void **state)
{
    const struct default_row *row = *state;

    check(row->first, row->second, SET_HEAD "  hooks: {poststop: [{path: /opt/x}]}\n");
    assert_int_equal(p->findings_n, 0);
    assert_int_equal(set->blocked.n, 0);
    assert_int_equal(set->hooks[GR_STAGE_POSTSTOP].items[0].timeout_s, row->expected);
    done();
}

/* What is given is never changed, also not into what would be allowed. */
static void test_given_timeouts_stay(void **state)
{
    (void)state;
    check(POLICY "  timeout: {default: 17}\n", NULL, TWO_STAGES);
    assert_int_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[0].timeout_s, 25);
    assert_int_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[1].timeout_s, 17);
    assert_string_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[0].path.p, "/opt/x");
    assert_string_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[1].path.p, "/opt/y");
    done();
}

/* Where no timeout suits all, every set with hooks is blocked. */
static void test_limits_that_exclude_each_other(void **state)
{
    (void)state;
    check(POLICY "  timeout: {min: 20}\n", POLICY "  timeout: {max: 10}\n",
          SET_HEAD "  hooks: {poststop: [{path: /opt/x}]}\n");
    assert_int_equal(p->findings_n, 1);
    assert_true(set->blocked.n > 0);
    done();
}

static void test_verify(void **state)
{
    (void)state;
    check(POLICY "  programs: {verify: Digest}\n", NULL, TWO_STAGES);
    assert_int_equal(p->findings_n, 1);
    assert_violation(0, 7, 9,
                     "policy policy.yaml:4 allows only hooks whose program is verified by a digest "
                     "or signature, found none of that here; this version of Grapnel cannot verify "
                     "programs, since that takes its hook runner: use a version that can, or set "
                     "verify: None in the policy");
    done();
    check(POLICY "  programs: {verify: Signature}\n", NULL, TWO_STAGES);
    assert_non_null(strstr(p->findings[0].text, "verified by a signature,"));
    assert_true(set->blocked.n > 0);
    done();
}

/* All are reported, the first one blocks. */
static void test_several(void **state)
{
    (void)state;
    check(POLICY "  stages: [poststop]\n", POLICY "  timeout: {max: 8}\n  stages: [poststart]\n",
          TWO_STAGES);
    assert_int_equal(p->findings_n, 4);
    assert_string_equal(set->blocked.p, p->findings[0].text);
    assert_non_null(strstr(p->findings[0].text, "createRuntime"));
    assert_non_null(strstr(p->findings[1].text, "poststart"));
    assert_non_null(strstr(p->findings[2].text, "createRuntime"));
    assert_non_null(strstr(p->findings[3].text, "1 to 8 seconds, found 25"));
    done();
}

static void test_what_blocked_first_stays(void **state)
{
    (void)state;
    p = policed_new();
    police_good(p, POLICY "  stages: [poststop]\n");
    set = police_set(p, TWO_STAGES);
    set->blocked = GR_STR("for a later version");
    police_check(p, set);
    assert_int_equal(p->findings_n, 2);
    assert_string_equal(set->blocked.p, "for a later version");
    done();
}

static void test_unreadable_blocks_without_a_finding(void **state)
{
    (void)state;
    p = policed_new();
    p->policies.unreadable = GR_STR("the policy is broken");
    set = police_set(p, TWO_STAGES);
    police_check(p, set);
    assert_int_equal(p->findings_n, 0);
    assert_string_equal(set->blocked.p, "the policy is broken");
    done();
}

/* A set with many bad timeouts does not flood the log, and its findings count all the same. */
static void test_findings_end(void **state)
{
    char text[16384];
    size_t n = (size_t)snprintf(text, sizeof(text), SET_HEAD "  hooks:\n");

    (void)state;
    for (size_t stage = 0; stage < 3; stage++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "    %s:\n",
                              gr_stage_name((enum gr_stage)stage));
        for (size_t i = 0; i < GR_HOOKS_PER_STAGE_MAX; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "    - {path: /x, timeout: 99}\n");
    }
    check(POLICY "  timeout: {max: 8}\n", NULL, text);
    assert_int_equal(p->findings_n, GR_FINDINGS_MAX);
    assert_string_equal(p->findings[GR_FINDINGS_MAX - 1].code, "too-many-findings");
    done();
}

int main(void)
{
    test_add("allowed", test_allowed);
    test_add("stage", test_stage);
    test_add("timeouts", test_timeouts);
    TEST_ADD_ROWS(fills_in, default_rows);
    test_add("given timeouts stay", test_given_timeouts_stay);
    test_add("limits that exclude each other", test_limits_that_exclude_each_other);
    test_add("verify", test_verify);
    test_add("several", test_several);
    test_add("what blocked first stays", test_what_blocked_first_stays);
    test_add("unreadable", test_unreadable_blocks_without_a_finding);
    test_add("findings end", test_findings_end);
    return test_run("policy_check");
}
