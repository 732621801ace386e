/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_syntax: what the parts of the parser of expressions share.
 *
 * Layer: rules. Reading goes from left to right by the cursor; a refusal names a place in the
 * expression and what to write instead. Functions return 0, -EINVAL after a refusal, or -ENOMEM.
 */
#ifndef GR_RULES_REGEX_SYNTAX_H
#define GR_RULES_REGEX_SYNTAX_H

#include "rules/pattern/regex_parse.h"

#define GR_REGEX_FOLD 1U       /* (?i) */
#define GR_REGEX_DOT_ALL 2U    /* (?s) */
#define GR_REGEX_MULTI_LINE 4U /* (?m) */
#define GR_REGEX_LAZY 8U       /* (?U) */

struct gr_regex_cursor {
    struct gr_arena *arena;
    struct gr_str text; /* the whole expression, valid UTF-8 */
    size_t at;
    unsigned flags;
    struct gr_err *err;
};

/* The rest of the expression. */
static inline struct gr_str gr_regex_rest(const struct gr_regex_cursor *c)
{
    return gr_str_skip(c->text, c->at);
}

/* The byte at the cursor plus ahead, or 0 behind the end (an expression holds no NUL byte that
 * would mean something). */
static inline char gr_regex_peek(const struct gr_regex_cursor *c, size_t ahead)
{
    return ahead < c->text.n - c->at ? c->text.p[c->at + ahead] : '\0';
}

static inline bool gr_regex_done(const struct gr_regex_cursor *c)
{
    return c->at >= c->text.n;
}

/* Takes one character; the cursor must not be at the end. */
uint32_t gr_regex_take(struct gr_regex_cursor *c);

/* Always -EINVAL. at: the byte of the expression that the text is about. */
int gr_regex_refuse(struct gr_regex_cursor *c, size_t at, const char *format, ...) GR_PRINTF(3, 4);

/* \n, \x{1F}, \. and the like: one character. The cursor is at the backslash. */
GR_CHECKED int gr_regex_escape(struct gr_regex_cursor *c, uint32_t *out_rune);

/* A class in brackets; the cursor is at the opening one. */
GR_CHECKED int gr_regex_class(struct gr_regex_cursor *c, struct gr_regex_node *out_node);

/* \d, \pN and the like, if the cursor is at one: *out_is says so. */
GR_CHECKED int gr_regex_class_escape(struct gr_regex_cursor *c, struct gr_regex_node *out_node,
                                     bool *out_is);

/* Adds a range to the items of a class. Returns 0; -ENOMEM. */
GR_CHECKED int gr_regex_add_range(struct gr_regex_cursor *c, struct gr_regex_node *class,
                                  uint32_t lo, uint32_t hi);

/* Adds the other cases of a range, as far as they lie outside it. Returns 0; -ENOMEM. */
GR_CHECKED int gr_regex_add_cases(struct gr_regex_cursor *c, struct gr_regex_node *class,
                                  uint32_t lo, uint32_t hi);

/* What a property's name means. */
struct gr_regex_property {
    const char *name; /* as PCRE2 writes it; NULL: the range up to hi */
    uint32_t hi;
    bool negated;
    bool is_cased;     /* its characters depend on their case, so that (?i) changes it much */
    const char *folds; /* what (?i) adds, as UTF-8; "" for nothing */
};

/* False when there is no such property. Case, blanks, - and _ do not count. */
bool gr_regex_find_property(struct gr_str name, struct gr_regex_property *out_property);

#endif
