/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are good as a whole, and files of several. */
#include "rules/decoding.h"

#include "base/hash.h"

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
    test_add("documents", test_documents);
    test_add("hash", test_hash);
    test_add("nothing", test_nothing);
    test_add("all errors", test_all_errors);
    test_add("refused parts", test_refused_parts);
    test_add("names", test_names);
    test_add("file name that is no name", test_file_name_that_is_no_name);
    return test_run("decode");
}
