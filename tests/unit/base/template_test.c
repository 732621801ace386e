/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>

#include "base/template.h"

enum {
    ID_NAME = 3,
    ID_KEYED = 4,
};

/* .Name and keyed are known. */
static int check(void *user, const struct gr_template_part *part, struct gr_err *err)
{
    (void)user;
    if (gr_str_is(part->name, ".Name"))
        return ID_NAME;
    if (gr_str_is(part->name, "keyed") && part->has_arg)
        return ID_KEYED;
    return gr_fail(err, -EINVAL, "unknown-field", "no such field");
}

/* Shows what was asked for; user is the value of .Name. */
static int give(void *user, const struct gr_template_part *part, struct gr_buf *out)
{
    const struct gr_str *name = user;

    if (part->id == ID_NAME)
        return gr_buf_str(out, *name);
    (void)gr_buf_text(out, "<");
    (void)gr_buf_str(out, part->arg);
    if (part->has_fallback) {
        (void)gr_buf_text(out, "|");
        (void)gr_buf_str(out, part->fallback);
    }
    return gr_buf_text(out, ">");
}

struct good_row {
    const char *name;
    const char *source;
    const char *expected;
    bool has_fields;
};

static const struct good_row good_rows[] = {
    {"empty", "", "", false},
    {"literal", "plain text", "plain text", false},
    {"field", "{{.Name}}", "VALUE", true},
    {"between texts", "a{{.Name}}b{{.Name}}", "aVALUEbVALUE", true},
    {"side by side", "{{.Name}}{{.Name}}", "VALUEVALUE", true},
    {"blanks", "{{ \t.Name  }}", "VALUE", true},
    {"key", "{{keyed \"a b/c\"}}", "<a b/c>", true},
    {"key and default", "{{ keyed \"a\" \"x y\" }}", "<a|x y>", true},
    {"empty default", "{{keyed \"a\" \"\"}}", "<a|>", true},
    {"no blank before the key", "{{keyed\"a\"}}", "<a>", true},
    {"escapes in texts", "{{keyed \"a\\\"b\\\\c\"}}", "<a\"b\\c>", true},
    {"braces in texts", "{{keyed \"}}\" \"{{.Name}}\"}}", "<}}|{{.Name}}>", true},
    {"literal braces", "{{\"{{\"}}.Name}}", "{{.Name}}", false},
    {"literal quote", "{{\"\\\"\"}}", "\"", false},
    {"one brace", "{a}{", "{a}{", false},
    {"closing braces alone", "}}a}}", "}}a}}", false},
    {"three braces", "{{{\"{{\"}}", NULL, false},
    {"brace after a field", "{{.Name}}}", "VALUE}", true},
    {"other bytes", "\x01\xFF", "\x01\xFF", false},
};

static struct gr_str name_value = {.p = "VALUE", .n = 5};

static void expands(void **state)
{
    const struct good_row *row = *state;
    struct gr_template t;
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_buf out;
    int r;

    gr_arena_init(&arena, 1024, 0);
    gr_buf_init(&out, 1000);
    r = gr_template_parse(&arena, gr_str_from(row->source), check, NULL, &t, &err);
    if (!row->expected) {
        assert_int_equal(r, -EINVAL);
    } else {
        assert_int_equal(r, 0);
        assert_int_equal(t.has_fields, row->has_fields);
        assert_int_equal(gr_template_expand(&t, give, &name_value, &out), 0);
        assert_str(gr_buf_view(&out), row->expected);
    }
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
}

struct bad_row {
    const char *name;
    const char *source;
    const char *text; /* part of the error */
    uint32_t column;
};

static const struct bad_row bad_rows[] = {
    {"not closed", "a{{.Name", "no closing }}", 2},
    {"only opened", "{{", "expected the name of a field", 3},
    {"one brace closes", "{{.Name}", "expected }}", 8},
    {"empty field", "{{}}", "expected the name of a field", 3},
    {"blank field", "{{ }}", "expected the name of a field", 4},
    {"no name", "{{.}}", "expected the name of a field", 3},
    {"number", "{{.1}}", "expected the name of a field", 3},
    {"unquoted key", "{{keyed a}}", "text in double quotes", 9},
    {"single quotes", "{{keyed 'a'}}", "text in double quotes", 9},
    {"three texts", "{{keyed \"a\" \"b\" \"c\"}}", "and no more", 17},
    {"two literals", "{{\"a\" \"b\"}}", "and no more", 7},
    {"open text", "{{keyed \"a}}", "no closing double quote", 9},
    {"backslash at the end", "{{keyed \"a\\", "only \\\" and \\\\", 11},
    {"other escape", "{{keyed \"a\\n\"}}", "only \\\" and \\\\", 11},
    {"pipe", "{{.Name | upper}}", "expected }}", 9},
    {"trim marker", "{{- .Name}}", "expected the name of a field", 3},
    {"unknown field", "text {{.Nope}}", "no such field", 6},
    {"key is missing", "{{keyed}}", "no such field", 1},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct gr_template t = {.n = 77};
    struct gr_arena arena;
    struct gr_err err = {.line = 4};

    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_template_parse(&arena, gr_str_from(row->source), check, NULL, &t, &err),
                     -EINVAL);
    if (!strstr(err.text, row->text))
        fail_msg("expected \"%s\" in \"%s\"", row->text, err.text);
    assert_int_equal(err.column, row->column);
    assert_int_equal(err.line, 4);
    assert_int_equal(t.n, 77);
    assert_int_equal(gr_template_parse(&arena, gr_str_from(row->source), check, NULL, &t, NULL),
                     -EINVAL);
    gr_arena_fini(&arena);
}

/* Every cut of every source ends in a result, never in a read past the end. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(good_rows); i++) {
        for (size_t n = 0; n <= strlen(good_rows[i].source); n++) {
            uint8_t *exact = test_exact(good_rows[i].source, n);
            struct gr_str source = {.p = (const char *)exact, .n = n};
            struct gr_template t;
            struct gr_arena arena;
            int r;

            gr_arena_init(&arena, 1024, 0);
            r = gr_template_parse(&arena, source, check, NULL, &t, NULL);
            assert_true(r == 0 || r == -EINVAL);
            gr_arena_fini(&arena);
            free(exact);
        }
    }
}

static void value_is_not_searched(void **state)
{
    struct gr_str hostile = GR_STR("{{.Name}}{{\"x\"}}\0\n-x");
    struct gr_template t;
    struct gr_arena arena;
    struct gr_buf out;

    (void)state;
    gr_arena_init(&arena, 1024, 0);
    gr_buf_init(&out, 1000);
    assert_int_equal(gr_template_parse(&arena, GR_STR("a={{.Name}}"), check, NULL, &t, NULL), 0);
    assert_int_equal(gr_template_expand(&t, give, &hostile, &out), 0);
    assert_int_equal(out.len, 2 + hostile.n);
    assert_memory_equal(out.data + 2, hostile.p, hostile.n);
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
}

static int parse_fields(size_t n, struct gr_arena *arena, struct gr_template *t, struct gr_err *err)
{
    char *source = gr_arena_alloc(arena, n * 9 + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(source + i * 9, "{{.Name}}", 9);
    return gr_template_parse(arena, (struct gr_str){.p = source, .n = n * 9}, check, NULL, t, err);
}

static void parts_at_the_limit(void **state)
{
    struct gr_err err = {0};
    struct gr_template t;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 65536, 0);
    assert_int_equal(parse_fields(GR_TEMPLATE_PARTS_MAX, &arena, &t, &err), 0);
    assert_int_equal(t.n, GR_TEMPLATE_PARTS_MAX);
    assert_int_equal(parse_fields(GR_TEMPLATE_PARTS_MAX + 1, &arena, &t, &err), -E2BIG);
    assert_int_equal(err.column, GR_TEMPLATE_PARTS_MAX * 9 + 1);
    gr_arena_fini(&arena);
}

static int refuse_value(void *user, const struct gr_template_part *part, struct gr_buf *out)
{
    (void)part;
    (void)out;
    return *(int *)user;
}

static void failures_pass_through(void **state)
{
    int results[] = {7, -EIO};
    struct gr_template t;
    struct gr_arena arena;
    struct gr_buf out;

    (void)state;
    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_template_parse(&arena, GR_STR("ab{{.Name}}cd"), check, NULL, &t, NULL), 0);
    for (size_t i = 0; i < GR_ARRAY_LEN(results); i++) {
        gr_buf_init(&out, 100);
        assert_int_equal(gr_template_expand(&t, refuse_value, &results[i], &out), results[i]);
        gr_buf_fini(&out);
    }
    gr_buf_init(&out, 9);
    assert_int_equal(gr_template_expand(&t, give, &name_value, &out), 0);
    gr_buf_fini(&out);
    gr_buf_init(&out, 8);
    assert_int_equal(gr_template_expand(&t, give, &name_value, &out), -EMSGSIZE);
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
}

static void no_room(void **state)
{
    struct gr_template t;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 16, 16);
    assert_int_equal(gr_template_parse(&arena, GR_STR("{{.Name}}"), check, NULL, &t, NULL),
                     -ENOMEM);
    assert_int_equal(gr_template_parse(&arena,
                                       GR_STR("{{keyed \"a long text with an escape: \\\\\"}}"),
                                       check, NULL, &t, NULL),
                     -ENOMEM);
    gr_arena_fini(&arena);
}

int main(void)
{
    TEST_ADD_ROWS(expands, good_rows);
    TEST_ADD_ROWS(refuses, bad_rows);
    test_add("cut anywhere", cut_anywhere);
    test_add("a value is not searched", value_is_not_searched);
    test_add("parts at the limit", parts_at_the_limit);
    test_add("failures pass through", failures_pass_through);
    test_add("no room", no_room);
    return test_run("template");
}
