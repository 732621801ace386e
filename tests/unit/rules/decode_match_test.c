/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leaves of a match over lists and over elements with parts, "requested", and what becomes of a
 * match that is for a later version.
 */
#include "rules/decoding.h"

#include "rules/read/decode_parts.h"

static struct decoded *decode_spec(const char *lines)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), TOP SPEC "%s" HOOKS, lines);

    return decode_good((struct gr_str){.p = text, .n = (size_t)n});
}

static void lists(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded =
        decode_match("{args: [--debug, {glob: '--level=*'}], env: {prefix: DEBUG=}}", &cond);
    const struct gr_cond *args = &cond->children[0];
    const struct gr_cond *env = &cond->children[1];

    (void)state;
    assert_int_equal(cond->kind, GR_COND_ALL);
    assert_int_equal(args->kind, GR_COND_LEAF);
    assert_int_equal(args->field, GR_FIELD_ARGS);
    assert_int_equal(args->tests.n, 2);
    assert_int_equal(args->tests.items[1].kind, GR_TEST_GLOB);
    assert_int_equal(env->field, GR_FIELD_ENV);
    assert_int_equal(env->tests.items[0].kind, GR_TEST_PREFIX);
    assert_str(env->tests.items[0].text, "DEBUG=");
    decoded_free(decoded);
}

static void mounts(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match("{mounts: {source: {prefix: /data}, destination: [/a, "
                                           "/b], type: bind}}",
                                           &cond);

    (void)state;
    assert_int_equal(cond->kind, GR_COND_LEAF);
    assert_int_equal(cond->field, GR_FIELD_MOUNTS);
    assert_int_equal(cond->tests.n, 0);
    assert_int_equal(cond->patterns_n, 1);
    assert_int_equal(cond->patterns[0].parts[GR_MOUNT_SOURCE].items[0].kind, GR_TEST_PREFIX);
    assert_str(cond->patterns[0].parts[GR_MOUNT_SOURCE].items[0].text, "/data");
    assert_int_equal(cond->patterns[0].parts[GR_MOUNT_DESTINATION].n, 2);
    assert_str(cond->patterns[0].parts[GR_MOUNT_DESTINATION].items[1].text, "/b");
    assert_str(cond->patterns[0].parts[GR_MOUNT_TYPE].items[0].text, "bind");
    assert_int_equal(cond->patterns[0].line, 4);
    assert_int_equal(cond->patterns[0].column, 19);
    decoded_free(decoded);
}

static void several_mounts(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded =
        decode_match("{mounts: [{source: /a}, {type: {notIn: [tmpfs]}}]}", &cond);

    (void)state;
    assert_int_equal(cond->patterns_n, 2);
    assert_int_equal(cond->patterns[0].parts[GR_MOUNT_SOURCE].n, 1);
    assert_int_equal(cond->patterns[0].parts[GR_MOUNT_TYPE].n, 0);
    assert_int_equal(cond->patterns[1].parts[GR_MOUNT_TYPE].items[0].kind, GR_TEST_NOT_IN);
    assert_int_equal(cond->patterns[1].column, 34);
    decoded_free(decoded);
}

static void any_annotation(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match(
        "{anyAnnotation: [{key: {glob: '*.io/gpu'}, value: 'on'}, {value: {exists: true}}]}",
        &cond);

    (void)state;
    assert_int_equal(cond->field, GR_FIELD_ANY_ANNOTATION);
    assert_int_equal(cond->patterns_n, 2);
    assert_int_equal(cond->patterns[0].parts[GR_ENTRY_KEY].items[0].kind, GR_TEST_GLOB);
    assert_str(cond->patterns[0].parts[GR_ENTRY_VALUE].items[0].text, "on");
    assert_int_equal(cond->patterns[1].parts[GR_ENTRY_KEY].n, 0);
    assert_int_equal(cond->patterns[1].parts[GR_ENTRY_VALUE].items[0].kind, GR_TEST_EXISTS);
    decoded_free(decoded);
}

/* ---- requested ---- */

static void requested(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded =
        decode_match("{any: [{requested: true}, {requested: false}, {namespace: a}]}", &cond);
    const struct gr_hookset *set = &decoded->sets.items[0];
    const struct gr_cond *yes = &cond->children[0];
    const struct gr_cond *no = &cond->children[1];

    (void)state;
    assert_int_equal(yes->kind, GR_COND_LEAF);
    assert_int_equal(yes->field, GR_FIELD_REQUESTED);
    assert_int_equal(yes->line, 4);
    assert_int_equal(yes->column, 18);
    assert_int_equal(yes->tests.n, 1);
    assert_int_equal(yes->tests.items[0].kind, GR_TEST_EXACT);
    assert_str(yes->tests.items[0].text, "stem");
    assert_int_equal(no->kind, GR_COND_NOT);
    assert_int_equal(no->children_n, 1);
    assert_int_equal(no->children[0].field, GR_FIELD_REQUESTED);
    assert_ptr_equal(no->children[0].tests.items, set->requested);
    assert_ptr_equal(yes->tests.items, set->requested);
    decoded_free(decoded);
}

/* The name may stand behind the match, and there may be several documents. */
static void requested_by_name(void **state)
{
    struct decoded *decoded =
        decode_good(GR_STR("apiVersion: grapnel/v1beta1\nkind: HookSet\n" SPEC
                           "  match: {requested: true}\n" HOOKS "metadata: {name: first}\n---\n" TOP
                           "metadata: {name: second}\n" SPEC "  match: {requested: true}\n" HOOKS
                           "---\n" TOP "metadata: {name: third}\n" SPEC MATCH HOOKS));

    (void)state;
    assert_int_equal(decoded->sets.n, 3);
    assert_str(decoded->sets.items[0].match->tests.items[0].text, "first");
    assert_str(decoded->sets.items[1].match->tests.items[0].text, "second");
    assert_null(decoded->sets.items[2].requested);
    decoded_free(decoded);
}

struct order_row {
    const char *name; /* and the match */
    const char *given;
    uint32_t order;
};

static const struct order_row order_rows[] = {
    {"{always: true}", "", GR_ORDER_DEFAULT},
    {"{requested: true}", "", GR_ORDER_REQUESTED_DEFAULT},
    {"{requested: false}", "", GR_ORDER_DEFAULT},
    {"{not: {requested: true}}", "", GR_ORDER_DEFAULT},
    {"{not: {requested: false}}", "", GR_ORDER_REQUESTED_DEFAULT},
    {"{not: {not: {requested: true}}}", "", GR_ORDER_REQUESTED_DEFAULT},
    {"{not: {any: [{image: a}, {requested: true}]}}", "", GR_ORDER_DEFAULT},
    {"{namespace: a, any: [{image: a}, {all: [{requested: true}]}]}", "",
     GR_ORDER_REQUESTED_DEFAULT},
    {"{requested: true, namespace: a}", "  order: 50\n", 50},
    {"{requested: true, namespace: b}", "  order: 7\n", 7},
};

static void orders(void **state)
{
    const struct order_row *row = *state;
    struct decoded *decoded;
    char lines[256];

    (void)snprintf(lines, sizeof(lines), "  match: %s\n%s", row->name, row->given);
    decoded = decode_spec(lines);
    assert_int_equal(decoded->sets.n, 1);
    assert_int_equal(decoded->sets.items[0].order, row->order);
    decoded_free(decoded);
    (void)snprintf(lines, sizeof(lines), "%s  match: %s\n", row->given, row->name);
    decoded = decode_spec(lines);
    assert_int_equal(decoded->sets.items[0].order, row->order);
    decoded_free(decoded);
}

/* ---- what is refused ---- */

#define LEAF(text) BYTES(TOP SPEC "  match: " text "\n" HOOKS)

static const struct bad_row bad_rows[] = {
    {"args is empty", LEAF("{args: []}"), 4, 17, "empty", "spec.match.args",
     "an empty list means nothing here; add an element or remove the key", DOCUMENT},
    {"args with a star", LEAF("{args: [a, '--*']}"), 4, 21, "bare-glob", "spec.match.args[1]",
     "\"--*\" would be compared as it stands; for a pattern write {glob: \"--*\"}, for this very "
     "text {exact: \"--*\"}",
     DOCUMENT},
    {"env is a number", LEAF("{env: 1}"), 4, 16, "not-a-text", "spec.match.env",
     "expected a text, found the number 1; write \"1\" in quotes", DOCUMENT},
    {"mounts is a text", LEAF("{mounts: /dev}"), 4, 19, "wrong-type", "spec.match.mounts",
     "expected a mapping (key: value), found the text \"/dev\"", DOCUMENT},
    {"mounts is empty", LEAF("{mounts: {}}"), 4, 19, "empty", "spec.match.mounts",
     "an empty mapping means nothing here; fill it in or remove the key", DOCUMENT},
    {"list of mounts is empty", LEAF("{mounts: []}"), 4, 19, "empty", "spec.match.mounts",
     "an empty list means nothing here; add an element or remove the key", DOCUMENT},
    {"empty mount", LEAF("{mounts: [{type: bind}, {}]}"), 4, 34, "empty", "spec.match.mounts[1]",
     "an empty mapping means nothing here; fill it in or remove the key", DOCUMENT},
    {"unknown part of a mount", LEAF("{mounts: {src: /dev}}"), 4, 20, "unknown-key",
     "spec.match.mounts.src",
     "unknown key \"src\" in spec.match.mounts; known here: source, destination, type", DOCUMENT},
    {"mistyped part of a mount", LEAF("{mounts: [{desination: /dev}]}"), 4, 21, "unknown-key",
     "spec.match.mounts[0].desination",
     "unknown key \"desination\" in spec.match.mounts[0]; did you mean \"destination\"?", DOCUMENT},
    {"part with a star", LEAF("{mounts: {source: '/data/*'}}"), 4, 28, "bare-glob",
     "spec.match.mounts.source",
     "\"/data/*\" would be compared as it stands; for a pattern write {glob: \"/data/*\"}, for "
     "this very text {exact: \"/data/*\"}",
     DOCUMENT},
    {"any annotation as a map", LEAF("{anyAnnotation: {a: b}}"), 4, 27, "unknown-key",
     "spec.match.anyAnnotation.a",
     "unknown key \"a\" in spec.match.anyAnnotation; known here: key, value", DOCUMENT},
    {"any annotation is empty", LEAF("{anyAnnotation: {}}"), 4, 26, "empty",
     "spec.match.anyAnnotation",
     "an empty mapping means nothing here; fill it in or remove the key", DOCUMENT},
    {"requested by name", LEAF("{requested: gpu}"), 4, 22, "not-a-boolean", "spec.match.requested",
     "expected true or false without quotes, found the text \"gpu\"", DOCUMENT},
    {"requested is yes", LEAF("{requested: yes}"), 4, 22, "not-a-boolean", "spec.match.requested",
     "expected true or false without quotes, found the boolean yes", DOCUMENT},
};

/* ---- a document for a later version ---- */

struct reading {
    struct gr_arena arena;
    struct gr_findings findings;
    struct gr_decoder decoder;
    struct gr_hookset set;
};

/* Reads text, a document that holds nothing but spec.match. */
static struct reading *read_lenient(const char *text)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    struct gr_yaml_document document;
    struct gr_yaml *yaml = NULL;
    const struct gr_yaml_node *match;

    assert_non_null(reading);
    gr_arena_init(&reading->arena, 4096, 0);
    reading->decoder = (struct gr_decoder){
        .arena = &reading->arena, .findings = &reading->findings, .lenient = true};
    assert_int_equal(gr_yaml_new(gr_str_from(text), &reading->findings, &yaml), 0);
    assert_int_equal(gr_yaml_next(yaml, &reading->arena, &document), 0);
    reading->set.name = GR_STR("later");
    reading->set.order = GR_ORDER_DEFAULT;
    match = gr_yaml_get(gr_yaml_get(document.root, "spec"), "match");
    if (match)
        assert_true(gr_decode_match(&reading->decoder, match, &reading->set) >= 0);
    gr_decode_match_end(document.root, &reading->set);
    gr_yaml_free(yaml);
    assert_int_equal(reading->findings.count, 0);
    assert_false(reading->decoder.bad);
    assert_false(reading->decoder.unread);
    return reading;
}

static void reading_free(struct reading *reading)
{
    gr_arena_fini(&reading->arena);
    free(reading);
}

/* The tree as a text: ? for what is unreadable. */
static void draw(const struct gr_cond *cond, char *out, size_t bytes)
{
    static const char *const kinds[] = {"always", "all", "any", "not", "", "?"};
    size_t n = strlen(out);

    (void)snprintf(out + n, bytes - n, "%s",
                   cond->kind == GR_COND_LEAF ? gr_field_name(cond->field) : kinds[cond->kind]);
    for (size_t i = 0; i < cond->children_n; i++) {
        n = strlen(out);
        (void)snprintf(out + n, bytes - n, i == 0 ? "(" : " ");
        draw(&cond->children[i], out, bytes);
    }
    n = strlen(out);
    if (cond->children_n > 0)
        (void)snprintf(out + n, bytes - n, ")");
}

struct later_row {
    const char *name; /* and the match */
    const char *drawn;
};

static const struct later_row later_rows[] = {
    {"{namespace: a}", "namespace"},
    {"{colour: red}", "?"},
    {"{colour: red, namespace: a}", "all(namespace ?)"},
    {"{namespace: a, colour: red, shape: round, image: b}", "all(namespace image ?)"},
    {"{any: [{colour: red}, {namespace: a}]}", "any(? namespace)"},
    {"{all: [{not: {colour: red}}, {namespace: a}]}", "all(not(?) namespace)"},
    {"{not: {namespace: a, podName: {sounds: like}}}", "not(all(namespace ?))"},
    {"{namespace: {sounds: like}}", "?"},
    {"{namespace: [a, {sounds: like}]}", "?"},
    {"{namespace: {in: [a, [b]]}}", "?"},
    {"{namespace: 'a*'}", "?"},
    {"{image: 'https://a'}", "?"},
    {"{podLabels: {a: b, c: {sounds: like}, d: e}}", "all(podLabels ? podLabels)"},
    {"{podLabels: {a: {sounds: like}}}", "?"},
    {"{podLabels: [a, b], namespace: a}", "all(? namespace)"},
    {"{mounts: {source: /a, options: [ro]}}", "?"},
    {"{mounts: [{source: /a}, {options: [ro]}], namespace: a}", "all(? namespace)"},
    {"{anyAnnotation: {key: {sounds: like}}}", "?"},
    {"{requested: maybe}", "?"},
    {"{requested: false}", "not(requested)"},
    {"{always: maybe}", "?"},
    {"{all: {namespace: a}}", "?"},
    {"{all: []}", "?"},
    {"{any: [{}, {namespace: a}]}", "any(? namespace)"},
    {"{any: [namespace, {namespace: a}]}", "any(? namespace)"},
    {"{not: [a]}", "not(?)"},
    {"{}", "?"},
    {"[]", "?"},
    {"later", "?"},
};

static void later(void **state)
{
    const struct later_row *row = *state;
    struct reading *reading;
    char drawn[256] = "";
    char text[256];

    (void)snprintf(text, sizeof(text), "spec:\n  match: %s\n", row->name);
    reading = read_lenient(text);
    draw(reading->set.match, drawn, sizeof(drawn));
    assert_string_equal(drawn, row->drawn);
    reading_free(reading);
}

static void later_requested(void **state)
{
    struct reading *reading = read_lenient("spec: {match: {requested: true, colour: red}}\n");

    (void)state;
    assert_int_equal(reading->set.order, GR_ORDER_REQUESTED_DEFAULT);
    assert_str(reading->set.requested->text, "later");
    reading_free(reading);
}

/* A condition that cannot be read has its place. */
static void later_places(void **state)
{
    struct reading *reading =
        read_lenient("spec:\n  match:\n    namespace: {sounds: like}\n    podName: a\n");
    const struct gr_cond *cond = &reading->set.match->children[0];

    (void)state;
    assert_int_equal(cond->kind, GR_COND_UNREADABLE);
    assert_int_equal(cond->line, 3);
    assert_int_equal(cond->column, 5);
    reading_free(reading);
}

int main(void)
{
    test_add("lists", lists);
    test_add("mounts", mounts);
    test_add("several mounts", several_mounts);
    test_add("any annotation", any_annotation);
    test_add("requested", requested);
    test_add("requested by name", requested_by_name);
    TEST_ADD_ROWS(orders, order_rows);
    add_bad_rows(bad_rows, GR_ARRAY_LEN(bad_rows));
    TEST_ADD_ROWS(later, later_rows);
    test_add("later requested", later_requested);
    test_add("later places", later_places);
    return test_run("decode_match");
}
