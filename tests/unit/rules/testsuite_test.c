/* SPDX-License-Identifier: Apache-2.0 */
/* What a TestSuite says, and what is refused in one. */
#include "testing.h"

#include "rules/limits.h"
#include "rules/read/testsuite.h"

#define HEAD "apiVersion: grapnel/v1beta1\nkind: TestSuite\nspec:\n  rules: [r]\n  cases:\n"
#define CASE(container, expect) \
    HEAD "  - {name: a, container: {" container "}, expect: {" expect "}}\n"

struct read {
    struct gr_arena arena;
    struct gr_suites suites;
    struct gr_err first;
    size_t findings;
};

static void collect(void *user, enum gr_level level, const struct gr_err *err)
{
    struct read *read = user;

    assert_int_equal(level, GR_LEVEL_ERROR);
    if (read->findings++ == 0)
        read->first = *err;
}

static struct read *decode(struct gr_str text)
{
    struct read *read = calloc(1, sizeof(*read));
    const struct gr_reporter reporter = {.report = collect, .user = read};
    struct gr_source source = {.file = "dir/suite.yaml", .stem = GR_STR("suite")};
    char *copy = (char *)test_exact(text.p, text.n);

    assert_non_null(read);
    gr_arena_init(&read->arena, 4096, 0);
    source.text = (struct gr_str){.p = copy, .n = text.n};
    assert_int_equal(gr_suites_decode(&read->arena, &source, &reporter, &read->suites), 0);
    free(copy);
    return read;
}

static struct read *decode_good(const char *text)
{
    struct read *read = decode(gr_str_from(text));

    if (read->findings > 0)
        fail_msg("%u:%u: %s", read->first.line, read->first.column, read->first.text);
    assert_int_equal(read->suites.n, 1);
    return read;
}

static void end(struct read *read)
{
    gr_arena_fini(&read->arena);
    free(read);
}

static void test_whole(void **state)
{
    struct read *read = decode_good(
        "apiVersion: grapnel/v1beta1\nkind: TestSuite\nmetadata: {name: mine}\n"
        "spec:\n  rules: [r, s/t.yaml]\n  node: gpu-1\n  environment: staging\n"
        "  policy: ../p.yaml\n  cases:\n"
        "  - name: one\n"
        "    container:\n"
        "      image: nginx:1\n      namespace: web\n      pod: p\n      container: c\n"
        "      annotations: {a: b}\n      labels: {l: m}\n      containerAnnotations: {c: d}\n"
        "      containerLabels: {e: f}\n      env: [A=b]\n      args: [sh, -c]\n"
        "      mounts: [{source: /s, destination: /d}]\n      runtimeHandler: kata\n"
        "      runtime: cri-o\n"
        "    expect:\n      sets: [x, z]\n"
        "      hooks: {poststop: [/a, {path: /b, args: [], env: [N=v], timeout: 5}]}\n"
        "      adjust: {env: [A=b], resources: [memory.limit=5]}\n      refused: false\n"
        "      exempt: false\n"
        "  - {name: two, from: [f.json], container: {unknown: [image, args]}, expect: {sets: "
        "[]}}\n");
    const struct gr_suite *suite = &read->suites.items[0];
    const struct gr_case *c = suite->cases;
    const struct gr_expected_hooks *hooks = &c->expect.hooks[GR_STAGE_POSTSTOP];

    (void)state;
    assert_str(suite->name, "mine");
    assert_str(suite->file, "dir/suite.yaml");
    assert_str(suite->node, "gpu-1");
    assert_str(suite->environment, "staging");
    assert_str(suite->policy, "../p.yaml");
    assert_int_equal(suite->rules.n, 2);
    assert_str(suite->rules.items[1], "s/t.yaml");
    assert_int_equal(suite->cases_n, 2);
    assert_str(c->container.image.tag, "1");
    assert_str(c->container.pod_annotations.items[0].value, "b");
    assert_str(c->container.container_labels.items[0].key, "e");
    assert_str(c->container.args.items[1], "-c");
    assert_str(c->container.mounts[0].type, "bind");
    assert_str(c->container.runtime, "cri-o");
    assert_int_equal(c->given & 1U << GR_FIELD_COMMAND, 1U << GR_FIELD_COMMAND);
    assert_int_equal(c->expect.sets.n, 2);
    assert_int_equal(hooks->n, 2);
    assert_str(hooks->items[0].path, "/a");
    assert_false(hooks->items[0].has_args);
    assert_true(hooks->items[1].has_args);
    assert_int_equal(hooks->items[1].timeout_s, 5);
    assert_int_equal(c->expect.adjust_n, 2);
    assert_int_equal(c->expect.adjust[1].kind, GR_ADJUST_RESOURCE);
    assert_str(c->expect.adjust[1].text, "memory.limit=5");
    assert_int_equal(c->expect.refusal, GR_REFUSAL_NO);
    assert_int_equal(c[1].unknown,
                     1U << GR_FIELD_IMAGE | 1U << GR_FIELD_ARGS | 1U << GR_FIELD_COMMAND);
    assert_str(c[1].from.items[0], "f.json");
    assert_true(c[1].expect.has_sets);
    assert_false(c[1].expect.has_hooks);
    end(read);
}

static void test_default_name(void **state)
{
    struct read *read = decode_good(CASE("image: a", "sets: []"));

    (void)state;
    assert_str(read->suites.items[0].name, "suite");
    end(read);
}

struct refusal_row {
    const char *name;
    const char *text;
    enum gr_expected_refusal refusal;
    const char *words;
};

static const struct refusal_row refusal_rows[] = {
    {"nothing", CASE("image: a", "sets: []"), GR_REFUSAL_NONE, ""},
    {"true", CASE("image: a", "refused: true"), GR_REFUSAL_YES, ""},
    {"false", CASE("image: a", "refused: false"), GR_REFUSAL_NO, ""},
    {"a text", CASE("image: a", "refused: not granted"), GR_REFUSAL_TEXT, "not granted"},
    {"a quoted word", CASE("image: a", "refused: \"true\""), GR_REFUSAL_TEXT, "true"},
};

static void refusals(void **state)
{
    const struct refusal_row *row = *state;
    struct read *read = decode_good(row->text);
    const struct gr_expect *expect = &read->suites.items[0].cases[0].expect;

    assert_int_equal(expect->refusal, row->refusal);
    assert_str(expect->refusal_text, row->words);
    end(read);
}

struct bad_row {
    const char *name;
    const char *text;
    uint32_t line, column;
    const char *code, *field, *message;
};

static const struct bad_row bad_rows[] = {
    {"no container", HEAD "  - {name: a, expect: {sets: []}}\n", 6, 5, "missing-key",
     "spec.cases[0]", "the key \"container\" is missing"},
    {"no name", HEAD "  - {container: {image: a}, expect: {sets: []}}\n", 6, 5, "missing-key",
     "spec.cases[0].name", "the key \"name\" is missing"},
    {"no expectation", HEAD "  - {name: a, container: {image: a}}\n", 6, 5, "missing-key",
     "spec.cases[0].expect", "the key \"expect\" is missing"},
    {"empty expectation", CASE("image: a", ""), 6, 46, "empty", "spec.cases[0].expect",
     "an empty mapping means nothing"},
    {"unknown key", CASE("imge: a", "sets: []"), 6, 27, "unknown-key",
     "spec.cases[0].container.imge", "did you mean \"image\"?"},
    {"misplaced key", HEAD "  - {name: a, image: a, container: {pod: a}, expect: {sets: []}}\n", 6,
     15, "misplaced-key", "spec.cases[0].image", "below container"},
    {"image", CASE("image: Nginx", "sets: []"), 6, 34, "bad-image", "spec.cases[0].container.image",
     "found \"Nginx\""},
    {"given and unknown", CASE("pod: a, unknown: [pod]", "sets: []"), 6, 44, "contradiction",
     "spec.cases[0].container", "cannot be unknown as well"},
    {"unknown what", CASE("unknown: [podd]", "sets: []"), 6, 37, "bad-word",
     "spec.cases[0].container.unknown[0]", "pod"},
    {"stage", CASE("image: a", "hooks: {poststopp: [/a]}"), 6, 55, "unknown-key",
     "spec.cases[0].expect.hooks.poststopp", "did you mean \"poststop\"?"},
    {"path", CASE("image: a", "hooks: {poststop: [a]}"), 6, 66, "bad-path",
     "spec.cases[0].expect.hooks.poststop[0]", "absolute"},
    {"adjustment", CASE("image: a", "adjust: {envv: [A=b]}"), 6, 56, "unknown-key",
     "spec.cases[0].expect.adjust.envv", "did you mean \"env\"?"},
    {"hooks list", CASE("image: a", "hooks: [/a]"), 6, 54, "wrong-type",
     "spec.cases[0].expect.hooks", "expected a mapping"},
    {"environment",
     "apiVersion: grapnel/v1beta1\nkind: TestSuite\nspec:\n  environment: A_b\n  rules: [r]\n"
     "  cases: [{name: a, container: {image: a}, expect: {sets: []}}]\n",
     4, 16, "bad-name", "spec.environment", "found \"A_b\""},
    {"node",
     "apiVersion: grapnel/v1beta1\nkind: TestSuite\nspec:\n  node: A_b\n  rules: [r]\n"
     "  cases: [{name: a, container: {image: a}, expect: {sets: []}}]\n",
     4, 9, "bad-name", "spec.node", "found \"A_b\""},
    {"policy",
     "apiVersion: grapnel/v1beta1\nkind: TestSuite\nspec:\n  policy: \"\"\n  rules: [r]\n"
     "  cases: [{name: a, container: {image: a}, expect: {sets: []}}]\n",
     4, 11, "empty", "spec.policy", "write policy: policy.yaml"},
    {"no rules",
     "apiVersion: grapnel/v1beta1\nkind: TestSuite\nspec:\n  rules: []\n"
     "  cases: [{name: a, container: {image: a}, expect: {sets: []}}]\n",
     4, 10, "empty", "spec.rules", "an empty list means nothing"},
    {"kind", "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {}\n", 2, 7, "bad-kind", "kind",
     "expected kind: TestSuite, found a HookSet; rules belong into /etc/grapnel/hooks.d"},
    {"names",
     HEAD "  - {name: a, container: {image: a}, expect: {sets: []}}\n"
          "  - {name: a, container: {image: a}, expect: {sets: []}}\n",
     7, 5, "duplicate-name", "spec.cases[1]", "the case at line 6"},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct read *read = decode(gr_str_from(row->text));

    assert_int_equal(read->findings, 1);
    assert_int_equal(read->suites.n, 0);
    assert_int_equal(read->suites.rejected, 1);
    assert_string_equal(read->first.code, row->code);
    assert_string_equal(read->first.field, row->field);
    if (read->first.line != row->line || read->first.column != row->column ||
        !strstr(read->first.text, row->message))
        fail_msg("%u:%u: %s", read->first.line, read->first.column, read->first.text);
    end(read);
}

/* A bad document takes no other one down. */
static void test_several(void **state)
{
    struct read *read =
        decode(GR_STR(CASE("imge: a", "sets: []") "---\n" CASE("pod: a", "sets: []")));

    (void)state;
    assert_int_equal(read->findings, 1);
    assert_int_equal(read->suites.rejected, 1);
    assert_int_equal(read->suites.n, 1);
    assert_str(read->suites.items[0].cases[0].container.pod_name, "a");
    end(read);
}

/* ---- limits, at the edge and one past it ---- */

static char *many(const char *head, const char *format, size_t n, const char *tail)
{
    size_t room = strlen(head) + strlen(tail) + n * 80 + 1, used;
    char *text = malloc(room);

    assert_non_null(text);
    used = (size_t)snprintf(text, room, "%s", head);
    for (size_t i = 0; i < n; i++) {
/* The formats are literals of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        used += (size_t)snprintf(text + used, room - used, format, i);
#pragma GCC diagnostic pop
    }
    (void)snprintf(text + used, room - used, "%s", tail);
    return text;
}

static void expect_limit(char *text, const char *code)
{
    struct read *read = decode(gr_str_from(text));

    free(text);
    assert_int_equal(read->findings, code ? 1 : 0);
    if (code)
        assert_string_equal(read->first.code, code);
    end(read);
}

static void test_limit_of_cases(void **state)
{
    static const char format[] = "  - {name: c%zu, container: {pod: a}, expect: {sets: []}}\n";

    (void)state;
    expect_limit(many(HEAD, format, GR_SUITE_CASES_MAX, ""), NULL);
    expect_limit(many(HEAD, format, GR_SUITE_CASES_MAX + 1, ""), "too-many");
}

static void test_limit_of_files(void **state)
{
    static const char head[] = HEAD "  - {name: a, expect: {sets: []}, from: [f";
    static const char format[] = ", f%zu";

    (void)state;
    expect_limit(many(head, format, GR_SUITE_FILES_MAX - 1, "]}\n"), NULL);
    expect_limit(many(head, format, GR_SUITE_FILES_MAX, "]}\n"), "too-many");
}

int main(void)
{
    test_add("whole", test_whole);
    test_add("default name", test_default_name);
    TEST_ADD_ROWS(refusals, refusal_rows);
    TEST_ADD_ROWS(refuses, bad_rows);
    test_add("several documents", test_several);
    test_add("limit of cases", test_limit_of_cases);
    test_add("limit of files", test_limit_of_files);
    return test_run("testsuite");
}
