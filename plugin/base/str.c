/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>

/* Longest text that gr_str_distance looks at; keys of the format are far shorter. */
#define DISTANCE_MAX_BYTES 64

int gr_str_cmp(struct gr_str a, struct gr_str b)
{
    size_t n = GR_MIN(a.n, b.n);
    int order = n ? memcmp(a.p, b.p, n) : 0;

    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

size_t gr_str_find(struct gr_str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

size_t gr_str_rfind(struct gr_str s, char c)
{
    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == c)
            return i - 1;
    }
    return s.n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct gr_str gr_str_skip_blanks(struct gr_str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = gr_str_skip(s, 1);
    return s;
}

struct gr_str gr_str_take_word(struct gr_str *text)
{
    size_t n = 0;
    struct gr_str word;

    *text = gr_str_skip_blanks(*text);
    while (n < text->n && !is_blank(text->p[n]))
        n++;
    word = gr_str_first(*text, n);
    *text = gr_str_skip(*text, n);
    return word;
}

int gr_str_to_u64(struct gr_str s, uint64_t *out_value)
{
    uint64_t value = 0;

    if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
        return -EINVAL;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -EINVAL;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (gr_mul_overflows(value, (uint64_t)10, &value) ||
            gr_add_overflows(value, (uint64_t)(s.p[i] - '0'), &value))
            return -ERANGE;
    }
    *out_value = value;
    return 0;
}

int gr_str_hex_to_u64(struct gr_str s, uint64_t *out_value)
{
    uint64_t value = 0;

    if (s.n == 0 || s.n > GR_HEX_DIGITS)
        return -EINVAL;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return -EINVAL;
    }
    *out_value = value;
    return 0;
}

size_t gr_str_distance(struct gr_str a, struct gr_str b, size_t limit)
{
    size_t row[DISTANCE_MAX_BYTES + 1];
    size_t most = limit < SIZE_MAX ? limit + 1 : limit;

    if (a.n > DISTANCE_MAX_BYTES || b.n > DISTANCE_MAX_BYTES)
        return most;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);

            diagonal = row[j];
            row[j] = GR_MIN(GR_MIN(row[j], row[j - 1]) + 1, change);
        }
    }
    return GR_MIN(row[b.n], most);
}

bool gr_kvs_get(struct gr_kvs map, struct gr_str key, struct gr_str *out_value)
{
    for (size_t i = map.n; i > 0; i--) {
        if (gr_str_eq(map.items[i - 1].key, key)) {
            *out_value = map.items[i - 1].value;
            return true;
        }
    }
    return false;
}
