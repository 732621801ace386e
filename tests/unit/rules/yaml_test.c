/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The YAML reader: trees, places, ranges of documents, types of plain scalars, and the words for
 * what libyaml says. Its limits are in decode_limits_test.c, what it refuses in yaml_bad_test.c.
 */
#include "testing.h"

#include "rules/read/yaml.h"

/* GR_STR for the initialisers of static tables. */
#define BYTES(literal)                 \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

struct reading {
    struct gr_arena arena;
    struct gr_findings findings;
    struct gr_yaml *yaml;
    struct gr_yaml_document document;
};

static void begin(struct reading *reading, struct gr_str text)
{
    *reading = (struct reading){.findings = {.file = "f"}};
    gr_arena_init(&reading->arena, 4096, 0);
    assert_int_equal(gr_yaml_new(text, &reading->findings, &reading->yaml), 0);
}

static void end(struct reading *reading)
{
    gr_yaml_free(reading->yaml);
    gr_arena_fini(&reading->arena);
}

static const struct gr_yaml_node *next(struct reading *reading)
{
    assert_int_equal(gr_yaml_next(reading->yaml, &reading->arena, &reading->document), 0);
    return reading->document.root;
}

static void assert_end(struct reading *reading)
{
    assert_int_equal(gr_yaml_next(reading->yaml, &reading->arena, &reading->document), GR_YAML_END);
    assert_int_equal(gr_yaml_next(reading->yaml, &reading->arena, &reading->document), GR_YAML_END);
    assert_int_equal(reading->findings.count, 0);
}

static void assert_place(struct gr_place place, uint32_t line, uint32_t column)
{
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

static void test_tree(void **state)
{
    struct reading r;
    const struct gr_yaml_node *root;
    const struct gr_yaml_node *list;
    const struct gr_yaml_node *map;

    (void)state;
    begin(&r, GR_STR("é: [a, 'b', \"c\\n\"]\nmap:\n  - k: v\n  - |\n    block\n"));
    root = next(&r);
    assert_int_equal(root->kind, GR_YAML_MAPPING);
    assert_int_equal(root->n, 2);
    assert_place(root->at, 1, 1);
    list = gr_yaml_get(root, "é");
    assert_int_equal(list->kind, GR_YAML_LIST);
    assert_int_equal(list->n, 3);
    assert_place(list->key_at, 1, 1);
    assert_place(list->at, 1, 4); /* in characters, not bytes */
    assert_true(list->first->plain);
    assert_str(list->first->text, "a");
    assert_false(list->first->next->plain);
    assert_str(list->first->next->text, "b");
    assert_str(list->first->next->next->text, "c\n");
    assert_null(list->first->next->next->next);
    map = gr_yaml_get(root, "map");
    assert_place(map->at, 3, 3);
    assert_place(map->first->at, 3, 5);
    assert_str(gr_yaml_get(map->first, "k")->text, "v");
    assert_str(map->first->next->text, "block\n");
    assert_false(map->first->next->plain);
    assert_end(&r);
    end(&r);
}

static void test_get(void **state)
{
    struct reading r;
    const struct gr_yaml_node *root;

    (void)state;
    begin(&r, GR_STR("{a: 1, b: {c: 2}}"));
    root = next(&r);
    assert_str(gr_yaml_get(gr_yaml_get(root, "b"), "c")->text, "2");
    assert_null(gr_yaml_get(root, "c"));
    assert_null(gr_yaml_get(gr_yaml_get(root, "a"), "c"));
    assert_null(gr_yaml_get(NULL, "a"));
    end(&r);
}

static void test_nothing(void **state)
{
    static const struct gr_str texts[] = {
        {NULL, 0},
        BYTES(""),
        BYTES("\n\n"),
        BYTES("# only a comment\n"),
    };
    struct reading r;

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        begin(&r, texts[i]);
        assert_end(&r);
        end(&r);
    }
}

static void test_documents(void **state)
{
    static const char text[] = "# head\na: é\n# foot\n---\n---\n# nothing\n--- {b: 2}\n";
    struct reading r;

    (void)state;
    begin(&r, GR_STR(text));
    assert_str(gr_yaml_get(next(&r), "a")->text, "é");
    assert_str(r.document.text, "a: é\n# foot\n");
    assert_place(r.document.at, 2, 1);
    assert_int_equal(r.document.number, 0);
    assert_null(next(&r));
    assert_false(r.document.bad);
    assert_null(next(&r));
    assert_int_equal(r.document.number, 2);
    assert_str(gr_yaml_get(next(&r), "b")->text, "2");
    assert_int_equal(r.document.number, 3);
    assert_end(&r);
    end(&r);
}

static void test_document_ranges(void **state)
{
    static const char text[] = "--- {b: 2}\n...\n# between\n---\nc: ü\nd: 1\n--- x";
    struct reading r;

    (void)state;
    begin(&r, GR_STR(text));
    assert_str(gr_yaml_get(next(&r), "b")->text, "2");
    assert_str(r.document.text, "--- {b: 2}\n...");
    assert_str(gr_yaml_get(next(&r), "c")->text, "ü");
    assert_str(r.document.text, "---\nc: ü\nd: 1\n");
    assert_place(r.document.at, 4, 1);
    assert_str(next(&r)->text, "x");
    assert_str(r.document.text, "--- x");
    assert_int_equal(r.document.number, 2);
    assert_end(&r);
    end(&r);
}

/* What cannot be read behind "..." is not the fault of the document before. */
static void test_garbage_behind_an_end(void **state)
{
    struct reading r;

    (void)state;
    begin(&r, GR_STR("a: 1\n...\n]"));
    assert_non_null(next(&r));
    assert_false(r.document.bad);
    assert_null(next(&r));
    assert_true(r.document.bad);
    assert_int_equal(r.findings.count, 1);
    assert_int_equal(gr_yaml_next(r.yaml, &r.arena, &r.document), GR_YAML_END);
    end(&r);
}

static void test_line_ends(void **state)
{
    static const struct gr_str texts[] = {
        BYTES("a: 1\n\nb:\n  c: 2\n"),
        BYTES("a: 1\r\n\r\nb:\r\n  c: 2\r\n"),
        BYTES("a: 1\r\rb:\r  c: 2\r"),
    };
    struct reading r;

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        begin(&r, texts[i]);
        assert_place(gr_yaml_get(gr_yaml_get(next(&r), "b"), "c")->at, 4, 6);
        assert_int_equal(r.document.text.n, texts[i].n);
        end(&r);
    }
}

static void test_json(void **state)
{
    struct reading r;
    const struct gr_yaml_node *root;

    (void)state;
    begin(&r, GR_STR("{\n\t\"a\":[1,true,null,\"x\\/y\\u00e9\"],\n\t\"b\":{}\n}\n"));
    root = next(&r);
    assert_int_equal(gr_yaml_get(root, "a")->n, 4);
    assert_false(root->first->key_plain);
    assert_true(gr_yaml_get(root, "a")->first->plain);
    assert_str(gr_yaml_get(root, "a")->first->next->next->next->text, "x/yé");
    assert_int_equal(gr_yaml_get(root, "b")->kind, GR_YAML_MAPPING);
    assert_end(&r);
    end(&r);
}

/* A refused part is there as a node of its own kind, so that nobody reports it again. */
static void test_refused_parts_stay_as_bad_nodes(void **state)
{
    struct reading r;
    const struct gr_yaml_node *root;

    (void)state;
    begin(&r,
          GR_STR("a: *x\nb: &y 1\nc: !z 2\nd: \"\\0\"\n<<: {e: 1}\n[f]: 2\na: 3\n*g : 4\nh: 5\n"));
    root = next(&r);
    assert_true(r.document.bad);
    assert_int_equal(r.findings.count, 8);
    assert_int_equal(root->n, 6);
    assert_int_equal(gr_yaml_get(root, "a")->kind, GR_YAML_BAD);
    assert_int_equal(gr_yaml_get(root, "b")->kind, GR_YAML_BAD);
    assert_int_equal(gr_yaml_get(root, "c")->kind, GR_YAML_BAD);
    assert_int_equal(gr_yaml_get(root, "d")->kind, GR_YAML_BAD);
    assert_int_equal(gr_yaml_get(root, "h")->kind, GR_YAML_SCALAR);
    end(&r);
}

/* Of several thousand keys the one that is there twice is found, and quickly. */
static void test_duplicate_among_many(void **state)
{
    char text[9000 * 8 + 64];
    size_t n = 0;
    struct reading r;

    (void)state;
    for (int i = 0; i < 9000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "k%d: \n", i % 8999);
    begin(&r, (struct gr_str){.p = text, .n = n});
    assert_non_null(next(&r));
    assert_true(r.document.bad);
    assert_int_equal(r.findings.count, 1);
    end(&r);
}

struct type_row {
    const char *name;
    enum gr_yaml_type type;
};

static const struct type_row type_rows[] = {
    {"", GR_YAML_NULL},       {"~", GR_YAML_NULL},       {"null", GR_YAML_NULL},
    {"Null", GR_YAML_NULL},   {"NULL", GR_YAML_NULL},    {"nULL", GR_YAML_TEXT},
    {"nil", GR_YAML_TEXT},    {"true", GR_YAML_BOOLEAN}, {"False", GR_YAML_BOOLEAN},
    {"YES", GR_YAML_BOOLEAN}, {"no", GR_YAML_BOOLEAN},   {"on", GR_YAML_BOOLEAN},
    {"Off", GR_YAML_BOOLEAN}, {"y", GR_YAML_BOOLEAN},    {"N", GR_YAML_BOOLEAN},
    {"tRue", GR_YAML_TEXT},   {"yep", GR_YAML_TEXT},     {"0", GR_YAML_NUMBER},
    {"-12", GR_YAML_NUMBER},  {"+3", GR_YAML_NUMBER},    {"1_000", GR_YAML_NUMBER},
    {"007", GR_YAML_NUMBER},  {"1.5", GR_YAML_NUMBER},   {".5", GR_YAML_NUMBER},
    {"5.", GR_YAML_NUMBER},   {"1e3", GR_YAML_NUMBER},   {"1.5E-7", GR_YAML_NUMBER},
    {"0x1F", GR_YAML_NUMBER}, {"0o17", GR_YAML_NUMBER},  {"0b101", GR_YAML_NUMBER},
    {".inf", GR_YAML_NUMBER}, {"-.INF", GR_YAML_NUMBER}, {".NaN", GR_YAML_NUMBER},
    {"0b12", GR_YAML_TEXT},   {"0o18", GR_YAML_TEXT},    {"0x", GR_YAML_TEXT},
    {"0xg", GR_YAML_TEXT},    {"1.2.3", GR_YAML_TEXT},   {"1e", GR_YAML_TEXT},
    {"1e+", GR_YAML_TEXT},    {"e3", GR_YAML_TEXT},      {".", GR_YAML_TEXT},
    {"-", GR_YAML_TEXT},      {"_1", GR_YAML_TEXT},      {"--id", GR_YAML_TEXT},
    {"30s", GR_YAML_TEXT},    {"10:20", GR_YAML_TEXT},   {"2024-01-01", GR_YAML_TEXT},
    {"inf", GR_YAML_TEXT},
};

static void plain_type(void **state)
{
    const struct type_row *row = *state;

    assert_int_equal(gr_yaml_plain_type(gr_str_from(row->name)), row->type);
    assert_non_null(gr_yaml_type_name(row->type));
}

static void test_explain(void **state)
{
    (void)state;
    assert_string_equal(gr_yaml_explain(NULL, NULL, GR_STR_NONE), "this is not valid YAML");
    assert_string_equal(gr_yaml_explain("something new", "while dreaming", GR_STR_NONE),
                        "this is not valid YAML");
    assert_string_equal(gr_yaml_explain("something new", "while scanning a tag", GR_STR_NONE),
                        "tags are not supported; a text that begins with ! must be quoted");
    assert_string_equal(gr_yaml_explain("something new", "while scanning a directive", GR_STR_NONE),
                        "a line that begins with % is not supported; remove it, or quote the text");
    assert_string_equal(
        gr_yaml_explain("found character that cannot start any token", NULL, GR_STR("~")),
        "a text cannot begin with this character; quote it");
}

static void test_free_of_nothing(void **state)
{
    (void)state;
    gr_yaml_free(NULL);
}

int main(void)
{
    test_add("tree", test_tree);
    test_add("get", test_get);
    test_add("nothing", test_nothing);
    test_add("documents", test_documents);
    test_add("ranges of documents", test_document_ranges);
    test_add("garbage behind an end", test_garbage_behind_an_end);
    test_add("line ends", test_line_ends);
    test_add("JSON", test_json);
    test_add("refused parts", test_refused_parts_stay_as_bad_nodes);
    test_add("duplicate among many", test_duplicate_among_many);
    TEST_ADD_ROWS(plain_type, type_rows);
    test_add("explain", test_explain);
    test_add("free of nothing", test_free_of_nothing);
    return test_run("yaml");
}
