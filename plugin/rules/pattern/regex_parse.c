/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_parse: groups, alternatives, repetition and single characters.
 *
 * Layer: rules. One level per open group in a fixed array, so that the stack does not grow with the
 * input. A repetition applies to the node before it in its level; flag groups make no node, as in
 * Go, so that a(?i)* repeats a.
 */
#include "rules/pattern/regex_parse.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/pattern/regex_syntax.h"

/* A chain of nodes that grows at its end. */
struct chain {
    struct gr_regex_node *first, *last;
    size_t n;
};

struct level {
    struct chain alternatives; /* those before the last | */
    struct chain nodes;        /* of the alternative that is being read */
    unsigned flags;            /* to which its closing parenthesis returns */
    size_t at;                 /* of its opening parenthesis */
};

struct parser {
    struct gr_regex_cursor c;
    struct level levels[GR_REGEX_DEPTH_MAX + 1];
    size_t depth;
    size_t repeat_at;  /* where the repetition before the cursor began */
    bool after_repeat; /* the cursor is right behind a repetition */
};

uint32_t gr_regex_take(struct gr_regex_cursor *c)
{
    uint32_t rune = 0;

    c->at += gr_utf8_next(gr_regex_rest(c), &rune);
    return rune;
}

int gr_regex_refuse(struct gr_regex_cursor *c, size_t at, const char *format, ...)
{
    struct gr_str before = gr_str_first(c->text, at);
    uint32_t column = 1;
    char text[400];
    va_list args;

    for (; before.n > 0; column++)
        before = gr_str_skip(before, gr_utf8_next(before, NULL));
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    gr_err_at(c->err, NULL, 0, column);
    return gr_fail(c->err, -EINVAL, "bad-regex",
                   "the expression is refused at its character %u: %s", column, text);
}

static void append(struct chain *chain, struct gr_regex_node *node)
{
    if (chain->last)
        chain->last->next = node;
    else
        chain->first = node;
    chain->last = node;
    chain->n++;
}

/* A new node at the end of the open alternative; NULL without memory. */
static struct gr_regex_node *add(struct parser *p, enum gr_regex_kind kind)
{
    struct gr_regex_node *node = gr_arena_alloc(p->c.arena, sizeof(*node));

    if (!node)
        return NULL;
    node->kind = kind;
    append(&p->levels[p->depth].nodes, node);
    return node;
}

static int add_literal(struct parser *p, uint32_t rune)
{
    bool is_surrogate = rune >= 0xD800 && rune <= 0xDFFF;
    /* No text holds a surrogate: a class without members. */
    struct gr_regex_node *node = add(p, is_surrogate ? GR_REGEX_CLASS : GR_REGEX_LITERAL);
    char bytes[4];
    size_t n;

    if (!node)
        return -ENOMEM;
    if (is_surrogate)
        return 0;
    node->fold = p->c.flags & GR_REGEX_FOLD;
    n = gr_utf8_put(rune, bytes);
    return gr_arena_str(p->c.arena, (struct gr_str){bytes, n}, &node->text) ? 0 : -ENOMEM;
}

static int add_assertion(struct parser *p, enum gr_regex_kind kind, size_t bytes)
{
    p->c.at += bytes;
    return add(p, kind) ? 0 : -ENOMEM;
}

/* Neighbouring literals of one kind become one, in place. */
static int merge_literals(struct gr_arena *arena, struct chain *chain)
{
    chain->n = 0;
    for (struct gr_regex_node *node = chain->first; node; node = node->next, chain->n++) {
        struct gr_regex_node *end = node;
        size_t n = 0;
        char *text;

        chain->last = node;
        for (; end && end->kind == GR_REGEX_LITERAL && end->fold == node->fold; end = end->next)
            n += end->text.n;
        if (n == node->text.n)
            continue;
        text = gr_arena_alloc(arena, n);
        if (!text)
            return -ENOMEM;
        n = 0;
        for (struct gr_regex_node *part = node; part != end; part = part->next) {
            memcpy(text + n, part->text.p, part->text.n);
            n += part->text.n;
        }
        node->text = (struct gr_str){text, n};
        node->next = end;
    }
    return 0;
}

/* One node for a chain; of several, one of the kind. */
static struct gr_regex_node *as_node(struct gr_arena *arena, const struct chain *chain,
                                     enum gr_regex_kind kind)
{
    struct gr_regex_node *node = chain->first;

    if (chain->n == 1)
        return node;
    node = gr_arena_alloc(arena, sizeof(*node));
    if (!node)
        return NULL;
    node->kind = chain->n == 0 ? GR_REGEX_EMPTY : kind;
    node->first = chain->first;
    return node;
}

/* Ends the alternative that is being read. */
static int close_alternative(struct parser *p)
{
    struct level *level = &p->levels[p->depth];
    struct gr_regex_node *node;
    int r = merge_literals(p->c.arena, &level->nodes);

    if (r != 0)
        return r;
    node = as_node(p->c.arena, &level->nodes, GR_REGEX_CONCAT);
    if (!node)
        return -ENOMEM;
    append(&level->alternatives, node);
    level->nodes = (struct chain){0};
    return 0;
}

static int open_group(struct parser *p, size_t at, unsigned flags)
{
    if (p->depth == GR_REGEX_DEPTH_MAX)
        return gr_regex_refuse(&p->c, at,
                               "groups are nested deeper than %d; take some of them apart",
                               GR_REGEX_DEPTH_MAX);
    p->levels[++p->depth] = (struct level){.flags = p->c.flags, .at = at};
    p->c.flags = flags;
    return 0;
}

static int close_group(struct parser *p)
{
    struct gr_regex_node *node;
    int r;

    if (p->depth == 0)
        return gr_regex_refuse(&p->c, p->c.at,
                               "this ) closes no group; for the character itself write \\)");
    r = close_alternative(p);
    if (r != 0)
        return r;
    node = as_node(p->c.arena, &p->levels[p->depth].alternatives, GR_REGEX_ALTERNATE);
    if (!node)
        return -ENOMEM;
    node->next = NULL;
    p->c.flags = p->levels[p->depth].flags;
    p->depth--;
    append(&p->levels[p->depth].nodes, node);
    p->c.at++;
    return 0;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* (?P<name> or (?<name>; skip: the bytes before the name. */
static int open_named(struct parser *p, size_t skip)
{
    size_t at = p->c.at;
    size_t n = skip;

    while (is_alnum(gr_regex_peek(&p->c, n)) || gr_regex_peek(&p->c, n) == '_')
        n++;
    if (n == skip || gr_regex_peek(&p->c, n) != '>')
        return gr_regex_refuse(&p->c, at,
                               "a group's name is letters, digits and _ between < and >");
    p->c.at += n + 1;
    return open_group(p, at, p->c.flags);
}

/* What is wrong with a (? that Go does not know. */
static int refuse_group(struct parser *p, size_t at)
{
    char kind = gr_regex_peek(&p->c, 2);
    char after = gr_regex_peek(&p->c, 3);

    if (kind == '=' || kind == '!')
        return gr_regex_refuse(&p->c, at,
                               "look-ahead is not supported; use a second condition (all: […], "
                               "not: …) instead");
    if (kind == '<' && (after == '=' || after == '!'))
        return gr_regex_refuse(&p->c, at,
                               "look-behind is not supported; use a second condition (all: […], "
                               "not: …) instead");
    if (kind == '>')
        return gr_regex_refuse(&p->c, at, "atomic groups are not supported; write (?:…)");
    if (kind == '#')
        return gr_regex_refuse(&p->c, at,
                               "comments are not supported in expressions; write them "
                               "beside the rule, behind #");
    if (kind == 'P' && (after == '=' || after == '>'))
        return gr_regex_refuse(&p->c, at, "references to groups are not supported");
    return gr_regex_refuse(&p->c, at,
                           "expected (?:…), (?P<name>…), or flags of i, m, s and U such as (?i) "
                           "or (?i-s:…)");
}

static unsigned flag_of(char c)
{
    switch (c) {
    case 'i':
        return GR_REGEX_FOLD;
    case 's':
        return GR_REGEX_DOT_ALL;
    case 'm':
        return GR_REGEX_MULTI_LINE;
    case 'U':
        return GR_REGEX_LAZY;
    default:
        return 0;
    }
}

/* (?flags) and (?flags:; the cursor is at the parenthesis. */
static int parse_flags(struct parser *p)
{
    unsigned flags = p->c.flags;
    size_t at = p->c.at;
    bool clears = false;
    bool saw = true; /* something that may stand before : and ) */
    size_t n = 2;

    for (;; n++) {
        char c = gr_regex_peek(&p->c, n);
        unsigned flag = flag_of(c);

        if (flag) {
            flags = clears ? flags & ~flag : flags | flag;
            saw = true;
        } else if (c == '-' && !clears) {
            clears = true;
            saw = false;
        } else if ((c == ':' || c == ')') && saw) {
            p->c.at += n + 1;
            if (c == ':')
                return open_group(p, at, flags);
            p->c.flags = flags;
            return 0;
        } else {
            return refuse_group(p, at);
        }
    }
}

static int parse_open(struct parser *p)
{
    size_t at = p->c.at;

    if (gr_regex_peek(&p->c, 1) == '*')
        return gr_regex_refuse(&p->c, at + 1,
                               "nothing stands before this * that it could repeat; (*…) commands "
                               "are not supported, for the character itself write \\*");
    if (gr_regex_peek(&p->c, 1) != '?') {
        p->c.at++;
        return open_group(p, at, p->c.flags);
    }
    if (gr_regex_peek(&p->c, 2) == 'P' && gr_regex_peek(&p->c, 3) == '<')
        return open_named(p, 4);
    if (gr_regex_peek(&p->c, 2) == '<' && gr_regex_peek(&p->c, 3) != '=' &&
        gr_regex_peek(&p->c, 3) != '!')
        return open_named(p, 3);
    return parse_flags(p);
}

/* The largest product of counts along the nested repetitions of a tree, as Go computes it; depth:
 * that of groups. */
static uint64_t repeats_of(const struct gr_regex_node *node)
{
    uint64_t most = 1;

    if (node->kind == GR_REGEX_REPEAT && node->max == 0)
        return 1;
    for (const struct gr_regex_node *child = node->first; child; child = child->next)
        most = GR_MAX(most, repeats_of(child));
    if (node->kind == GR_REGEX_REPEAT)
        most *= GR_MAX(node->max == GR_REGEX_NO_MAX ? node->min : node->max, 1U);
    return most;
}

/* Turns the last node of the open alternative into its repetition. The cursor is behind it. */
static int repeat(struct parser *p, size_t at, uint32_t min, uint32_t max, bool counted)
{
    struct gr_regex_node *node = p->levels[p->depth].nodes.last;
    struct gr_regex_node *child;

    if (!node)
        return gr_regex_refuse(&p->c, at,
                               "nothing stands before this %c that it could repeat; for the "
                               "character itself write \\%c",
                               p->c.text.p[at], p->c.text.p[at]);
    if (p->after_repeat)
        return gr_regex_refuse(&p->c, at,
                               "a repetition cannot be repeated like this (possessive forms are "
                               "not supported); put what is repeated into a group, (?:…)%c",
                               p->c.text.p[at]);
    child = gr_arena_alloc(p->c.arena, sizeof(*child));
    if (!child)
        return -ENOMEM;
    *child = *node;
    *node = (struct gr_regex_node){.kind = GR_REGEX_REPEAT,
                                   .first = child,
                                   .min = min,
                                   .max = max,
                                   .lazy = p->c.flags & GR_REGEX_LAZY};
    if (gr_regex_peek(&p->c, 0) == '?') {
        p->c.at++;
        node->lazy = !node->lazy;
    }
    if (counted && (min >= 2 || (max >= 2 && max != GR_REGEX_NO_MAX)) &&
        repeats_of(node) > GR_REGEX_REPEAT_MAX)
        return gr_regex_refuse(&p->c, at, "nested repetitions multiply to more than %d",
                               GR_REGEX_REPEAT_MAX);
    p->after_repeat = true;
    p->repeat_at = at;
    return 0;
}

/* A number without leading zeros; false when there is none. Too large ones stay too large. */
static bool take_number(struct gr_regex_cursor *c, size_t *n, uint32_t *out_number)
{
    size_t start = *n;
    uint32_t number = 0;

    for (; gr_regex_peek(c, *n) >= '0' && gr_regex_peek(c, *n) <= '9'; ++*n)
        number = GR_MIN(number * 10 + (uint32_t)(gr_regex_peek(c, *n) - '0'),
                        (uint32_t)GR_REGEX_REPEAT_MAX + 1);
    *out_number = number;
    return *n > start && (gr_regex_peek(c, start) != '0' || *n == start + 1);
}

/* {2}, {2,} or {2,3}; anything else is the character {, as in Go. */
static int parse_braces(struct parser *p)
{
    size_t at = p->c.at;
    uint32_t min = 0;
    uint32_t max = 0;
    bool good = false;
    size_t n = 1;

    if (take_number(&p->c, &n, &min)) {
        max = min;
        good = true;
        if (gr_regex_peek(&p->c, n) == ',') {
            n++;
            max = GR_REGEX_NO_MAX;
            if (gr_regex_peek(&p->c, n) != '}')
                good = take_number(&p->c, &n, &max);
        }
    }
    if (!good || gr_regex_peek(&p->c, n) != '}') {
        p->c.at++;
        return add_literal(p, '{');
    }
    p->c.at += n + 1;
    if (min > GR_REGEX_REPEAT_MAX || (max > GR_REGEX_REPEAT_MAX && max != GR_REGEX_NO_MAX))
        return gr_regex_refuse(&p->c, at, "a repetition counts at most to %d", GR_REGEX_REPEAT_MAX);
    if (min > max)
        return gr_regex_refuse(&p->c, at, "the larger number comes first; write {%u,%u}", max, min);
    return repeat(p, at, min, max, true);
}

/* \Q…\E: as it stands. */
static int parse_quoted(struct parser *p)
{
    p->c.at += 2;
    while (!gr_regex_done(&p->c)) {
        int r;

        if (gr_regex_peek(&p->c, 0) == '\\' && gr_regex_peek(&p->c, 1) == 'E') {
            p->c.at += 2;
            break;
        }
        r = add_literal(p, gr_regex_take(&p->c));
        if (r != 0)
            return r;
    }
    return 0;
}

static int parse_backslash(struct parser *p)
{
    struct gr_regex_node class = {0};
    struct gr_regex_node *node;
    uint32_t rune = 0;
    bool is_class;
    int r;

    switch (gr_regex_peek(&p->c, 1)) {
    case 'A':
        return add_assertion(p, GR_REGEX_BEGIN_TEXT, 2);
    case 'b':
        return add_assertion(p, GR_REGEX_WORD_BOUNDARY, 2);
    case 'B':
        return add_assertion(p, GR_REGEX_NO_WORD_BOUNDARY, 2);
    case 'z':
        return add_assertion(p, GR_REGEX_END_TEXT, 2);
    case 'Q':
        return parse_quoted(p);
    default:
        break;
    }
    r = gr_regex_class_escape(&p->c, &class, &is_class);
    if (r != 0)
        return r;
    if (!is_class) {
        r = gr_regex_escape(&p->c, &rune);
        return r ? r : add_literal(p, rune);
    }
    node = add(p, GR_REGEX_CLASS);
    if (!node)
        return -ENOMEM;
    *node = class;
    return 0;
}

static int parse_class(struct parser *p)
{
    struct gr_regex_node class = {0};
    struct gr_regex_node *node;
    int r = gr_regex_class(&p->c, &class);

    if (r != 0)
        return r;
    node = add(p, GR_REGEX_CLASS);
    if (!node)
        return -ENOMEM;
    *node = class;
    return 0;
}

static int parse_star(struct parser *p, uint32_t min, uint32_t max)
{
    size_t at = p->c.at++;

    return repeat(p, at, min, max, false);
}

/* What stands at the cursor. */
static int parse_one(struct parser *p)
{
    bool lines = p->c.flags & GR_REGEX_MULTI_LINE;
    int r;

    switch (gr_regex_peek(&p->c, 0)) {
    case '(':
        return parse_open(p);
    case ')':
        return close_group(p);
    case '|':
        r = close_alternative(p);
        p->c.at++;
        return r;
    case '^':
        return add_assertion(p, lines ? GR_REGEX_BEGIN_LINE : GR_REGEX_BEGIN_TEXT, 1);
    case '$':
        return add_assertion(p, lines ? GR_REGEX_END_LINE : GR_REGEX_END_TEXT, 1);
    case '.':
        return add_assertion(p, p->c.flags & GR_REGEX_DOT_ALL ? GR_REGEX_ANY : GR_REGEX_ANY_NOT_NL,
                             1);
    case '[':
        return parse_class(p);
    case '*':
        return parse_star(p, 0, GR_REGEX_NO_MAX);
    case '+':
        return parse_star(p, 1, GR_REGEX_NO_MAX);
    case '?':
        return parse_star(p, 0, 1);
    case '{':
        return parse_braces(p);
    case '\\':
        return parse_backslash(p);
    default:
        return add_literal(p, gr_regex_take(&p->c));
    }
}

static int parse_all(struct parser *p, struct gr_regex_node **out_root)
{
    int r = 0;

    while (!gr_regex_done(&p->c)) {
        size_t before = p->repeat_at;

        r = parse_one(p);
        if (r != 0)
            return r;
        p->after_repeat = p->after_repeat && p->repeat_at != before;
    }
    if (p->depth > 0)
        return gr_regex_refuse(&p->c, p->levels[p->depth].at,
                               "this ( is never closed; for the character itself write \\(");
    r = close_alternative(p);
    if (r != 0)
        return r;
    *out_root = as_node(p->c.arena, &p->levels[0].alternatives, GR_REGEX_ALTERNATE);
    return *out_root ? 0 : -ENOMEM;
}

int gr_regex_parse(struct gr_arena *arena, struct gr_str text, struct gr_regex_node **out_root,
                   struct gr_err *err)
{
    struct gr_regex_cursor cursor = {.arena = arena, .text = text, .err = err};
    size_t valid = gr_utf8_valid_prefix(text);
    struct parser *p;

    if (valid < text.n)
        return gr_regex_refuse(&cursor, valid, "this is no UTF-8; write \\x{…} for a character");
    p = gr_arena_alloc(arena, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->c = cursor;
    p->repeat_at = SIZE_MAX;
    return parse_all(p, out_root);
}
