/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading rule files and settings while memory runs out: -ENOMEM, nothing leaks, the output stays
 * as it was, and a success is a whole success.
 */
#include "failing.h"

#include "testing.h"

#include <errno.h>

#include "load/config.h"
#include "rules/policy.h"

/* Small, so that nearly every piece of the arena is an allocation of its own. */
#define BLOCK_BYTES 16

/* Every kind of node, value, hook and template; and every kind of refusal. */
static const char rules[] =
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "metadata: {name: one}\n"
    "spec:\n"
    "  nodes: {names: [{glob: 'a*'}, b], percent: 5}\n"
    "  match:\n"
    "    image: [\"docker.io/library/nginx:1.*\", {notIn: ['a/**']}]\n"
    "    podLabels: {k: [a, {prefix: b}, {in: [c, d]}], l: {exists: true}}\n"
    "    any: [{not: {namespace: ns}}, {all: [{always: true}]}, {requested: false}]\n"
    "    args: [a, {glob: '*b'}]\n"
    "    mounts: [{source: /a, type: [b, c]}, {destination: {prefix: /d}}]\n"
    "    anyAnnotation: {key: k, value: {exists: true}}\n"
    "  hooks:\n"
    "    createRuntime:\n"
    "      - path: /bin/sh\n"
    "        args: [sh, -c, 'echo \"$1\"', sh, 'a{{.ID}}b{{annotation \"k\\\"\" \"d\"}}']\n"
    "        env: ['A={{.Name}}', B=c]\n"
    "        timeout: 30s\n"
    "  requestable: true\n"
    "  environments: {a: {env: [A=b, 'C={{.ID}}']}}\n"
    "  adjust:\n"
    "    env: {A: b, C: d}\n"
    "    annotations: {a/b: c}\n"
    "    mounts: [{destination: /a, source: /b, options: [ro]}]\n"
    "    devices: [{path: /dev/a, type: c, major: 1, minor: 2, fileMode: '0660'}]\n"
    "    cdiDevices: [a/b=c]\n"
    "    rlimits: [{type: RLIMIT_CPU, soft: 1, hard: unlimited}]\n"
    "    resources:\n"
    "      memory: {limit: 1Mi}\n"
    "      cpu: {shares: 2, cpus: '0-3'}\n"
    "      rdtClass: a\n"
    "      hugepageLimits: [{pageSize: 2MB, limit: 0}]\n"
    "      unified: {a.b: c}\n"
    "---\n"
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "metadata: {name: later}\n"
    "spec: {minVersion: '9.9', mode: Observe, match: {always: true}, colour: [red]}\n"
    "---\n"
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "metadata: {name: latest}\n"
    "spec: {minVersion: '9.9'}\n"
    "---\n"
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "metadata: {name: runner}\n"
    "spec: {match: {always: true}, breaker: {failures: 1, window: 1}, hooks: {poststop: [{path: "
    "/x, retry: {attempts: 2, on: {stderr: {regex: a}}}, env: ['A={{.Pid}}'], verify: {sha256: "
    "[a]}}]}}\n"
    "---\n"
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "metadata: {name: one}\n"
    "spec: {match: {always: true}, hooks: {poststop: [{path: /x}]}}\n"
    "---\n"
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "spec: {match: {imge: &x 'a*', [b]: *c, d: !e f, d: g}, hooks: {poststop: [{path: x}]}}\n"
    "---\n"
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "spec: {match: {always: true}, hooks: {poststop: [{path: /x}]}}\n"
    "---\n"
    "a: [b\n";

static const char settings[] = "apiVersion: grapnel/v1beta1\n"
                               "kind: Config\n"
                               "spec:\n"
                               "  hooksDirs: [/a, /b]\n"
                               "  hostRoot: /host\n"
                               "  nodeName: node\n"
                               "  logLevel: debug\n"
                               "  ociHooksDirs: [/c]\n"
                               "  requiredSets: [a, b]\n"
                               "  requestAnnotation: a/b\n"
                               "  ownNamespace: ns\n"
                               "  runDir: /r\n"
                               "  controlSocket: /r/c\n"
                               "  metricsAddress: unix:/r/m\n"
                               "  metricsTextfile: /r/m.prom\n"
                               "  programsDir: /p\n"
                               "  crioDir: /c\n"
                               "  environment: e\n";

/* Every list and value; read twice, so that the second text's are put behind the first's. */
static const char policies[] =
    "apiVersion: grapnel/v1beta1\n"
    "kind: Policy\n"
    "spec:\n"
    "  programs: {directories: [/a, /b], unverified: Block, verify: None}\n"
    "  stages: [poststop]\n"
    "  timeout: {min: 20, max: 30, default: 25}\n"
    "  requests: [{sets: [a, {glob: 'b*'}], namespaces: {in: [c, d]}}]\n"
    "  exemptNamespaces: [a, {prefix: b}]\n"
    "  neverFail: []\n"
    "  protectedSets: c\n"
    "  skipStages: [{runtimeHandlers: a, stages: [prestart]}]\n"
    "---\n"
    "apiVersion: grapnel/v1beta1\n"
    "kind: Policy\n"
    "spec: {}\n";

static const char judged[] = "apiVersion: grapnel/v1beta1\n"
                             "kind: HookSet\n"
                             "spec: {match: {always: true}, hooks: {poststop: [{path: /x}],\n"
                             "  prestart: [{path: /x, timeout: 5}]}}\n";

#define VERSION GR_STR("1.2.3")

static void ignore(void *user, enum gr_level level, const struct gr_err *err)
{
    (void)user;
    (void)level;
    assert_non_null(err->code);
}

static const struct gr_reporter reporter = {.report = ignore};

static int decode_rules(void *user)
{
    const struct gr_source source = {
        .text = GR_STR(rules), .file = "dir/two.yaml", .stem = GR_STR("two"), .version = VERSION};
    struct gr_hooksets sets = {.n = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_hooksets_decode(&arena, &source, &reporter, &sets);
    if (r == 0) {
        assert_int_equal(sets.n, 4);
        assert_int_equal(sets.rejected, 4);
        assert_str(sets.items[0].name, "one");
        assert_int_equal(sets.items[0].match->children_n, 6);
        assert_int_equal(sets.items[0].adjust_n, 13);
        assert_int_equal(sets.items[0].environments[0].env_n, 2);
        assert_int_equal(sets.items[1].match->kind, GR_COND_ALWAYS);
        assert_str(sets.items[2].blocked, "it needs Grapnel 9.9 or later, this is 1.2.3");
        assert_int_equal(sets.items[2].match->kind, GR_COND_UNREADABLE);
        assert_str(sets.items[3].name, "two");
    } else {
        assert_int_equal(sets.n, 77);
    }
    gr_arena_fini(&arena);
    return r;
}

/* So many keys that sorting them takes memory too. */
static int decode_many_keys(void *user)
{
    const struct gr_str *text = user;
    const struct gr_source source = {.text = *text, .file = "a.yaml", .stem = GR_STR("a")};
    struct gr_hooksets sets = {0};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 4096, 0);
    r = gr_hooksets_decode(&arena, &source, &reporter, &sets);
    if (r == 0)
        assert_int_equal(sets.rejected, 1);
    gr_arena_fini(&arena);
    return r;
}

static int decode_settings(void *user)
{
    const struct gr_config_text text = {
        .text = GR_STR(settings), .name = "config.yaml", .source = GR_CONFIG_FILE};
    struct gr_config config = {.rescan_interval_s = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_config_decode(&arena, &text, &reporter, &config);
    if (r == 0)
        assert_string_equal(config.hooks_dirs[1], "/b");
    else
        assert_int_equal(config.rescan_interval_s, 77);
    gr_arena_fini(&arena);
    return r;
}

static int decode_policies(void *user)
{
    const struct gr_source source = {.text = GR_STR(policies), .file = "policy.yaml"};
    struct gr_policies found = {0};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_policies_decode(&arena, &source, GR_POLICY_FILE, &reporter, &found);
    assert_int_equal(found.n, r == 0 ? 2 : 0);
    if (r == 0)
        r = gr_policies_decode(&arena, &source, GR_POLICY_IN_CONFIGURE, &reporter, &found);
    if (r == 0) {
        assert_int_equal(found.n, 4);
        assert_true(gr_policies_exempt(&found, GR_STR("b1")));
        assert_string_equal(found.items[2].file.p, "policy.yaml");
    }
    gr_arena_fini(&arena);
    return r;
}

/* A policy that was refused: nothing of it is left. */
static int refuse_policies(void *user)
{
    const struct gr_source source = {.text = GR_STR("kind: Policy\nspec: {stages: [x]}\n"),
                                     .file = "policy.yaml"};
    struct gr_policies found = {0};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_policies_decode(&arena, &source, GR_POLICY_FILE, &reporter, &found);
    assert_int_equal(found.n, 0);
    gr_arena_fini(&arena);
    return r == GR_POLICY_REFUSED ? 0 : r;
}

/* Half judged is not judged: the call fails, and its set is not put into force. */
static int judge_set(void *user)
{
    const struct gr_source policy = {.text = GR_STR(policies), .file = "policy.yaml"};
    const struct gr_source source = {
        .text = GR_STR(judged), .file = "dir/two.yaml", .stem = GR_STR("two")};
    struct gr_policies found = {0};
    struct gr_hooksets sets = {0};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_policies_decode(&arena, &policy, GR_POLICY_FILE, &reporter, &found);
    if (r == 0)
        r = gr_hooksets_decode(&arena, &source, &reporter, &sets);
    if (r == 0)
        r = gr_policies_check_set(&found, &arena, &reporter, &sets.items[0]);
    if (r == 0) {
        assert_true(sets.items[0].blocked.n > 0);
        assert_int_equal(sets.items[0].hooks[GR_STAGE_POSTSTOP].items[0].timeout_s, 25);
    }
    gr_arena_fini(&arena);
    return r;
}

/* The arena's own limit is the same condition. */
static void test_arena_limit(void **state)
{
    const struct gr_source source = {
        .text = GR_STR(rules), .file = "dir/two.yaml", .stem = GR_STR("two"), .version = VERSION};
    int r = -ENOMEM;

    (void)state;
    for (size_t limit = 16; r == -ENOMEM; limit += 16) {
        struct gr_hooksets sets = {.n = 77};
        struct gr_arena arena;

        assert_true(limit < 1U << 20);
        gr_arena_init(&arena, BLOCK_BYTES, limit);
        r = gr_hooksets_decode(&arena, &source, &reporter, &sets);
        assert_int_equal(sets.n, r == 0 ? 4 : 77);
        gr_arena_fini(&arena);
    }
    assert_int_equal(r, 0);
}

static void test_rules(void **state)
{
    (void)state;
    failing_run(decode_rules, NULL);
}

static void test_many_keys(void **state)
{
    static char text[8192];
    struct gr_str s = {.p = text};

    (void)state;
    for (int i = 0; i < 500; i++)
        s.n += (size_t)snprintf(text + s.n, sizeof(text) - s.n, "k%d: v\n", i);
    failing_run(decode_many_keys, &s);
}

static void test_settings(void **state)
{
    (void)state;
    failing_run(decode_settings, NULL);
}

static void test_policies(void **state)
{
    (void)state;
    failing_run(decode_policies, NULL);
    failing_run(refuse_policies, NULL);
    failing_run(judge_set, NULL);
}

int main(void)
{
    test_add("rules", test_rules);
    test_add("many keys", test_many_keys);
    test_add("settings", test_settings);
    test_add("policies", test_policies);
    test_add("limit of the arena", test_arena_limit);
    return test_run("decode/fault");
}
