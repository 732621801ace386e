/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_literals: what every text that matches must have.
 *
 * Layer: rules. For each node: the texts it matches, when they are few (exacts; assertions count as
 * the empty text, so that the list may be too long but never too short), and what each of its
 * matches begins with, ends with and holds. Parts that match in any case say nothing, unless they
 * have no case.
 */
#include <errno.h>

#include "base/utf8.h"
#include "rules/pattern/regex_parse.h"

/* Longer literals are cut, which keeps them true; an exact one is given up. */
#define TEXT_MAX_BYTES 256

/* What is known of the matches of a node. */
struct known {
    struct gr_str exacts[GR_REGEX_EXACTS_MAX];
    size_t exacts_n; /* 0: not a short list */
    bool asserts;    /* not every one of exacts need match */
    struct gr_str prefix;
    struct gr_str suffix;
    struct gr_str inner;
};

static struct gr_str cut_end(struct gr_str text, size_t n)
{
    n = GR_MIN(n, text.n);
    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    return gr_str_first(text, n);
}

static struct gr_str cut_begin(struct gr_str text, size_t n)
{
    size_t skip = text.n - GR_MIN(n, text.n);

    while (skip < text.n && ((unsigned char)text.p[skip] & 0xC0) == 0x80)
        skip++;
    return gr_str_skip(text, skip);
}

static struct gr_str common_prefix(struct gr_str a, struct gr_str b)
{
    size_t n = 0;

    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return cut_end(a, n);
}

static struct gr_str common_suffix(struct gr_str a, struct gr_str b)
{
    size_t n = 0;

    while (n < a.n && n < b.n && a.p[a.n - 1 - n] == b.p[b.n - 1 - n])
        n++;
    return cut_begin(a, n);
}

static void longest(struct gr_str *best, struct gr_str text)
{
    if (text.n > best->n)
        *best = cut_end(text, TEXT_MAX_BYTES);
}

/* a and b in one; false without memory. */
static bool join(struct gr_arena *arena, struct gr_str a, struct gr_str b, struct gr_str *out)
{
    char *text;

    if (a.n == 0 || b.n == 0) {
        *out = a.n == 0 ? b : a;
        return true;
    }
    text = gr_arena_alloc(arena, a.n + b.n);
    if (!text)
        return false;
    memcpy(text, a.p, a.n);
    memcpy(text + a.n, b.p, b.n);
    *out = (struct gr_str){text, a.n + b.n};
    return true;
}

static struct known known_text(struct gr_str text)
{
    struct known known = {.prefix = cut_end(text, TEXT_MAX_BYTES),
                          .suffix = cut_begin(text, TEXT_MAX_BYTES),
                          .inner = cut_end(text, TEXT_MAX_BYTES)};

    if (text.n <= TEXT_MAX_BYTES) {
        known.exacts[0] = text;
        known.exacts_n = 1;
    }
    return known;
}

/* What the exacts say by themselves. */
static void from_exacts(struct known *known)
{
    known->prefix = known->exacts[0];
    known->suffix = known->exacts[0];
    for (size_t i = 1; i < known->exacts_n; i++) {
        known->prefix = common_prefix(known->prefix, known->exacts[i]);
        known->suffix = common_suffix(known->suffix, known->exacts[i]);
    }
    known->inner = known->prefix.n >= known->suffix.n ? known->prefix : known->suffix;
}

static bool has_case(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c >= 0x80 || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            return true;
    }
    return false;
}

/* A class of few characters below U+0800 is a list of texts. */
static int know_class(struct gr_arena *arena, const struct gr_regex_node *node, struct known *known)
{
    *known = (struct known){0};
    if (node->negated || !node->items)
        return 0;
    for (const struct gr_regex_item *item = node->items; item; item = item->next) {
        if (item->property || item->hi >= 0x800 ||
            item->hi - item->lo >= GR_REGEX_EXACTS_MAX - known->exacts_n) {
            *known = (struct known){0};
            return 0;
        }
        for (uint32_t rune = item->lo; rune <= item->hi; rune++) {
            char bytes[4];
            struct gr_str text = {bytes, gr_utf8_put(rune, bytes)};

            if (!gr_arena_str(arena, text, &known->exacts[known->exacts_n++]))
                return -ENOMEM;
        }
    }
    from_exacts(known);
    return 0;
}

/* Every one of a's exacts before every one of b's; none when there are too many. */
static int join_exacts(struct gr_arena *arena, const struct known *a, const struct known *b,
                       struct known *out)
{
    size_t n = a->exacts_n * b->exacts_n;

    out->exacts_n = 0;
    if (n == 0 || n > GR_REGEX_EXACTS_MAX)
        return 0;
    for (size_t i = 0; i < n; i++) {
        struct gr_str x = a->exacts[i / b->exacts_n];
        struct gr_str y = b->exacts[i % b->exacts_n];

        if (x.n + y.n > TEXT_MAX_BYTES)
            return 0;
        if (!join(arena, x, y, &out->exacts[i]))
            return -ENOMEM;
    }
    out->exacts_n = n;
    return 0;
}

/* a becomes what is known of a followed by b. */
static int know_both(struct gr_arena *arena, struct known *a, const struct known *b)
{
    struct known both = {.asserts = a->asserts || b->asserts, .inner = a->inner};
    struct gr_str middle = GR_STR_NONE;
    int r = join_exacts(arena, a, b, &both);

    if (r != 0)
        return r;
    if (!join(arena, a->suffix, b->prefix, &middle))
        return -ENOMEM;
    both.prefix = a->prefix;
    both.suffix = b->suffix;
    if (a->exacts_n == 1 && !join(arena, a->exacts[0], b->prefix, &both.prefix))
        return -ENOMEM;
    if (b->exacts_n == 1 && !join(arena, a->suffix, b->exacts[0], &both.suffix))
        return -ENOMEM;
    both.prefix = cut_end(both.prefix, TEXT_MAX_BYTES);
    both.suffix = cut_begin(both.suffix, TEXT_MAX_BYTES);
    longest(&both.inner, b->inner);
    longest(&both.inner, middle);
    longest(&both.inner, both.prefix);
    longest(&both.inner, both.suffix);
    *a = both;
    return 0;
}

/* a becomes what is known of either. */
static void know_either(struct known *a, const struct known *b)
{
    bool few =
        a->exacts_n > 0 && b->exacts_n > 0 && a->exacts_n + b->exacts_n <= GR_REGEX_EXACTS_MAX;

    a->prefix = common_prefix(a->prefix, b->prefix);
    a->suffix = common_suffix(a->suffix, b->suffix);
    if (!gr_str_eq(a->inner, b->inner))
        a->inner = a->prefix.n >= a->suffix.n ? a->prefix : a->suffix;
    a->asserts = a->asserts || b->asserts;
    for (size_t i = 0; few && i < b->exacts_n; i++)
        a->exacts[a->exacts_n + i] = b->exacts[i];
    a->exacts_n = few ? a->exacts_n + b->exacts_n : 0;
}

static int know(struct gr_arena *arena, const struct gr_regex_node *node, struct known *known);

static int know_chain(struct gr_arena *arena, const struct gr_regex_node *node, struct known *known)
{
    int r = know(arena, node->first, known);

    for (const struct gr_regex_node *child = node->first->next; r == 0 && child;
         child = child->next) {
        struct known next;

        r = know(arena, child, &next);
        if (r != 0)
            return r;
        if (node->kind == GR_REGEX_ALTERNATE)
            know_either(known, &next);
        else
            r = know_both(arena, known, &next);
    }
    return r;
}

/* Matches the empty text only. */
static bool is_blank(const struct known *known)
{
    return known->exacts_n == 1 && known->exacts[0].n == 0;
}

static int know_repeat(struct gr_arena *arena, const struct gr_regex_node *node,
                       struct known *known)
{
    struct known one;
    int r;

    *known = known_text(GR_STR_NONE);
    if (node->max == 0)
        return 0;
    r = know(arena, node->first, &one);
    if (r != 0)
        return r;
    if (node->min == 0) {
        if (node->max == 1)
            know_either(known, &one);
        else
            *known = (struct known){0};
        return 0;
    }
    *known = one;
    /* Further turns only while they can say more. */
    for (uint32_t i = 1; r == 0 && i < node->min && known->exacts_n > 0 && !is_blank(&one); i++)
        r = know_both(arena, known, &one);
    if (node->max != node->min)
        known->exacts_n = 0;
    return r;
}

/* Depth: that of the tree. */
static int know(struct gr_arena *arena, const struct gr_regex_node *node, struct known *known)
{
    switch (node->kind) {
    case GR_REGEX_EMPTY:
        *known = known_text(GR_STR_NONE);
        return 0;
    case GR_REGEX_LITERAL:
        *known = (struct known){0};
        if (!node->fold || !has_case(node->text))
            *known = known_text(node->text);
        return 0;
    case GR_REGEX_ANY:
    case GR_REGEX_ANY_NOT_NL:
        *known = (struct known){0};
        return 0;
    case GR_REGEX_CLASS:
        return know_class(arena, node, known);
    case GR_REGEX_BEGIN_TEXT:
    case GR_REGEX_END_TEXT:
    case GR_REGEX_BEGIN_LINE:
    case GR_REGEX_END_LINE:
    case GR_REGEX_WORD_BOUNDARY:
    case GR_REGEX_NO_WORD_BOUNDARY:
        *known = known_text(GR_STR_NONE);
        known->asserts = true;
        return 0;
    case GR_REGEX_CONCAT:
    case GR_REGEX_ALTERNATE:
        return know_chain(arena, node, known);
    case GR_REGEX_REPEAT:
        return know_repeat(arena, node, known);
    }
    return 0;
}

int gr_regex_find_literals(struct gr_arena *arena, const struct gr_regex_node *root, bool is_search,
                           struct gr_regex_literals *out_literals, bool *out_complete)
{
    bool begins = !is_search || gr_regex_begins_text(root);
    bool ends = !is_search || gr_regex_ends_text(root);
    struct known known;
    int r = know(arena, root, &known);

    if (r != 0)
        return r;
    *out_literals = (struct gr_regex_literals){.inner = known.inner};
    if (begins)
        out_literals->prefix = known.prefix;
    if (ends)
        out_literals->suffix = known.suffix;
    if (begins && ends) {
        memcpy(out_literals->exacts, known.exacts, sizeof(known.exacts));
        out_literals->exacts_n = known.exacts_n;
    }
    *out_complete = out_literals->exacts_n > 0 && !known.asserts && !is_search;
    return 0;
}
