/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "base/word.h"

static bool is_tail(unsigned char byte)
{
    return (byte & 0xC0U) == 0x80U;
}

size_t gr_utf8_next(struct gr_str s, uint32_t *out_rune)
{
    const unsigned char *p = (const unsigned char *)s.p;
    uint32_t rune;
    size_t n;

    if (s.n == 0)
        return 0;
    if (p[0] < 0x80) {
        rune = p[0];
        n = 1;
    } else if (p[0] >= 0xC2 && p[0] < 0xE0 && s.n >= 2 && is_tail(p[1])) {
        rune = ((uint32_t)(p[0] & 0x1FU) << 6) | (p[1] & 0x3FU);
        n = 2;
    } else if (p[0] >= 0xE0 && p[0] < 0xF0 && s.n >= 3 && is_tail(p[1]) && is_tail(p[2])) {
        rune = ((uint32_t)(p[0] & 0x0FU) << 12) | ((uint32_t)(p[1] & 0x3FU) << 6) | (p[2] & 0x3FU);
        if (rune < 0x800 || (rune >= 0xD800 && rune < 0xE000))
            return 0;
        n = 3;
    } else if (p[0] >= 0xF0 && p[0] < 0xF5 && s.n >= 4 && is_tail(p[1]) && is_tail(p[2]) &&
               is_tail(p[3])) {
        rune = ((uint32_t)(p[0] & 0x07U) << 18) | ((uint32_t)(p[1] & 0x3FU) << 12) |
               ((uint32_t)(p[2] & 0x3FU) << 6) | (p[3] & 0x3FU);
        if (rune < 0x10000 || rune > 0x10FFFF)
            return 0;
        n = 4;
    } else {
        return 0;
    }
    if (out_rune)
        *out_rune = rune;
    return n;
}

size_t gr_utf8_ascii_prefix(struct gr_str s)
{
    size_t at = 0;

    while (s.n - at >= sizeof(uint64_t) && !(gr_word_at(s.p + at) & GR_WORD_HIGH_BITS))
        at += sizeof(uint64_t);
    while (at < s.n && (unsigned char)s.p[at] < 0x80)
        at++;
    return at;
}

size_t gr_utf8_put(uint32_t rune, char out_bytes[4])
{
    static const uint8_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, rune >>= 6)
        out_bytes[i] = (char)(0x80 | (rune & 0x3F));
    out_bytes[0] = (char)(leads[n - 1] | rune);
    return n;
}

size_t gr_utf8_valid_prefix(struct gr_str s)
{
    size_t at = gr_utf8_ascii_prefix(s);

    while (at < s.n) {
        size_t n = gr_utf8_next(gr_str_skip(s, at), NULL);

        if (n == 0)
            return at;
        at += n;
        at += gr_utf8_ascii_prefix(gr_str_skip(s, at));
    }
    return at;
}

static inline uint64_t nul_or_not_ascii(uint64_t word)
{
    return (word & GR_WORD_HIGH_BITS) | gr_word_zeros(word);
}

bool gr_utf8_is_clean(struct gr_str s)
{
    return gr_words_pass(s, nul_or_not_ascii) ||
           (gr_str_find(s, '\0') == s.n && gr_utf8_is_valid(s));
}

bool gr_utf8_is_control(uint32_t rune)
{
    return rune < 0x20 || (rune >= 0x7F && rune < 0xA0) || rune == 0x2028 || rune == 0x2029;
}

bool gr_utf8_is_plain(uint32_t rune)
{
    bool turns = rune == 0x061C || rune == 0x200E || rune == 0x200F ||
                 (rune >= 0x202A && rune <= 0x202E) || (rune >= 0x2066 && rune <= 0x2069);

    return !gr_utf8_is_control(rune) && !turns;
}

/* Whether s is the beginning of a character that was cut off, as far as its bytes tell. */
static bool is_cut(struct gr_str s)
{
    static const char *const tails[] = {"\x80\x80\x80", "\xbf\xbf\xbf"};

    for (size_t i = 0; i < GR_ARRAY_LEN(tails); i++) {
        char whole[8] = {0};

        if (s.n >= 4)
            return false;
        memcpy(whole, s.p, s.n);
        memcpy(whole + s.n, tails[i], 3);
        if (gr_utf8_next((struct gr_str){.p = whole, .n = s.n + 3}, NULL) > s.n)
            return true;
    }
    return false;
}

void gr_utf8_make_printable(char *text)
{
    struct gr_str rest = {.p = text, .n = strlen(text)};
    char *to = text;

    while (rest.n > 0) {
        uint32_t rune = 0;
        size_t n;

        if (rest.p[0] >= ' ' && rest.p[0] <= '~') { /* nearly always */
            *to++ = rest.p[0];
            rest = gr_str_skip(rest, 1);
            continue;
        }
        n = gr_utf8_next(rest, &rune);
        if (n == 0 && is_cut(rest))
            break;
        if (n == 0 || !gr_utf8_is_plain(rune)) {
            *to++ = '?';
            n = GR_MAX(n, (size_t)1);
        } else {
            memmove(to, rest.p, n);
            to += n;
        }
        rest = gr_str_skip(rest, n);
    }
    *to = '\0';
}
