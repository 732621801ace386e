/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container is explained, and a TestSuite read, while allocations fail: the result is -ENOMEM,
 * nothing leaks, and outputs stay as they were.
 */
#include "failing.h"
#include "ruled.h"

#include <errno.h>

#include "rules/tell/explain.h"
#include "rules/read/testsuite.h"

static const char rules_text[] =
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: one}\nspec:\n"
    "  match: {any: [{namespace: {in: [a, b]}}, {not: {podName: pod}}, {image: 'r.io/**:1'}]}\n"
    "  hooks: {poststop: [{path: /x}]}\n---\n"
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: two}\nspec:\n"
    "  match: {podLabels: {app: web}, podName: other}\n"
    "  hooks: {poststop: [{path: /x}]}\n---\n"
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: three}\nspec:\n"
    "  match: {always: true}\n  hooks: {poststop: [{path: /x}]}\n";

static const char suite_text[] =
    "apiVersion: grapnel/v1beta1\nkind: TestSuite\nmetadata: {name: mine}\nspec:\n"
    "  rules: [a, b]\n  node: node\n  cases:\n"
    "  - name: a\n    from: [f]\n"
    "    container: {image: nginx, env: [A=b], args: [x], mounts: [{destination: /d}],\n"
    "      annotations: {k: v}, unknown: [pod]}\n"
    "    expect: {sets: [a], hooks: {poststop: [/x, {path: /z, args: [u]}]}, adjust: {env: [A]}}\n"
    "---\napiVersion: grapnel/v1beta1\nkind: TestSuite\nspec: {rules: [r], cases: []}\n";

static int explain_in(const struct gr_ruleset *rules, struct gr_arena *arena)
{
    struct gr_kv labels[] = {{GR_STR("app"), GR_STR("web")}};
    struct gr_subject subject = {
        .pod_namespace = GR_STR("prod"), .pod_name = GR_STR("pod"), .pod_labels = {labels, 1}};
    struct gr_decide_options options = {.node_name = GR_STR("node")};
    struct gr_explanation explanation = {.n = 77};
    struct gr_explain_leaves leaves = {.n = 77};
    struct gr_str text = GR_STR("as it was");
    int r = gr_explain(rules, &subject, &options, arena, &explanation);

    if (r) {
        assert_int_equal(explanation.n, 77);
        return r;
    }
    assert_int_equal(explanation.n, 3);
    assert_true(explanation.sets[1].near);
    for (size_t i = 0; i < explanation.n && r == 0; i++) {
        leaves.n = 77;
        r = gr_explain_leaves(&explanation, &explanation.sets[i], arena, &leaves);
        assert_true((r == 0) == (leaves.n != 77));
    }
    if (r == 0)
        r = gr_explain_nodes(&explanation, explanation.sets[0].set, arena, &text);
    if (r)
        assert_str(text, "as it was");
    return r;
}

static int explain(void *user)
{
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = explain_in(user, &arena);
    gr_arena_fini(&arena);
    return r;
}

static void explain_fails(void **state)
{
    struct gr_ruleset *rules = make_rules(rules_text, 3);

    (void)state;
    failing_run(explain, rules);
    gr_ruleset_unref(rules);
}

/* The limit of the arena is as good as an end of memory. */
static void limits_fail(void **state)
{
    struct gr_ruleset *rules = make_rules(rules_text, 3);
    int r = -ENOMEM;

    (void)state;
    for (size_t limit = 16; r != 0; limit += 16) {
        struct gr_arena arena;

        gr_arena_init(&arena, 16, limit);
        r = explain_in(rules, &arena);
        assert_true(r == 0 || r == -ENOMEM);
        gr_arena_fini(&arena);
    }
    gr_ruleset_unref(rules);
}

static int read_suite(void *user)
{
    const struct gr_source source = {
        .text = GR_STR(suite_text), .file = "s.yaml", .stem = GR_STR("s")};
    struct gr_suites suites = {.n = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_suites_decode(&arena, &source, NULL, &suites);
    if (r)
        assert_int_equal(suites.n, 77);
    else
        assert_true(suites.n == 1 && suites.rejected == 1);
    gr_arena_fini(&arena);
    return r;
}

static void suite_fails(void **state)
{
    (void)state;
    failing_run(read_suite, NULL);
}

int main(void)
{
    test_add("explaining", explain_fails);
    test_add("limits of the arena", limits_fail);
    test_add("reading a TestSuite", suite_fails);
    return test_run("explain fault");
}
