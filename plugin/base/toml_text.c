/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/toml_parts.h"
#include "base/utf8.h"

/* Hexadecimal digits of \u and \U. */
static bool read_rune(struct gr_str digits, uint32_t *out_rune)
{
    uint32_t rune = 0;

    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];

        if (c >= '0' && c <= '9')
            rune = rune << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            rune = rune << 4 | (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            rune = rune << 4 | (uint32_t)(c - 'A' + 10);
        else
            return false;
    }
    *out_rune = rune;
    return rune <= 0x10FFFF && (rune < 0xD800 || rune > 0xDFFF);
}

/* In a text of several lines: a backslash at the end of a line takes the white space behind it
 * away. Returns how much that is; 0: it is no such backslash. */
static size_t skipped_lines(struct gr_str rest)
{
    size_t n = 1;
    bool newline = false;

    for (; n < rest.n &&
           (rest.p[n] == ' ' || rest.p[n] == '\t' || rest.p[n] == '\r' || rest.p[n] == '\n');
         n++)
        newline = newline || rest.p[n] == '\n';
    return newline ? n : 0;
}

/* What the backslash at the start of rest means, into out. Returns the bytes it takes; 0: none. */
static size_t unescape(struct gr_str rest, char *out, size_t *out_n)
{
    static const char letters[] = "btnfr\"\\";
    static const char meant[] = "\b\t\n\f\r\"\\";
    const char *letter = rest.n > 1 ? memchr(letters, rest.p[1], sizeof(letters) - 1) : NULL;
    size_t digits = rest.n > 1 && rest.p[1] == 'u' ? 4 : rest.n > 1 && rest.p[1] == 'U' ? 8 : 0;
    uint32_t rune;

    if (letter) {
        out[(*out_n)++] = meant[letter - letters];
        return 2;
    }
    if (digits == 0 || rest.n < 2 + digits ||
        !read_rune(gr_str_first(gr_str_skip(rest, 2), digits), &rune))
        return 0;
    *out_n += gr_utf8_put(rune, out + *out_n);
    return 2 + digits;
}

/* The content of a text in "quotes". What an escape means is never longer than the escape. */
static int unescape_all(struct gr_toml_reader *t, struct gr_str raw, bool multi,
                        struct gr_str *out_text)
{
    char *copy;
    size_t n = 0;

    *out_text = raw;
    if (gr_str_find(raw, '\\') == raw.n)
        return 0;
    copy = gr_arena_alloc(t->arena, raw.n + 1);
    if (!copy)
        return gr_fail(t->err, -ENOMEM, "no-memory", "no memory left");
    for (size_t i = 0; i < raw.n;) {
        struct gr_str rest = {.p = raw.p + i, .n = raw.n - i};
        size_t taken = 1;

        if (rest.p[0] != '\\')
            copy[n++] = rest.p[0];
        else
            taken =
                multi && skipped_lines(rest) > 0 ? skipped_lines(rest) : unescape(rest, copy, &n);
        if (taken == 0) {
            t->at = (size_t)(rest.p - t->text.p);
            return gr_toml_refuse(t, "b, t, n, f, r, \", \\, or u or U with 4 or 8 digits behind a "
                                     "backslash");
        }
        i += taken;
    }
    *out_text = (struct gr_str){.p = copy, .n = n};
    return 0;
}

/* Offset of the quotes that close, from t->at; n quotes in a row. SIZE_MAX: none. */
static size_t find_end(const struct gr_toml_reader *t, char quote, size_t n)
{
    size_t in_row = 0;

    for (size_t i = t->at; i < t->text.n; i++) {
        char c = t->text.p[i];

        if (n == 1 && c == '\n')
            return SIZE_MAX;
        in_row = c == quote ? in_row + 1 : 0;
        if (c == '\\' && quote == '"')
            i++;
        else if (in_row == n) {
            /* Up to two quotes may stand right before those that close. */
            while (n == 3 && i + 1 < t->text.n && t->text.p[i + 1] == quote && in_row++ < 5)
                i++;
            return i + 1 - n;
        }
    }
    return SIZE_MAX;
}

int gr_toml_quoted(struct gr_toml_reader *t, bool multi, struct gr_str *out_text)
{
    char quote = gr_toml_peek(t, 0);
    bool three = gr_toml_peek(t, 1) == quote && gr_toml_peek(t, 2) == quote;
    size_t quotes = three ? 3 : 1;
    struct gr_str raw;
    size_t end;
    int r = 0;

    if (three && !multi)
        return gr_toml_refuse(t, "a key on one line");
    t->at += quotes;
    end = find_end(t, quote, quotes);
    if (end == SIZE_MAX) {
        t->at -= quotes;
        return gr_toml_refuse(t, three ? "three closing quotes behind this text"
                                       : "a closing quote on the same line behind this text");
    }
    if (three && gr_toml_peek(t, 0) == '\r' && gr_toml_peek(t, 1) == '\n')
        t->at++;
    if (three && gr_toml_peek(t, 0) == '\n')
        t->at++;
    raw = (struct gr_str){.p = t->text.p + t->at, .n = end - t->at};
    if (quote == '"')
        r = unescape_all(t, raw, three, out_text);
    else
        *out_text = raw;
    if (r == 0)
        t->at = end + quotes;
    return r;
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_+-.:", c));
}

static bool consists_of(struct gr_str s, const char *letters)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!strchr(letters, s.p[i]))
            return false;
    }
    return s.n > 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 1979-05-27 or 07:32 at its start. */
static bool looks_like_date(struct gr_str s)
{
    return (s.n >= 8 && is_digit(s.p[0]) && is_digit(s.p[3]) && s.p[4] == '-') ||
           (s.n >= 5 && is_digit(s.p[0]) && s.p[2] == ':');
}

static bool is_integer(struct gr_str s)
{
    if (s.n > 2 && s.p[0] == '0' && s.p[1] == 'x')
        return consists_of(gr_str_skip(s, 2), "0123456789abcdefABCDEF_");
    if (s.n > 2 && s.p[0] == '0' && s.p[1] == 'o')
        return consists_of(gr_str_skip(s, 2), "01234567_");
    if (s.n > 2 && s.p[0] == '0' && s.p[1] == 'b')
        return consists_of(gr_str_skip(s, 2), "01_");
    if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-'))
        s = gr_str_skip(s, 1);
    return s.n > 0 && is_digit(s.p[0]) && consists_of(s, "0123456789_");
}

static bool is_float(struct gr_str s)
{
    if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-'))
        s = gr_str_skip(s, 1);
    if (gr_str_is(s, "inf") || gr_str_is(s, "nan"))
        return true;
    return s.n > 0 && is_digit(s.p[0]) && consists_of(s, "0123456789_.eE+-");
}

int gr_toml_bare(struct gr_toml_reader *t, struct gr_toml_node *node)
{
    struct gr_str word = {.p = t->text.p + t->at, .n = 0};

    while (is_bare(gr_toml_peek(t, word.n)))
        word.n++;
    if (looks_like_date(word) && word.n == 10 && gr_toml_peek(t, 10) == ' ' &&
        is_digit(gr_toml_peek(t, 11)))
        for (word.n = 11; is_bare(gr_toml_peek(t, word.n));)
            word.n++;
    node->text = word;
    node->is_true = gr_str_is(word, "true");
    if (node->is_true || gr_str_is(word, "false"))
        node->kind = GR_TOML_BOOLEAN;
    else if (looks_like_date(word) && consists_of(word, "0123456789-:.TtZz+ "))
        node->kind = GR_TOML_DATE;
    else if (is_integer(word))
        node->kind = GR_TOML_INTEGER;
    else if (is_float(word))
        node->kind = GR_TOML_FLOAT;
    else
        return gr_toml_refuse(t, "a value: a text in quotes, a number, a date, true, false, a list "
                                 "or a table in {}");
    t->at += word.n;
    return 0;
}
