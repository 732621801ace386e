/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of spec beside match, hooks and adjust: minVersion, requestable, environments; and what
 * must be there at all. The program is version 1.2.3 here.
 */
#include "rules/decoding.h"

#include "base/buf.h"

#define ADJUST "  adjust: {env: {A: b}}\n"

static void test_hooks_or_adjust(void **state)
{
    struct decoded *adjust = decode_good(GR_STR(TOP SPEC MATCH ADJUST));
    struct decoded *both = decode_good(GR_STR(TOP SPEC MATCH ADJUST HOOKS));
    struct decoded *none = decode(GR_STR(TOP SPEC MATCH));

    (void)state;
    assert_int_equal(adjust->sets.items[0].adjust_n, 1);
    assert_int_equal(adjust->sets.items[0].hooks[GR_STAGE_POSTSTOP].n, 0);
    assert_int_equal(both->sets.items[0].adjust_n, 1);
    assert_int_equal(both->sets.items[0].hooks[GR_STAGE_POSTSTOP].n, 1);
    assert_int_equal(none->findings_n, 1);
    assert_string_equal(none->findings[0].code, "missing-key");
    decoded_free(adjust);
    decoded_free(both);
    decoded_free(none);
}

static void test_requestable(void **state)
{
    struct decoded *yes = decode_good(GR_STR(TOP SPEC MATCH "  requestable: true\n" HOOKS));
    struct decoded *no = decode_good(GR_STR(TOP SPEC MATCH "  requestable: false\n" HOOKS));
    struct decoded *bad = decode(GR_STR(TOP SPEC MATCH "  requestable: \"true\"\n" HOOKS));

    (void)state;
    assert_true(yes->sets.items[0].requestable);
    assert_false(no->sets.items[0].requestable);
    assert_string_equal(bad->findings[0].code, "not-a-boolean");
    decoded_free(yes);
    decoded_free(no);
    decoded_free(bad);
}

/* ---- minVersion ---- */

static const char *const now_rows[] = {"\"1.2\"",   "\"1.2.3\"", "1.2.3",  "\"0.99999\"",
                                       "\"1.1.9\"", "\"1.2.0\"", "\"0.0\""};
static const char *const later_rows[] = {"\"1.3\"", "\"2.0\"", "1.2.4", "\"1.10\"",
                                         "\"1.99999.0\""};

static struct decoded *decode_version(const char *version)
{
    struct decoded *decoded;
    struct gr_buf text;

    gr_buf_init(&text, 4096);
    assert_int_equal(gr_buf_printf(&text, TOP SPEC "  minVersion: %s\n" MATCH HOOKS, version), 0);
    decoded = decode(gr_buf_view(&text));
    gr_buf_fini(&text);
    return decoded;
}

static void this_version(void **state)
{
    struct decoded *decoded = decode_version(*(const char *const *)*state);

    assert_int_equal(decoded->findings_n, 0);
    assert_int_equal(decoded->warnings_n, 0);
    assert_int_equal(decoded->sets.n, 1);
    assert_int_equal(decoded->sets.items[0].blocked.n, 0);
    assert_int_equal(decoded->sets.items[0].hooks[GR_STAGE_POSTSTOP].n, 1);
    decoded_free(decoded);
}

static void later_version(void **state)
{
    struct decoded *decoded = decode_version(*(const char *const *)*state);

    assert_int_equal(decoded->findings_n, 0);
    assert_int_equal(decoded->warnings_n, 1);
    assert_int_equal(decoded->sets.n, 1);
    assert_true(decoded->sets.items[0].blocked.n > 0);
    assert_int_equal(decoded->sets.items[0].hooks[GR_STAGE_POSTSTOP].n, 0);
    assert_non_null(decoded->sets.items[0].match);
    decoded_free(decoded);
}

static const char *const bad_version_rows[] = {
    "1.2",    "2",      "\"2\"",    "\"1.2.3.4\"", "\"v1.2\"",  "\"1.2-rc1\"",
    "\"\"",   "\"1.\"", "\".1\"",   "\"1.02\"",    "\"1.+2\"",  "\"1.100000\"",
    "[1, 2]", "latest", "\"1 .2\"", "\"1.2.\"",    "\"1.2.x\"",
};

static void bad_version(void **state)
{
    struct decoded *decoded = decode_version(*(const char *const *)*state);

    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, "bad-min-version");
    assert_string_equal(decoded->findings[0].field, "spec.minVersion");
    assert_int_equal(decoded->findings[0].line, 4);
    assert_int_equal(decoded->sets.n, 0);
    decoded_free(decoded);
}

/* What only a later version can read is passed over; what says who is meant, and what a failure
 * means, is kept. */
static void test_later(void **state)
{
    struct decoded *decoded = decode(GR_STR(
        TOP "metadata: {name: soon, labels: {a: b}}\n"
            "spec:\n  minVersion: \"9.0\"\n  mode: Observe\n  failurePolicy: Ignore\n"
            "  onUnknown: Fail\n  nodes: {percent: 5, zones: [a]}\n  match: {namespace: ns}\n"
            "  colour: red\n  hooks: {afterLunch: [{path: x}]}\nmore: 1\n"));
    const struct gr_hookset *set = &decoded->sets.items[0];

    (void)state;
    assert_int_equal(decoded->findings_n, 0);
    assert_int_equal(decoded->sets.n, 1);
    assert_int_equal(decoded->sets.rejected, 0);
    assert_str(set->name, "soon");
    assert_str(set->blocked, "it needs Grapnel 9.0 or later, this is 1.2.3");
    assert_int_equal(set->mode, GR_MODE_OBSERVE);
    assert_int_equal(set->failure_policy, GR_IGNORE);
    assert_int_equal(set->on_unknown, GR_UNKNOWN_FAIL);
    assert_true(set->nodes.has_percent);
    assert_int_equal(set->nodes.percent, 5);
    assert_int_equal(set->match->kind, GR_COND_LEAF);
    assert_int_equal(set->match->field, GR_FIELD_NAMESPACE);
    assert_int_equal(decoded->warnings_n, 1);
    assert_string_equal(decoded->warning.code, "too-new");
    assert_string_equal(decoded->warning.text,
                        "this set is blocked: it needs Grapnel 9.0 or later, this is 1.2.3; a "
                        "container that matches it is an error under its failurePolicy");
    assert_string_equal(decoded->warning.file, "dir/stem.yaml");
    assert_string_equal(decoded->warning.field, "spec.minVersion");
    assert_int_equal(decoded->warning.line, 5);
    assert_int_equal(decoded->warning.column, 15);
    decoded_free(decoded);
}

/* A match that cannot be read at all is an error for every container, never "no match". */
static void test_later_match(void **state)
{
    static const char *const texts[] = {
        TOP "spec: {minVersion: \"9.0\"}\n",
        TOP "spec: {minVersion: \"9.0\", match: everything}\n",
        TOP "spec: {minVersion: \"9.0\", match: [{always: true}]}\n",
        TOP "spec: {minVersion: \"9.0\", match: {}}\n",
        TOP "spec: {minVersion: \"9.0\", match: {phaseOfMoon: full}}\n",
        TOP "spec: {minVersion: \"9.0\", match: {namespace: {sounder: x}}}\n",
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        struct decoded *decoded = decode(gr_str_from(texts[i]));

        assert_int_equal(decoded->findings_n, 0);
        assert_int_equal(decoded->sets.n, 1);
        assert_int_equal(decoded->sets.items[0].match->kind, GR_COND_UNREADABLE);
        assert_true(decoded->sets.items[0].match->line >= 1);
        decoded_free(decoded);
    }
}

/* Words that are not known leave the defaults: Enforce and Fail. The next document is strict. */
static void test_later_is_one_document(void **state)
{
    struct decoded *decoded = decode(GR_STR(
        TOP "metadata: {name: a}\nspec: {minVersion: \"9.0\", mode: Audit, failurePolicy: Maybe, "
            "match: {always: true}}\n---\n" TOP "metadata: {name: b}\n" SPEC
            "  mode: Audit\n" MATCH HOOKS "---\n" GOOD("c")));

    (void)state;
    assert_int_equal(decoded->sets.n, 2);
    assert_int_equal(decoded->sets.rejected, 1);
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, "bad-word");
    assert_int_equal(decoded->sets.items[0].mode, GR_MODE_ENFORCE);
    assert_int_equal(decoded->sets.items[0].failure_policy, GR_FAIL);
    assert_int_equal(decoded->sets.items[1].blocked.n, 0);
    decoded_free(decoded);
}

/* What is wrong in every version. */
static void test_later_refused(void **state)
{
    static const struct {
        const char *text;
        const char *code;
    } rows[] = {
        {TOP "metadata: {name: A}\nspec: {minVersion: \"9.0\", match: {always: true}}\n",
         "bad-name"},
        {TOP "metadata: {name: 5}\nspec: {minVersion: \"9.0\", match: {always: true}}\n",
         "not-a-text"},
        {"kind: HookSet\nspec: {minVersion: \"9.0\", match: {always: true}, hooks: {poststop: "
         "[{path: /x}]}}\n",
         "missing-key"},
        {"apiVersion: grapnel/v2\nkind: HookSet\nspec: {minVersion: \"9.0\"}\n", "bad-version"},
        {TOP "spec: {minVersion: \"9.0\", match: *a}\n", "alias"},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct decoded *decoded = decode(gr_str_from(rows[i].text));

        assert_int_equal(decoded->findings_n, 1);
        assert_string_equal(decoded->findings[0].code, rows[i].code);
        assert_int_equal(decoded->sets.n, 0);
        decoded_free(decoded);
    }
}

static void test_later_duplicate_name(void **state)
{
    struct decoded *decoded =
        decode(GR_STR(GOOD("a") "---\n" TOP "metadata: {name: a}\nspec: {minVersion: \"9.0\"}\n"));

    (void)state;
    assert_int_equal(decoded->sets.n, 1);
    assert_string_equal(decoded->findings[0].code, "duplicate-name");
    decoded_free(decoded);
}

/* The program's own version: what stands behind its numbers does not count; without one every set
 * that asks for a version is too new. */
static void test_own_version(void **state)
{
    static const struct {
        struct gr_str version;
        bool blocked;
    } rows[] = {
        {BYTES("1.2.3-rc1"), false}, {BYTES("1.2"), false}, {BYTES("1.1.9"), true},
        {BYTES(""), true},           {BYTES("dev"), true},
    };
    struct gr_source source = {.text = GR_STR(TOP SPEC "  minVersion: \"1.2\"\n" MATCH HOOKS),
                               .file = "a.yaml",
                               .stem = GR_STR("a")};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct gr_hooksets sets = {0};
        struct gr_arena arena;

        gr_arena_init(&arena, 4096, 0);
        source.version = rows[i].version;
        assert_int_equal(gr_hooksets_decode(&arena, &source, NULL, &sets), 0);
        assert_int_equal(sets.n, 1);
        assert_int_equal(sets.items[0].blocked.n > 0, rows[i].blocked);
        if (rows[i].version.n == 0)
            assert_str(sets.items[0].blocked,
                       "it needs Grapnel 1.2 or later, this is of unknown version");
        gr_arena_fini(&arena);
    }
}

/* A generator's 2,000 documents do not flood the log. */
static void test_warnings_are_bounded(void **state)
{
    struct decoded *decoded;
    struct gr_buf text;

    (void)state;
    gr_buf_init(&text, 1U << 20);
    for (int i = 0; i <= GR_FINDINGS_MAX; i++)
        assert_int_equal(gr_buf_printf(&text,
                                       TOP "metadata: {name: n%d}\nspec: {minVersion: \"9.0\"}\n"
                                           "---\n",
                                       i),
                         0);
    decoded = decode(gr_buf_view(&text));
    assert_int_equal(decoded->sets.n, GR_FINDINGS_MAX + 1);
    assert_int_equal(decoded->warnings_n, GR_FINDINGS_MAX);
    decoded_free(decoded);
    gr_buf_fini(&text);
}

/* ---- environments ---- */

static void test_environments(void **state)
{
    struct decoded *decoded =
        decode_good(GR_STR(TOP SPEC MATCH HOOKS "  environments:\n    staging: {env: [A=b]}\n"
                                                "    prod-1: {env: ['POD={{.PodName}}', C=]}\n"));
    const struct gr_hookset *set = &decoded->sets.items[0];

    (void)state;
    assert_int_equal(set->environments_n, 2);
    assert_str(set->environments[0].name, "staging");
    assert_int_equal(set->environments[0].env_n, 1);
    assert_str(set->environments[1].name, "prod-1");
    assert_int_equal(set->environments[1].env_n, 2);
    assert_true(set->environments[1].env[0].text.has_fields);
    assert_str(set->environments[1].env[1].text.source, "C=");
    assert_null(set->environment);
    decoded_free(decoded);
}

struct env_row {
    const char *row;
    const char *code;
    const char *field;
};

static const struct env_row env_rows[] = {
    {"[a]", "wrong-type", "spec.environments"},
    {"{}", "empty", "spec.environments"},
    {"{Prod: {env: [A=b]}}", "bad-name", "spec.environments.Prod"},
    {"{a.b: {env: [A=b]}}", "bad-name", "spec.environments[\"a.b\"]"},
    {"{-a: {env: [A=b]}}", "bad-name", "spec.environments.-a"},
    {"{5: {env: [A=b]}}", "not-a-text", "spec.environments.5"},
    {"{a: {}}", "missing-key", "spec.environments.a.env"},
    {"{a: [A=b]}", "wrong-type", "spec.environments.a"},
    {"{a: {env: []}}", "empty", "spec.environments.a.env"},
    {"{a: {env: {A: b}}}", "wrong-type", "spec.environments.a.env"},
    {"{a: {args: [x], env: [A=b]}}", "unknown-key", "spec.environments.a.args"},
    {"{a: {env: [A]}}", "bad-env", "spec.environments.a.env[0]"},
    {"{a: {env: [A=b, A=c]}}", "duplicate-env", "spec.environments.a.env[1]"},
    {"{a: {env: [GRAPNEL_X=y]}}", "reserved-env", "spec.environments.a.env[0]"},
    {"{a: {env: ['PATH={{.Name}}']}}", "unsafe-template", "spec.environments.a.env[0]"},
    {"{a: {env: ['A={{.Pid}}']}}", "needs-runner", "spec.environments.a"},
};

static void environments(void **state)
{
    const struct env_row *row = *state;
    struct decoded *decoded;
    struct gr_buf text;

    gr_buf_init(&text, 4096);
    assert_int_equal(gr_buf_printf(&text, TOP SPEC MATCH HOOKS "  environments: %s\n", row->row),
                     0);
    decoded = decode(gr_buf_view(&text));
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, row->code);
    assert_string_equal(decoded->findings[0].field, row->field);
    assert_int_equal(decoded->sets.n, 0);
    decoded_free(decoded);
    gr_buf_fini(&text);
}

static void test_environment_limits(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct decoded *decoded;
        struct gr_buf text;

        gr_buf_init(&text, 1U << 16);
        assert_int_equal(gr_buf_text(&text, TOP SPEC MATCH HOOKS "  environments:\n"), 0);
        for (int i = 0; i < GR_ENVIRONMENTS_MAX + over; i++)
            assert_int_equal(gr_buf_printf(&text, "    e%d: {env: [A=b]}\n", i), 0);
        decoded = decode(gr_buf_view(&text));
        assert_int_equal(decoded->sets.n, 1 - over);
        if (over)
            assert_string_equal(decoded->findings[0].code, "too-many");
        decoded_free(decoded);

        gr_buf_reset(&text, text.max);
        assert_int_equal(gr_buf_text(&text, TOP SPEC MATCH HOOKS "  environments: {"), 0);
        for (int i = 0; i < GR_LABEL_MAX_BYTES + over; i++)
            assert_int_equal(gr_buf_text(&text, "a"), 0);
        assert_int_equal(gr_buf_text(&text, ": {env: [A=b]}}\n"), 0);
        decoded = decode(gr_buf_view(&text));
        assert_int_equal(decoded->sets.n, 1 - over);
        if (over)
            assert_string_equal(decoded->findings[0].code, "bad-name");
        decoded_free(decoded);
        gr_buf_fini(&text);
    }
}

int main(void)
{
    test_add("hooks or adjust", test_hooks_or_adjust);
    test_add("requestable", test_requestable);
    TEST_ADD_ROWS(this_version, now_rows);
    TEST_ADD_ROWS(later_version, later_rows);
    TEST_ADD_ROWS(bad_version, bad_version_rows);
    test_add("later", test_later);
    test_add("match of a later version", test_later_match);
    test_add("later is one document", test_later_is_one_document);
    test_add("later and refused", test_later_refused);
    test_add("later with a name that is taken", test_later_duplicate_name);
    test_add("own version", test_own_version);
    test_add("warnings are bounded", test_warnings_are_bounded);
    test_add("environments", test_environments);
    TEST_ADD_ROWS(environments, env_rows);
    test_add("limits of environments", test_environment_limits);
    return test_run("decode_spec");
}
