/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that are good: every key with its values and defaults, and files of several documents.
 */
#include "rules/decoding.h"

#include "base/hash.h"
#include "rules/read/fields.h"

/* The one set of a text. */
static const struct gr_hookset *only_set(const struct decoded *decoded)
{
    assert_int_equal(decoded->sets.n, 1);
    return &decoded->sets.items[0];
}

static struct decoded *decode_match(const char *match, const struct gr_cond **out_cond)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), TOP SPEC "  match: %s\n" HOOKS, match);
    struct decoded *decoded = decode_good((struct gr_str){.p = text, .n = (size_t)n});

    *out_cond = only_set(decoded)->match;
    return decoded;
}

static struct decoded *decode_hook(const char *lines, const struct gr_hook **out_hook)
{
    char text[4096];
    int n = snprintf(text, sizeof(text), TOP SPEC MATCH STAGE "      - %s\n", lines);
    struct decoded *decoded = decode_good((struct gr_str){.p = text, .n = (size_t)n});

    *out_hook = &only_set(decoded)->hooks[GR_STAGE_POSTSTOP].items[0];
    return decoded;
}

static void test_defaults(void **state)
{
    struct decoded *decoded = decode_good(GR_STR(TOP SPEC MATCH HOOKS));
    const struct gr_hookset *set = only_set(decoded);
    const struct gr_hook *hook = &set->hooks[GR_STAGE_POSTSTOP].items[0];

    (void)state;
    assert_str(set->name, "stem");
    assert_string_equal(set->name.p, "stem");
    assert_str(set->file, "dir/stem.yaml");
    assert_str(set->file_name, "stem.yaml");
    assert_int_equal(set->document, 0);
    assert_int_equal(set->line, 1);
    assert_true(set->hash == gr_hash(GR_STR(TOP SPEC MATCH HOOKS)));
    assert_int_equal(set->order, 50);
    assert_int_equal(set->mode, GR_MODE_ENFORCE);
    assert_int_equal(set->failure_policy, GR_FAIL);
    assert_int_equal(set->on_unknown, GR_UNKNOWN_SKIP);
    assert_false(set->nodes.has_names || set->nodes.has_percent);
    assert_false(set->other_node);
    assert_int_equal(set->blocked.n, 0);
    assert_string_equal(hook->path.p, "/opt/x");
    assert_int_equal(hook->args_n, 0);
    assert_int_equal(hook->env_n, 0);
    assert_int_equal(hook->timeout_s, 10);
    assert_int_equal(hook->line, 7);
    assert_int_equal(hook->column, 9);
    decoded_free(decoded);
}

/* The example that the format is explained with, as far as this version reads it. */
static void test_everything(void **state)
{
    static const char text[] =
        "apiVersion: grapnel/v1beta1\n"
        "kind: HookSet\n"
        "metadata:\n"
        "  name: tap-network\n"
        "spec:\n"
        "  mode: Observe\n"
        "  nodes: {names: {glob: \"gpu-*\"}, percent: 5}\n"
        "  order: 7\n"
        "  match:\n"
        "    image: [\"docker.io/library/nginx:1.*\", \"registry.example.com/team/**\"]\n"
        "    podAnnotations: {network.example.com/type: custom}\n"
        "    namespace: {notIn: [kube-system]}\n"
        "    not: {runtimeHandler: {glob: \"kata*\"}}\n"
        "  failurePolicy: Ignore\n"
        "  onUnknown: Inject\n"
        "  hooks:\n"
        "    createRuntime:\n"
        "      - path: /opt/hooks/network-setup\n"
        "        args: [network-setup, --container-id, \"{{.ID}}\"]\n"
        "        env: [NETWORK_MODE=bridge]\n"
        "        timeout: 30\n"
        "    poststop:\n"
        "      - path: /opt/hooks/network-teardown\n";
    struct decoded *decoded = decode_good(GR_STR(text));
    const struct gr_hookset *set = only_set(decoded);

    (void)state;
    assert_str(set->name, "tap-network");
    assert_int_equal(set->mode, GR_MODE_OBSERVE);
    assert_true(set->nodes.has_names && set->nodes.has_percent);
    assert_int_equal(set->nodes.percent, 5);
    assert_int_equal(set->nodes.names.n, 1);
    assert_int_equal(set->nodes.names.items[0].kind, GR_TEST_GLOB);
    assert_int_equal(set->order, 7);
    assert_int_equal(set->failure_policy, GR_IGNORE);
    assert_int_equal(set->on_unknown, GR_UNKNOWN_INJECT);
    assert_int_equal(set->match->kind, GR_COND_ALL);
    assert_int_equal(set->match->children_n, 4);
    assert_int_equal(set->match->children[3].kind, GR_COND_NOT);
    assert_int_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].n, 1);
    assert_int_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[0].args_n, 3);
    assert_int_equal(set->hooks[GR_STAGE_CREATE_RUNTIME].items[0].timeout_s, 30);
    assert_int_equal(set->hooks[GR_STAGE_POSTSTOP].n, 1);
    assert_int_equal(set->hooks[GR_STAGE_PRESTART].n, 0);
    decoded_free(decoded);
}

static void test_words(void **state)
{
    static const char text[] = TOP SPEC MATCH
        "  mode: \"Enforce\"\n  failurePolicy: 'Fail'\n  onUnknown: Fail\n  order: 0\n" HOOKS;
    struct decoded *decoded = decode_good(GR_STR(text));

    (void)state;
    assert_int_equal(only_set(decoded)->on_unknown, GR_UNKNOWN_FAIL);
    assert_int_equal(only_set(decoded)->order, 0);
    decoded_free(decoded);
}

static void test_json(void **state)
{
    static const char text[] =
        "{\"apiVersion\":\"grapnel/v1beta1\",\"kind\":\"HookSet\",\"metadata\":{\"name\":\"j\"},\n"
        "\t\"spec\": {\"match\": {\"podLabels\": {\"a\\/b\": [\"c\", {\"exists\": false}]}},\n"
        "\t\t\"hooks\": {\"prestart\": [{\"path\": \"\\/opt\\/x\", \"timeout\": 120,\n"
        "\t\t\t\"args\": [\"x\", \"5\", \"true\", \"\\u00e9\"]}]}}}\n";
    struct decoded *decoded = decode_good(GR_STR(text));
    const struct gr_hookset *set = only_set(decoded);

    (void)state;
    assert_str(set->name, "j");
    assert_str(set->match->key, "a/b");
    assert_int_equal(set->match->tests.n, 2);
    assert_str(set->hooks[GR_STAGE_PRESTART].items[0].args[3].text.source, "é");
    decoded_free(decoded);
}

static void test_always(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match("{always: true}", &cond);

    (void)state;
    assert_int_equal(cond->kind, GR_COND_ALWAYS);
    assert_true(cond->always);
    decoded_free(decoded);
    decoded = decode_match("{always: false}", &cond);
    assert_false(cond->always);
    decoded_free(decoded);
}

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < GR_FIELD_COUNT; i++) {
        enum gr_field field = (enum gr_field)i;
        const struct gr_cond *cond;
        struct decoded *decoded;
        char match[128];

        /* The others are in decode_match_test.c. */
        if (gr_field_has_parts(field) || field == GR_FIELD_REQUESTED)
            continue;
        (void)snprintf(match, sizeof(match), gr_field_is_map(field) ? "{%s: {k: v}}" : "{%s: v}",
                       gr_field_name(field));
        decoded = decode_match(match, &cond);
        assert_int_equal(cond->kind, GR_COND_LEAF);
        assert_int_equal(cond->field, field);
        assert_str(cond->key, gr_field_is_map(field) ? "k" : "");
        assert_int_equal(cond->tests.n, 1);
        assert_int_equal(cond->tests.items[0].kind,
                         field == GR_FIELD_IMAGE ? GR_TEST_IMAGE : GR_TEST_EXACT);
        assert_str(cond->tests.items[0].text, "v");
        assert_int_equal(cond->line, 4);
        decoded_free(decoded);
    }
}

static void test_forms(void **state)
{
    static const enum gr_test_kind kinds[] = {GR_TEST_EXACT,  GR_TEST_EXACT, GR_TEST_GLOB,
                                              GR_TEST_PREFIX, GR_TEST_IN,    GR_TEST_NOT_IN,
                                              GR_TEST_EXISTS, GR_TEST_EXACT};
    const struct gr_cond *cond;
    struct decoded *decoded =
        decode_match("{podLabels: {k: [a, {exact: 'b*'}, {glob: 'c?'}, {prefix: 'd*'}, "
                     "{in: [e, f]}, {notIn: ['']}, {exists: true}, '']}}",
                     &cond);

    (void)state;
    assert_int_equal(cond->tests.n, GR_ARRAY_LEN(kinds));
    for (size_t i = 0; i < GR_ARRAY_LEN(kinds); i++)
        assert_int_equal(cond->tests.items[i].kind, kinds[i]);
    assert_str(cond->tests.items[1].text, "b*");
    assert_str(cond->tests.items[3].text, "d*");
    assert_int_equal(cond->tests.items[4].items_n, 2);
    assert_str(cond->tests.items[4].items[1].text, "f");
    assert_int_equal(cond->tests.items[4].items[1].kind, GR_TEST_EXACT);
    assert_true(cond->tests.items[6].exists);
    assert_int_equal(cond->tests.items[2].line, 4);
    assert_int_equal(cond->tests.items[2].column, 45);
    assert_int_equal(cond->tests.items[7].text.n, 0);
    decoded_free(decoded);
}

static void test_expressions(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match("{podLabels: {k: [{regex: 'a+\\.b'}, {regex: c, search: "
                                           "true}, {search: false, regex: d}]}}",
                                           &cond);
    uint64_t steps = GR_MATCH_STEPS_MAX;

    (void)state;
    assert_int_equal(cond->tests.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cond->tests.items[i].kind, GR_TEST_REGEX);
        assert_int_equal(gr_regex_is_search(cond->tests.items[i].regex), i == 1);
    }
    assert_str(cond->tests.items[0].text, "a+\\.b");
    assert_int_equal(gr_regex_match(cond->tests.items[0].regex, GR_STR("aa.b"), &steps), GR_TRUE);
    assert_int_equal(gr_regex_match(cond->tests.items[0].regex, GR_STR("aa.bc"), &steps), GR_FALSE);
    assert_int_equal(gr_regex_match(cond->tests.items[1].regex, GR_STR("abcd"), &steps), GR_TRUE);
    assert_int_equal(gr_regex_match(cond->tests.items[2].regex, GR_STR("abcd"), &steps), GR_FALSE);
    decoded_free(decoded);
}

static void test_images(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded =
        decode_match("{image: ['nginx:*', {in: ['a/**', b]}, {notIn: ['**:latest']}]}", &cond);

    (void)state;
    assert_int_equal(cond->tests.n, 3);
    assert_int_equal(cond->tests.items[0].kind, GR_TEST_IMAGE);
    assert_non_null(cond->tests.items[0].image);
    assert_int_equal(cond->tests.items[1].kind, GR_TEST_IN);
    assert_int_equal(cond->tests.items[1].items[0].kind, GR_TEST_IMAGE);
    assert_non_null(cond->tests.items[1].items[1].image);
    assert_non_null(cond->tests.items[2].items[0].image);
    decoded_free(decoded);
}

static void test_nesting(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match(
        "{any: [{podLabels: {a: b, c: d}}, {all: [{not: {namespace: ns}}, {runtime: rt}]}]}",
        &cond);

    (void)state;
    assert_int_equal(cond->kind, GR_COND_ANY);
    assert_int_equal(cond->children_n, 2);
    assert_int_equal(cond->children[0].kind, GR_COND_ALL);
    assert_str(cond->children[0].children[1].key, "c");
    assert_int_equal(cond->children[1].kind, GR_COND_ALL);
    assert_int_equal(cond->children[1].children[0].kind, GR_COND_NOT);
    assert_int_equal(cond->children[1].children[0].children_n, 1);
    assert_int_equal(cond->children[1].children[0].children[0].field, GR_FIELD_NAMESPACE);
    decoded_free(decoded);
}

static void test_stages(void **state)
{
    static const char text[] =
        TOP SPEC MATCH "  hooks:\n"
                       "    prestart: [{path: /a}]\n    createRuntime: [{path: /b}]\n"
                       "    createContainer: [{path: /c}]\n    startContainer: [{path: /d}]\n"
                       "    poststart: [{path: /e}]\n    poststop: [{path: /f}, {path: /g}]\n";
    static const char *const paths[] = {"/a", "/b", "/c", "/d", "/e", "/f"};
    struct decoded *decoded = decode_good(GR_STR(text));
    const struct gr_hookset *set = only_set(decoded);

    (void)state;
    for (size_t i = 0; i < GR_STAGE_COUNT; i++)
        assert_str(set->hooks[i].items[0].path, paths[i]);
    assert_int_equal(set->hooks[GR_STAGE_POSTSTOP].n, 2);
    assert_str(set->hooks[GR_STAGE_POSTSTOP].items[1].path, "/g");
    decoded_free(decoded);
}

static void test_stage_names(void **state)
{
    enum gr_stage stage = GR_STAGE_POSTSTART;

    (void)state;
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        assert_true(gr_stage_parse(gr_str_from(gr_stage_name((enum gr_stage)i)), &stage));
        assert_int_equal(stage, i);
    }
    assert_false(gr_stage_parse(GR_STR("reboot"), &stage));
    assert_int_equal(stage, GR_STAGE_POSTSTOP);
}

static void test_timeouts(void **state)
{
    static const struct {
        const char *text;
        uint32_t seconds;
    } rows[] = {
        {"1", 1}, {"120", 120}, {"1s", 1}, {"120s", 120}, {"\"30s\"", 30}, {"'5s'", 5},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        const struct gr_hook *hook;
        char lines[64];
        struct decoded *decoded;

        (void)snprintf(lines, sizeof(lines), "{path: /x, timeout: %s}", rows[i].text);
        decoded = decode_hook(lines, &hook);
        assert_int_equal(hook->timeout_s, rows[i].seconds);
        decoded_free(decoded);
    }
}

static void test_paths(void **state)
{
    static const char *const paths[] = {"/x",   "/.x",    "/x.",        "/..x",
                                        "/...", "/a b/c", "/a/b-c_d.e", "/{x}"};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(paths); i++) {
        const struct gr_hook *hook;
        char lines[64];
        struct decoded *decoded;

        (void)snprintf(lines, sizeof(lines), "{path: \"%s\"}", paths[i]);
        decoded = decode_hook(lines, &hook);
        assert_str(hook->path, paths[i]);
        decoded_free(decoded);
    }
}

static void test_args(void **state)
{
    const struct gr_hook *hook;
    struct decoded *decoded = decode_hook("path: /x\n"
                                          "        args:\n"
                                          "          - x\n"
                                          "          - \"\"\n"
                                          "          - --flag\n"
                                          "          - |\n"
                                          "            line\n"
                                          "            \tline\n"
                                          "          - 'a{{.ID}}b{{annotation \"k\" \"d\"}}'\n"
                                          "          - '{{\"{{\"}}'\n",
                                          &hook);

    (void)state;
    assert_int_equal(hook->args_n, 6);
    assert_str(hook->args[1].text.source, "");
    assert_str(hook->args[3].text.source, "line\n\tline\n");
    assert_false(hook->args[3].text.has_fields);
    assert_int_equal(hook->args[2].line, 11);
    assert_int_equal(hook->args[2].column, 13);
    assert_true(hook->args[4].text.has_fields);
    assert_int_equal(hook->args[4].text.n, 4);
    assert_int_equal(hook->args[4].text.parts[1].id, GR_TEMPLATE_ID);
    assert_int_equal(hook->args[4].text.parts[3].id, GR_TEMPLATE_ANNOTATION);
    assert_str(hook->args[4].text.parts[3].arg, "k");
    assert_str(hook->args[4].text.parts[3].fallback, "d");
    assert_false(hook->args[5].text.has_fields);
    decoded_free(decoded);
}

static void test_every_template_field(void **state)
{
    static const char *const foreign[] = {".Name",         ".Image",     ".PodName",
                                          ".PodNamespace", "annotation", "label"};

    (void)state;
    for (size_t i = 0; i < GR_TEMPLATE_FIELD_COUNT; i++) {
        enum gr_template_field field = (enum gr_template_field)i;
        const char *name = gr_template_field_name(field);
        const struct gr_hook *hook;
        struct decoded *decoded;
        char lines[128];
        bool is_foreign = false;

        (void)snprintf(lines, sizeof(lines), "{path: /x, args: [x, '{{%s%s}}']}", name,
                       name[0] == '.' ? "" : " \"k\"");
        decoded = decode_hook(lines, &hook);
        assert_int_equal(hook->args[1].text.parts[0].id, field);
        decoded_free(decoded);
        for (size_t k = 0; k < GR_ARRAY_LEN(foreign); k++)
            is_foreign = is_foreign || strcmp(foreign[k], name) == 0;
        assert_int_equal(gr_template_field_is_foreign(field), is_foreign);
    }
}

static void test_env(void **state)
{
    const struct gr_hook *hook;
    struct decoded *decoded =
        decode_hook("{path: /x, env: [A=b, a=, _1=c=d, 'POD={{.PodNamespace}}/{{.PodName}}', "
                    "'PATH=/opt/{{.NodeName}}', \"TWO=a\\nb\", 'ID={{.ID}}']}",
                    &hook);

    (void)state;
    assert_int_equal(hook->env_n, 7);
    assert_str(hook->env[1].text.source, "a=");
    assert_int_equal(hook->env[3].text.n, 4);
    assert_str(hook->env[3].text.parts[0].literal, "POD=");
    decoded_free(decoded);
}

/* What is near the rule about shells and yet allowed. */
static void allows_shell(void **state)
{
    const char *const *row = *state;
    const struct gr_hook *hook;

    decoded_free(decode_hook(*row, &hook));
}

static const char *const shell_rows[] = {
    "{path: /bin/sh, args: [sh, -c, 'echo \"$1\"', sh, '{{annotation \"k\"}}']}",
    "{path: /bin/sh, args: [sh, -c, 'exec \"$@\"', sh, --name, '--pod={{.PodName}}']}",
    "{path: /bin/sh, args: [sh, -c, 'echo {{.ID}} {{.PodUID}} {{.NodeName}} {{.Stage}}']}",
    "{path: /bin/sh, args: [sh, /opt/x.sh, '--pod={{.PodName}}', '{{.Name}}']}",
    "{path: /bin/sh, args: [sh, /opt/x.sh, -c, '{{.Name}}']}",
    "{path: /bin/bash, args: [bash, -o, pipefail, /opt/x.sh, '{{.Name}}']}",
    "{path: /opt/x, args: [x, -c, '{{.Name}}']}",
    "{path: /opt/shell, args: [shell, -c, '{{.Name}}']}",
    "{path: /usr/bin/env, args: [env, 'A={{.Name}}', sh, -c, 'echo \"$A\"']}",
};

static void test_documents(void **state)
{
    static const char text[] =
        "# head\n" GOOD("a") "---\n# nothing\n---\n" GOOD("b") "...\n"
                                                               "---\n" GOOD("c") "---\n";
    struct decoded *decoded = decode_good(GR_STR(text));
    const struct gr_hookset *sets = decoded->sets.items;

    (void)state;
    assert_int_equal(decoded->sets.n, 3);
    assert_str(sets[0].name, "a");
    assert_int_equal(sets[0].line, 2);
    assert_int_equal(sets[0].document, 0);
    assert_str(sets[1].name, "b");
    assert_int_equal(sets[1].line, 11);
    assert_int_equal(sets[1].document, 2);
    assert_str(sets[2].name, "c");
    assert_int_equal(sets[2].document, 3);
    assert_true(sets[0].file.p == sets[2].file.p);
    assert_true(sets[0].hash != sets[1].hash);
    decoded_free(decoded);
}

/* The hash is of the document alone: what stands in other documents does not change it. */
static void test_hash(void **state)
{
    struct decoded *one = decode_good(GR_STR("---\n" GOOD("a") "---\n" GOOD("b")));
    struct decoded *two = decode_good(GR_STR("---\n" GOOD("c") "---\n" GOOD("b")));

    (void)state;
    assert_true(one->sets.items[1].hash == two->sets.items[1].hash);
    assert_true(one->sets.items[0].hash != two->sets.items[0].hash);
    decoded_free(one);
    decoded_free(two);
}

static void test_nothing(void **state)
{
    static const struct gr_str texts[] = {
        {NULL, 0}, BYTES(""), BYTES("# comment\n"), BYTES("---\n---\n"), BYTES("\n"),
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        struct decoded *decoded = decode_good(texts[i]);

        assert_int_equal(decoded->sets.n, 0);
        decoded_free(decoded);
    }
}

/* All errors of a document at once, not only the first. */
static void test_all_errors(void **state)
{
    struct decoded *decoded = decode(
        GR_STR(TOP "metadata: {name: A}\n" SPEC "  order: 101\n  match: {imge: x, namespace: a*}\n"
                   "  hooks:\n    poststop:\n      - path: x\n        timeout: 0\n"
                   "        args: [-x, 5]\n        env: [A]\n---\n" GOOD("good")));
    static const char *const codes[] = {"bad-name",  "bad-number", "unknown-key",
                                        "bare-glob", "bad-path",   "bad-seconds",
                                        "bad-args",  "not-a-text", "bad-env"};

    (void)state;
    assert_int_equal(decoded->findings_n, GR_ARRAY_LEN(codes));
    for (size_t i = 0; i < GR_ARRAY_LEN(codes); i++)
        assert_string_equal(decoded->findings[i].code, codes[i]);
    assert_int_equal(decoded->sets.rejected, 1);
    assert_int_equal(decoded->sets.n, 1);
    decoded_free(decoded);
}

/* What the reader has refused is passed over wherever it stands: one finding each. */
static void test_refused_parts(void **state)
{
    static const char *const texts[] = {
        "*a\n",
        "apiVersion: *a\nkind: HookSet\n" SPEC MATCH HOOKS,
        "apiVersion: grapnel/v1beta1\nkind: *a\n" SPEC MATCH HOOKS,
        TOP "spec: *a\n",
        TOP "metadata: {name: *a}\n" SPEC MATCH HOOKS,
        TOP SPEC MATCH "  mode: *a\n" HOOKS,
        TOP SPEC MATCH "  order: *a\n" HOOKS,
        TOP SPEC MATCH "  nodes: {names: *a}\n" HOOKS,
        TOP SPEC "  match: *a\n" HOOKS,
        TOP SPEC "  match: {always: *a}\n" HOOKS,
        TOP SPEC "  match: {all: *a}\n" HOOKS,
        TOP SPEC "  match: {any: [*a ]}\n" HOOKS,
        TOP SPEC "  match: {not: *a}\n" HOOKS,
        TOP SPEC "  match: {namespace: [*a ]}\n" HOOKS,
        TOP SPEC "  match: {namespace: {in: [*a ]}}\n" HOOKS,
        TOP SPEC "  match: {namespace: {in: *a}}\n" HOOKS,
        TOP SPEC "  match: {image: *a}\n" HOOKS,
        TOP SPEC "  match: {image: [*a ]}\n" HOOKS,
        TOP SPEC "  match: {podLabels: *a}\n" HOOKS,
        TOP SPEC "  match: {podLabels: {a: *a}}\n" HOOKS,
        TOP SPEC "  match: {podLabels: {a: {exists: *a}}}\n" HOOKS,
        TOP SPEC MATCH "  hooks: *a\n",
        TOP SPEC MATCH "  hooks: {poststop: *a}\n",
        TOP SPEC MATCH "  hooks: {poststop: [*a ]}\n",
        TOP SPEC MATCH STAGE "      - path: *a\n",
        TOP SPEC MATCH HOOKS "        timeout: *a\n",
        TOP SPEC MATCH HOOKS "        args: *a\n",
        TOP SPEC MATCH HOOKS "        args: [*a ]\n",
        TOP SPEC MATCH HOOKS "        env: [A=b, *a ]\n",
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        struct decoded *decoded = decode(gr_str_from(texts[i]));

        if (decoded->findings_n != 1)
            fail_msg("%zu findings, the last: %s; in: %s", decoded->findings_n,
                     decoded->findings[decoded->findings_n - 1].text, texts[i]);
        assert_string_equal(decoded->findings[0].code, "alias");
        assert_int_equal(decoded->sets.rejected, 1);
        decoded_free(decoded);
    }
}

static void test_names(void **state)
{
    struct decoded *decoded = decode(GR_STR(GOOD("a") "---\n" GOOD("a") "---\n" GOOD("b")));

    (void)state;
    assert_int_equal(decoded->sets.n, 2);
    assert_int_equal(decoded->sets.rejected, 1);
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, "duplicate-name");
    assert_string_equal(decoded->findings[0].text,
                        "the name \"a\" was given already to the document at line 1; give each "
                        "document its own metadata.name");
    assert_int_equal(decoded->findings[0].line, 11);
    assert_int_equal(decoded->findings[0].column, 9);
    decoded_free(decoded);
}

static void test_file_name_that_is_no_name(void **state)
{
    const struct gr_source source = {.text = GR_STR(TOP SPEC MATCH HOOKS),
                                     .file = "/x/My Hooks.yaml",
                                     .stem = GR_STR("My Hooks")};
    struct decoded decoded = {0};
    const struct gr_reporter reporter = {.report = collect_finding, .user = &decoded};

    (void)state;
    gr_arena_init(&decoded.arena, 4096, 0);
    assert_int_equal(gr_hooksets_decode(&decoded.arena, &source, &reporter, &decoded.sets), 0);
    assert_int_equal(decoded.sets.rejected, 1);
    assert_string_equal(decoded.findings[0].code, "bad-name");
    assert_string_equal(decoded.findings[0].text,
                        "the file's name gives \"My Hooks\", which is no name for a set "
                        "(lower-case letters, digits, - and .); write metadata: {name: …}");
    /* Nobody has to listen. */
    assert_int_equal(gr_hooksets_decode(&decoded.arena, &source, NULL, &decoded.sets), 0);
    assert_int_equal(decoded.sets.rejected, 1);
    gr_arena_fini(&decoded.arena);
}

int main(void)
{
    test_add("defaults", test_defaults);
    test_add("everything", test_everything);
    test_add("words", test_words);
    test_add("JSON", test_json);
    test_add("always", test_always);
    test_add("fields", test_fields);
    test_add("forms", test_forms);
    test_add("expressions", test_expressions);
    test_add("images", test_images);
    test_add("nesting", test_nesting);
    test_add("stages", test_stages);
    test_add("names of stages", test_stage_names);
    test_add("timeouts", test_timeouts);
    test_add("paths", test_paths);
    test_add("args", test_args);
    test_add("template fields", test_every_template_field);
    test_add("env", test_env);
    TEST_ADD_ROWS(allows_shell, shell_rows);
    test_add("documents", test_documents);
    test_add("hash", test_hash);
    test_add("nothing", test_nothing);
    test_add("all errors", test_all_errors);
    test_add("refused parts", test_refused_parts);
    test_add("names", test_names);
    test_add("file name that is no name", test_file_name_that_is_no_name);
    return test_run("decode");
}
