/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/utf8: strict UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF).
 *
 * Layer: base.
 */
#ifndef GR_BASE_UTF8_H
#define GR_BASE_UTF8_H

#include "base/str.h"

/*
 * Length in bytes (1 to 4) of the valid character at the start of s, or 0 when s is empty or does
 * not begin with one. out_rune may be NULL.
 */
size_t gr_utf8_next(struct gr_str s, uint32_t *out_rune);

/* The bytes of a code point up to U+10FFFF; their number. */
size_t gr_utf8_put(uint32_t rune, char out_bytes[4]);

/* How many leading bytes are ASCII: eight at a time, since nearly all text is. */
size_t gr_utf8_ascii_prefix(struct gr_str s);

/* Offset of the first byte that does not belong to a valid character, or s.n when all is valid. */
size_t gr_utf8_valid_prefix(struct gr_str s);

static inline bool gr_utf8_is_valid(struct gr_str s)
{
    return gr_utf8_valid_prefix(s) == s.n;
}

/* Valid and without a NUL byte: what may cross into a protobuf string or an argv. */
bool gr_utf8_is_clean(struct gr_str s);

/* C0 and C1 controls, DEL, and the line and paragraph separators: never printed as they are. */
bool gr_utf8_is_control(uint32_t rune);

/* What may be shown as it is: no control, and none of the marks that turn the direction of writing
 * and so make a line read as another one. */
bool gr_utf8_is_plain(uint32_t rune);

/*
 * In place: what is not plain and bytes that are no valid UTF-8 become '?', and a character that
 * was cut at the end goes away. The text never grows.
 */
void gr_utf8_make_printable(char *text);

#endif
