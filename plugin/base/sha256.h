/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/sha256: SHA-256 (FIPS 180-4), for telling contents apart.
 *
 * Layer: base. Nothing secret goes through it, so it does not care about timing. Its own, since the
 * libraries that have one bring 200 KiB along (specs/programs.md).
 */
#ifndef GR_BASE_SHA256_H
#define GR_BASE_SHA256_H

#include "base/defs.h"

#define GR_SHA256_BYTES 32
#define GR_SHA256_BLOCK_BYTES 64
/* Lower-case hexadecimal digits, without a NUL byte. */
#define GR_SHA256_HEX 64

struct gr_sha256 {
    uint32_t state[8];
    uint64_t bytes; /* so far */
    unsigned char block[GR_SHA256_BLOCK_BYTES];
};

void gr_sha256_init(struct gr_sha256 *sha);
void gr_sha256_add(struct gr_sha256 *sha, const void *data, size_t bytes);

/* Writes the digits and a NUL byte. The object is used up. */
void gr_sha256_end(struct gr_sha256 *sha, char out_hex[GR_SHA256_HEX + 1]);

#endif
