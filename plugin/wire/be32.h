/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/be32: big-endian numbers in byte arrays.
 *
 * Layer: wire. Never by casting pointers: the bytes have no alignment.
 */
#ifndef GR_WIRE_BE32_H
#define GR_WIRE_BE32_H

#include "base/defs.h"

static inline uint32_t gr_be32_get(const uint8_t *in)
{
    return ((uint32_t)in[0] << 24) | ((uint32_t)in[1] << 16) | ((uint32_t)in[2] << 8) | in[3];
}

static inline void gr_be32_put(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}

#endif
