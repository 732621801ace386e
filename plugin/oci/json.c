/* SPDX-License-Identifier: Apache-2.0 */
/* The reader goes over the text once. What is open stands on a stack of fixed size. */
#include "oci/json.h"

#include <errno.h>

#include "base/utf8.h"
#include "oci/limits.h"

/* Something that is open, and where its next element is linked in. */
struct level {
    struct gr_json_node *node;
    struct gr_json_node **tail;
};

struct reader {
    struct gr_arena *arena;
    struct gr_str text;
    size_t at;
    size_t nodes;
    struct level stack[GR_OCI_SPEC_DEPTH_MAX];
    size_t depth;
    struct gr_err *err;
};

void gr_json_place(struct gr_str text, size_t offset, uint32_t *out_line, uint32_t *out_column)
{
    uint32_t line = 1, column = 1;

    for (size_t i = 0; i < GR_MIN(offset, text.n); i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    *out_line = line;
    *out_column = column;
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

static int fail_at(struct reader *r, int result, const char *code, const char *what)
{
    uint32_t line, column;

    gr_json_place(r->text, r->at, &line, &column);
    gr_err_at(r->err, NULL, line, column);
    return gr_fail(r->err, result, code, "%s", what);
}

static int bad(struct reader *r, const char *expected)
{
    return fail_at(r, -EINVAL, "bad-json", expected);
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
        for (size_t i = 1; i <= 4; i++) {
            if (r->at + i >= r->text.n || !is_hex((unsigned char)r->text.p[r->at + i]))
                return bad(r, "expected four hexadecimal digits behind \\u");
        }
        r->at += 5;
        return 0;
    }
    if (c == 0 || !strchr("\"\\/bfnrt", c))
        return bad(r, "expected one of \" \\ / b f n r t u behind \\ in a text");
    r->at++;
    return 0;
}

/* at is at the opening quote, and then behind the closing one. */
static int read_string(struct reader *r)
{
    r->at++;
    while (r->at < r->text.n) {
        unsigned char c = peek(r);
        size_t n = 1;

        if (c == '"') {
            r->at++;
            return 0;
        }
        if (c < 0x20)
            return bad(r, "expected no control characters in a text; write them as \\u0000");
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
    return bad(r, "expected the closing quote of a text, found the end");
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
        return bad(r, "expected a digit");
    if (peek(r) == '.') {
        r->at++;
        if (!skip_digits(r))
            return bad(r, "expected a digit behind the point of a number");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!skip_digits(r))
            return bad(r, "expected a digit in the exponent of a number");
    }
    return 0;
}

static int read_word(struct reader *r, struct gr_str word)
{
    if (!gr_str_has_prefix(gr_str_skip(r->text, r->at), word))
        return bad(r, "expected a value: an object, a list, a text in quotes, a number, true, "
                      "false or null");
    r->at += word.n;
    return 0;
}

/* A node that is linked in where the innermost open one wants it. */
static int add_node(struct reader *r, uint32_t key_start, uint32_t key_end,
                    struct gr_json_node **out)
{
    struct gr_json_node *node;

    if (++r->nodes > GR_JSON_NODES_MAX)
        return fail_at(r, -E2BIG, "too-many-nodes", "this document has too many values");
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
    if (r->depth == GR_OCI_SPEC_DEPTH_MAX)
        return fail_at(r, -E2BIG, "too-deep", "objects and lists are nested too deep here");
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
            return bad(r, "expected a key in quotes");
        result = read_string(r);
        if (result)
            return result;
        key_end = r->at;
        skip_space(r);
        if (peek(r) != ':')
            return bad(r, "expected \":\" behind a key");
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
            return bad(r, member ? "expected \",\" or \"}\" in an object"
                                 : "expected \",\" or \"]\" in a list");
        r->at++;
        skip_space(r);
    }
    return read_value(r, member, &node);
}

int gr_json_read(struct gr_arena *arena, struct gr_str text, struct gr_json_progress *progress,
                 const struct gr_json_node **out_node, struct gr_err *err)
{
    struct reader r = {
        .arena = arena, .text = text, .at = progress->at, .nodes = progress->nodes, .err = err};
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

int gr_json_read_all(struct gr_arena *arena, struct gr_str text,
                     const struct gr_json_node **out_node, struct gr_err *err)
{
    const struct gr_json_node *node;
    struct gr_json_progress progress = {0};
    int result = gr_json_read(arena, text, &progress, &node, err);

    if (result)
        return result;
    if (progress.at < text.n) {
        struct reader r = {.text = text, .at = progress.at, .err = err};

        return bad(&r, "expected the end of the document");
    }
    *out_node = node;
    return 0;
}
