/* SPDX-License-Identifier: Apache-2.0 */
/* Reading policies: everything that may stand in one, every refusal, limits, Configure texts. */
#include "policing.h"

#include "rules/limits.h"

static struct policed *p;

static void begin(void)
{
    p = policed_new();
}

static void done(void)
{
    policed_free(p);
    p = NULL;
}

static const char everything[] = POLICY
    "  programs:\n"
    "    directories: [/opt/hooks, /usr/libexec/oci]\n"
    "    unverified: Block\n"
    "    verify: Signature\n"
    "  stages: [createRuntime, poststop]\n"
    "  timeout: {min: 2, max: 60s, default: \"30s\"}\n"
    "  createTimeoutTotal: 90\n"
    "  hooksPerContainer: 16\n"
    "  requests:\n"
    "    - sets: [debug, {prefix: gpu-}]\n"
    "      namespaces: {glob: \"team-*\"}\n"
    "    - {sets: trace, namespaces: [ops]}\n"
    "  onDeniedRequest: Ignore\n"
    "  exemptNamespaces: [kube-system, {prefix: infra-}]\n"
    "  neverFail: [kube-system, ops]\n"
    "  protectedSets: [{prefix: security-}]\n"
    "  skipStages:\n"
    "    - {runtimeHandlers: [{glob: \"kata*\"}], stages: [startContainer, createContainer]}\n";

static void test_everything(void **state)
{
    const struct gr_policy *policy;

    (void)state;
    begin();
    police_good(p, everything);
    assert_int_equal(p->policies.n, 1);
    policy = &p->policies.items[0];
    assert_string_equal(policy->file.p, "policy.yaml");
    assert_int_equal(policy->line, 1);
    assert_true(policy->has_hook_dirs);
    assert_int_equal(policy->hook_dirs.n, 2);
    assert_string_equal(policy->hook_dirs.items[1].p, "/usr/libexec/oci");
    assert_int_equal(policy->hook_dirs_line, 5);
    assert_int_equal(policy->unverified, GR_UNVERIFIED_BLOCK);
    assert_int_equal(policy->unverified_line, 6);
    assert_int_equal(policy->verify, GR_VERIFY_SIGNATURE);
    assert_int_equal(policy->verify_line, 7);
    assert_int_equal(policy->stages,
                     GR_STAGE_BIT(GR_STAGE_CREATE_RUNTIME) | GR_STAGE_BIT(GR_STAGE_POSTSTOP));
    assert_int_equal(policy->stages_line, 8);
    assert_int_equal(policy->timeout_min_s, 2);
    assert_int_equal(policy->timeout_max_s, 60);
    assert_int_equal(policy->timeout_default_s, 30);
    assert_int_equal(policy->timeout_line, 9);
    assert_int_equal(policy->create_timeout_total_s, 90);
    assert_int_equal(policy->create_timeout_line, 10);
    assert_int_equal(policy->hooks_per_container, 16);
    assert_int_equal(policy->hooks_line, 11);
    assert_int_equal(policy->grants_n, 2);
    assert_int_equal(policy->grants[0].sets.n, 2);
    assert_int_equal(policy->grants[0].namespaces.items[0].kind, GR_TEST_GLOB);
    assert_string_equal(policy->grants[1].sets.items[0].text.p, "trace");
    assert_int_equal(policy->on_denied, GR_DENIED_IGNORE);
    assert_int_equal(policy->exempt_namespaces.n, 2);
    assert_true(policy->has_never_fail);
    assert_int_equal(policy->never_fail.n, 2);
    assert_int_equal(policy->protected_sets.n, 1);
    assert_int_equal(policy->skips_n, 1);
    assert_int_equal(policy->skips[0].stages, GR_STAGE_BIT(GR_STAGE_START_CONTAINER) |
                                                  GR_STAGE_BIT(GR_STAGE_CREATE_CONTAINER));
    done();
}

static void test_nothing(void **state)
{
    static const char *const texts[] = {"", "# comment\n", "---\n---\n"};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        begin();
        police_good(p, texts[i]);
        assert_int_equal(p->policies.n, 0);
        assert_null(p->policies.items);
        done();
    }
}

static void test_defaults(void **state)
{
    const struct gr_policy *policy;

    (void)state;
    begin();
    police_good(p, POLICY "  {}\n");
    policy = &p->policies.items[0];
    assert_int_equal(policy->stages, GR_STAGES_ALL);
    assert_false(policy->has_hook_dirs);
    assert_false(policy->has_never_fail);
    assert_int_equal(policy->unverified, GR_UNVERIFIED_WARN);
    assert_int_equal(policy->verify, GR_VERIFY_NONE);
    assert_int_equal(policy->on_denied, GR_DENIED_FAIL);
    assert_int_equal(policy->grants_n, 0);
    assert_int_equal(policy->timeout_min_s, 0);
    done();
}

static void test_texts_add_up(void **state)
{
    uint64_t first;

    (void)state;
    begin();
    police_good(p, POLICY "  stages: [poststop]\n---\n" POLICY "  hooksPerContainer: 1\n");
    assert_int_equal(p->policies.n, 2);
    assert_int_equal(p->policies.items[1].line, 6);
    first = p->policies.hash;
    police_good(p, POLICY "  hooksPerContainer: 2\n");
    assert_int_equal(p->policies.n, 3);
    assert_int_equal(p->policies.items[0].stages, GR_STAGE_BIT(GR_STAGE_POSTSTOP));
    assert_int_equal(p->policies.items[2].hooks_per_container, 2);
    assert_true(first != p->policies.hash);
    done();
}

static void test_hash_tells_texts_apart(void **state)
{
    uint64_t one;

    (void)state;
    begin();
    police_good(p, POLICY "  hooksPerContainer: 1\n");
    one = p->policies.hash;
    done();
    begin();
    police_good(p, POLICY "  hooksPerContainer: 2\n");
    assert_true(one != p->policies.hash);
    done();
    begin();
    police_good(p, POLICY "  hooksPerContainer: 1\n");
    assert_true(one == p->policies.hash);
    done();
}

struct bad_row {
    const char *name;
    const char *text;
    uint32_t line, column;
    const char *code;
    const char *field;
    const char *message;
};

#define HEAD "apiVersion: grapnel/v1beta1\n"

static const struct bad_row bad_rows[] = {
    {"broken YAML", POLICY "  stages: [\n", 5, 1, "yaml-syntax", "",
     "expected a value here; write one, or quote the text if it begins with a special character"},
    {"a list", "[]\n", 1, 1, "wrong-type", "", "expected a mapping (key: value), found a list"},
    {"no spec", HEAD "kind: Policy\n", 1, 1, "missing-key", "spec",
     "the key \"spec\" is missing; write spec: with the guard rails in it"},
    {"no kind", HEAD "spec: {}\n", 1, 1, "missing-key", "kind",
     "the key \"kind\" is missing; write kind: Policy"},
    {"settings", HEAD "kind: Config\nspec: {}\n", 2, 7, "bad-kind", "kind",
     "expected kind: Policy, found a Config; settings belong into /etc/grapnel/config.yaml, or the "
     "file that --config names"},
    {"a rule", HEAD "kind: HookSet\nspec: {}\n", 2, 7, "bad-kind", "kind",
     "expected kind: Policy, found a HookSet; rules belong into /etc/grapnel/hooks.d, or a "
     "directory that --hooks-dir names"},
    {"another kind", HEAD "kind: policy\nspec: {}\n", 2, 7, "bad-kind", "kind",
     "expected kind: Policy, found the text \"policy\""},
    {"a key at the top", HEAD "kind: Policy\nstages: [poststop]\nspec: {}\n", 3, 1, "misplaced-key",
     "stages",
     "\"stages\" does not belong here but below spec; mend the "
     "indentation"},
    {"a mistyped key", POLICY "  exemptNamespace: a\n", 4, 3, "unknown-key", "spec.exemptNamespace",
     "unknown key \"exemptNamespace\" in spec; did you mean \"exemptNamespaces\"?"},
    {"no programs", POLICY "  programs: {}\n", 4, 13, "empty", "spec.programs",
     "an empty mapping means nothing here; fill it in or remove the key"},
    {"no directory", POLICY "  programs: {directories: []}\n", 4, 27, "empty",
     "spec.programs.directories",
     "an empty list means nothing here; add an element or remove the key"},
    {"a relative directory", POLICY "  programs: {directories: [/a, opt]}\n", 4, 32, "bad-path",
     "spec.programs.directories[1]",
     "the path \"opt\" is refused: it must be absolute, that is, begin with /"},
    {"a directory with ..", POLICY "  programs: {directories: [/opt/../x]}\n", 4, 28, "bad-path",
     "spec.programs.directories[0]",
     "the path \"/opt/../x\" is refused: it must not hold . or .. as a part; write the path that "
     "is meant"},
    {"the root", POLICY "  programs: {directories: [/]}\n", 4, 28, "bad-path",
     "spec.programs.directories[0]", "the path \"/\" is refused: / itself is no file"},
    {"unverified", POLICY "  programs: {unverified: warn}\n", 4, 26, "bad-word",
     "spec.programs.unverified",
     "expected Warn or Block, found the text \"warn\"; did you mean "
     "Warn?"},
    {"verify", POLICY "  programs: {verify: sha256}\n", 4, 22, "bad-word", "spec.programs.verify",
     "expected None, Digest or Signature, found the text \"sha256\""},
    {"a mistyped stage", POLICY "  stages: [postStop]\n", 4, 12, "bad-word", "spec.stages[0]",
     "expected prestart, createRuntime, createContainer, startContainer, poststart or poststop, "
     "found the text \"postStop\"; did you mean poststop?"},
    {"a stage twice", POLICY "  stages: [poststop, poststop]\n", 4, 22, "duplicate-stage",
     "spec.stages[1]", "the stage poststop stands here a second time; keep one"},
    {"no stage", POLICY "  stages: []\n", 4, 11, "empty", "spec.stages",
     "an empty list means nothing here; add an element or remove the key"},
    {"no timeout", POLICY "  timeout: 30\n", 4, 12, "wrong-type", "spec.timeout",
     "expected a mapping (key: value), found the number 30"},
    {"timeout 0", POLICY "  timeout: {min: 0}\n", 4, 18, "bad-seconds", "spec.timeout.min",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the number 0"},
    {"timeout 121", POLICY "  timeout: {max: 121}\n", 4, 18, "bad-seconds", "spec.timeout.max",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the number 121"},
    {"default 121", POLICY "  timeout: {default: 121s}\n", 4, 22, "bad-seconds",
     "spec.timeout.default",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the text \"121s\""},
    {"min above max", POLICY "  timeout: {min: 31, max: 30}\n", 4, 12, "bad-range", "spec.timeout",
     "expected min to be at most max, found min 31 and max 30; no timeout lies between them"},
    {"default above max", POLICY "  timeout: {max: 30, default: 31}\n", 4, 12, "bad-range",
     "spec.timeout",
     "expected default to lie between min and max, found default 31, min 1 and max 30"},
    {"default below min", POLICY "  timeout: {min: 30, default: 29}\n", 4, 12, "bad-range",
     "spec.timeout",
     "expected default to lie between min and max, found default 29, min 30 and max 120"},
    {"total 0", POLICY "  createTimeoutTotal: 0\n", 4, 23, "bad-seconds", "spec.createTimeoutTotal",
     "expected whole seconds from 1 to 600, such as 30 or \"30s\", found the number 0"},
    {"total 601", POLICY "  createTimeoutTotal: 601\n", 4, 23, "bad-seconds",
     "spec.createTimeoutTotal",
     "expected whole seconds from 1 to 600, such as 30 or \"30s\", found the number 601"},
    {"no hooks", POLICY "  hooksPerContainer: 0\n", 4, 22, "bad-number", "spec.hooksPerContainer",
     "expected a whole number from 1 to 4096 without quotes, found the number 0"},
    {"too many hooks", POLICY "  hooksPerContainer: 4097\n", 4, 22, "bad-number",
     "spec.hooksPerContainer",
     "expected a whole number from 1 to 4096 without quotes, found the number 4097"},
    {"requests without namespaces", POLICY "  requests: [{sets: a}]\n", 4, 14, "missing-key",
     "spec.requests[0].namespaces",
     "the key \"namespaces\" is missing; write namespaces: [my-namespace]"},
    {"requests without sets", POLICY "  requests: [{namespaces: a}]\n", 4, 14, "missing-key",
     "spec.requests[0].sets", "the key \"sets\" is missing; write sets: [my-set]"},
    {"requests as a mapping", POLICY "  requests: {sets: a, namespaces: b}\n", 4, 13, "wrong-type",
     "spec.requests",
     "expected a list, found a mapping; write [first, second], or one \"- \" line for each "
     "element"},
    {"a bare pattern", POLICY "  exemptNamespaces: [kube-*]\n", 4, 22, "bare-glob",
     "spec.exemptNamespaces[0]",
     "\"kube-*\" would be compared as it stands; for a pattern write {glob: \"kube-*\"}, for this "
     "very text {exact: \"kube-*\"}"},
    {"no exempt namespace", POLICY "  exemptNamespaces: []\n", 4, 21, "empty",
     "spec.exemptNamespaces", "an empty list means nothing here; add an element or remove the key"},
    {"neverFail of nothing", POLICY "  neverFail:\n", 4, 13, "not-a-text", "spec.neverFail",
     "expected a text, found nothing; write it, or \"\" for the empty text"},
    {"onDeniedRequest", POLICY "  onDeniedRequest: Deny\n", 4, 20, "bad-word",
     "spec.onDeniedRequest", "expected Fail or Ignore, found the text \"Deny\""},
    {"skip without stages", POLICY "  skipStages: [{runtimeHandlers: a}]\n", 4, 16, "missing-key",
     "spec.skipStages[0].stages", "the key \"stages\" is missing; write stages: [startContainer]"},
    {"skip without handlers", POLICY "  skipStages: [{stages: [poststop]}]\n", 4, 16, "missing-key",
     "spec.skipStages[0].runtimeHandlers",
     "the key \"runtimeHandlers\" is missing; write runtimeHandlers: [{glob: \"kata*\"}]"},
};

/* Nothing is given, and not what stands before and behind either. */
static void refuses(void **state)
{
    const struct bad_row *row = *state;
    char text[1024];

    begin();
    police_good(p, POLICY "  hooksPerContainer: 7\n");
    assert_int_equal(police(p, row->text, GR_POLICY_FILE), GR_POLICY_REFUSED);
    assert_int_equal(p->findings_n, 1);
    assert_string_equal(p->findings[0].text, row->message);
    assert_string_equal(p->findings[0].code, row->code);
    assert_string_equal(p->findings[0].field, row->field);
    assert_string_equal(p->findings[0].file, "policy.yaml");
    assert_int_equal(p->findings[0].line, row->line);
    assert_int_equal(p->findings[0].column, row->column);
    (void)snprintf(text, sizeof(text), POLICY "  hooksPerContainer: 8\n---\n%s", row->text);
    assert_int_equal(police(p, text, GR_POLICY_FILE), GR_POLICY_REFUSED);
    assert_int_equal(p->policies.n, 1);
    assert_int_equal(p->policies.items[0].hooks_per_container, 7);
    done();
}

/* All errors of a document are seen at once. */
static void test_several_errors(void **state)
{
    (void)state;
    begin();
    assert_int_equal(police(p,
                            POLICY "  stages: [x]\n  timeout: {min: 0, max: 121}\n"
                                   "  hooksPerContainer: 0\n---\nkind: Policy\n",
                            GR_POLICY_FILE),
                     GR_POLICY_REFUSED);
    assert_int_equal(p->findings_n, 6);
    done();
}

/* ---- limits ---- */

struct limit_row {
    const char *name;
    const char *begin, *item, *end;
    size_t max;
    const char *code;
};

static const struct limit_row limit_rows[] = {
    {"directories", POLICY "  programs: {directories: [", "/a,", "]}\n", GR_POLICY_DIRS_MAX,
     "too-many"},
    {"requests", POLICY "  requests: [", "{sets: a, namespaces: b},", "]\n", GR_POLICY_GRANTS_MAX,
     "too-many"},
    {"skipStages", POLICY "  skipStages: [", "{runtimeHandlers: a, stages: [prestart]},", "]\n",
     GR_POLICY_SKIPS_MAX, "too-many"},
    {"namespaces", POLICY "  exemptNamespaces: [", "a,", "]\n", GR_VALUES_MAX, "too-many"},
    {"policies", "", POLICY "  {}\n---\n", "", GR_POLICIES_MAX, "too-many-documents"},
};

static void at_the_limit_and_past_it(void **state)
{
    const struct limit_row *row = *state;
    static char text[32768];

    for (size_t over = 0; over < 2; over++) {
        size_t n = (size_t)snprintf(text, sizeof(text), "%s", row->begin);

        for (size_t i = 0; i < row->max + over; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", row->item);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", row->end);
        assert_true(n < sizeof(text));
        begin();
        assert_int_equal(police(p, text, GR_POLICY_FILE), over ? GR_POLICY_REFUSED : 0);
        assert_int_equal(p->findings_n, over);
        if (over)
            assert_string_equal(p->findings[0].code, row->code);
        done();
    }
}

/* The policies of several texts count together. */
static void test_policies_of_two_texts(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < GR_POLICIES_MAX; i++)
        police_good(p, POLICY "  {}\n");
    assert_int_equal(police(p, POLICY "  {}\n", GR_POLICY_FILE), GR_POLICY_REFUSED);
    assert_int_equal(p->policies.n, GR_POLICIES_MAX);
    assert_string_equal(p->findings[0].code, "too-many-documents");
    done();
}

static void test_numbers_at_their_edges(void **state)
{
    (void)state;
    begin();
    police_good(p, POLICY "  timeout: {min: 1, max: 120, default: 1}\n  createTimeoutTotal: 600\n"
                          "  hooksPerContainer: 4096\n---\n" POLICY
                          "  timeout: {min: 120, max: 120, default: 120}\n"
                          "  createTimeoutTotal: 1\n  hooksPerContainer: 1\n");
    assert_int_equal(p->policies.items[0].hooks_per_container, GR_POLICY_HOOKS_MAX);
    assert_int_equal(p->policies.items[0].create_timeout_total_s, GR_POLICY_CREATE_TIMEOUT_MAX_S);
    assert_int_equal(p->policies.items[1].timeout_min_s, GR_HOOK_TIMEOUT_MAX_S);
    done();
}

/* ---- beside settings, in a Configure text ---- */

#define CONFIG HEAD "kind: Config\nspec: {logLevel: info}\n"

struct configure_row {
    const char *name;
    const char *text;
    int result;
    size_t policies;
    size_t findings;
};

static const struct configure_row configure_rows[] = {
    {"settings only", CONFIG, 0, 0, 0},
    {"nothing", "", 0, 0, 0},
    {"both", CONFIG "---\n" POLICY "  {}\n", 0, 1, 0},
    {"both, the other way round", POLICY "  {}\n---\n" CONFIG, 0, 1, 0},
    {"bad settings", HEAD "kind: Config\nspec: {logLevl: info}\n---\n" POLICY "  {}\n", 0, 1, 0},
    {"a rule", HEAD "kind: HookSet\nspec: {}\n", 0, 0, 0},
    {"something else", "a: b\n", 0, 0, 0},
    {"a bad policy", CONFIG "---\n" POLICY "  stage: [poststop]\n", GR_POLICY_REFUSED, 0, 1},
    {"a mistyped kind", HEAD "kind: policy\nspec: {}\n", GR_POLICY_REFUSED, 0, 1},
    {"another mistyped kind", HEAD "kind: Polcy\nspec: {}\n", GR_POLICY_REFUSED, 0, 1},
    {"a kind under another key", HEAD "kidn: Policy\nspec: {}\n", GR_POLICY_REFUSED, 0, 2},
    {"broken settings", HEAD "kind: Config\nspec: [\n", 0, 0, 0},
    {"a policy behind broken settings", HEAD "kind: Config\nspec: [\n---\n" POLICY "  {}\n",
     GR_POLICY_REFUSED, 0, 0},
    {"broken settings behind a policy", POLICY "  {}\n---\n" HEAD "kind: Config\nspec: [\n", 0, 1,
     0},
    {"a policy behind broken settings, in lines of old",
     "kind: Config\rspec: [\r---\rkind: Policy\r", GR_POLICY_REFUSED, 0, 0},
    {"the same with another line end",
     "kind: Config\xe2\x80\xa8spec: [\xe2\x80\xa8"
     "kind: Policy\n",
     GR_POLICY_REFUSED, 0, 0},
    {"a broken policy", POLICY "  stages: [\n", GR_POLICY_REFUSED, 0, 0},
    {"a key twice", POLICY "  hooksPerContainer: 1\n  hooksPerContainer: 2\n", GR_POLICY_REFUSED, 0,
     0},
    {"no UTF-8", CONFIG "# \xff\n", 0, 0, 0},
    {"no UTF-8, and a policy", CONFIG "# \xff\n---\n" POLICY "  {}\n", GR_POLICY_REFUSED, 0, 0},
};

/* What is no YAML is the finding of the settings' reader, so it is none here. */
static void configures(void **state)
{
    const struct configure_row *row = *state;

    begin();
    assert_int_equal(police(p, row->text, GR_POLICY_IN_CONFIGURE), row->result);
    assert_int_equal(p->policies.n, row->policies);
    assert_int_equal(p->findings_n, row->findings);
    if (p->findings_n > 0)
        assert_string_equal(p->findings[0].file, "NRI Configure");
    done();
}

int main(void)
{
    test_add("everything", test_everything);
    test_add("nothing", test_nothing);
    test_add("defaults", test_defaults);
    test_add("texts add up", test_texts_add_up);
    test_add("the hash tells texts apart", test_hash_tells_texts_apart);
    TEST_ADD_ROWS(refuses, bad_rows);
    test_add("several errors", test_several_errors);
    TEST_ADD_ROWS(at_the_limit_and_past_it, limit_rows);
    test_add("policies of several texts", test_policies_of_two_texts);
    test_add("numbers at their edges", test_numbers_at_their_edges);
    TEST_ADD_ROWS(configures, configure_rows);
    return test_run("policy_decode");
}
