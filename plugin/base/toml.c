/* SPDX-License-Identifier: Apache-2.0 */
#include "base/toml.h"

#include <errno.h>

#include "base/json.h"
#include "base/toml_parts.h"
#include "base/utf8.h"

const char *gr_toml_kind_name(enum gr_toml_kind kind)
{
    static const char *const names[] = {
        [GR_TOML_TEXT] = "a text",    [GR_TOML_INTEGER] = "a whole number",
        [GR_TOML_FLOAT] = "a number", [GR_TOML_BOOLEAN] = "true or false",
        [GR_TOML_DATE] = "a date",    [GR_TOML_LIST] = "a list",
        [GR_TOML_TABLE] = "a table",
    };

    return names[kind];
}

static struct gr_toml_node *find(const struct gr_toml_node *table, struct gr_str key)
{
    for (struct gr_toml_node *entry = table->first; entry; entry = entry->next) {
        if (gr_str_eq(entry->key, key))
            return entry;
    }
    return NULL;
}

const struct gr_toml_node *gr_toml_get(const struct gr_toml_node *table, const char *key)
{
    return table && table->kind == GR_TOML_TABLE ? find(table, gr_str_from(key)) : NULL;
}

/* Line and column of what comes next. */
static void count(struct gr_toml_reader *t)
{
    if (t->at < t->counted) {
        t->counted = 0;
        t->line = t->column = 1;
    }
    gr_json_count(t->text, &t->counted, t->at, &t->line, &t->column);
}

int gr_toml_refuse(struct gr_toml_reader *t, const char *expected)
{
    count(t);
    (void)gr_fail(t->err, -EINVAL, "toml-syntax", "expected %s", expected);
    gr_err_at(t->err, NULL, t->line, t->column);
    return -EINVAL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct gr_toml_reader *t)
{
    while (is_blank(gr_toml_peek(t, 0)))
        t->at++;
}

static void skip_comment(struct gr_toml_reader *t)
{
    skip_blanks(t);
    if (gr_toml_peek(t, 0) == '#')
        t->at += gr_str_find(gr_str_skip(t->text, t->at), '\n');
}

/* Blanks, comments and line breaks. */
static void skip_lines(struct gr_toml_reader *t)
{
    for (skip_comment(t); gr_toml_peek(t, 0) == '\n'; skip_comment(t))
        t->at++;
}

static int end_line(struct gr_toml_reader *t)
{
    skip_comment(t);
    return t->at == t->text.n || gr_toml_peek(t, 0) == '\n'
               ? 0
               : gr_toml_refuse(t, "the end of the line");
}

/* A new entry at the end of parent, at the place that was counted last. */
static int add(struct gr_toml_reader *t, struct gr_toml_node *parent, struct gr_str key,
               enum gr_toml_kind kind, struct gr_toml_node **out_node)
{
    struct gr_toml_node *node;

    if (t->nodes++ == GR_TOML_NODES_MAX)
        return gr_fail(t->err, -E2BIG, "too-many-nodes",
                       "this text has more than %u keys and values", GR_TOML_NODES_MAX);
    node = gr_arena_alloc(t->arena, sizeof(*node));
    if (!node)
        return gr_fail(t->err, -ENOMEM, "no-memory", "no memory left");
    node->kind = kind;
    node->key = key;
    node->line = node->value_line = t->line;
    node->column = node->value_column = t->column;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    *out_node = node;
    return 0;
}

static int refuse_depth(struct gr_toml_reader *t)
{
    (void)gr_fail(t->err, -E2BIG, "too-deep", "lists and tables are nested more than %d deep here",
                  GR_TOML_DEPTH_MAX);
    gr_err_at(t->err, NULL, t->line, t->column);
    return -E2BIG;
}

/* What one key of a dotted one is, and whether another one follows. */
struct step {
    struct gr_str key;
    bool more;
    unsigned number; /* of steps before it */
};

static int read_step(struct gr_toml_reader *t, struct step *out_step)
{
    struct gr_str word = {.p = t->text.p + t->at, .n = 0};
    char c = gr_toml_peek(t, 0);
    int r = 0;

    count(t);
    if (out_step->number++ == GR_TOML_DEPTH_MAX)
        return refuse_depth(t);
    if (c == '"' || c == '\'') {
        r = gr_toml_quoted(t, false, &word);
    } else {
        for (; (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
             c = gr_toml_peek(t, word.n))
            word.n++;
        if (word.n == 0)
            return gr_toml_refuse(t, "the name of a table or key");
        t->at += word.n;
    }
    skip_blanks(t);
    out_step->key = word;
    out_step->more = gr_toml_peek(t, 0) == '.';
    if (out_step->more) {
        t->at++;
        skip_blanks(t);
    }
    return r;
}

static int refuse_twice(struct gr_toml_reader *t, const struct gr_toml_node *first)
{
    (void)gr_fail(t->err, -EINVAL, "duplicate-key",
                  "\"%.*s\" stands here a second time, first at line %u",
                  GR_STR_FMT(gr_str_first(first->key, 64)), first->line);
    gr_err_at(t->err, NULL, t->line, t->column);
    return -EINVAL;
}

/* The table that a step names, made when it is missing. in_header: of [[tables]] the last one. */
static int enter(struct gr_toml_reader *t, struct gr_toml_node *table, struct gr_str key,
                 bool in_header, struct gr_toml_node **out_table)
{
    struct gr_toml_node *entry = find(table, key);

    if (!entry)
        return add(t, table, key, GR_TOML_TABLE, out_table);
    *out_table = entry;
    if (in_header && entry->kind == GR_TOML_LIST && !entry->is_closed)
        *out_table = entry->last;
    else if (entry->kind != GR_TOML_TABLE || entry->is_closed || (!in_header && entry->has_header))
        return refuse_twice(t, entry);
    return 0;
}

static int read_value(struct gr_toml_reader *t, struct gr_toml_node *node);

static int read_entry(struct gr_toml_reader *t, struct gr_toml_node *table)
{
    struct step step = {0};
    struct gr_toml_node *node;
    int r = read_step(t, &step);

    while (r == 0 && step.more) {
        r = enter(t, table, step.key, false, &table);
        if (r == 0)
            r = read_step(t, &step);
    }
    if (r)
        return r;
    node = find(table, step.key);
    if (node)
        return refuse_twice(t, node);
    r = add(t, table, step.key, GR_TOML_TEXT, &node);
    if (r)
        return r;
    if (gr_toml_peek(t, 0) != '=')
        return gr_toml_refuse(t, "= behind the key");
    t->at++;
    skip_blanks(t);
    return read_value(t, node);
}

/* [it] or [[it]]. */
static int read_header(struct gr_toml_reader *t, struct gr_toml_node *root,
                       struct gr_toml_node **out_table)
{
    bool one_of_many = gr_toml_peek(t, 1) == '[';
    struct gr_toml_node *table = root;
    struct gr_toml_node *entry;
    struct step step = {0};
    int r;

    t->at += one_of_many ? 2 : 1;
    skip_blanks(t);
    r = read_step(t, &step);
    while (r == 0 && step.more) {
        r = enter(t, table, step.key, true, &table);
        if (r == 0)
            r = read_step(t, &step);
    }
    if (r)
        return r;
    if (gr_toml_peek(t, 0) != ']' || (one_of_many && gr_toml_peek(t, 1) != ']'))
        return gr_toml_refuse(t, one_of_many ? "]] behind the name of the table"
                                             : "] behind the name of the table");
    t->at += one_of_many ? 2 : 1;
    entry = find(table, step.key);
    if (one_of_many) {
        if (!entry)
            r = add(t, table, step.key, GR_TOML_LIST, &entry);
        else if (entry->kind != GR_TOML_LIST || entry->is_closed)
            r = refuse_twice(t, entry);
        if (r == 0)
            r = add(t, entry, GR_STR_NONE, GR_TOML_TABLE, &entry);
    } else if (!entry) {
        r = add(t, table, step.key, GR_TOML_TABLE, &entry);
    } else if (entry->kind != GR_TOML_TABLE || entry->is_closed || entry->has_header) {
        r = refuse_twice(t, entry);
    }
    if (r)
        return r;
    entry->has_header = true;
    entry->value_line = t->line;
    entry->value_column = t->column;
    *out_table = entry;
    return end_line(t);
}

static int read_list(struct gr_toml_reader *t, struct gr_toml_node *list)
{
    list->kind = GR_TOML_LIST;
    list->is_closed = true;
    t->at++;
    for (;;) {
        struct gr_toml_node *node;
        int r;

        skip_lines(t);
        if (gr_toml_peek(t, 0) == ']')
            break;
        count(t);
        r = add(t, list, GR_STR_NONE, GR_TOML_TEXT, &node);
        if (r == 0)
            r = read_value(t, node);
        if (r)
            return r;
        skip_lines(t);
        if (gr_toml_peek(t, 0) == ',')
            t->at++;
        else if (gr_toml_peek(t, 0) != ']')
            return gr_toml_refuse(t, "a comma or the closing ]");
    }
    t->at++;
    return 0;
}

/* Tables that dotted keys made inside of it are closed with it. */
static void close_all(struct gr_toml_node *table)
{
    table->is_closed = true;
    for (struct gr_toml_node *entry = table->first; entry; entry = entry->next) {
        if (entry->kind == GR_TOML_TABLE && !entry->is_closed)
            close_all(entry);
    }
}

static int read_inline(struct gr_toml_reader *t, struct gr_toml_node *table)
{
    int r;

    table->kind = GR_TOML_TABLE;
    t->at++;
    skip_blanks(t);
    if (gr_toml_peek(t, 0) != '}') {
        for (;;) {
            r = read_entry(t, table);
            if (r)
                return r;
            skip_blanks(t);
            if (gr_toml_peek(t, 0) != ',')
                break;
            t->at++;
            skip_blanks(t);
        }
        if (gr_toml_peek(t, 0) != '}')
            return gr_toml_refuse(t, "a comma or the closing } on the same line");
    }
    t->at++;
    close_all(table);
    return 0;
}

/* Depth: GR_TOML_DEPTH_MAX. */
static int read_value(struct gr_toml_reader *t, struct gr_toml_node *node)
{
    char c = gr_toml_peek(t, 0);
    int r;

    count(t);
    node->value_line = t->line;
    node->value_column = t->column;
    if (c == '"' || c == '\'')
        return gr_toml_quoted(t, true, &node->text);
    if (c != '[' && c != '{')
        return gr_toml_bare(t, node);
    if (t->depth == GR_TOML_DEPTH_MAX)
        return refuse_depth(t);
    t->depth++;
    r = c == '[' ? read_list(t, node) : read_inline(t, node);
    t->depth--;
    return r;
}

/* Control characters stand in no TOML, so that none gets into what is printed. */
static int check_text(struct gr_toml_reader *t)
{
    size_t valid = gr_utf8_valid_prefix(t->text);
    size_t i = 0;

    while (i < valid && ((unsigned char)t->text.p[i] >= ' ' || strchr("\t\n\r", t->text.p[i])) &&
           t->text.p[i] != '\0' && t->text.p[i] != 0x7F)
        i++;
    if (i == t->text.n)
        return 0;
    t->at = i;
    count(t);
    if (i == valid)
        (void)gr_fail(t->err, 0, "bad-utf8", "expected UTF-8, found another byte");
    else
        (void)gr_fail(t->err, 0, "control-character",
                      "the file holds a control character; remove it");
    gr_err_at(t->err, NULL, t->line, t->column);
    return -EINVAL;
}

int gr_toml_read(struct gr_arena *arena, struct gr_str text, const struct gr_toml_node **out_root,
                 struct gr_err *err)
{
    struct gr_err ignored = {0};
    struct gr_toml_reader t = {
        .arena = arena, .text = text, .line = 1, .column = 1, .err = err ? err : &ignored};
    struct gr_toml_node *root = gr_arena_alloc(arena, sizeof(*root));
    struct gr_toml_node *table = root;
    int r;

    if (!root)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory left");
    root->kind = GR_TOML_TABLE;
    r = check_text(&t);
    for (skip_lines(&t); r == 0 && t.at < text.n; skip_lines(&t)) {
        if (gr_toml_peek(&t, 0) == '[') {
            r = read_header(&t, root, &table);
            continue;
        }
        r = read_entry(&t, table);
        if (r == 0)
            r = end_line(&t);
    }
    if (r == 0)
        *out_root = root;
    return r;
}
