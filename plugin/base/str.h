/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/str: borrowed text with a length.
 *
 * Layer: base. Text that came from outside is always a struct gr_str: it may hold NUL bytes, it is
 * not terminated, and it belongs to somebody else. char * stays for libraries and system calls.
 */
#ifndef GR_BASE_STR_H
#define GR_BASE_STR_H

#include <string.h>

#include "base/defs.h"

/* n bytes at p; p may be NULL only when n is 0. The memory is borrowed. */
struct gr_str {
    const char *p;
    size_t n;
};

/* A list of texts; items may be NULL only when n is 0. Both levels are borrowed. */
struct gr_strs {
    const struct gr_str *items;
    size_t n;
};

/* One entry of a map such as labels or annotations. */
struct gr_kv {
    struct gr_str key;
    struct gr_str value;
};

struct gr_kvs {
    const struct gr_kv *items;
    size_t n;
};

#define GR_STR(literal) ((struct gr_str){.p = (literal), .n = sizeof(literal) - 1})
#define GR_STR_NONE ((struct gr_str){.p = NULL, .n = 0})

/* For printf("%.*s", GR_STR_FMT(s)); only for text whose length fits an int. */
#define GR_STR_FMT(s) ((int)((s).n > 4096 ? 4096 : (s).n)), ((s).p ? (s).p : "")

/* Wraps a terminated string; NULL becomes the empty text. Borrows s. */
static inline struct gr_str gr_str_from(const char *s)
{
    return (struct gr_str){.p = s, .n = s ? strlen(s) : 0};
}

/* The n bytes of an object, such as a number, for a hash over it. Borrows p. */
static inline struct gr_str gr_str_bytes(const void *p, size_t n)
{
    return (struct gr_str){.p = p, .n = n};
}

static inline bool gr_str_eq(struct gr_str a, struct gr_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool gr_str_is(struct gr_str a, const char *b)
{
    return gr_str_eq(a, gr_str_from(b));
}

static inline bool gr_str_has_prefix(struct gr_str s, struct gr_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool gr_str_has_suffix(struct gr_str s, struct gr_str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The text without its first n bytes; n beyond the end gives the empty text. */
static inline struct gr_str gr_str_skip(struct gr_str s, size_t n)
{
    n = GR_MIN(n, s.n);
    return (struct gr_str){.p = s.p ? s.p + n : NULL, .n = s.n - n};
}

/* The first n bytes. */
static inline struct gr_str gr_str_first(struct gr_str s, size_t n)
{
    return (struct gr_str){.p = s.p, .n = GR_MIN(n, s.n)};
}

/* Byte order, shorter first on a tie: <0, 0, >0. */
int gr_str_cmp(struct gr_str a, struct gr_str b);

/* Index of the first c, or s.n when there is none. */
size_t gr_str_find(struct gr_str s, char c);

/* Index of the last c, or s.n when there is none. */
size_t gr_str_rfind(struct gr_str s, char c);

/* The text without the spaces and tabs that it begins with. */
struct gr_str gr_str_skip_blanks(struct gr_str s);

/* The next word of a text, which loses it and the spaces and tabs before it; empty when there is
 * none. */
struct gr_str gr_str_take_word(struct gr_str *text);

/*
 * Plain decimal digits only: no sign, no blanks, no leading zero except "0" itself.
 * Returns 0, or -EINVAL when it is not such a number, -ERANGE when it does not fit.
 */
GR_CHECKED int gr_str_to_u64(struct gr_str s, uint64_t *out_value);

/* 1 to GR_HEX_DIGITS hexadecimal digits, small letters only. Returns 0; -EINVAL: it is nothing of
 * the sort. */
#define GR_HEX_DIGITS 16
GR_CHECKED int gr_str_hex_to_u64(struct gr_str s, uint64_t *out_value);

/* Levenshtein distance, at most limit + 1 (SIZE_MAX stays); for "did you mean". Texts over 64
 * bytes: limit + 1. */
size_t gr_str_distance(struct gr_str a, struct gr_str b, size_t limit);

/* The value of key in a map, last entry first (as protobuf has it); false when it is absent. */
bool gr_kvs_get(struct gr_kvs map, struct gr_str key, struct gr_str *out_value);

#endif
