/* SPDX-License-Identifier: Apache-2.0 */
/* base/json: what is JSON and what is not, where it stands, and texts from and to their escapes. */
#include "testing.h"

#include <errno.h>

#include "base/json.h"

static int read_all(struct gr_arena *arena, struct gr_str text, const struct gr_json_node **out,
                    struct gr_err *err)
{
    *err = (struct gr_err){0};
    return gr_json_read_all(arena, text, GR_JSON_NODES_MAX, out, err);
}

struct row {
    const char *name;
    const char *text;
    uint32_t column; /* of the refusal; 0: fine */
};

static const struct row rows[] = {
    {"an object", " {\"a\" : 1 , \"b\":[ ] }\n", 0},
    {"a list", "[1,\"x\",null,true,false,{},[]]", 0},
    {"a text", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\"", 0},
    {"numbers", "[0,-0,10,1.5,1e9,1E+9,-1.0e-10,18446744073709551616]", 0},
    {"nothing", "", 1},
    {"blanks", " \t\r\n", 1},
    {"a closing comma in a list", "[1,]", 4},
    {"a closing comma in an object", "{\"a\":1,}", 8},
    {"a leading comma", "[,1]", 2},
    {"no comma", "[1 2]", 4},
    {"no comma in an object", "{\"a\":1 \"b\":2}", 8},
    {"no colon", "{\"a\" 1}", 6},
    {"no value", "{\"a\":}", 6},
    {"a key without quotes", "{a:1}", 2},
    {"a number as key", "{1:1}", 2},
    {"the wrong bracket", "[1}", 3},
    {"the wrong brace", "{\"a\":1]", 7},
    {"an open list", "[1", 3},
    {"an open object", "{", 2},
    {"an open text", "\"a", 1},
    {"an open escape", "\"\\", 1},
    {"a strange escape", "\"\\x41\"", 3},
    {"a short unicode escape", "\"\\u12\"", 6},
    {"a unicode escape that is none", "\"\\u12g4\"", 6},
    {"a control character", "\"a\tb\"", 3},
    {"a leading zero", "01", 2},
    {"a plus", "+1", 1},
    {"no digit", "-", 2},
    {"a point at the end", "1.", 3},
    {"a point at the beginning", ".5", 1},
    {"an empty exponent", "1e+", 4},
    {"hexadecimal", "0x1", 2},
    {"not a number", "NaN", 1},
    {"a word", "nul", 1},
    {"another word", "truth", 1},
    {"quotes of others", "'a'", 1},
    {"a comment", "/**/1", 1},
    {"two values", "1 2", 3},
    {"no UTF-8", "\"\xc3(\"", 2},
    {"a half of a surrogate pair as UTF-8", "\"\xed\xa0\x80\"", 2},
    {"a byte order mark", "\xef\xbb\xbf{}", 1},
};

static void reads(void **state)
{
    const struct row *row = *state;
    const struct gr_json_node *node = NULL;
    struct gr_arena arena;
    struct gr_err err;
    uint8_t *exact = test_exact(row->text, strlen(row->text));
    int result;

    gr_arena_init(&arena, 256, 0);
    result = read_all(&arena, (struct gr_str){(const char *)exact, strlen(row->text)}, &node, &err);
    assert_int_equal(result, row->column ? -EINVAL : 0);
    assert_int_equal(err.column, row->column);
    assert_int_equal(err.code != NULL, row->column != 0);
    assert_int_equal(node != NULL, row->column == 0);
    gr_arena_fini(&arena);
    free(exact);
}

static void places(void **state)
{
    struct gr_str text = GR_STR(" {\"k\" : [\"\xc3\xa4\", -1.5]}  [] ");
    const struct gr_json_node *node, *list;
    struct gr_arena arena;
    struct gr_err err = {0};
    uint32_t line, column;
    struct gr_json_progress progress = {0};

    (void)state;
    gr_arena_init(&arena, 256, 0);
    assert_int_equal(gr_json_read(&arena, text, GR_JSON_NODES_MAX, &progress, &node, &err), 0);
    assert_int_equal(node->kind, GR_JSON_OBJECT);
    list = node->first;
    assert_int_equal(list->kind, GR_JSON_LIST);
    assert_str(gr_json_raw_key(text, list), "\"k\"");
    assert_str(gr_json_raw(text, list->first), "\"\xc3\xa4\"");
    assert_str(gr_json_raw(text, list->first->next), "-1.5");
    assert_int_equal(list->first->next->kind, GR_JSON_NUMBER);
    assert_null(list->first->next->next);
    assert_null(list->next);
    gr_json_place(text, list->first->next->start, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 15);
    assert_str(gr_str_skip(text, progress.at), "[] ");
    assert_int_equal(gr_json_read(&arena, text, GR_JSON_NODES_MAX, &progress, &node, &err), 0);
    assert_int_equal(node->kind, GR_JSON_LIST);
    assert_int_equal(progress.at, text.n);
    assert_int_equal(progress.nodes, 5);
    gr_arena_fini(&arena);
}

/* Lines end as in YAML; a character is a column. */
static void lines(void **state)
{
    struct gr_str text = GR_STR("a\nb\r\nc\rd\xc3\xa4"
                                "e");
    uint32_t line, column;

    (void)state;
    for (size_t i = 0; i < text.n; i++) {
        static const uint32_t expected[][2] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {2, 2}, {3, 1},
                                               {3, 2}, {4, 1}, {4, 2}, {4, 3}, {4, 3}};

        gr_json_place(text, i, &line, &column);
        assert_int_equal(line, expected[i][0]);
        assert_int_equal(column, expected[i][1]);
    }
}

struct said_row {
    const char *name;
    const char *text;
    const char *said;
};

static const struct said_row said_rows[] = {
    {"the end", "[",
     "expected a value: a text in double quotes, a number, true, false, null, […] "
     "or {…}, found the end"},
    {"a character", "{\"a\" \xc3\xa4}", "expected a colon behind the key, found \xc3\xa4"},
    {"a comment", "[1 // x\n]",
     "expected a comma or the closing ], found / (JSON has no comments)"},
    {"quotes of others", "{'a': 1}",
     "expected a key in double quotes, found ' (JSON takes double quotes only)"},
    {"an open text", "\"a", "this text never ends; add the closing double quote"},
};

static void says(void **state)
{
    const struct said_row *row = *state;
    const struct gr_json_node *node;
    struct gr_arena arena;
    struct gr_err err;

    gr_arena_init(&arena, 256, 0);
    assert_int_equal(read_all(&arena, gr_str_from(row->text), &node, &err), -EINVAL);
    assert_string_equal(err.code, "json-syntax");
    assert_string_equal(err.text, row->said);
    gr_arena_fini(&arena);
}

struct text_row {
    const char *name;
    const char *quoted;
    const char *expected;
};

static const struct text_row text_rows[] = {
    {"empty", "\"\"", ""},
    {"plain", "\"a b\"", "a b"},
    {"letters", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"within", "\"a\\nb\\nc\"", "a\nb\nc"},
    {"two bytes", "\"\\u00E4\\u07ff\"", "\xc3\xa4\xdf\xbf"},
    {"three bytes", "\"\\u0800\\uffFD\"", "\xe0\xa0\x80\xef\xbf\xbd"},
    {"four bytes", "\"\\ud83d\\ude00x\"", "\xf0\x9f\x98\x80x"},
    {"a first half alone", "\"\\ud83dx\"", "\xef\xbf\xbdx"},
    {"a second half alone", "\"\\ude00\"", "\xef\xbf\xbd"},
    {"two first halves", "\"\\ud83d\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"a first half and another escape", "\"\\ud83d\\n\"", "\xef\xbf\xbd\n"},
};

/* In memory that ends where the text does. */
static void check_in_place(struct gr_str text, const char *expected)
{
    char *copy = malloc(text.n + (text.n == 0));

    assert_non_null(copy);
    memcpy(copy, text.p, text.n);
    assert_str(((struct gr_str){.p = copy, .n = gr_json_unescape(copy, text.n)}), expected);
    free(copy);
}

static void unescapes_anywhere(void **state)
{
    const struct text_row *row = *state;

    check_in_place(gr_str_from(row->quoted), row->expected);
}

static void unescapes(void **state)
{
    const struct text_row *row = *state;
    struct gr_str quoted = gr_str_from(row->quoted);
    struct gr_arena arena;
    struct gr_str text;

    check_in_place((struct gr_str){.p = quoted.p + 1, .n = quoted.n - 2}, row->expected);

    gr_arena_init(&arena, 64, 0);
    assert_true(gr_json_text(&arena, gr_str_from(row->quoted), &text));
    assert_str(text, row->expected);
    gr_arena_fini(&arena);
}

static const struct text_row anywhere_rows[] = {
    {"nothing", "", ""},
    {"a document", "{\"a\\nb\": [\"\\u003c\", 1]}", "{\"a\nb\": [\"<\", 1]}"},
    {"a backslash and what is no escape then", "\\\\u003c", "\\u003c"},
    {"a backslash at the end", "a\\", "a\\"},
    {"what is no escape", "\\x\\u00g0\\\xff\\", "\\x\\u00g0\\\xff\\"},
    {"a unit that is cut", "\\u003", "\\u003"},
    {"half a pair, and a unit that is cut", "\\ud83d\\u00", "\xef\xbf\xbd\\u00"},
    {"half a pair, and no digits", "\\ud83d\\uzzzz", "\xef\xbf\xbd\\uzzzz"},
    {"after another backslash", "\\x\\/y", "\\x/y"},
};

static void quotes(void **state)
{
    struct gr_buf out;

    (void)state;
    gr_buf_init(&out, 256);
    assert_int_equal(gr_json_quote(&out, GR_STR("a\"b\\c\n\x01\x7f\xc3\xa4/")), 0);
    assert_str(gr_buf_view(&out), "\"a\\\"b\\\\c\\u000a\\u0001\x7f\xc3\xa4/\"");
    gr_buf_reset(&out, 0);
    assert_int_equal(gr_json_quote(&out, GR_STR("")), 0);
    assert_str(gr_buf_view(&out), "\"\"");
    assert_int_equal(gr_json_quote(&out, GR_STR("\xff")), -EINVAL);
    gr_buf_fini(&out);
}

/* Each ASCII character at each place of texts of each length around the eight bytes that are looked
 * at together. */
static void quotes_anywhere(void **state)
{
    struct gr_buf out;

    (void)state;
    gr_buf_init(&out, 256);
    for (unsigned i = 0; i < 0x80U * 20 * 20; i++) {
        unsigned c = i % 0x80, at = i / 0x80 % 20, n = i / 0x80 / 20;
        char text[20], quoted[8] = {(char)c}, expected[64];

        if (at >= n)
            continue;
        memset(text, 'x', sizeof(text));
        text[at] = (char)c;
        if (c < 0x20)
            (void)snprintf(quoted, sizeof(quoted), "\\u%04x", c);
        else if (c == '"' || c == '\\')
            (void)snprintf(quoted, sizeof(quoted), "\\%c", text[at]);
        (void)snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", (int)at,
                       "xxxxxxxxxxxxxxxxxxxx", quoted, (int)(n - at - 1), "xxxxxxxxxxxxxxxxxxxx");
        gr_buf_reset(&out, 256);
        assert_int_equal(gr_json_quote(&out, (struct gr_str){.p = text, .n = n}), 0);
        assert_str(gr_buf_view(&out), expected);
    }
    gr_buf_fini(&out);
}

struct key_row {
    const char *name;
    const char *quoted;
    enum gr_json_match expected;
};

static const struct key_row key_rows[] = {
    {"the same", "\"hooks\"", GR_JSON_SAME},
    {"escaped", "\"\\u0068oo\\u006bs\"", GR_JSON_SAME},
    {"capitals", "\"HookS\"", GR_JSON_OTHER_CASE},
    {"escaped capitals", "\"\\u0048ooks\"", GR_JSON_OTHER_CASE},
    {"Kelvin", "\"hoo\xe2\x84\xaas\"", GR_JSON_OTHER_CASE},
    {"long s", "\"hook\xc5\xbf\"", GR_JSON_OTHER_CASE},
    {"shorter", "\"hook\"", GR_JSON_DIFFERENT},
    {"longer", "\"hooks2\"", GR_JSON_DIFFERENT},
    {"empty", "\"\"", GR_JSON_DIFFERENT},
    {"another", "\"hoods\"", GR_JSON_DIFFERENT},
};

static void matches_key(void **state)
{
    const struct key_row *row = *state;

    assert_int_equal(gr_json_match_key(gr_str_from(row->quoted), GR_STR("hooks")), row->expected);
}

static void repeat(struct gr_buf *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(gr_buf_text(to, text), 0);
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        const struct gr_json_node *node;
        struct gr_arena arena;
        struct gr_err err;
        struct gr_buf text;

        gr_arena_init(&arena, 4096, 0);
        gr_buf_init(&text, 4096);
        repeat(&text, "[", GR_JSON_DEPTH_MAX + over);
        repeat(&text, "]", GR_JSON_DEPTH_MAX + over);
        assert_int_equal(read_all(&arena, gr_buf_view(&text), &node, &err), over ? -E2BIG : 0);
        if (over) {
            assert_string_equal(err.code, "too-deep");
            assert_int_equal(err.column, GR_JSON_DEPTH_MAX + 1);
        }
        gr_buf_fini(&text);
        gr_arena_fini(&arena);
    }
}

static void nodes_have_a_limit(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        const struct gr_json_node *node;
        struct gr_arena arena;
        struct gr_err err;
        struct gr_buf text;

        gr_arena_init(&arena, 1U << 16, 0);
        gr_buf_init(&text, 4U << 20);
        (void)gr_buf_text(&text, "[0");
        repeat(&text, ",0", GR_JSON_NODES_MAX - 2 + over);
        (void)gr_buf_text(&text, "]");
        assert_int_equal(read_all(&arena, gr_buf_view(&text), &node, &err), over ? -E2BIG : 0);
        if (over)
            assert_string_equal(err.code, "too-many-nodes");
        gr_buf_fini(&text);
        gr_arena_fini(&arena);
    }
}

int main(void)
{
    TEST_ADD_ROWS(reads, rows);
    test_add("places", places);
    test_add("lines", lines);
    TEST_ADD_ROWS(says, said_rows);
    TEST_ADD_ROWS(unescapes, text_rows);
    TEST_ADD_ROWS(unescapes_anywhere, anywhere_rows);
    test_add("quotes", quotes);
    test_add("quotes anywhere", quotes_anywhere);
    TEST_ADD_ROWS(matches_key, key_rows);
    test_add("depth has a limit", depth_has_a_limit);
    test_add("nodes have a limit", nodes_have_a_limit);
    return test_run("json");
}
