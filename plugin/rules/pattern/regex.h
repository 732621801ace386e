/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex: regular expressions in RE2's syntax, matched by PCRE2 within the step
 * budget.
 *
 * Layer: rules. Syntax as Go's regexp and so as oci-hooks(5) has it: no back references, no
 * look-around, repetition up to 1,000. Characters are those of UTF-8. What RE2 refuses is refused
 * with the column in the expression. A result never depends on luck: an expression that cannot be
 * matched within the steps that are left is an error, never "no match".
 */
#ifndef GR_RULES_REGEX_H
#define GR_RULES_REGEX_H

#include "base/arena.h"
#include "base/err.h"
#include "rules/truth.h"

struct gr_regex;

/*
 * search: any part of the text may match; else the whole text must. The result lives in the arena
 * and borrows nothing; it may be used by several threads at once.
 * Returns 0; -EINVAL after filling err (code "bad-regex"; err->column is the number of the
 * character in text, from 1): not RE2's syntax, over GR_PATTERN_MAX_BYTES, or too large when
 * compiled; -ENOMEM.
 */
GR_CHECKED int gr_regex_compile(struct gr_arena *arena, struct gr_str text, bool search,
                                const struct gr_regex **out_regex, struct gr_err *err);

bool gr_regex_is_search(const struct gr_regex *regex);

/*
 * True or false; error when *steps, which is counted down, ran out, when the match would have to
 * return to more than GR_REGEX_FRAMES_MAX points, when text is no UTF-8, or without memory. text is
 * borrowed.
 */
enum gr_truth gr_regex_match(const struct gr_regex *regex, struct gr_str text, uint64_t *steps);

#define GR_REGEX_EXACTS_MAX 16

/*
 * What a text that matches must have, for the index. Every list that is given is true of every
 * match; nothing given says nothing. Texts live with the regex. Letters under (?i) are in none
 * of them.
 */
struct gr_regex_literals {
    struct gr_str exacts[GR_REGEX_EXACTS_MAX]; /* the text is one of these */
    size_t exacts_n;
    struct gr_str prefix; /* it begins so; n == 0: nothing known */
    struct gr_str suffix;
    struct gr_str inner; /* the longest text that it holds somewhere */
};

/* Lives as long as the regex. */
const struct gr_regex_literals *gr_regex_literals(const struct gr_regex *regex);

#endif
