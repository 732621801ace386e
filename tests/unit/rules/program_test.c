/* SPDX-License-Identifier: Apache-2.0 */
/* rules/program: what is NAME/FILE, and program: of a hook. */
#include "rules/decoding.h"

#include "rules/limits.h"
#include "rules/program.h"

struct row {
    const char *text;
    bool good;
};

static const struct row rows[] = {
    {"net/setup", true},
    {"my-net2/Set.up_+-1", true},
    {"a/b/c", true},
    {"a/_init__.py", true},
    {"a/b.", true},
    {"a/1/2/3/4/5/6/7/8", true},
    {"a/1/2/3/4/5/6/7/8/9", false},
    {"", false},
    {"a", false},
    {"a/", false},
    {"/a", false},
    {"a//b", false},
    {"a/b/", false},
    {"a/..", false},
    {"a/.", false},
    {"a/b/..", false},
    {"a/../b", false},
    {"a/...", false},
    {"a/.x", false},
    {"a/-x", false},
    {"a/+x", false},
    {"A/b", false},
    {"a.b/c", false},
    {"-a/b", false},
    {"a-/b", false},
    {"a/b c", false},
    {"a/b\n", false},
    {"a/\xc3\xa4", false},
    {"a/b;c", false},
    {"../a", false},
};

static void parses(void **state)
{
    const struct row *row = *state;
    struct gr_program_ref ref;

    assert_int_equal(gr_program_parse(gr_str_from(row->text), &ref), row->good);
}

static void test_parts(void **state)
{
    struct gr_program_ref ref;

    (void)state;
    assert_true(gr_program_parse(GR_STR("net/bin/setup"), &ref));
    assert_true(gr_str_is(ref.package, "net"));
    assert_true(gr_str_is(ref.file, "bin/setup"));
    assert_false(gr_program_parse((struct gr_str){.p = "a/b\0c", .n = 5}, &ref));
}

static bool fits(size_t name, size_t part)
{
    char text[GR_LABEL_MAX_BYTES + GR_ADJUST_NAME_MAX_BYTES + 8];
    struct gr_program_ref ref;

    memset(text, 'a', sizeof(text));
    text[name] = '/';
    return gr_program_parse((struct gr_str){.p = text, .n = name + 1 + part}, &ref);
}

static void test_limits(void **state)
{
    (void)state;
    assert_true(fits(GR_LABEL_MAX_BYTES, GR_ADJUST_NAME_MAX_BYTES));
    assert_false(fits(GR_LABEL_MAX_BYTES + 1, 1));
    assert_false(fits(1, GR_ADJUST_NAME_MAX_BYTES + 1));
}

/* The path is one that could be right, until the loader knows. */
static void test_decoded(void **state)
{
    struct decoded *decoded = decode(
        GR_STR(TOP SPEC MATCH "  hooks: {poststop: [{program: net/bin/setup}, {path: /opt/x}]}\n"));
    const struct gr_hook *hooks;

    (void)state;
    assert_int_equal(decoded->findings_n, 0);
    hooks = decoded->sets.items[0].hooks[GR_STAGE_POSTSTOP].items;
    assert_string_equal(hooks[0].program.p, "net/bin/setup");
    assert_string_equal(hooks[0].path.p, GR_PROGRAMS_DEFAULT "/net/current/bin/setup");
    assert_int_equal(hooks[1].program.n, 0);
    decoded_free(decoded);
}

/* An interpreter of the store is one, too. */
static void test_shell(void **state)
{
    struct decoded *decoded =
        decode(GR_STR(TOP SPEC MATCH "  hooks: {poststop: [{program: tools/bin/sh, args: [sh, -c, "
                                     "'{{.Name}}']}]}\n"));

    (void)state;
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, "unsafe-template");
    decoded_free(decoded);
}

int main(void)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++)
        test_add_row(rows[i].text[0] ? rows[i].text : "nothing", parses, &rows[i]);
    test_add("parts", test_parts);
    test_add("limits", test_limits);
    test_add("decoded", test_decoded);
    test_add("shell", test_shell);
    return test_run("program");
}
