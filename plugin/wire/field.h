/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/field: protobuf's wire encoding, one field at a time.
 *
 * Layer: wire. Used by the envelope decoders and by the check before protobuf-c; stricter than
 * protobuf-c 1.4.1 where the specification is (field number 0, numbers and varints that do not fit,
 * groups), so whatever is accepted here is scanned alike by it.
 */
#ifndef GR_WIRE_FIELD_H
#define GR_WIRE_FIELD_H

#include "base/str.h"

enum gr_wire_type {
    GR_WIRE_VARINT = 0,
    GR_WIRE_FIXED64 = 1,
    GR_WIRE_BYTES = 2,
    GR_WIRE_FIXED32 = 5,
};

struct gr_wire_field {
    uint32_t number;        /* 1 to 2^29 - 1 */
    enum gr_wire_type type; /* always one of the four */
    uint64_t value;         /* of a varint; 0 for other types */
    struct gr_str bytes;    /* content of GR_WIRE_BYTES; borrowed from the input */
    size_t encoded_bytes;   /* what follows the tag, with the length prefix: never 0 */
};

#define GR_WIRE_FIELD 1

/*
 * Takes the next field off *rest.
 * Returns: GR_WIRE_FIELD; 0 *rest is empty; -EBADMSG no valid field (both are then unspecified).
 */
GR_CHECKED int gr_wire_field_next(struct gr_str *rest, struct gr_wire_field *out_field);

/*
 * Reads a varint of at most max_bytes bytes (1 to 10) whose value fits 64 bits.
 * Returns: the bytes it takes, or 0 when there is none.
 */
GR_CHECKED size_t gr_varint_get(struct gr_str s, size_t max_bytes, uint64_t *out_value);

/* Bytes that value takes: 1 to 10. */
size_t gr_varint_bytes(uint64_t value);

/* Writes value (gr_varint_bytes of it) and returns what is behind. */
uint8_t *gr_varint_put(uint8_t *out, uint64_t value);

#endif
