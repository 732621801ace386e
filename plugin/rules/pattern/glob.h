/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/glob: patterns with * (any text, also none) and ? (one character) over a whole
 * text.
 *
 * Layer: rules. Everything else stands for itself; there are no brackets and no escapes. Characters
 * are those of UTF-8. Patterns are valid UTF-8 (the reader sees to it); in a text a byte that
 * belongs to no valid character counts as one. Linear in the text for patterns with one *, at worst
 * the product of both lengths, which the step budget bounds.
 */
#ifndef GR_RULES_GLOB_H
#define GR_RULES_GLOB_H

#include "base/str.h"
#include "rules/truth.h"

/* True or false; error when *steps, which is counted down, ran out. Both texts are borrowed. */
enum gr_truth gr_glob_match(struct gr_str pattern, struct gr_str text, uint64_t *steps);

static inline bool gr_glob_is_wild(char c)
{
    return c == '*' || c == '?';
}

/* Length of the text before the first wildcard, or the whole length when there is none. */
static inline size_t gr_glob_literal_prefix(struct gr_str pattern)
{
    size_t n = 0;

    while (n < pattern.n && !gr_glob_is_wild(pattern.p[n]))
        n++;
    return n;
}

/* Length of the text behind the last wildcard. */
static inline size_t gr_glob_literal_suffix(struct gr_str pattern)
{
    size_t n = 0;

    while (n < pattern.n && !gr_glob_is_wild(pattern.p[pattern.n - 1 - n]))
        n++;
    return n;
}

#endif
