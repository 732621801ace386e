/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and containers that are written to hurt, from the text of the rules to the decision: the
 * answer comes soon, and a set that fails closed is never left out without a word. What single
 * modules do with such texts is in their own tests.
 */
#include "deciding.h"
#include "decoding.h"

#include <time.h>

#include "base/utf8.h"

#define SETS 1000

/* What the issue of 1,000 hostile expressions is held to; debugging and sanitizers take their own.
 */
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MAX_S 0.2
#else
#define MAX_S 6.0
#endif

/* Seconds of processor time, so that a busy machine does not matter. */
static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

struct row {
    const char *name;  /* of the bomb: a form of a value */
    const char *other; /* every second set has this one */
};

static const struct row rows[] = {
    {"regex: \"(a*)*[bxy]|a*[cz]\"", "regex: \"(a|aa)+[xy]\""},
    {"regex: \".*.*.*[=x].*\"", "regex: \"(.*a){20}[xy]\", search: true"},
    {"regex: \"((a{1,10}){1,10}){1,10}[xy]\"", "regex: \"(a?){100}[xy]\", search: true"},
    {"regex: \"\\\\pL*\\\\pL*[12]\"", "regex: \"(?i)(a+a+)+[xy]\""},
    {"glob: \"*a*a*a*a*a*a*a?b?\"", "glob: \"*?a?*a?*a?*b?c\""},
    {"glob: \"*a*a*a*a*a*a*a?b?\"", "regex: \"(a*)*[bxy]|a*[cz]\""},
};

/* SETS sets with a bomb each, and one behind them that fails closed and matches plainly. */
static struct decoded *make_rules(const struct row *row, const char *policy)
{
    struct decoded *decoded;
    struct gr_buf text;

    gr_buf_init(&text, GR_YAML_FILE_MAX_BYTES);
    for (int i = 0; i < SETS; i++)
        assert_int_equal(
            gr_buf_printf(&text,
                          "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: set-%d}\n"
                          "spec: {match: {podAnnotations: {note: {%s}}}, failurePolicy: %s, hooks: "
                          "{poststop: [{path: /opt/x}]}}\n---\n",
                          i, i % 2 ? row->other : row->name, policy),
            0);
    assert_int_equal(
        gr_buf_text(&text,
                    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: plain}\n"
                    "spec: {match: {namespace: prod}, failurePolicy: Fail, order: 100, hooks: "
                    "{poststop: [{path: /opt/plain}]}}\n"),
        0);
    decoded = decode_good(gr_buf_view(&text));
    gr_buf_fini(&text);
    return decoded;
}

static void decide_about_them(struct decoded *decoded, struct gr_decision *out,
                              struct gr_arena *arena, struct gr_ruleset **out_rules)
{
    static char value[GR_ANNOTATIONS_MAX_BYTES];
    struct gr_kv note = {.key = GR_STR("note"), .value = {value, sizeof(value)}};
    const struct gr_decide_options options = {.node_name = GR_STR("node-1")};
    struct gr_subject subject = make_container();
    double before;

    memset(value, 'a', sizeof(value));
    subject.pod_annotations = (struct gr_kvs){.items = &note, .n = 1};
    assert_int_equal(gr_ruleset_new(&decoded->arena, decoded->sets.items, decoded->sets.n, NULL,
                                    out_rules, NULL),
                     0);
    before = seconds();
    assert_int_equal(gr_decide(*out_rules, &subject, &options, arena, out), 0);
    if (seconds() - before >= MAX_S)
        fail_msg("it took %f s", seconds() - before);
}

/* Of sets that fail closed: refused, and the reason is the budget or the expression's limit. */
static void fails_closed(void **state)
{
    struct decoded *decoded = make_rules(*state, "Fail");
    struct gr_decision decision = {0};
    struct gr_ruleset *rules = NULL;
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    decide_about_them(decoded, &decision, &arena, &rules);
    assert_true(decision.refuse);
    expect_in(decision.refusal, "HookSet set-");
    assert_true(gr_utf8_is_clean(decision.refusal));
    assert_in_range(decision.refusal.n, 40, 1536);
    gr_ruleset_unref(rules);
    gr_arena_fini(&arena);
    decoded_free(decoded);
}

/* Of others: they are left out, and the one behind them is injected or refuses the container. */
static void switches_nothing_off(void **state)
{
    struct decoded *decoded = make_rules(*state, "Ignore");
    struct gr_decision decision = {0};
    struct gr_ruleset *rules = NULL;
    struct gr_arena arena;
    bool injected = false;

    gr_arena_init(&arena, 4096, 0);
    decide_about_them(decoded, &decision, &arena, &rules);
    for (size_t i = 0; i < decision.hooks_n; i++)
        injected = injected || gr_str_is(decision.hooks[i].path, "/opt/plain");
    assert_true(injected != decision.refuse);
    if (decision.refuse)
        expect_in(decision.refusal, "HookSet plain");
    gr_ruleset_unref(rules);
    gr_arena_fini(&arena);
    decoded_free(decoded);
}

struct near_row {
    const char *name; /* a match */
    bool matches;     /* namespace kube-system, annotations and labels as below */
};

/* Names of which one begins like the other are two names, everywhere. */
static const struct near_row near_rows[] = {
    {"{namespace: kube}", false},
    {"{namespace: kube-system}", true},
    {"{namespace: kube-systems}", false},
    {"{namespace: {in: [kube, kube-systems]}}", false},
    {"{namespace: {prefix: kube}}", true},
    {"{namespace: {glob: \"kube\"}}", false},
    {"{namespace: {regex: \"kube\"}}", false},
    {"{namespace: {regex: \"kube\", search: true}}", true},
    {"{podName: web}", false},
    {"{podName: web-0}", true},
    {"{podName: web-00}", false},
    {"{podAnnotations: {team: a}}", true},
    {"{podAnnotations: {tea: {exists: true}}}", false},
    {"{podAnnotations: {team.io: {exists: true}}}", false},
    {"{annotations: {hooks: mine}}", true},
    {"{annotations: {hook: {exists: true}}}", false},
    {"{annotations: {hooks: other}}", false},
    {"{podLabels: {app: a}}", false},
    {"{podLabels: {app: ab}}", true},
    {"{args: [ls]}", false},
    {"{command: ls}", false},
    {"{env: A}", false},
    {"{env: \"A=b\"}", true},
    {"{env: \"A=bc\"}", false},
    {"{mounts: [{destination: /data}]}", false},
    {"{mounts: [{destination: /data-1}]}", true},
    {"{mounts: [{destination: {prefix: /data/}}]}", false},
};

static void near_names(void **state)
{
    struct gr_kv annotations[] = {
        {GR_STR("hooks/container.we"), GR_STR("other")},
        {GR_STR("hooks/container.web"), GR_STR("mine")},
        {GR_STR("hooks/container.web-1"), GR_STR("other")},
        {GR_STR("team"), GR_STR("a")},
        {GR_STR("team.io/x"), GR_STR("b")},
    };
    struct gr_kv label = {GR_STR("app"), GR_STR("ab")};
    const struct gr_str args[] = {GR_STR("lsof"), GR_STR("ls1")};
    const struct gr_str env[] = {GR_STR("AB=b"), GR_STR("A=b")};
    const struct gr_mount mount = {.destination = GR_STR("/data-1"), .type = GR_STR("bind")};
    const struct gr_decide_options options = {.node_name = GR_STR("node-1")};
    const struct near_row *row = *state;
    struct gr_subject subject = make_container();
    struct gr_decision decision = {0};
    struct gr_ruleset *rules = NULL;
    struct decoded *decoded;
    struct gr_arena arena;
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {match: %s, hooks: {poststop: "
        "[{path: /x}]}}\n",
        row->name);
    decoded = decode_good(gr_str_from(text));
    gr_arena_init(&arena, 4096, 0);
    subject.pod_namespace = GR_STR("kube-system");
    subject.pod_annotations = (struct gr_kvs){annotations, GR_ARRAY_LEN(annotations)};
    subject.pod_labels = (struct gr_kvs){&label, 1};
    subject.args = (struct gr_strs){args, GR_ARRAY_LEN(args)};
    subject.env = (struct gr_strs){env, GR_ARRAY_LEN(env)};
    subject.mounts = &mount;
    subject.mounts_n = 1;
    assert_int_equal(
        gr_ruleset_new(&decoded->arena, decoded->sets.items, decoded->sets.n, NULL, &rules, NULL),
        0);
    assert_int_equal(gr_decide(rules, &subject, &options, &arena, &decision), 0);
    assert_int_equal(decision.hooks_n, row->matches);
    gr_ruleset_unref(rules);
    gr_arena_fini(&arena);
    decoded_free(decoded);
}

int main(void)
{
    TEST_ADD_ROWS(fails_closed, rows);
    TEST_ADD_ROWS(switches_nothing_off, rows);
    TEST_ADD_ROWS(near_names, near_rows);
    return test_run("hostile");
}
