/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/ocihooks_json: a bounded reader of JSON (RFC 8259) that keeps places and equal keys.
 *
 * Layer: rules. jansson keeps neither: of equal keys it keeps one, at the place of the first, so
 * that "the last one wins" cannot be told for {"Hook": 1, "hook": 2, "Hook": 3}; a value has no
 * line; and one number of config.json beyond 64 bits makes it refuse the file. Recursion goes as
 * deep as GR_YAML_DEPTH_MAX.
 */
#include "rules/ocihooks_parts.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "rules/limits.h"

#define REPLACEMENT 0xFFFDU

struct reader {
    struct gr_decoder *d;
    struct gr_arena *nodes;
    struct gr_str text;
    size_t at;
    size_t nodes_n;
    unsigned int depth;
    /* A place that was asked for; the next one lies behind it. */
    size_t mark_at;
    struct gr_place mark;
};

static int read_value(struct reader *r, struct gr_yaml_node *node);

static struct gr_place place_at(struct reader *r, size_t at)
{
    while (r->mark_at < at) {
        char c = r->text.p[r->mark_at];
        bool crlf = c == '\r' && r->mark_at + 1 < r->text.n && r->text.p[r->mark_at + 1] == '\n';
        size_t n = gr_utf8_next(gr_str_skip(r->text, r->mark_at), NULL);

        if (c == '\n' || (c == '\r' && !crlf)) {
            r->mark.line++;
            r->mark.column = 1;
        } else if (!crlf) {
            r->mark.column++;
        }
        r->mark_at += GR_MAX(n, (size_t)1);
    }
    return r->mark;
}

static char peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : '\0';
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->text.n && (r->text.p[r->at] == ' ' || r->text.p[r->at] == '\t' ||
                                 r->text.p[r->at] == '\n' || r->text.p[r->at] == '\r'))
        r->at++;
}

/* What stands at the present place, for "found …". */
static struct gr_described found(const struct reader *r)
{
    struct gr_described described;
    struct gr_str rest = gr_str_skip(r->text, r->at);
    struct gr_str first = gr_str_first(rest, GR_MAX(gr_utf8_next(rest, NULL), (size_t)1));

    if (rest.n == 0)
        (void)snprintf(described.text, sizeof(described.text), "the end of the file");
    else if (rest.p[0] == '/' || rest.p[0] == '#')
        (void)snprintf(described.text, sizeof(described.text), "%c (JSON has no comments)",
                       rest.p[0]);
    else if (rest.p[0] == '\'')
        (void)snprintf(described.text, sizeof(described.text), "' (JSON takes double quotes only)");
    else
        (void)snprintf(described.text, sizeof(described.text), "%s", gr_show(first).text);
    return described;
}

static int refuse_syntax(struct reader *r, const char *expected)
{
    return gr_decode_refuse(r->d, place_at(r, r->at), "json-syntax", "expected %s, found %s",
                            expected, found(r).text);
}

static int new_node(struct reader *r, struct gr_yaml_node **out_node)
{
    struct gr_yaml_node *node;

    if (r->nodes_n++ == GR_YAML_NODES_MAX)
        return gr_decode_refuse(r->d, place_at(r, r->at), "too-many-nodes",
                                "this file has more than %d keys and values; remove what no hook "
                                "needs",
                                GR_YAML_NODES_MAX);
    node = gr_arena_alloc(r->nodes, sizeof(*node));
    if (!node)
        return -ENOMEM;
    *out_node = node;
    return 0;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Four digits at an offset; false when they are none. */
static bool read_hex(const struct reader *r, size_t at, uint32_t *out_unit)
{
    uint32_t unit = 0;

    if (at + 4 > r->text.n)
        return false;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(r->text.p[at + i]);

        if (digit < 0)
            return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    *out_unit = unit;
    return true;
}

static size_t put_rune(char *out, uint32_t rune)
{
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xC0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3F));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xE0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3F));
        out[2] = (char)(0x80 | (rune & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3F));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3F));
    out[3] = (char)(0x80 | (rune & 0x3F));
    return 4;
}

/* Behind "\u". Half a pair stands for no character: U+FFFD, as encoding/json has it. */
static int read_unicode(struct reader *r, uint32_t *out_rune)
{
    uint32_t low = 0;

    if (!read_hex(r, r->at, out_rune))
        return refuse_syntax(r, "four hexadecimal digits behind \\u");
    r->at += 4;
    if (*out_rune < 0xD800 || *out_rune > 0xDFFF)
        return 0;
    if (*out_rune < 0xDC00 && gr_str_has_prefix(gr_str_skip(r->text, r->at), GR_STR("\\u")) &&
        read_hex(r, r->at + 2, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        r->at += 6;
        *out_rune = 0x10000 + ((*out_rune - 0xD800) << 10) + (low - 0xDC00);
    } else {
        *out_rune = REPLACEMENT;
    }
    return 0;
}

/* r->at is behind the backslash. */
static int read_escape(struct reader *r, uint32_t *out_rune)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const char *name = r->at < r->text.n ? strchr(names, r->text.p[r->at]) : NULL;

    if (name && *name) {
        *out_rune = (unsigned char)values[name - names];
        r->at++;
        return 0;
    }
    if (peek(r) != 'u')
        return refuse_syntax(r, "one of \" \\ / b f n r t u behind a backslash");
    r->at++;
    return read_unicode(r, out_rune);
}

/* Where the string that is open at r->at ends, or the end of the text. */
static size_t find_close(const struct reader *r)
{
    size_t at = r->at;

    while (at < r->text.n && r->text.p[at] != '"')
        at += r->text.p[at] == '\\' ? 2 : 1;
    return GR_MIN(at, r->text.n);
}

/* r->at is at the opening quote. */
static int read_string(struct reader *r, struct gr_str *out)
{
    size_t open = r->at++;
    size_t close = find_close(r);
    char *copy;
    size_t n = 0;

    if (close == r->text.n) {
        r->at = open;
        return gr_decode_refuse(r->d, place_at(r, open), "json-syntax",
                                "this text never ends; add the closing double quote");
    }
    copy = gr_arena_alloc(r->nodes, close - open);
    if (!copy)
        return -ENOMEM;
    while (r->at < close) {
        uint32_t rune = (unsigned char)r->text.p[r->at++];
        int result = 0;

        if (rune < 0x20) {
            r->at--;
            return gr_decode_refuse(r->d, place_at(r, r->at), "json-syntax",
                                    "a line break or tab must not stand in a text; write \\n or "
                                    "\\t");
        }
        if (rune != '\\') {
            copy[n++] = (char)rune;
            continue;
        }
        result = read_escape(r, &rune);
        if (result)
            return result;
        if (rune == 0)
            return gr_decode_refuse(r->d, place_at(r, open), "control-character",
                                    "this text holds a NUL byte (\\u0000), which no hook can be "
                                    "given; remove it");
        n += put_rune(copy + n, rune);
    }
    r->at = close + 1;
    copy[n] = '\0';
    *out = (struct gr_str){.p = copy, .n = n};
    return 0;
}

/* ---- numbers and words ---- */

static size_t skip_digits(const struct reader *r, size_t at)
{
    while (at < r->text.n && r->text.p[at] >= '0' && r->text.p[at] <= '9')
        at++;
    return at;
}

/* The end of a number; the same offset when there is none. */
static size_t number_end(const struct reader *r)
{
    size_t begin = r->at + (peek(r) == '-');
    size_t at = skip_digits(r, begin);
    size_t end;

    if (at == begin)
        return r->at;
    if (r->text.p[begin] == '0')
        at = begin + 1; /* no further digit belongs to it */
    if (at < r->text.n && r->text.p[at] == '.') {
        end = skip_digits(r, at + 1);
        if (end == at + 1)
            return r->at;
        at = end;
    }
    if (at < r->text.n && (r->text.p[at] == 'e' || r->text.p[at] == 'E')) {
        at++;
        at += at < r->text.n && (r->text.p[at] == '+' || r->text.p[at] == '-');
        end = skip_digits(r, at);
        if (end == at)
            return r->at;
        at = end;
    }
    return at;
}

static int read_plain(struct reader *r, struct gr_yaml_node *node)
{
    static const char *const words[] = {"null", "true", "false"};
    size_t end = number_end(r);

    for (size_t i = 0; i < GR_ARRAY_LEN(words) && end == r->at; i++) {
        if (gr_str_has_prefix(gr_str_skip(r->text, r->at), gr_str_from(words[i])))
            end = r->at + strlen(words[i]);
    }
    if (end == r->at)
        return refuse_syntax(r, "a value: a text in double quotes, a number, true, false, null, "
                                "[…] or {…}");
    node->plain = true;
    if (!gr_arena_str(r->nodes, gr_str_first(gr_str_skip(r->text, r->at), end - r->at),
                      &node->text))
        return -ENOMEM;
    r->at = end;
    return 0;
}

/* ---- lists and objects ---- */

static int read_key(struct reader *r, struct gr_yaml_node *child)
{
    int result;

    if (peek(r) != '"')
        return refuse_syntax(r, "a key in double quotes");
    child->key_at = place_at(r, r->at);
    result = read_string(r, &child->key);
    if (result)
        return result;
    skip_blanks(r);
    if (peek(r) != ':')
        return refuse_syntax(r, "a colon behind the key");
    r->at++;
    skip_blanks(r);
    return 0;
}

/* The elements behind the opening bracket, up to and with the closing one. */
static int read_children(struct reader *r, struct gr_yaml_node *node, char close)
{
    struct gr_yaml_node **last = &node->first;
    bool keyed = close == '}';

    skip_blanks(r);
    if (peek(r) == close) {
        r->at++;
        return 0;
    }
    for (;;) {
        struct gr_yaml_node *child = NULL;
        int result = new_node(r, &child);

        if (result == 0 && keyed)
            result = read_key(r, child);
        if (result == 0)
            result = read_value(r, child);
        if (result)
            return result;
        *last = child;
        last = &child->next;
        node->n++;
        skip_blanks(r);
        if (peek(r) == close)
            break;
        if (peek(r) != ',')
            return refuse_syntax(r,
                                 keyed ? "a comma or the closing }" : "a comma or the closing ]");
        r->at++;
        skip_blanks(r);
        if (peek(r) == close)
            return refuse_syntax(r, "another element behind the comma (JSON allows no comma "
                                    "behind the last one)");
    }
    r->at++;
    return 0;
}

static int read_value(struct reader *r, struct gr_yaml_node *node)
{
    char c = peek(r);
    int result;

    node->at = place_at(r, r->at);
    node->kind = GR_YAML_SCALAR;
    if (c == '"')
        return read_string(r, &node->text);
    if (c != '[' && c != '{')
        return read_plain(r, node);
    if (r->depth == GR_YAML_DEPTH_MAX)
        return gr_decode_refuse(r->d, node->at, "too-deep",
                                "lists and objects are nested more than %d deep here",
                                GR_YAML_DEPTH_MAX);
    node->kind = c == '[' ? GR_YAML_LIST : GR_YAML_MAPPING;
    r->at++;
    r->depth++;
    result = read_children(r, node, c == '[' ? ']' : '}');
    r->depth--;
    return result;
}

int gr_ocihooks_json(struct gr_decoder *d, struct gr_arena *nodes, struct gr_str text,
                     const struct gr_yaml_node **out_root)
{
    struct reader r = {.d = d, .nodes = nodes, .text = text, .mark = {.line = 1, .column = 1}};
    struct gr_yaml_node *root = NULL;
    int result;

    if (!gr_yaml_check_text(text, d->findings)) {
        d->bad = true;
        return GR_DECODE_REFUSED;
    }
    skip_blanks(&r);
    result = new_node(&r, &root);
    if (result == 0)
        result = read_value(&r, root);
    if (result)
        return result;
    skip_blanks(&r);
    if (r.at < text.n)
        return refuse_syntax(&r, "the end of the file behind the one JSON value");
    *out_root = root;
    return 0;
}
