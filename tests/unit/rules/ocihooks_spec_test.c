/* SPDX-License-Identifier: Apache-2.0 */
/* Bare OCI hooks: several files to one set, and what is refused or said. */
#include "foreign.h"

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: set}\nspec:\n"
#define ALWAYS HEAD "  match: {always: true}\n  hooks:\n"
#define HOOK(path) "{\"path\":\"" path "\",\"timeout\":5}"
#define YAML(path) "      - path: " path "\n        timeout: 5\n"

static struct foreign *read_specs(const char *const *texts, size_t n, const char *name, bool skip)
{
    struct foreign *f = foreign_new();
    const struct gr_reporter reporter = {.report = foreign_collect, .user = f};
    struct gr_source sources[4];

    for (size_t i = 0; i < n; i++)
        sources[i] = (struct gr_source){.text = gr_str_from(texts[i]),
                                        .file = i ? "/d/second.json" : "/d/first.json",
                                        .stem = GR_STR("first")};
    assert_int_equal(
        gr_hookspecs_decode(&f->arena, sources, n, gr_str_from(name), skip, &reporter, &f->sets),
        0);
    foreign_write(f);
    return f;
}

struct row {
    const char *name;
    const char *texts[2]; /* the second may be NULL */
    const char *yaml;
    const char *said; /* the only code; NULL: nothing */
    bool keep_marker;
};

static const struct row rows[] = {
    {"three stages",
     {"{\"prestart\":[" HOOK("/a") "],\"poststart\":[],\"poststop\":[" HOOK("/b") "]}"},
     ALWAYS "    prestart:\n" YAML("/a") "    poststop:\n" YAML("/b"),
     NULL,
     false},
    {"all six",
     {"{\"poststop\":[" HOOK("/f") "],\"poststart\":[" HOOK("/e") "],\"startContainer\":[" HOOK(
         "/d") "],\"createContainer\":[" HOOK("/c") "],\"createRuntime\":[" HOOK("/b") "],"
                                                                                       "\"prestart"
                                                                                       "\":[" HOOK(
                                                                                           "/a") "]"
                                                                                                 "}"},
     ALWAYS
     "    prestart:\n" YAML("/a") "    createRuntime:\n" YAML("/b") "    createContainer:\n" YAML(
         "/c") "    startContainer:\n" YAML("/d") "    poststart:\n" YAML("/e") "    "
                                                                                "poststop:\n" YAML(
                                                                                    "/f"),
     NULL,
     false},
    {"two files",
     {"{\"prestart\":[" HOOK("/a") "," HOOK("/b") "]}",
      "{\"hooks\":{\"prestart\":[" HOOK("/c") "]},\"poststopp\":1}"},
     ALWAYS "    prestart:\n" YAML("/a") YAML("/b") YAML("/c"),
     NULL,
     false},
    {"keys in other letters, the last wins",
     {"{\"PreStart\":[" HOOK("/a") "],\"prestart\":[{\"Path\":\"/b\"}]}"},
     ALWAYS "    prestart:\n" YAML("/b"),
     NULL,
     false},
    {"null empties",
     {"{\"prestart\":[" HOOK("/a") "],\"prestart\":null,\"poststop\":[" HOOK("/b") "]}"},
     ALWAYS "    poststop:\n" YAML("/b"),
     NULL,
     false},
    {"no timeout",
     {"{\"poststop\":[{\"path\":\"/b\"}]}"},
     ALWAYS "    poststop:\n      - path: /b\n        timeout: 120\n",
     "no-timeout",
     false},
    {"the marker",
     {"{\"prestart\":[" HOOK("/bin/container-hooks") "," HOOK("/a") "]}"},
     ALWAYS "    prestart:\n" YAML("/a"),
     "marker-hook",
     false},
    {"the marker is kept",
     {"{\"prestart\":[" HOOK("/bin/container-hooks") "]}"},
     ALWAYS "    prestart:\n" YAML("/bin/container-hooks"),
     NULL,
     true},
    {"a hook of that name elsewhere",
     {"{\"poststop\":[" HOOK("/bin/container-hooks") "]}"},
     ALWAYS "    poststop:\n" YAML("/bin/container-hooks"),
     NULL,
     false},
    {"a key that is no stage",
     {"{\"poststop\":[" HOOK("/b") "],\"prestrat\":[]}"},
     ALWAYS "    poststop:\n" YAML("/b"),
     "ignored-key",
     false},
    {"nothing", {"{\"prestart\":[],\"poststop\":[]}"}, "", "no-hooks", false},
    {"hooks of null", {"{\"hooks\":null}"}, "", "no-hooks", false},
};

static void reads(void **state)
{
    const struct row *row = *state;
    struct foreign *f = read_specs(row->texts, row->texts[1] ? 2 : 1, "set", !row->keep_marker);

    assert_str(gr_buf_view(&f->yaml), row->yaml);
    assert_int_equal(f->said_n, row->said ? 1 : 0);
    if (row->said)
        assert_string_equal(f->said[0].code, row->said);
    if (f->sets.n > 0)
        assert_int_equal(f->sets.items[0].format, GR_FORMAT_HOOK_SPEC);
    foreign_free(f);
}

struct bad_row {
    const char *name;
    const char *texts[2];
    const char *file, *code;
    uint32_t line, column;
    size_t errors;
};

static const struct bad_row bad_rows[] = {
    {"no JSON", {"{"}, "/d/first.json", "json-syntax", 1, 2, 1},
    {"a list", {"[]"}, "/d/first.json", "wrong-type", 1, 1, 1},
    {"a stage of another type", {"{\"prestart\":{}}"}, "/d/first.json", "wrong-type", 1, 13, 1},
    {"a hook of another type",
     {"{\"prestart\":[\"/a\"]}"},
     "/d/first.json",
     "wrong-type",
     1,
     14,
     1},
    {"a null hook", {"{\"prestart\":[null]}"}, "/d/first.json", "missing-key", 1, 14, 1},
    {"env of another type",
     {"{\"prestart\":[{\"path\":\"/a\",\"env\":[0],\"timeout\":121}]}"},
     "/d/first.json",
     "wrong-type",
     1,
     34,
     1},
    {"hooks and stages",
     {"{\"hooks\":{},\"prestart\":[]}"},
     "/d/first.json",
     "wrong-type",
     1,
     2,
     1},
    {"each file says its own",
     {"{\"prestart\":[{\"path\":\"a\",\"timeout\":1}]}", "{\"prestart\":1}"},
     "/d/first.json",
     "bad-path",
     1,
     22,
     2},
    {"the second file",
     {"{\"prestart\":[" HOOK("/a") "]}", "{\"poststop\":[{}]}"},
     "/d/second.json",
     "missing-key",
     1,
     14,
     1},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct foreign *f = read_specs(row->texts, row->texts[1] ? 2 : 1, "set", true);

    assert_int_equal(f->sets.n, 0);
    assert_int_equal(f->sets.rejected, 1);
    assert_string_equal(f->said[0].code, row->code);
    assert_string_equal(f->said[0].file, row->file);
    assert_int_equal(f->said[0].line, row->line);
    assert_int_equal(f->said[0].column, row->column);
    assert_int_equal(f->errors, row->errors);
    foreign_free(f);
}

static void test_bad_name(void **state)
{
    const char *text = "{\"prestart\":[" HOOK("/a") "]}";
    struct foreign *f = read_specs(&text, 1, "No", true);

    (void)state;
    assert_int_equal(f->sets.rejected, 1);
    assert_string_equal(f->said[0].code, "bad-name");
    foreign_free(f);
}

/* The limit of a stage is for all files together. */
static void test_many_hooks(void **state)
{
    (void)state;
    for (size_t n = GR_HOOKS_PER_STAGE_MAX; n <= GR_HOOKS_PER_STAGE_MAX + 1; n++) {
        const char *texts[2] = {NULL, "{\"prestart\":[" HOOK("/a") "]}"};
        struct foreign *f;
        struct gr_buf text;

        gr_buf_init(&text, 1U << 16);
        (void)gr_buf_text(&text, "{\"prestart\":[");
        for (size_t i = 1; i < n; i++)
            (void)gr_buf_printf(&text, "%s" HOOK("/a"), i > 1 ? "," : "");
        (void)gr_buf_add(&text, "]}", 3);
        texts[0] = (const char *)text.data;
        f = read_specs(texts, 2, "set", true);
        assert_int_equal(f->sets.n, n == GR_HOOKS_PER_STAGE_MAX ? 1 : 0);
        if (n > GR_HOOKS_PER_STAGE_MAX)
            assert_string_equal(f->said[0].code, "too-many");
        gr_buf_fini(&text);
        foreign_free(f);
    }
}

struct kind_row {
    const char *name, *text;
    int result;
    enum gr_foreign kind;
};

static const struct kind_row kind_rows[] = {
    {"new", "{\"version\":\"1.0.0\",\"Hook\":{}}", 0, GR_FOREIGN_OCI_HOOKS},
    {"old", "{\"hook\":\"x\"}", 0, GR_FOREIGN_OCI_HOOKS},
    {"stages only", "{\"stages\":[]}", 0, GR_FOREIGN_OCI_HOOKS},
    {"bare", "{\"poststop\":[]}", 0, GR_FOREIGN_HOOK_SPEC},
    {"config.json", "{\"ociVersion\":\"1\",\"hooks\":{}}", 0, GR_FOREIGN_HOOK_SPEC},
    {"another object", "{\"version\":\"1\"}", 0, GR_FOREIGN_UNKNOWN},
    {"a list", "[\"hook\"]", 0, GR_FOREIGN_UNKNOWN},
    {"a text", "\"hook\"", 0, GR_FOREIGN_UNKNOWN},
    {"no JSON", "hook: x", 1, GR_FOREIGN_UNKNOWN},
};

static void kinds(void **state)
{
    const struct kind_row *row = *state;
    const struct gr_source source = {
        .text = gr_str_from(row->text), .file = "f", .stem = GR_STR("f")};
    enum gr_foreign kind = GR_FOREIGN_UNKNOWN;

    assert_int_equal(gr_foreign_detect(&source, NULL, &kind), row->result);
    assert_int_equal(kind, row->kind);
}

int main(void)
{
    TEST_ADD_ROWS(reads, rows);
    TEST_ADD_ROWS(refuses, bad_rows);
    TEST_ADD_ROWS(kinds, kind_rows);
    test_add("a bad name", test_bad_name);
    test_add("many hooks", test_many_hooks);
    return test_run("ocihooks_spec");
}
