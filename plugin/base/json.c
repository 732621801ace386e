/* SPDX-License-Identifier: Apache-2.0 */
/* The reader goes over the text once. What is open stands on a stack of fixed size. */
#include "base/json.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"

/* Something that is open, and where its next element is linked in. */
struct level {
    struct gr_json_node *node;
    struct gr_json_node **tail;
};

struct reader {
    struct gr_arena *arena;
    struct gr_str text;
    size_t at;
    size_t nodes, nodes_max;
    struct level stack[GR_JSON_DEPTH_MAX];
    size_t depth;
    struct gr_err *err;
};

void gr_json_count(struct gr_str text, size_t *offset, size_t to, uint32_t *line, uint32_t *column)
{
    for (; *offset < GR_MIN(to, text.n); ++*offset) {
        const char *p = text.p + *offset;
        bool crlf = *p == '\r' && *offset + 1 < text.n && p[1] == '\n';

        if (*p == '\n' || (*p == '\r' && !crlf)) {
            ++*line;
            *column = 1;
        } else if (!crlf && ((unsigned char)*p & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

void gr_json_place(struct gr_str text, size_t offset, uint32_t *out_line, uint32_t *out_column)
{
    size_t counted = 0;

    *out_line = 1;
    *out_column = 1;
    gr_json_count(text, &counted, offset, out_line, out_column);
}

const char *gr_json_kind_name(enum gr_json_kind kind)
{
    static const char *const names[] = {
        [GR_JSON_NULL] = "null",       [GR_JSON_BOOLEAN] = "true or false",
        [GR_JSON_NUMBER] = "a number", [GR_JSON_STRING] = "a text",
        [GR_JSON_LIST] = "a list",     [GR_JSON_OBJECT] = "an object",
    };

    return names[kind];
}

static int fail_at(struct reader *r, int result, const char *code, const char *format, ...)
    GR_PRINTF(4, 5);

static int fail_at(struct reader *r, int result, const char *code, const char *format, ...)
{
    uint32_t line, column;
    va_list args;

    gr_json_place(r->text, r->at, &line, &column);
    gr_err_at(r->err, NULL, line, column);
    va_start(args, format);
    gr_err_fill(r->err, code, format, args);
    va_end(args);
    return result;
}

/* What stands at the present place goes into the text. */
static int bad(struct reader *r, const char *expected)
{
    struct gr_str rest = gr_str_skip(r->text, r->at);
    size_t n = gr_utf8_next(rest, NULL);
    const char *hint = "";

    if (rest.n == 0)
        return fail_at(r, -EINVAL, "json-syntax", "expected %s, found the end", expected);
    if (rest.p[0] == '/' || rest.p[0] == '#')
        hint = " (JSON has no comments)";
    else if (rest.p[0] == '\'')
        hint = " (JSON takes double quotes only)";
    return fail_at(r, -EINVAL, "json-syntax", "expected %s, found %.*s%s", expected,
                   n > 0 ? (int)n : 1, n > 0 ? rest.p : "?", hint);
}

static unsigned char peek(const struct reader *r)
{
    return r->at < r->text.n ? (unsigned char)r->text.p[r->at] : 0;
}

static void skip_space(struct reader *r)
{
    while (r->at < r->text.n && (r->text.p[r->at] == ' ' || r->text.p[r->at] == '\n' ||
                                 r->text.p[r->at] == '\r' || r->text.p[r->at] == '\t'))
        r->at++;
}

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int read_escape(struct reader *r)
{
    unsigned char c;

    r->at++;
    c = peek(r);
    if (c == 'u') {
        r->at++;
        for (size_t i = 0; i < 4; i++, r->at++) {
            if (!is_hex(peek(r)))
                return bad(r, "four hexadecimal digits behind \\u");
        }
        return 0;
    }
    if (c == 0 || !strchr("\"\\/bfnrt", c))
        return bad(r, "one of \" \\ / b f n r t u behind a backslash");
    r->at++;
    return 0;
}

/* at is at the opening quote, and then behind the closing one. */
static int read_string(struct reader *r)
{
    size_t open = r->at++;

    while (r->at < r->text.n) {
        unsigned char c = peek(r);
        size_t n = 1;

        if (c == '"') {
            r->at++;
            return 0;
        }
        if (c < 0x20)
            return fail_at(r, -EINVAL, "json-syntax",
                           "a line break or another control character must not stand in a text; "
                           "write \\n, \\t or \\u0000");
        if (c == '\\' && r->at + 1 == r->text.n)
            break;
        if (c == '\\') {
            int result = read_escape(r);

            if (result)
                return result;
            continue;
        }
        if (c >= 0x80)
            n = gr_utf8_next(gr_str_skip(r->text, r->at), NULL);
        if (n == 0)
            return fail_at(r, -EINVAL, "bad-utf8",
                           "expected UTF-8, found a byte that does not belong to it");
        r->at += n;
    }
    r->at = open;
    return fail_at(r, -EINVAL, "json-syntax", "this text never ends; add the closing double quote");
}

static bool skip_digits(struct reader *r)
{
    size_t before = r->at;

    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at > before;
}

static int read_number(struct reader *r)
{
    if (peek(r) == '-')
        r->at++;
    if (peek(r) == '0')
        r->at++;
    else if (!skip_digits(r))
        return bad(r, "a digit");
    if (peek(r) == '.') {
        r->at++;
        if (!skip_digits(r))
            return bad(r, "a digit behind the point of a number");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!skip_digits(r))
            return bad(r, "a digit in the exponent of a number");
    }
    return 0;
}

static int read_word(struct reader *r, struct gr_str word)
{
    if (!gr_str_has_prefix(gr_str_skip(r->text, r->at), word))
        return bad(r, "a value: a text in double quotes, a number, true, false, null, "
                      "[…] or {…}");
    r->at += word.n;
    return 0;
}

/* A node that is linked in where the innermost open one wants it. */
static int add_node(struct reader *r, uint32_t key_start, uint32_t key_end,
                    struct gr_json_node **out)
{
    struct gr_json_node *node;

    if (++r->nodes > r->nodes_max)
        return fail_at(r, -E2BIG, "too-many-nodes", "this file has more than %zu values",
                       r->nodes_max);
    node = gr_arena_alloc(r->arena, sizeof(*node));
    if (!node)
        return gr_fail(r->err, -ENOMEM, "no-memory", "no memory to read the document");
    node->start = (uint32_t)r->at;
    node->key_start = key_start;
    node->key_end = key_end;
    if (r->depth > 0) {
        struct level *level = &r->stack[r->depth - 1];

        *level->tail = node;
        level->tail = &node->next;
    }
    *out = node;
    return 0;
}

static int read_scalar(struct reader *r, struct gr_json_node *node)
{
    int result;

    switch (peek(r)) {
    case '"':
        node->kind = GR_JSON_STRING;
        result = read_string(r);
        break;
    case 't':
        node->kind = GR_JSON_BOOLEAN;
        result = read_word(r, GR_STR("true"));
        break;
    case 'f':
        node->kind = GR_JSON_BOOLEAN;
        result = read_word(r, GR_STR("false"));
        break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        node->kind = GR_JSON_NUMBER;
        result = read_number(r);
        break;
    default:
        node->kind = GR_JSON_NULL;
        result = read_word(r, GR_STR("null"));
        break;
    }
    node->end = (uint32_t)r->at;
    return result;
}

static int open_level(struct reader *r, struct gr_json_node *node)
{
    if (r->depth == GR_JSON_DEPTH_MAX)
        return fail_at(r, -E2BIG, "too-deep", "objects and lists are nested more than %d deep here",
                       GR_JSON_DEPTH_MAX);
    node->kind = peek(r) == '{' ? GR_JSON_OBJECT : GR_JSON_LIST;
    r->stack[r->depth++] = (struct level){.node = node, .tail = &node->first};
    r->at++;
    return 0;
}

/* A value, and of an object's member the key before it. Opens a level for what has elements. */
static int read_value(struct reader *r, bool member, struct gr_json_node **out_node)
{
    size_t key_start = 0, key_end = 0;
    int result;

    if (member) {
        key_start = r->at;
        if (peek(r) != '"')
            return bad(r, "a key in double quotes");
        result = read_string(r);
        if (result)
            return result;
        key_end = r->at;
        skip_space(r);
        if (peek(r) != ':')
            return bad(r, "a colon behind the key");
        r->at++;
        skip_space(r);
    }
    result = add_node(r, (uint32_t)key_start, (uint32_t)key_end, out_node);
    if (result)
        return result;
    if (peek(r) == '{' || peek(r) == '[')
        return open_level(r, *out_node);
    return read_scalar(r, *out_node);
}

/* Goes on behind a value or an opening bracket, until a value was read or the innermost level was
 * closed. */
static int step(struct reader *r)
{
    struct gr_json_node *open = r->stack[r->depth - 1].node;
    struct gr_json_node *node;
    bool member = open->kind == GR_JSON_OBJECT;
    unsigned char close = member ? '}' : ']';

    skip_space(r);
    if (peek(r) == close) {
        open->end = (uint32_t)++r->at;
        r->depth--;
        return 0;
    }
    if (open->first) {
        if (peek(r) != ',')
            return bad(r, member ? "a comma or the closing }" : "a comma or the closing ]");
        r->at++;
        skip_space(r);
        if (peek(r) == close)
            return bad(r, "another element behind the comma (JSON allows no comma behind the last "
                          "one)");
    }
    return read_value(r, member, &node);
}

int gr_json_read(struct gr_arena *arena, struct gr_str text, size_t nodes_max,
                 struct gr_json_progress *progress, const struct gr_json_node **out_node,
                 struct gr_err *err)
{
    struct reader r = {.arena = arena,
                       .text = text,
                       .at = progress->at,
                       .nodes = progress->nodes,
                       .nodes_max = nodes_max,
                       .err = err};
    struct gr_json_node *root = NULL;
    int result;

    skip_space(&r);
    result = read_value(&r, false, &root);
    while (result == 0 && r.depth > 0)
        result = step(&r);
    if (result)
        return result;
    skip_space(&r);
    *progress = (struct gr_json_progress){.at = r.at, .nodes = r.nodes};
    *out_node = root;
    return 0;
}

int gr_json_read_all(struct gr_arena *arena, struct gr_str text, size_t nodes_max,
                     const struct gr_json_node **out_node, struct gr_err *err)
{
    const struct gr_json_node *node;
    struct gr_json_progress progress = {0};
    int result = gr_json_read(arena, text, nodes_max, &progress, &node, err);

    if (result)
        return result;
    if (progress.at < text.n) {
        struct reader r = {.text = text, .at = progress.at, .err = err};

        return bad(&r, "the end of the file behind the one JSON value");
    }
    *out_node = node;
    return 0;
}
