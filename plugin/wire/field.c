/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/field.h"

#include <errno.h>

/* protobuf-c reads tags and length prefixes of up to five bytes, other varints of up to ten. */
#define VARINT32_MAX_BYTES 5
#define VARINT64_MAX_BYTES 10

size_t gr_varint_get(struct gr_str s, size_t max_bytes, uint64_t *out_value)
{
    size_t n = GR_MIN(s.n, max_bytes);
    uint64_t value = 0;

    if (n > 0 && !((unsigned char)s.p[0] & 0x80U)) { /* nearly all are that small */
        *out_value = (unsigned char)s.p[0];
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = (unsigned char)s.p[i];

        /* The tenth byte has room for one bit only. */
        if (i == VARINT64_MAX_BYTES - 1 && bits > 1)
            return 0;
        value |= (bits & 0x7FU) << (7 * i);
        if (bits < 0x80) {
            *out_value = value;
            return i + 1;
        }
    }
    return 0;
}

size_t gr_varint_bytes(uint64_t value)
{
    size_t n = 1;

    while (value >= 0x80) {
        value >>= 7;
        n++;
    }
    return n;
}

uint8_t *gr_varint_put(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80U);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

/* Reads the value that a tag announced; returns the bytes it takes, or 0. */
static size_t read_value(struct gr_str s, struct gr_wire_field *field)
{
    uint64_t length = 0;
    size_t n;

    field->value = 0;
    field->bytes = GR_STR_NONE;
    switch (field->type) {
    case GR_WIRE_VARINT:
        return gr_varint_get(s, VARINT64_MAX_BYTES, &field->value);
    case GR_WIRE_FIXED64:
        return s.n >= 8 ? 8 : 0;
    case GR_WIRE_FIXED32:
        return s.n >= 4 ? 4 : 0;
    case GR_WIRE_BYTES:
        n = gr_varint_get(s, VARINT32_MAX_BYTES, &length);
        if (n == 0 || length > s.n - n)
            return 0;
        field->bytes = gr_str_first(gr_str_skip(s, n), (size_t)length);
        return n + (size_t)length;
    default:
        return 0; /* groups, and the two types that do not exist */
    }
}

int gr_wire_field_next(struct gr_str *rest, struct gr_wire_field *out_field)
{
    uint64_t tag;
    size_t n;

    if (rest->n == 0)
        return 0;
    n = gr_varint_get(*rest, VARINT32_MAX_BYTES, &tag);
    if (n == 0 || tag > UINT32_MAX || tag >> 3 == 0)
        return -EBADMSG;
    *rest = gr_str_skip(*rest, n);
    /* In place: a local copied at the end is read wider than it was written, and waits for that. */
    out_field->number = (uint32_t)(tag >> 3);
    out_field->type = (enum gr_wire_type)(tag & 7);
    out_field->encoded_bytes = read_value(*rest, out_field);
    if (out_field->encoded_bytes == 0)
        return -EBADMSG;
    *rest = gr_str_skip(*rest, out_field->encoded_bytes);
    return GR_WIRE_FIELD;
}
