/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/hash: FNV-1a, 64 bits.
 *
 * Layer: base. For tables whose content is trusted (rules) and only looked up with foreign keys,
 * and for telling two texts of a rule apart. Not for anything that must resist an attacker who
 * chooses both texts.
 */
#ifndef GR_BASE_HASH_H
#define GR_BASE_HASH_H

#include "base/str.h"

#define GR_HASH_START UINT64_C(0xcbf29ce484222325)

/* Continues a hash over more bytes; begin with GR_HASH_START. */
static inline uint64_t gr_hash_more(uint64_t hash, struct gr_str s)
{
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static inline uint64_t gr_hash(struct gr_str s)
{
    return gr_hash_more(GR_HASH_START, s);
}

#endif
