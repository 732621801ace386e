/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two pointers and one place to come back to: behind the last *, which then takes one character
 * more. An earlier * never needs to be tried again, since the later one can take whatever it would
 * give up.
 */
#include "rules/pattern/glob.h"

#include "base/utf8.h"
#include "rules/steps.h"

/* Decoding a character that is no ASCII costs about as much as so many steps (measured). */
#define WIDE_STEPS 3

/* Bytes of the character at a place; 0 when the steps are used up. */
static size_t character(struct gr_str text, size_t at, uint64_t *steps)
{
    size_t n;

    if ((unsigned char)text.p[at] < 0x80)
        return 1;
    if (!gr_steps_take(steps, WIDE_STEPS))
        return 0;
    n = gr_utf8_next(gr_str_skip(text, at), NULL);
    return n ? n : 1;
}

/*
 * The next place at or after from where a text that begins with the character at pattern.p[p] can
 * begin; text.n when there is none.
 */
static size_t candidate(struct gr_str pattern, size_t p, struct gr_str text, size_t from)
{
    if (p == pattern.n)
        return text.n;
    if (gr_glob_is_wild(pattern.p[p]))
        return from;
    return from + gr_str_find(gr_str_skip(text, from), pattern.p[p]);
}

enum gr_truth gr_glob_match(struct gr_str pattern, struct gr_str text, uint64_t *steps)
{
    size_t p = 0;
    size_t t = 0;
    size_t back_p = 0; /* behind the last *; 0: there was none */
    size_t back_t = 0;

    for (;;) {
        if (!gr_steps_take(steps, 1))
            return GR_ERROR;
        if (p < pattern.n && pattern.p[p] == '*') {
            back_p = ++p;
            back_t = t;
        } else if (t < text.n && p < pattern.n && pattern.p[p] == '?') {
            size_t n = character(text, t, steps);

            if (n == 0)
                return GR_ERROR;
            t += n;
            p++;
            continue;
        } else if (t < text.n && p < pattern.n && pattern.p[p] == text.p[t]) {
            t++;
            p++;
            continue;
        } else if (t == text.n && p == pattern.n) {
            return GR_TRUE;
        } else if (back_p == 0 || back_t >= text.n) {
            return GR_FALSE;
        } else {
            size_t n = character(text, back_t, steps);

            if (n == 0)
                return GR_ERROR;
            back_t += n;
        }
        /* The * has taken everything up to back_t: go on where the rest can begin. */
        t = candidate(pattern, back_p, text, back_t);
        if (!gr_steps_take(steps, gr_steps_of_bytes(t - back_t)))
            return GR_ERROR;
        back_t = t;
        p = back_p;
    }
}
