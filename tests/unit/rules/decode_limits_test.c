/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every limit of the file format, at its edge and one past it; and texts that are hostile to
 * parsers, which must be refused at once.
 */
#include "rules/decoding.h"

#include <time.h>

#include "base/buf.h"

/* Far above what any of these takes, far below what libyaml alone would: 35 s and more. */
#define HOSTILE_MAX_S 5

static struct gr_buf text;

static void begin(const char *first)
{
    gr_buf_init(&text, 4U << 20);
    assert_int_equal(gr_buf_text(&text, first), 0);
}

static void add(const char *part)
{
    assert_int_equal(gr_buf_text(&text, part), 0);
}

static void repeat(const char *part, size_t times)
{
    for (size_t i = 0; i < times; i++)
        add(part);
}

/* The text made so far is decoded; code NULL: without a finding. */
static void finish(const char *code)
{
    struct decoded *decoded = decode(gr_buf_view(&text));

    if (code) {
        assert_int_equal(decoded->findings_n, 1);
        assert_string_equal(decoded->findings[0].code, code);
    } else if (decoded->findings_n > 0) {
        fail_msg("%u:%u: %s", decoded->findings[0].line, decoded->findings[0].column,
                 decoded->findings[0].text);
    }
    decoded_free(decoded);
    gr_buf_fini(&text);
}

/* A set with room for one line, which is made of a part that is repeated between two others. */
struct limit_row {
    const char *name;
    const char *first;
    const char *part;
    const char *last;
    size_t most;
    const char *code;
};

static const struct limit_row limit_rows[] = {
    {"metadata.name", TOP "metadata: {name: ", "a", "}\n" SPEC MATCH HOOKS, GR_NAME_MAX_BYTES,
     "bad-name"},
    {"a text of any kind", TOP SPEC "  match: {namespace: {exact: ", "a", "}}\n" HOOKS,
     GR_YAML_SCALAR_MAX_BYTES, "too-long"},
    {"a glob", TOP SPEC "  match: {namespace: {glob: ", "a", "}}\n" HOOKS, GR_PATTERN_MAX_BYTES,
     "too-long"},
    {"a prefix", TOP SPEC "  match: {namespace: {prefix: ", "a", "}}\n" HOOKS, GR_PATTERN_MAX_BYTES,
     "too-long"},
    {"a regex", TOP SPEC "  match: {namespace: {regex: ", "a", "}}\n" HOOKS, GR_PATTERN_MAX_BYTES,
     "too-long"},
    {"an image pattern", TOP SPEC "  match: {image: \"**", "/*", "\"}\n" HOOKS,
     GR_PATTERN_MAX_BYTES / 2 - 1, "too-long"},
    {"a label's key", TOP SPEC "  match: {podLabels: {", "a", ": b}}\n" HOOKS, GR_KEY_MAX_BYTES,
     "too-long"},
    {"a template's key", TOP SPEC MATCH HOOKS "        args: [x, '{{label \"", "a", "\"}}']\n",
     GR_KEY_MAX_BYTES, "bad-template"},
    {"fields of a template", TOP SPEC MATCH HOOKS "        args: [x, '", "{{.ID}}", "']\n",
     GR_TEMPLATE_PARTS_MAX, "bad-template"},
    {"values of in", TOP SPEC "  match: {namespace: {in: [", "a, ", "]}}\n" HOOKS, GR_VALUES_MAX,
     "too-many"},
    {"values of a list", TOP SPEC "  match: {namespace: [", "a, ", "]}\n" HOOKS, GR_VALUES_MAX,
     "too-many"},
    {"branches of any", TOP SPEC "  match: {any: [", "{always: true}, ", "]}\n" HOOKS,
     GR_VALUES_MAX, "too-many"},
    {"hooks of a stage", TOP SPEC MATCH STAGE, "      - path: /opt/x\n", "", GR_HOOKS_PER_STAGE_MAX,
     "too-many"},
    {"a path", TOP SPEC MATCH STAGE "      - path: /", "a", "\n", GR_HOOK_PATH_MAX_BYTES - 1,
     "bad-path"},
    {"args", TOP SPEC MATCH HOOKS "        args: [", "a, ", "]\n", GR_HOOK_ARGS_MAX, "too-many"},
    {"documents", "", "---\n", "", GR_YAML_DOCUMENTS_MAX, "too-many-documents"},
    {"bytes of a file", "", "#", "", GR_YAML_FILE_MAX_BYTES, "file-too-big"},
};

static void limit(void **state)
{
    const struct limit_row *row = *state;

    for (size_t over = 0; over < 2; over++) {
        begin(row->first);
        repeat(row->part, row->most + over);
        add(row->last);
        finish(over ? row->code : NULL);
    }
}

static void test_env(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        begin(TOP SPEC MATCH HOOKS "        env:\n");
        for (int i = 0; i < GR_HOOK_ENV_MAX + over; i++)
            assert_int_equal(gr_buf_printf(&text, "          - A%d=b\n", i), 0);
        finish(over ? "too-many" : NULL);
    }
}

/* spec, match and every not are mappings; the innermost holds the leaf. */
static void test_depth(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        begin(TOP SPEC "  match: ");
        repeat("{not: ", GR_YAML_DEPTH_MAX - 3 + over);
        add("{always: true}");
        repeat("}", GR_YAML_DEPTH_MAX - 3 + over);
        add("\n" HOOKS);
        finish(over ? "too-deep" : NULL);
    }
}

/* Beside the values there are three nodes: the mapping, its key and the list. */
static void test_nodes(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        begin("{a: [");
        repeat("b,", GR_YAML_NODES_MAX - 3 + (size_t)over);
        add("]}\n");
        struct decoded *decoded = decode(gr_buf_view(&text));

        /* It is no HookSet: without the limit there are three findings about that. */
        assert_int_equal(decoded->sets.rejected, 1);
        assert_string_equal(decoded->findings[0].code, over ? "too-many-nodes" : "unknown-key");
        decoded_free(decoded);
        gr_buf_fini(&text);
    }
}

/* Behind a document with too many nodes the next one is read. */
static void test_nodes_spare_others(void **state)
{
    struct decoded *decoded;

    (void)state;
    begin("{a: [");
    repeat("b,", GR_YAML_NODES_MAX);
    add("[{c: d}], &e f, *g]}\n---\n" GOOD("good"));
    decoded = decode(gr_buf_view(&text));
    assert_int_equal(decoded->sets.rejected, 1);
    assert_int_equal(decoded->sets.n, 1);
    decoded_free(decoded);
    gr_buf_fini(&text);
}

static void test_depth_behind_too_many_nodes(void **state)
{
    struct decoded *decoded;

    (void)state;
    begin("{a: [");
    repeat("b,", GR_YAML_NODES_MAX);
    repeat("[", 1000);
    decoded = decode(gr_buf_view(&text));
    assert_int_equal(decoded->sets.rejected, 1);
    assert_int_equal(decoded->findings_n, 2);
    assert_string_equal(decoded->findings[1].code, "too-deep");
    decoded_free(decoded);
    gr_buf_fini(&text);
}

/* Of more findings the last that is shown says that there are more. */
static void test_findings(void **state)
{
    struct decoded *decoded;

    (void)state;
    for (size_t over = 0; over < 3; over++) {
        begin(TOP SPEC MATCH HOOKS);
        for (size_t i = 0; i + 2 < GR_FINDINGS_MAX + over; i++)
            assert_int_equal(gr_buf_printf(&text, "  k%zu: 1\n", i), 0);
        add("---\n" GOOD("good"));
        decoded = decode(gr_buf_view(&text));
        assert_int_equal(decoded->sets.n, 1);
        assert_int_equal(decoded->findings_n, GR_FINDINGS_MAX - 2 + over);
        assert_string_equal(decoded->findings[decoded->findings_n - 1].code,
                            over == 2 ? "too-many-findings" : "unknown-key");
        decoded_free(decoded);
        gr_buf_fini(&text);
    }
}

/* Seconds of processor time, so that a busy machine does not matter. */
static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

struct hostile_row {
    const char *name;
    const char *first;
    const char *part;
};

static const struct hostile_row hostile_rows[] = {
    {"opening brackets", "", "["},
    {"opening brackets on lines", "", "[\n"},
    {"opening braces", "", "{a: "},
    {"question marks", "", "? "},
    {"dashes", "", "- "},
    {"closing brackets", "", "]"},
    {"commas in a list", "[", "a,"},
    {"anchors", "[", "&a "},
    {"aliases", "[", "*a,"},
    {"tags", "[", "!a "},
    {"percent lines", "", "%a\n"},
    {"keys without values", "", "a:\n"},
    {"colons", "", ":"},
    {"quotes", "", "\""},
    {"comments", "", "#\n"},
    {"documents", "", "---\n"},
    {"document ends", "", "...\n"},
    {"document ends with text", "", "a\n...\n"},
    {"blanks", "a: ", " "},
    {"line feeds", "a: |\n", "\n"},
    {"plain text", "", "a "},
    {"escapes", "\"", "\\x41"},
    {"carriage returns", "", "\r"},
    {"tabs", "", "\t"},
    {"key indicators in a list", "[", "?a,"},
    {"nested lists side by side", "", "- - - - - - -\n"},
};

/* 1 MiB of one thing over and over: an answer, and soon. */
static void hostile(void **state)
{
    const struct hostile_row *row = *state;
    double before = seconds();
    struct decoded *decoded;

    begin(row->first);
    while (text.len + strlen(row->part) <= GR_YAML_FILE_MAX_BYTES)
        add(row->part);
    decoded = decode(gr_buf_view(&text));
    assert_int_equal(decoded->sets.n, 0);
    assert_true(seconds() - before < HOSTILE_MAX_S);
    decoded_free(decoded);
    gr_buf_fini(&text);
}

int main(void)
{
    TEST_ADD_ROWS(limit, limit_rows);
    test_add("env", test_env);
    test_add("depth", test_depth);
    test_add("nodes", test_nodes);
    test_add("too many nodes spare others", test_nodes_spare_others);
    test_add("depth behind too many nodes", test_depth_behind_too_many_nodes);
    test_add("findings", test_findings);
    TEST_ADD_ROWS(hostile, hostile_rows);
    return test_run("decode_limits");
}
