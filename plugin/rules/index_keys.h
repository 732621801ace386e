/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/index_keys: what the builder of the index and its look-up must agree on.
 *
 * Layer: rules, not for others. Everything is one hash table from 64 bits to a list of sets; the
 * text itself is not kept, since two texts with one hash only make one candidate too many. What a
 * key is about is mixed into its hash:
 *
 *     slot of a scalar        its field
 *     slot of a map's entry   field and key; also the key "is there at all"
 *     exact, prefix, suffix   slot and text (suffixes are hashed from their end)
 *     image                   the path registry/segment/… in the same way, plus :tag
 *     unknown                 the field: all sets that are found by it
 *
 * Prefixes and suffixes are cut to GR_INDEX_PART_MAX bytes, which keeps the answer a superset;
 * which lengths occur stands in one word per field, so that only those are looked up. For images
 * the length is that of the last segment, which may be a part of one.
 */
#ifndef GR_RULES_INDEX_KEYS_H
#define GR_RULES_INDEX_KEYS_H

#include "base/hash.h"
#include "rules/index.h"

#define GR_INDEX_PART_MAX 63

enum gr_index_kind {
    GR_INDEX_SCALAR,
    GR_INDEX_ENTRY,
    GR_INDEX_UNKNOWN,
    GR_INDEX_EXACT,
    GR_INDEX_PREFIX,
    GR_INDEX_SUFFIX,
    GR_INDEX_TAG,
    GR_INDEX_NO_TAG, /* the path of an image whose tag is not known */
};

struct gr_index_field {
    bool mentioned;          /* by any leaf, also where it cannot serve as key */
    size_t exact_max;        /* longest exact text plus one; 0: none */
    uint64_t key_lengths;    /* maps: bit n & 63 for each mentioned key of n bytes */
    uint64_t prefix_lengths; /* bit n: a prefix of n bytes */
    uint64_t suffix_lengths;
};

struct gr_index_entry {
    uint64_t hash;  /* 0: free */
    uint32_t first; /* in postings */
    uint32_t n;
};

struct gr_index {
    size_t sets_n;
    struct gr_index_entry *entries; /* open addressing; mask + 1 is a power of two */
    size_t mask;
    const uint32_t *postings; /* positions of sets */
    const uint32_t *always;   /* sets that no key can rule out */
    size_t always_n;
    struct gr_index_field fields[GR_FIELD_COUNT];
};

/* Never 0. */
static inline uint64_t gr_index_mix(uint64_t hash, enum gr_index_kind kind, unsigned int field)
{
    hash ^= ((uint64_t)kind * 64 + field + 1) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

/* key_hash is gr_hash of the key. */
static inline uint64_t gr_index_entry_slot(uint64_t key_hash, enum gr_field field)
{
    return gr_index_mix(key_hash, GR_INDEX_ENTRY, field);
}

static inline uint64_t gr_index_scalar_slot(enum gr_field field)
{
    return gr_index_mix(GR_HASH_START, GR_INDEX_SCALAR, field);
}

static inline uint64_t gr_index_unknown(enum gr_field field)
{
    return gr_index_mix(GR_HASH_START, GR_INDEX_UNKNOWN, field);
}

/* The key for a text whose bytes have been added to its slot. */
static inline uint64_t gr_index_text(uint64_t state, enum gr_index_kind kind)
{
    return gr_index_mix(state, kind, 0);
}

static inline uint64_t gr_index_byte(uint64_t state, char c)
{
    return gr_hash_more(state, (struct gr_str){.p = &c, .n = 1});
}

/* As gr_hash_more, from the last byte to the first. */
static inline uint64_t gr_index_reverse(uint64_t state, struct gr_str s)
{
    for (size_t i = s.n; i > 0; i--)
        state = gr_index_byte(state, s.p[i - 1]);
    return state;
}

static inline bool gr_index_has_length(uint64_t lengths, size_t n)
{
    return n < 64 && (lengths >> n & 1);
}

#endif
