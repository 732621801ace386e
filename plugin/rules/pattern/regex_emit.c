/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_emit: the tree as a pattern of PCRE2.
 *
 * Layer: rules. Nothing is left to PCRE2's own reading of the dialect: \d, \s and $ mean other
 * things there, so that classes are written out, ends of text are \A and \z, and every sign is
 * escaped. The dot means any character (PCRE2_DOTALL). There are no captures, so that a
 * backtracking point has a fixed size.
 */
#include "base/utf8.h"
#include "rules/pattern/regex_parse.h"

static bool is_alnum(uint32_t rune)
{
    return (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') ||
           (rune >= 'a' && rune <= 'z');
}

static void emit_rune(uint32_t rune, struct gr_buf *out)
{
    if (is_alnum(rune))
        (void)gr_buf_byte(out, (uint8_t)rune);
    else
        (void)gr_buf_printf(out, "\\x{%x}", rune);
}

static void emit_runes(struct gr_str text, struct gr_buf *out)
{
    while (text.n > 0) {
        uint32_t rune = 0;

        text = gr_str_skip(text, gr_utf8_next(text, &rune));
        emit_rune(rune, out);
    }
}

/* A range without the surrogates, which PCRE2 refuses by name and no text holds; false: empty. */
static bool cut_surrogates(const struct gr_regex_item *item, uint32_t *lo, uint32_t *hi)
{
    *lo = item->lo >= 0xD800 && item->lo <= 0xDFFF ? 0xE000 : item->lo;
    *hi = item->hi >= 0xD800 && item->hi <= 0xDFFF ? 0xD7FF : item->hi;
    return *lo <= *hi;
}

static bool has_members(const struct gr_regex_node *class)
{
    uint32_t lo;
    uint32_t hi;

    for (const struct gr_regex_item *item = class->items; item; item = item->next) {
        if (item->property || cut_surrogates(item, &lo, &hi))
            return true;
    }
    return false;
}

static void emit_class(const struct gr_regex_node *class, struct gr_buf *out)
{
    if (!has_members(class)) {
        (void)gr_buf_text(out, class->negated ? "." : "(?!)");
        return;
    }
    (void)gr_buf_text(out, class->negated ? "[^" : "[");
    for (const struct gr_regex_item *item = class->items; item; item = item->next) {
        uint32_t lo;
        uint32_t hi;

        if (item->property) {
            (void)gr_buf_printf(out, "\\%c{%s}", item->negated ? 'P' : 'p', item->property);
            continue;
        }
        if (!cut_surrogates(item, &lo, &hi))
            continue;
        emit_rune(lo, out);
        if (lo == hi)
            continue;
        (void)gr_buf_byte(out, '-');
        emit_rune(hi, out);
    }
    (void)gr_buf_byte(out, ']');
}

/* One item of PCRE2's, to which a quantifier can be put. */
static bool is_atom(const struct gr_regex_node *node)
{
    if (node->kind == GR_REGEX_LITERAL)
        return gr_utf8_next(node->text, NULL) == node->text.n;
    return node->kind == GR_REGEX_ANY || node->kind == GR_REGEX_ANY_NOT_NL ||
           (node->kind == GR_REGEX_CLASS && (has_members(node) || node->negated));
}

static void emit_quantifier(const struct gr_regex_node *repeat, struct gr_buf *out)
{
    if (repeat->max == GR_REGEX_NO_MAX && repeat->min <= 1)
        (void)gr_buf_byte(out, repeat->min == 0 ? '*' : '+');
    else if (repeat->max == GR_REGEX_NO_MAX)
        (void)gr_buf_printf(out, "{%u,}", repeat->min);
    else
        (void)gr_buf_printf(out, "{%u,%u}", repeat->min, repeat->max);
    if (repeat->lazy)
        (void)gr_buf_byte(out, '?');
}

static void emit_repeat(const struct gr_regex_node *repeat, struct gr_buf *out)
{
    const struct gr_regex_node *child = repeat->first;
    bool is_folded_atom = is_atom(child) && child->fold;

    if (repeat->max == 0)
        return;
    if (is_folded_atom) {
        /* The quantifier inside: repeating a group costs a backtracking point for every turn. */
        (void)gr_buf_text(out, "(?i:");
        emit_runes(child->text, out);
    } else if (is_atom(child)) {
        gr_regex_emit(child, out);
    } else {
        (void)gr_buf_text(out, "(?:");
        gr_regex_emit(child, out);
        (void)gr_buf_byte(out, ')');
    }
    emit_quantifier(repeat, out);
    if (is_folded_atom)
        (void)gr_buf_byte(out, ')');
}

static void emit_alternatives(const struct gr_regex_node *node, struct gr_buf *out)
{
    (void)gr_buf_text(out, "(?:");
    for (const struct gr_regex_node *child = node->first; child; child = child->next) {
        gr_regex_emit(child, out);
        (void)gr_buf_byte(out, child->next ? '|' : ')');
    }
}

void gr_regex_emit(const struct gr_regex_node *node, struct gr_buf *out)
{
    switch (node->kind) {
    case GR_REGEX_EMPTY:
        return;
    case GR_REGEX_LITERAL:
        (void)gr_buf_text(out, node->fold ? "(?i:" : "");
        emit_runes(node->text, out);
        (void)gr_buf_text(out, node->fold ? ")" : "");
        return;
    case GR_REGEX_CLASS:
        emit_class(node, out);
        return;
    case GR_REGEX_ANY:
        (void)gr_buf_byte(out, '.');
        return;
    case GR_REGEX_ANY_NOT_NL:
        (void)gr_buf_text(out, "[^\\x{a}]");
        return;
    case GR_REGEX_BEGIN_TEXT:
        (void)gr_buf_text(out, "\\A");
        return;
    case GR_REGEX_END_TEXT:
        (void)gr_buf_text(out, "\\z");
        return;
    case GR_REGEX_BEGIN_LINE:
        (void)gr_buf_text(out, "(?m:^)");
        return;
    case GR_REGEX_END_LINE:
        (void)gr_buf_text(out, "(?m:$)");
        return;
    case GR_REGEX_WORD_BOUNDARY:
        (void)gr_buf_text(out, "\\b");
        return;
    case GR_REGEX_NO_WORD_BOUNDARY:
        (void)gr_buf_text(out, "\\B");
        return;
    case GR_REGEX_CONCAT:
        for (const struct gr_regex_node *child = node->first; child; child = child->next)
            gr_regex_emit(child, out);
        return;
    case GR_REGEX_ALTERNATE:
        emit_alternatives(node, out);
        return;
    case GR_REGEX_REPEAT:
        emit_repeat(node, out);
        return;
    }
}
