/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_parse: the tree of an expression in RE2's syntax.
 *
 * Layer: rules. What is accepted is what Go's regexp/syntax accepts with the flags Perl; flags such
 * as (?i) are resolved here, so that every node stands for itself. From the tree come the pattern
 * that PCRE2 matches (regex_emit), what every match holds (regex_literals) and what matching costs
 * (regex_cost). Everything lives in the arena given to gr_regex_parse.
 *
 * Truth: Go's regexp/syntax/parse.go; compared with it by tests/peer/regexp.
 */
#ifndef GR_RULES_REGEX_PARSE_H
#define GR_RULES_REGEX_PARSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "rules/pattern/regex.h"

#define GR_RUNE_MAX 0x10FFFFU

/* The max of a repetition without end. */
#define GR_REGEX_NO_MAX UINT32_MAX

enum gr_regex_kind {
    GR_REGEX_EMPTY,      /* matches the empty text */
    GR_REGEX_LITERAL,    /* text, with fold in any case */
    GR_REGEX_ANY,        /* one character */
    GR_REGEX_ANY_NOT_NL, /* one character that is no line feed */
    GR_REGEX_CLASS,      /* one character of items, or with negated of none */
    GR_REGEX_BEGIN_TEXT,
    GR_REGEX_END_TEXT,
    GR_REGEX_BEGIN_LINE,
    GR_REGEX_END_LINE,
    GR_REGEX_WORD_BOUNDARY,
    GR_REGEX_NO_WORD_BOUNDARY,
    GR_REGEX_CONCAT,    /* first, then what follows it in its chain; two or more */
    GR_REGEX_ALTERNATE, /* any of the chain; two or more */
    GR_REGEX_REPEAT,    /* first, min to max times */
};

/* A part of a class: a range, or a property as PCRE2 writes it. */
struct gr_regex_item {
    struct gr_regex_item *next;
    uint32_t lo, hi;
    const char *property; /* NULL: the range; else such as "sc:Greek"; lives for ever */
    bool negated;         /* of the property */
};

struct gr_regex_node {
    enum gr_regex_kind kind;
    struct gr_regex_node *next;  /* in the chain of a concatenation or alternation */
    struct gr_regex_node *first; /* children */
    struct gr_str text;          /* literal, valid UTF-8 */
    bool fold;                   /* literal: in any case */
    bool negated;
    struct gr_regex_item *items;
    uint32_t min, max;
    bool lazy;
};

/*
 * Returns 0; -EINVAL after filling err (code "bad-regex", err->column is the number of the
 * character in text, from 1); -ENOMEM. *out_root lives in arena and borrows nothing.
 */
GR_CHECKED int gr_regex_parse(struct gr_arena *arena, struct gr_str text,
                              struct gr_regex_node **out_root, struct gr_err *err);

/*
 * For a search: drops what a match need not have at its ends, since x*y is found where y is found.
 * In place. Saves the matcher from trying every length of x at every place.
 */
void gr_regex_trim(struct gr_regex_node *root);

/* Whether every match begins (ends) where the text does. */
bool gr_regex_begins_text(const struct gr_regex_node *node);
bool gr_regex_ends_text(const struct gr_regex_node *node);

/* Appends the PCRE2 pattern of the tree to out; failures show in out->broken. */
void gr_regex_emit(const struct gr_regex_node *node, struct gr_buf *out);

/*
 * What every text that matches the tree must have; is_search: the match may lie anywhere in the
 * text. *out_complete: the text matches exactly when it is one of the exacts. Texts live in arena.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_regex_find_literals(struct gr_arena *arena, const struct gr_regex_node *root,
                                      bool is_search, struct gr_regex_literals *out_literals,
                                      bool *out_complete);

/* What matching costs, in quarters of a step; see regex_cost.c. */
struct gr_regex_cost {
    uint64_t count;    /* the work that PCRE2 does at most between two counts of its match limit */
    uint64_t scan;     /* per byte that it may look at without counting; 0: it never does */
    uint64_t frames;   /* backtracking points at most, or GR_REGEX_NO_MAX */
    uint64_t compiled; /* estimate of the compiled size, in bytes */
};

struct gr_regex_cost gr_regex_cost_of(const struct gr_regex_node *node);

#endif
