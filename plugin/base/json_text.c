/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of JSON, from and to their escaped form. */
#include "base/json.h"

#include <errno.h>

#include "base/utf8.h"
#include "base/word.h"

#define REPLACEMENT 0xfffdU

static uint32_t hex_value(char c)
{
    if (c >= 'a')
        return (uint32_t)(c - 'a' + 10);
    if (c >= 'A')
        return (uint32_t)(c - 'A' + 10);
    return (uint32_t)(c - '0');
}

/* The four digits behind \u; s begins with the backslash. */
static uint32_t unit_of(struct gr_str s)
{
    return hex_value(s.p[2]) << 12 | hex_value(s.p[3]) << 8 | hex_value(s.p[4]) << 4 |
           hex_value(s.p[5]);
}

/* The character that an escape at the beginning of s stands for; *out_n is its length. */
static uint32_t unescape(struct gr_str s, size_t *out_n)
{
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, s.p[1]);
    uint32_t high, low;

    *out_n = 2;
    if (letter)
        return (uint32_t)meanings[letter - letters];
    if (s.p[1] != 'u')
        return (uint32_t)s.p[1];
    *out_n = 6;
    high = unit_of(s);
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff || !gr_str_has_prefix(gr_str_skip(s, 6), GR_STR("\\u")))
        return REPLACEMENT;
    low = unit_of(gr_str_skip(s, 6));
    if (low < 0xdc00 || low > 0xdfff)
        return REPLACEMENT;
    *out_n = 12;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

bool gr_json_text(struct gr_arena *arena, struct gr_str quoted, struct gr_str *out_text)
{
    struct gr_str in = {.p = quoted.p + 1, .n = quoted.n - 2};
    size_t n = gr_str_find(in, '\\');
    char *to;

    if (n == in.n) {
        *out_text = in;
        return true;
    }
    to = gr_arena_alloc(arena, in.n); /* an escape is longer than what it stands for */
    if (!to)
        return false;
    *out_text = (struct gr_str){.p = to};
    while (in.n > 0) {
        if (n > 0)
            memcpy(to + out_text->n, in.p, n);
        out_text->n += n;
        in = gr_str_skip(in, n);
        if (in.n > 0) {
            size_t escape;
            uint32_t rune = unescape(in, &escape);

            out_text->n += gr_utf8_put(rune, to + out_text->n);
            in = gr_str_skip(in, escape);
        }
        n = gr_str_find(in, '\\');
    }
    return true;
}

/* Whether \u and four digits begin s. */
static bool is_unit(struct gr_str s)
{
    if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
        return false;
    for (size_t i = 2; i < 6; i++) {
        char c = s.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* What follows half of a surrogate pair need not be an escape, and then it is not looked at. */
static bool is_escape(struct gr_str s, struct gr_str *out_escape)
{
    bool pair = is_unit(s) && is_unit(gr_str_skip(s, 6));

    *out_escape = gr_str_first(s, pair ? 12 : 6);
    return is_unit(s) || (s.n > 1 && s.p[1] != '\0' && strchr("\"\\/bfnrt", s.p[1]));
}

size_t gr_json_unescape(char *text, size_t n)
{
    struct gr_str rest = {.p = text, .n = n};
    size_t to = 0;

    while (rest.n > 0) {
        size_t plain = gr_str_find(rest, '\\');
        struct gr_str escape;

        if (plain > 0)
            memmove(text + to, rest.p, plain);
        to += plain;
        rest = gr_str_skip(rest, plain);
        if (rest.n == 0)
            break;
        if (is_escape(rest, &escape)) {
            to += gr_utf8_put(unescape(escape, &plain), text + to);
        } else {
            text[to++] = '\\';
            plain = 1;
        }
        rest = gr_str_skip(rest, plain);
    }
    return to;
}

/* As Go folds letters: beside A to Z the long s and the sign of Kelvin. */
static uint32_t fold(uint32_t rune)
{
    if (rune >= 'A' && rune <= 'Z')
        return rune + ('a' - 'A');
    if (rune == 0x17f)
        return 's';
    return rune == 0x212a ? 'k' : rune;
}

enum gr_json_match gr_json_match_key(struct gr_str quoted, struct gr_str name)
{
    struct gr_str in = {.p = quoted.p + 1, .n = quoted.n - 2};
    enum gr_json_match match = GR_JSON_SAME;
    size_t i = 0;

    for (; in.n > 0 && i < name.n; i++) {
        uint32_t rune = 0;
        size_t n;

        if (in.p[0] == '\\')
            rune = unescape(in, &n);
        else
            n = gr_utf8_next(in, &rune);
        if (fold(rune) != fold((unsigned char)name.p[i]))
            return GR_JSON_DIFFERENT;
        if (rune != (unsigned char)name.p[i])
            match = GR_JSON_OTHER_CASE;
        in = gr_str_skip(in, n);
    }
    return in.n == 0 && i == name.n ? match : GR_JSON_DIFFERENT;
}

/* Other than ASCII that stands as it is between quotes. */
static inline uint64_t specials(uint64_t word)
{
    return ((word | (word - GR_WORD_ONES * ' ')) & GR_WORD_HIGH_BITS) |
           gr_word_zeros(word ^ GR_WORD_ONES * '"') | gr_word_zeros(word ^ GR_WORD_ONES * '\\');
}

static bool needs_escape(char c)
{
    return (unsigned char)c < ' ' || c == '"' || c == '\\';
}

static int quote_plain(struct gr_buf *out, struct gr_str text)
{
    uint8_t *to = gr_buf_grow(out, text.n + 2);

    if (!to)
        return out->broken;
    to[0] = '"';
    if (text.n > 0)
        memcpy(to + 1, text.p, text.n);
    to[text.n + 1] = '"';
    return 0;
}

int gr_json_quote(struct gr_buf *out, struct gr_str text)
{
    size_t done = 0;

    if (gr_words_pass(text, specials)) /* as nearly all texts do */
        return quote_plain(out, text);
    if (!gr_utf8_is_valid(text))
        return -EINVAL;
    (void)gr_buf_byte(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (!needs_escape(text.p[i]))
            continue;
        (void)gr_buf_str(out, gr_str_first(gr_str_skip(text, done), i - done));
        if ((unsigned char)text.p[i] >= ' ')
            (void)gr_buf_printf(out, "\\%c", text.p[i]);
        else
            (void)gr_buf_printf(out, "\\u%04x", (unsigned char)text.p[i]);
        done = i + 1;
    }
    (void)gr_buf_str(out, gr_str_skip(text, done));
    return gr_buf_byte(out, '"');
}
