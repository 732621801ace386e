/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/word: looking at eight bytes of a text at once.
 *
 * Layer: base. A test takes a word and returns one that is not 0 where a byte of it does not pass;
 * it must let ASCII letters pass.
 */
#ifndef GR_BASE_WORD_H
#define GR_BASE_WORD_H

#include "base/str.h"

#define GR_WORD_ONES UINT64_C(0x0101010101010101)
#define GR_WORD_HIGH_BITS (GR_WORD_ONES * 0x80)

static inline uint64_t gr_word_at(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

/* High bits where a byte is 0. Bytes above one that is may have one, too. */
static inline uint64_t gr_word_zeros(uint64_t word)
{
    return (word - GR_WORD_ONES) & ~word & GR_WORD_HIGH_BITS;
}

/* Whether all bytes of the text pass. */
static inline bool gr_words_pass(struct gr_str text, uint64_t (*test)(uint64_t word))
{
    uint64_t word = GR_WORD_ONES * 'a';

    if (text.n < sizeof(word)) {
        if (text.n > 0)
            memcpy(&word, text.p, text.n);
        return test(word) == 0;
    }
    for (size_t at = 0; at + sizeof(word) < text.n; at += sizeof(word)) {
        if (test(gr_word_at(text.p + at)))
            return false;
    }
    return test(gr_word_at(text.p + text.n - sizeof(word))) == 0;
}

#endif
