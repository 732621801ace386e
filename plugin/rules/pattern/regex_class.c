/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_class: escapes, and classes in brackets and of one letter.
 *
 * Layer: rules. The other cases of what is written are added here, so that a class stands for
 * itself. A negated \W and its kind inside a class is written as ranges.
 */
#include <errno.h>

#include "base/utf8.h"
#include "rules/read/findings.h"
#include "rules/pattern/regex_syntax.h"

struct group {
    const char *name;
    const char *ranges; /* pairs of first and last characters, in order */
    size_t n;           /* bytes of ranges */
};
#define GROUP(name, ranges)              \
    {                                    \
        name, ranges, sizeof(ranges) - 1 \
    }

static const struct group perl_groups[] = {
    GROUP("d", "09"),
    GROUP("s", "\t\n\f\r  "),
    GROUP("w", "09AZ__az"),
};

static const struct group posix_groups[] = {
    GROUP("alnum", "09AZaz"),
    GROUP("alpha", "AZaz"),
    GROUP("ascii", "\0\x7f"),
    GROUP("blank", "\t\t  "),
    GROUP("cntrl", "\0\x1f\x7f\x7f"),
    GROUP("digit", "09"),
    GROUP("graph", "!~"),
    GROUP("lower", "az"),
    GROUP("print", " ~"),
    GROUP("punct", "!/:@[`{~"),
    GROUP("space", "\t\r  "),
    GROUP("upper", "AZ"),
    GROUP("word", "09AZ__az"),
    GROUP("xdigit", "09AFaf"),
};

static int add_item(struct gr_regex_cursor *c, struct gr_regex_node *class,
                    struct gr_regex_item item)
{
    struct gr_regex_item *copy = gr_arena_alloc(c->arena, sizeof(*copy));

    if (!copy)
        return -ENOMEM;
    *copy = item;
    copy->next = class->items;
    class->items = copy;
    return 0;
}

int gr_regex_add_range(struct gr_regex_cursor *c, struct gr_regex_node *class, uint32_t lo,
                       uint32_t hi)
{
    return add_item(c, class, (struct gr_regex_item){.lo = lo, .hi = hi});
}

/* A range as it was written. */
static int add_written(struct gr_regex_cursor *c, struct gr_regex_node *class, uint32_t lo,
                       uint32_t hi)
{
    int r = gr_regex_add_range(c, class, lo, hi);

    return r == 0 && (c->flags & GR_REGEX_FOLD) ? gr_regex_add_cases(c, class, lo, hi) : r;
}

/* What the items do not hold, as further items of class; the items are ranges. */
static int add_complement(struct gr_regex_cursor *c, struct gr_regex_node *class,
                          const struct gr_regex_item *items)
{
    uint32_t lo = 0;

    while (lo <= GR_RUNE_MAX) {
        uint32_t next = GR_RUNE_MAX + 1; /* the nearest item's begin, from lo on */
        uint32_t past = lo;              /* the end of what holds lo */
        int r;

        for (const struct gr_regex_item *item = items; item; item = item->next) {
            if (item->lo <= lo && item->hi >= past)
                past = item->hi + 1;
            else if (item->lo > lo && item->lo < next)
                next = item->lo;
        }
        if (past > lo) {
            lo = past;
            continue;
        }
        r = gr_regex_add_range(c, class, lo, next - 1);
        if (r != 0)
            return r;
        lo = next;
    }
    return 0;
}

static int add_group(struct gr_regex_cursor *c, struct gr_regex_node *class,
                     const struct group *group, bool negated)
{
    struct gr_regex_node parts = {0};
    struct gr_regex_node *to = negated ? &parts : class;

    for (size_t i = 0; i < group->n; i += 2) {
        int r = add_written(c, to, (unsigned char)group->ranges[i],
                            (unsigned char)group->ranges[i + 1]);

        if (r != 0)
            return r;
    }
    return negated ? add_complement(c, class, parts.items) : 0;
}

static const struct group *find_group(const struct group *groups, size_t n, struct gr_str name)
{
    for (size_t i = 0; i < n; i++) {
        if (gr_str_is(name, groups[i].name))
            return &groups[i];
    }
    return NULL;
}

/* \d and its kind, if the cursor is at one; NULL if not. */
static const struct group *take_perl_group(struct gr_regex_cursor *c, bool *out_negated)
{
    const struct group *group;
    char letter = gr_regex_peek(c, 1);
    char lower = letter >= 'A' && letter <= 'Z' ? (char)(letter + 0x20) : letter;

    if (gr_regex_peek(c, 0) != '\\')
        return NULL;
    group = find_group(perl_groups, GR_ARRAY_LEN(perl_groups), (struct gr_str){&lower, 1});
    if (!group)
        return NULL;
    *out_negated = lower != letter;
    c->at += 2;
    return group;
}

static int add_property(struct gr_regex_cursor *c, struct gr_regex_node *class, size_t at,
                        struct gr_str name, bool negated)
{
    struct gr_regex_property property;
    bool folds = c->flags & GR_REGEX_FOLD;
    struct gr_regex_node parts = {0};
    struct gr_regex_node *to = class;
    struct gr_str more;
    int r;

    if (!gr_regex_find_property(name, &property))
        return gr_regex_refuse(c, at,
                               "\"%s\" is no Unicode property that is known here; known are "
                               "categories such as L, Lu and Nd and scripts such as Greek",
                               gr_show(name).text);
    more = gr_str_from(folds ? property.folds : "");
    if (folds && (property.is_cased || (property.name && negated && more.n > 0)))
        return gr_regex_refuse(c, at,
                               "\\p{%s} is not supported here under (?i), which would change what "
                               "it holds; take it out of the brackets, or write (?-i:…) around it",
                               gr_show(name).text);
    if (property.name) {
        r = add_item(c, class,
                     (struct gr_regex_item){.property = property.name,
                                            .negated = negated != property.negated});
    } else {
        to = negated ? &parts : class;
        r = gr_regex_add_range(c, to, 0, property.hi);
    }
    while (r == 0 && more.n > 0) {
        uint32_t rune = 0;

        more = gr_str_skip(more, gr_utf8_next(more, &rune));
        r = gr_regex_add_range(c, to, rune, rune);
    }
    return r == 0 && to == &parts ? add_complement(c, class, parts.items) : r;
}

/* \pN, \p{Greek}, \P{^Greek}; the cursor is at the backslash. */
static int take_property(struct gr_regex_cursor *c, struct gr_str *out_name, bool *out_negated)
{
    size_t at = c->at;
    struct gr_str name;
    size_t end;

    *out_negated = gr_regex_peek(c, 1) == 'P';
    c->at += 2;
    if (gr_regex_done(c))
        return gr_regex_refuse(c, at, "expected a property behind this, such as \\p{Greek}");
    if (gr_regex_peek(c, 0) == '{') {
        c->at++;
        name = gr_regex_rest(c);
        end = gr_str_find(name, '}');
        if (end == name.n)
            return gr_regex_refuse(c, at, "this \\p{ is never closed by }");
        name = gr_str_first(name, end);
        c->at += end + 1;
    } else {
        name = gr_regex_rest(c);
        (void)gr_regex_take(c);
        name = gr_str_first(name, name.n - (c->text.n - c->at));
    }
    if (name.n > 0 && name.p[0] == '^') {
        *out_negated = !*out_negated;
        name = gr_str_skip(name, 1);
    }
    *out_name = name;
    return 0;
}

static bool is_property(const struct gr_regex_cursor *c)
{
    return gr_regex_peek(c, 0) == '\\' &&
           (gr_regex_peek(c, 1) == 'p' || gr_regex_peek(c, 1) == 'P');
}

int gr_regex_class_escape(struct gr_regex_cursor *c, struct gr_regex_node *out_node, bool *out_is)
{
    size_t at = c->at;
    const struct group *group;
    struct gr_str name;
    int r;

    *out_is = true;
    out_node->kind = GR_REGEX_CLASS;
    group = take_perl_group(c, &out_node->negated);
    if (group)
        return add_group(c, out_node, group, false);
    *out_is = is_property(c);
    if (!*out_is)
        return 0;
    r = take_property(c, &name, &out_node->negated);
    return r ? r : add_property(c, out_node, at, name, false);
}

/* [:alpha:] inside brackets, if the cursor is at one: *out_is says so. */
static int take_posix(struct gr_regex_cursor *c, struct gr_regex_node *class, bool *out_is)
{
    struct gr_str name = gr_str_skip(gr_regex_rest(c), 2);
    const struct group *group;
    const char *end = NULL;
    bool negated;

    *out_is = false;
    if (gr_regex_peek(c, 0) == '[' && gr_regex_peek(c, 1) == ':' && name.n > 0)
        end = memmem(name.p, name.n, ":]", 2);
    if (!end)
        return 0;
    *out_is = true;
    name = gr_str_first(name, (size_t)(end - name.p));
    negated = name.n > 0 && name.p[0] == '^';
    group =
        find_group(posix_groups, GR_ARRAY_LEN(posix_groups), negated ? gr_str_skip(name, 1) : name);
    if (!group)
        return gr_regex_refuse(c, c->at,
                               "\"[:%s:]\" is no class; known are alnum, alpha, ascii, blank, "
                               "cntrl, digit, graph, lower, print, punct, space, upper, word and "
                               "xdigit",
                               gr_show(name).text);
    c->at += name.n + 4;
    return add_group(c, class, group, negated);
}

static int refuse_open_class(struct gr_regex_cursor *c, size_t open)
{
    return gr_regex_refuse(c, open, "this [ is never closed; for the character itself write \\[");
}

static int take_class_rune(struct gr_regex_cursor *c, size_t open, uint32_t *out_rune)
{
    if (gr_regex_done(c))
        return refuse_open_class(c, open);
    if (gr_regex_peek(c, 0) == '\\')
        return gr_regex_escape(c, out_rune);
    *out_rune = gr_regex_take(c);
    return 0;
}

static int take_range(struct gr_regex_cursor *c, struct gr_regex_node *class, size_t open)
{
    size_t at = c->at;
    uint32_t lo = 0;
    uint32_t hi;
    int r = take_class_rune(c, open, &lo);

    if (r != 0)
        return r;
    hi = lo;
    if (gr_regex_peek(c, 0) == '-' && c->text.n - c->at >= 2 && gr_regex_peek(c, 1) != ']') {
        c->at++;
        r = take_class_rune(c, open, &hi);
        if (r != 0)
            return r;
        if (hi < lo)
            return gr_regex_refuse(c, at, "this range ends before it begins; turn it round");
    }
    return add_written(c, class, lo, hi);
}

static int take_member(struct gr_regex_cursor *c, struct gr_regex_node *class, size_t open)
{
    size_t at = c->at;
    const struct group *group;
    struct gr_str name;
    bool negated = false;
    bool is_posix;
    int r = take_posix(c, class, &is_posix);

    if (r != 0 || is_posix)
        return r;
    if (is_property(c)) {
        r = take_property(c, &name, &negated);
        return r ? r : add_property(c, class, at, name, negated);
    }
    group = take_perl_group(c, &negated);
    if (group)
        return add_group(c, class, group, negated);
    return take_range(c, class, open);
}

int gr_regex_class(struct gr_regex_cursor *c, struct gr_regex_node *out_node)
{
    size_t open = c->at++;
    bool first = true; /* ] is a member here */

    *out_node = (struct gr_regex_node){.kind = GR_REGEX_CLASS};
    if (gr_regex_peek(c, 0) == '^') {
        out_node->negated = true;
        c->at++;
    }
    for (; first || gr_regex_peek(c, 0) != ']'; first = false) {
        int r;

        if (gr_regex_done(c))
            return refuse_open_class(c, open);
        r = take_member(c, out_node, open);
        if (r != 0)
            return r;
    }
    c->at++;
    return 0;
}
