/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_escape: what stands behind a backslash and means one character.
 *
 * Layer: rules. Letters and digits that mean nothing are refused, so that \Z or \1 is never quietly
 * a Z or a 1.
 */
#include <errno.h>

#include "rules/pattern/regex_syntax.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int refuse_hex(struct gr_regex_cursor *c, size_t at)
{
    return gr_regex_refuse(c, at,
                           "expected two hexadecimal digits behind \\x, or \\x{…} with a number "
                           "up to 10FFFF");
}

/* \x7F and \x{10FFFF}; the cursor is behind the x. */
static int take_hex(struct gr_regex_cursor *c, size_t at, uint32_t *out_rune)
{
    bool braces = gr_regex_peek(c, 0) == '{';
    uint32_t rune = 0;
    size_t n;

    c->at += braces;
    for (n = 0; braces ? gr_regex_peek(c, 0) != '}' : n < 2; n++) {
        int value = hex_value(gr_regex_peek(c, 0));

        if (value < 0)
            return refuse_hex(c, at);
        rune = rune * 16 + (uint32_t)value;
        if (rune > GR_RUNE_MAX)
            return refuse_hex(c, at);
        c->at++;
    }
    if (n == 0)
        return refuse_hex(c, at);
    c->at += braces;
    *out_rune = rune;
    return 0;
}

/* \0, \012 and \12; the cursor is at the first digit. */
static uint32_t take_octal(struct gr_regex_cursor *c)
{
    uint32_t rune = 0;

    for (size_t i = 0; i < 3 && gr_regex_peek(c, 0) >= '0' && gr_regex_peek(c, 0) <= '7'; i++)
        rune = rune * 8 + (uint32_t)(c->text.p[c->at++] - '0');
    return rune;
}

static int refuse_escape(struct gr_regex_cursor *c, size_t at, char letter)
{
    if (letter >= '1' && letter <= '9')
        return gr_regex_refuse(c, at, "back references such as \\%c are not supported", letter);
    if (letter == 'Z')
        return gr_regex_refuse(c, at, "\\Z is not supported; for the end of the text write \\z");
    if (letter == 'C')
        return gr_regex_refuse(c, at, "\\C (one byte) is not supported; for one character write .");
    if (letter == 'k' || letter == 'g')
        return gr_regex_refuse(c, at, "references to groups such as \\%c are not supported",
                               letter);
    return gr_regex_refuse(c, at, "this escape has no meaning; for a backslash write \\\\");
}

int gr_regex_escape(struct gr_regex_cursor *c, uint32_t *out_rune)
{
    static const char letters[] = "afnrtv";
    static const char means[] = "\a\f\n\r\t\v";
    size_t at = c->at++;
    char letter = gr_regex_peek(c, 0);
    char next = gr_regex_peek(c, 1);
    const char *found;
    bool is_word;

    if (gr_regex_done(c))
        return gr_regex_refuse(c, at,
                               "nothing stands behind this backslash; for the character itself "
                               "write \\\\");
    if (letter == '0' || (letter >= '1' && letter <= '7' && next >= '0' && next <= '7')) {
        *out_rune = take_octal(c);
        return 0;
    }
    if (letter == 'x') {
        c->at++;
        return take_hex(c, at, out_rune);
    }
    found = letter ? strchr(letters, letter) : NULL;
    is_word = hex_value(letter) >= 0 || (letter >= 'g' && letter <= 'z') ||
              (letter >= 'G' && letter <= 'Z') || (unsigned char)letter >= 0x80;
    if (is_word && !found)
        return refuse_escape(c, at, letter);
    *out_rune = found ? (uint32_t)means[found - letters] : (uint32_t)letter;
    c->at++;
    return 0;
}
