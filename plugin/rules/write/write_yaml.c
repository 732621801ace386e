/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/write/write_yaml: quoting and layout. Recursion goes as deep as the tree.
 *
 * Layer: rules.
 */
#include "rules/write/write_yaml.h"

#include <stdio.h>

#include "base/utf8.h"
#include "rules/read/yaml.h"

/* What fits up to here stands on one line. */
#define LINE_CHARS 96

#define INDENT 2

/* Does not fit. */
#define TOO_WIDE 1000

enum style {
    STYLE_PLAIN,
    STYLE_SINGLE, /* 'as it is, with '' for ' */
    STYLE_DOUBLE, /* "with \escapes" */
    STYLE_BLOCK,  /* |, the lines as they are */
};

/* ---- the tree ---- */

struct gr_out *gr_out_root(struct gr_out_tree *tree)
{
    struct gr_out *root = gr_arena_alloc(&tree->arena, sizeof(*root));

    if (root)
        *root = (struct gr_out){.kind = GR_OUT_MAP, .open = true};
    else
        tree->failed = true;
    return root;
}

struct gr_out *gr_out_add_keyed(struct gr_out_tree *tree, struct gr_out *parent, struct gr_str key,
                                enum gr_out_kind kind)
{
    struct gr_out *node = parent ? gr_arena_alloc(&tree->arena, sizeof(*node)) : NULL;

    if (!node) {
        tree->failed = true;
        return NULL;
    }
    node->kind = kind;
    node->key = key;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->n++;
    return node;
}

struct gr_out *gr_out_add(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                          enum gr_out_kind kind)
{
    return gr_out_add_keyed(tree, parent, gr_str_from(key), kind);
}

void gr_out_text(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                 struct gr_str text)
{
    struct gr_out *node = gr_out_add(tree, parent, key, GR_OUT_TEXT);

    if (node)
        node->text = text;
}

void gr_out_word(struct gr_out_tree *tree, struct gr_out *parent, const char *key, const char *word)
{
    struct gr_out *node = gr_out_add(tree, parent, key, GR_OUT_BARE);

    if (node)
        node->text = gr_str_from(word);
}

static void add_digits(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                       const char *digits)
{
    char *copy = gr_arena_copy(&tree->arena, gr_str_from(digits));

    if (copy)
        gr_out_word(tree, parent, key, copy);
    else
        tree->failed = true;
}

void gr_out_number(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                   uint64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    add_digits(tree, parent, key, digits);
}

void gr_out_integer(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                    int64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%lld", (long long)number);
    add_digits(tree, parent, key, digits);
}

/* ---- quoting ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *characters)
{
    return c != '\0' && strchr(characters, c) != NULL;
}

/* Digits at the beginning make a number, a date or a time for somebody, unless a letter stands
 * behind them that no number has. */
static bool looks_like_number(struct gr_str text)
{
    size_t first = is_one_of(text.p[0], "+-.");

    if (first >= text.n || !is_digit(text.p[first]))
        return false;
    for (size_t i = first; i < text.n; i++) {
        if (is_letter(text.p[i]) && !is_one_of(text.p[i], "abcdefABCDEFoOtTxXzZ"))
            return false;
    }
    return true;
}

/* Nobody could take it for anything but this text, also in [] and {}. */
static bool is_plain(struct gr_str text, bool is_key)
{
    bool has_word = false;

    if (text.n == 0 || gr_yaml_plain_type(text) != GR_YAML_TEXT || looks_like_number(text))
        return false;
    if (!is_letter(text.p[0]) && !is_digit(text.p[0]) && !is_one_of(text.p[0], "/_.-"))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        char next = i + 1 < text.n ? text.p[i + 1] : '\0';

        has_word |= is_letter(c) || is_digit(c);
        if (c == ':' && (is_key || !(is_letter(next) || is_digit(next) || next == '/')))
            return false;
        if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "/_.-:@+="))
            return false;
    }
    return has_word;
}

static bool needs_escape(uint32_t rune)
{
    return !gr_utf8_is_plain(rune) || rune == 0xFEFF || rune == 0xFFFE || rune == 0xFFFF;
}

/* Lines that can stand as they are behind "|". */
static bool is_block(struct gr_str text)
{
    size_t end = text.n;

    while (end > 0 && text.p[end - 1] == '\n')
        end--;
    return end > 0 && text.n - end <= 1 && gr_str_find(text, '\n') < text.n &&
           !is_one_of(text.p[0], " \t\n");
}

static enum style style_of(struct gr_str text, bool is_key)
{
    bool lines = false;

    if (is_plain(text, is_key))
        return STYLE_PLAIN;
    for (struct gr_str rest = text; rest.n > 0;) {
        uint32_t rune = 0;
        size_t n = gr_utf8_next(rest, &rune);

        if (rune == '\n' || rune == '\t')
            lines = true;
        else if (needs_escape(rune))
            return STYLE_DOUBLE;
        rest = gr_str_skip(rest, GR_MAX(n, (size_t)1));
    }
    if (!lines)
        return STYLE_SINGLE;
    return !is_key && is_block(text) ? STYLE_BLOCK : STYLE_DOUBLE;
}

static void print_single(struct gr_str text, struct gr_buf *out)
{
    (void)gr_buf_byte(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            (void)gr_buf_byte(out, '\'');
        (void)gr_buf_byte(out, (uint8_t)text.p[i]);
    }
    (void)gr_buf_byte(out, '\'');
}

static void print_double(struct gr_str text, struct gr_buf *out)
{
    (void)gr_buf_byte(out, '"');
    while (text.n > 0) {
        uint32_t rune = 0;
        size_t n = gr_utf8_next(text, &rune);

        if (rune == '"' || rune == '\\')
            (void)gr_buf_printf(out, "\\%c", (int)rune);
        else if (rune == '\n' || rune == '\t')
            (void)gr_buf_text(out, rune == '\n' ? "\\n" : "\\t");
        else if (needs_escape(rune))
            (void)gr_buf_printf(out, rune > 0xFFFF ? "\\U%08X" : "\\u%04X", rune);
        else
            (void)gr_buf_str(out, gr_str_first(text, n));
        text = gr_str_skip(text, GR_MAX(n, (size_t)1));
    }
    (void)gr_buf_byte(out, '"');
}

static void print_spaces(size_t n, struct gr_buf *out)
{
    while (n-- > 0)
        (void)gr_buf_byte(out, ' ');
}

static void print_block(struct gr_str text, size_t indent, struct gr_buf *out)
{
    bool ended = text.p[text.n - 1] == '\n';

    (void)gr_buf_text(out, ended ? "|" : "|-");
    if (ended)
        text.n--;
    for (;;) {
        size_t n = gr_str_find(text, '\n');

        (void)gr_buf_byte(out, '\n');
        if (n > 0)
            print_spaces(indent, out);
        (void)gr_buf_str(out, gr_str_first(text, n));
        if (n == text.n)
            return;
        text = gr_str_skip(text, n + 1);
    }
}

/* indent: of the lines of a block. */
static void print_text(struct gr_str text, bool is_key, size_t indent, struct gr_buf *out)
{
    switch (style_of(text, is_key)) {
    case STYLE_PLAIN:
        (void)gr_buf_str(out, text);
        break;
    case STYLE_SINGLE:
        print_single(text, out);
        break;
    case STYLE_DOUBLE:
        print_double(text, out);
        break;
    case STYLE_BLOCK:
        print_block(text, indent, out);
        break;
    }
}

/* ---- layout ---- */

/* About how many characters a text takes on a line. */
static size_t text_width(struct gr_str text, bool is_key)
{
    enum style style = text.n > TOO_WIDE ? STYLE_BLOCK : style_of(text, is_key);
    size_t width = style == STYLE_PLAIN ? 0 : 2;

    if (style == STYLE_BLOCK)
        return TOO_WIDE;
    for (size_t i = 0; i < text.n; i++)
        width += ((unsigned char)text.p[i] & 0xC0U) != 0x80U;
    return width;
}

/* The same of a node, at most TOO_WIDE. */
static size_t width_of(const struct gr_out *node)
{
    size_t width = 2;

    if (node->kind == GR_OUT_TEXT)
        return text_width(node->text, false);
    if (node->kind == GR_OUT_BARE)
        return node->text.n;
    if (node->open)
        return TOO_WIDE;
    for (const struct gr_out *child = node->first; child && width < TOO_WIDE; child = child->next) {
        width += width_of(child) + 2;
        if (node->kind == GR_OUT_MAP)
            width += text_width(child->key, true) + 2;
    }
    return GR_MIN(width, (size_t)TOO_WIDE);
}

static void print_inline(const struct gr_out *node, size_t indent, struct gr_buf *out)
{
    bool is_map = node->kind == GR_OUT_MAP;

    if (node->kind == GR_OUT_TEXT) {
        print_text(node->text, false, indent, out);
        return;
    }
    if (node->kind == GR_OUT_BARE) {
        (void)gr_buf_str(out, node->text);
        return;
    }
    (void)gr_buf_byte(out, is_map ? '{' : '[');
    for (const struct gr_out *child = node->first; child; child = child->next) {
        if (is_map) {
            print_text(child->key, true, indent, out);
            (void)gr_buf_text(out, ": ");
        }
        print_inline(child, indent, out);
        if (child->next)
            (void)gr_buf_text(out, ", ");
    }
    (void)gr_buf_byte(out, is_map ? '}' : ']');
}

static bool is_inline(const struct gr_out *node, size_t column)
{
    if (node->kind == GR_OUT_TEXT || node->kind == GR_OUT_BARE)
        return true;
    return column + width_of(node) <= LINE_CHARS;
}

static void print_list(const struct gr_out *list, size_t indent, struct gr_buf *out);

/* The entries, each on lines of its own; the first one begins where the text stands. */
static void print_map(const struct gr_out *map, size_t indent, struct gr_buf *out)
{
    for (const struct gr_out *child = map->first; child; child = child->next) {
        size_t column = indent + text_width(child->key, true) + 2;

        if (child != map->first)
            print_spaces(indent, out);
        print_text(child->key, true, indent, out);
        (void)gr_buf_byte(out, ':');
        if (is_inline(child, column)) {
            (void)gr_buf_byte(out, ' ');
            print_inline(child, indent + INDENT, out);
            (void)gr_buf_byte(out, '\n');
            continue;
        }
        (void)gr_buf_byte(out, '\n');
        if (child->kind == GR_OUT_LIST) {
            print_list(child, indent + INDENT, out);
        } else {
            print_spaces(indent + INDENT, out);
            print_map(child, indent + INDENT, out);
        }
    }
}

static void print_list(const struct gr_out *list, size_t indent, struct gr_buf *out)
{
    for (const struct gr_out *child = list->first; child; child = child->next) {
        print_spaces(indent, out);
        (void)gr_buf_text(out, "- ");
        if (is_inline(child, indent + INDENT) || child->kind != GR_OUT_MAP) {
            print_inline(child, indent + INDENT, out);
            (void)gr_buf_byte(out, '\n');
        } else {
            print_map(child, indent + INDENT, out);
        }
    }
}

int gr_out_print(const struct gr_out *root, struct gr_buf *out)
{
    print_map(root, 0, out);
    return out->broken;
}
