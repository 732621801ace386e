/* SPDX-License-Identifier: Apache-2.0 */
/* base/toml: what a text means, what is refused and where, and what a wrong reader would be fooled
 * by. */
#include "testing.h"

#include <errno.h>

#include "base/buf.h"
#include "base/toml.h"

/* {key=value …}, lists in [], texts in quotes, the rest as it is written. */
static void dump(struct gr_buf *out, const struct gr_toml_node *node)
{
    bool list = node->kind == GR_TOML_LIST;

    if (node->kind == GR_TOML_TEXT) {
        gr_buf_printf(out, "\"%.*s\"", GR_STR_FMT(node->text));
        return;
    }
    if (node->kind != GR_TOML_TABLE && !list) {
        gr_buf_printf(out, "%.*s", GR_STR_FMT(node->text));
        return;
    }
    gr_buf_text(out, list ? "[" : "{");
    for (const struct gr_toml_node *entry = node->first; entry; entry = entry->next) {
        if (!list)
            gr_buf_printf(out, "%.*s=", GR_STR_FMT(entry->key));
        dump(out, entry);
        if (entry->next)
            gr_buf_text(out, " ");
    }
    gr_buf_text(out, list ? "]" : "}");
}

struct row {
    const char *name;
    const char *text;
    const char *expected;
};

static const struct row rows[] = {
    {"nothing", "", "{}"},
    {"comments", "# a\n \t# b\r\n\n# c", "{}"},
    {"values", "a = 1 # x\nb=true\nc = -1.5e3\nd = 1979-05-27 07:32:00Z\ne = 0xDEAD_beef\n",
     "{a=1 b=true c=-1.5e3 d=1979-05-27 07:32:00Z e=0xDEAD_beef}"},
    {"more numbers", "a = +99\nb = 0o755\nc = 0b11\nd = -inf\ne = 07:32:00\n",
     "{a=+99 b=0o755 c=0b11 d=-inf e=07:32:00}"},
    {"texts", "a = \"x # y\"\nb = 'C:\\dir'\nc = \"\"\nd = ''\n",
     "{a=\"x # y\" b=\"C:\\dir\" c=\"\" d=\"\"}"},
    {"escapes", "a = \"q\\\" t\\t \\u00e4 \\U0001F600\"\n",
     "{a=\"q\" t\t \xc3\xa4 \xf0\x9f\x98\x80\"}"},
    {"several lines", "a = \"\"\"\nx\n\\\n   y \"\" z\"\"\"\"\"\nb = '''\n\\n'''\n",
     "{a=\"x\ny \"\" z\"\"\" b=\"\\n\"}"},
    {"what looks like a table in a text", "a = '''\n[b]\ndisable = true\n'''\nc = \"[d]\"\n",
     "{a=\"[b]\ndisable = true\n\" c=\"[d]\"}"},
    {"tables", "[a]\nb = 1\n[ a . \"c.d\" . 'e f' ]\ng = 2\n", "{a={b=1 c.d={e f={g=2}}}}"},
    {"an inner table first", "[a.b]\nc = 1\n[a]\nd = 2\n", "{a={b={c=1} d=2}}"},
    {"dotted keys", "a.b.c = 1\na.\"b\".d = 2\n[x]\ny.z = 3\n", "{a={b={c=1 d=2}} x={y={z=3}}}"},
    {"inline tables", "a = { b = 1, c.d = 'x', e = {} }\n", "{a={b=1 c={d=\"x\"} e={}}}"},
    {"lists", "a = [ 1, # x\n 'y',\n [true,], {b = 2}\n]\n", "{a=[1 \"y\" [true] {b=2}]}"},
    {"lists of tables", "[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2\n", "{a=[{b=1} {c={d=2}}]}"},
    {"numbers as keys", "1 = 2\n-x_ = 3\n", "{1=2 -x_=3}"},
    {"an empty key in quotes", "\"\" = 1\n", "{=1}"},
};

static void reads(void **state)
{
    const struct row *row = *state;
    const struct gr_toml_node *root = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;
    struct gr_buf out;
    uint8_t *exact = test_exact(row->text, strlen(row->text));

    gr_arena_init(&arena, 256, 0);
    gr_buf_init(&out, 4096);
    if (gr_toml_read(&arena, (struct gr_str){(const char *)exact, strlen(row->text)}, &root,
                     &err) != 0)
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    dump(&out, root);
    gr_buf_byte(&out, 0);
    assert_string_equal((const char *)out.data, row->expected);
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
    free(exact);
}

struct refused_row {
    const char *name;
    const char *text;
    uint32_t line, column;
    const char *code;
};

static const struct refused_row refused_rows[] = {
    {"a key twice", "a = 1\n  \"a\" = 2\n", 2, 3, "duplicate-key"},
    {"a table twice", "[a]\n[b]\n[a]\n", 3, 2, "duplicate-key"},
    {"a key that is a value already", "a = 1\n[a.b]\n", 2, 2, "duplicate-key"},
    {"an inline table that is written on", "a = {b = 1}\na.c = 2\n", 2, 1, "duplicate-key"},
    {"an inline table with a header", "a = {}\n[a.b]\n", 2, 2, "duplicate-key"},
    {"inside of an inline table", "a = {b.c = 1}\n[a.b]\n", 2, 2, "duplicate-key"},
    {"a list that is written on", "a = []\n[[a]]\n", 2, 3, "duplicate-key"},
    {"a table as list of tables", "[a]\n[[a]]\n", 2, 3, "duplicate-key"},
    {"dotted keys into a table with a header", "[a.b]\n[a]\nb.c = 1\n", 3, 1, "duplicate-key"},
    {"no value", "a =\n", 1, 4, "toml-syntax"},
    {"a word", "a = yes\n", 1, 5, "toml-syntax"},
    {"True", "a = True\n", 1, 5, "toml-syntax"},
    {"no equals sign", "a 1\n", 1, 3, "toml-syntax"},
    {"two on a line", "a = 1 b = 2\n", 1, 7, "toml-syntax"},
    {"an open text", "a = \"b\nc = \"d\"\n", 1, 5, "toml-syntax"},
    {"an open text of several lines", "a = '''b\n\n", 1, 5, "toml-syntax"},
    {"a strange escape", "a = \"b\\x41\"\n", 1, 7, "toml-syntax"},
    {"half of a surrogate pair", "a = \"\\ud83d\"\n", 1, 6, "toml-syntax"},
    {"a line end in an inline table", "a = {b = 1,\nc = 2}\n", 1, 12, "toml-syntax"},
    {"an open list", "a = [1\n", 2, 1, "toml-syntax"},
    {"an open header", "[a\nb = 1\n", 1, 3, "toml-syntax"},
    {"words behind a header", "[a] b = 1\n", 1, 5, "toml-syntax"},
    {"an empty header", "[]\n", 1, 2, "toml-syntax"},
    {"an empty step", "a..b = 1\n", 1, 3, "toml-syntax"},
    {"a key of several lines", "'''a''' = 1\n", 1, 1, "toml-syntax"},
    {"no UTF-8", "a = 1\nb = '\xff'\n", 2, 6, "bad-utf8"},
    {"an escape of a terminal", "a = '\x1b['\n", 1, 6, "control-character"},
    {"a delete character", "a = '\x7f'\n", 1, 6, "control-character"},
};

static void refuses(void **state)
{
    const struct refused_row *row = *state;
    const struct gr_toml_node *root = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;

    gr_arena_init(&arena, 256, 0);
    assert_int_equal(gr_toml_read(&arena, gr_str_from(row->text), &root, &err), -EINVAL);
    assert_string_equal(err.code, row->code);
    assert_int_equal(err.line, row->line);
    assert_int_equal(err.column, row->column);
    assert_null(root);
    gr_arena_fini(&arena);
}

static void places(void **state)
{
    struct gr_str text = GR_STR("# x\n[a]\n  b = [1,\n  '\xc3\xa4', 2]\n");
    const struct gr_toml_node *root, *b;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 256, 0);
    assert_int_equal(gr_toml_read(&arena, text, &root, NULL), 0);
    b = gr_toml_get(gr_toml_get(root, "a"), "b");
    assert_non_null(b);
    assert_int_equal(b->line, 3);
    assert_int_equal(b->column, 3);
    assert_int_equal(b->value_column, 7);
    assert_int_equal(b->first->next->line, 4);
    assert_int_equal(b->last->column, 8);
    assert_null(gr_toml_get(b, "c"));
    assert_null(gr_toml_get(gr_toml_get(root, "x"), "y"));
    gr_arena_fini(&arena);
}

/* n opening brackets, and as many closing ones. */
static int read_deep(size_t n)
{
    const struct gr_toml_node *root;
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_buf text;
    int r;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 4096);
    gr_buf_text(&text, "a = ");
    for (size_t i = 0; i < n; i++)
        gr_buf_byte(&text, '[');
    for (size_t i = 0; i < n; i++)
        gr_buf_byte(&text, ']');
    r = gr_toml_read(&arena, gr_buf_view(&text), &root, &err);
    if (r)
        assert_string_equal(err.code, "too-deep");
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
    return r;
}

static void depth(void **state)
{
    (void)state;
    assert_int_equal(read_deep(GR_TOML_DEPTH_MAX), 0);
    assert_int_equal(read_deep(GR_TOML_DEPTH_MAX + 1), -E2BIG);
}

/* A dotted key of n steps. */
static int read_dotted(size_t n)
{
    const struct gr_toml_node *root;
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_buf text;
    int r;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 4096);
    for (size_t i = 1; i < n; i++)
        gr_buf_text(&text, "a.");
    gr_buf_text(&text, "a = 1");
    r = gr_toml_read(&arena, gr_buf_view(&text), &root, &err);
    if (r)
        assert_string_equal(err.code, "too-deep");
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
    return r;
}

static void steps(void **state)
{
    (void)state;
    assert_int_equal(read_dotted(GR_TOML_DEPTH_MAX), 0);
    assert_int_equal(read_dotted(GR_TOML_DEPTH_MAX + 1), -E2BIG);
}

/* A list of n - 1 values, which is one itself. */
static int read_many(size_t n)
{
    const struct gr_toml_node *root;
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_buf text;
    int r;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 1U << 20);
    gr_buf_text(&text, "a = [");
    for (size_t i = 1; i < n; i++)
        gr_buf_text(&text, "1,");
    gr_buf_text(&text, "]");
    r = gr_toml_read(&arena, gr_buf_view(&text), &root, &err);
    if (r)
        assert_string_equal(err.code, "too-many-nodes");
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
    return r;
}

static void number(void **state)
{
    (void)state;
    assert_int_equal(read_many(GR_TOML_NODES_MAX), 0);
    assert_int_equal(read_many(GR_TOML_NODES_MAX + 1), -E2BIG);
}

static void no_memory(void **state)
{
    const struct gr_toml_node *root;
    struct gr_err err = {0};
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 64, 300);
    assert_int_equal(gr_toml_read(&arena, GR_STR("a=1\nb=2\nc=3\nd=4\ne=5\n"), &root, &err),
                     -ENOMEM);
    assert_string_equal(err.code, "no-memory");
    gr_arena_fini(&arena);
}

int main(void)
{
    TEST_ADD_ROWS(reads, rows);
    TEST_ADD_ROWS(refuses, refused_rows);
    test_add("places", places);
    test_add("depth", depth);
    test_add("steps", steps);
    test_add("number", number);
    test_add("no memory", no_memory);
    return test_run("toml");
}
