/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/index_keys: what the builder of the index and its look-up must agree on.
 *
 * Layer: rules, not for others. Everything is one hash table from 64 bits to a list of sets; the
 * text itself is not kept, since two texts with one hash only make one candidate too many. What a
 * key is about is mixed into its hash:
 *
 *     slot of a text          its place: a field, for lists each element; or a part of one
 *     slot of a map's entry   field and key; also the key "is there at all"
 *     exact, prefix, suffix   slot and text (suffixes are hashed from their end)
 *     gram                    slot and GR_INDEX_GRAM_BYTES bytes that stand somewhere in the text
 *     bad text                slot: what an expression gives an error for
 *     image                   the path registry/segment/… in the same way, plus :tag
 *     unknown                 the field: all sets that are found by it
 *
 * Prefixes and suffixes are cut to GR_INDEX_PART_MAX bytes, which keeps the answer a superset;
 * which lengths occur stands in one word per place, so that only those are looked up. For images
 * the length is that of the last segment, which may be a part of one. Which grams occur stands in a
 * few words as well: most of a value's are not looked up.
 *
 * An entry of the leaf anyAnnotation has three slots: its key, its value, and as an entry of a map.
 */
#ifndef GR_RULES_INDEX_KEYS_H
#define GR_RULES_INDEX_KEYS_H

#include "base/hash.h"
#include "rules/match/index.h"

#define GR_INDEX_PART_MAX 63
#define GR_INDEX_GRAM_BYTES 4
#define GR_INDEX_GRAM_WORDS 16 /* of 64 bits: a filter in front of the table */

/* What keys are about: fields (enum gr_field), and the parts of elements behind them. */
#define GR_INDEX_MOUNT_PLACE(part) (GR_FIELD_COUNT + (unsigned int)(part))
#define GR_INDEX_ENTRY_PLACE(part) (GR_FIELD_COUNT + GR_PARTS_MAX + (unsigned int)(part))
#define GR_INDEX_PLACES (GR_FIELD_COUNT + 2 * GR_PARTS_MAX)

enum gr_index_kind {
    GR_INDEX_TEXT,
    GR_INDEX_ENTRY,
    GR_INDEX_UNKNOWN,
    GR_INDEX_EXACT,
    GR_INDEX_PREFIX,
    GR_INDEX_SUFFIX,
    GR_INDEX_GRAM,
    GR_INDEX_BAD_TEXT,
    GR_INDEX_TAG,
    GR_INDEX_NO_TAG, /* the path of an image whose tag is not known */
};

/* Which kinds of keys there are at a place, so that no others are looked up. */
struct gr_index_place {
    bool mentioned;          /* by any leaf, also where it cannot serve as key */
    bool keep_all;           /* anyAnnotation: some leaf needs entries that no key tells */
    bool has_bad_text;       /* by an expression */
    bool has_grams;          /* any bit of grams */
    size_t exact_max;        /* longest exact text plus one; 0: none */
    uint64_t key_lengths;    /* maps: bit n & 63 for each mentioned key of n bytes */
    uint64_t prefix_lengths; /* bit n: a prefix of n bytes */
    uint64_t suffix_lengths;
    uint64_t grams[GR_INDEX_GRAM_WORDS]; /* bit gr_index_gram_bit: such a gram */
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
    struct gr_index_place places[GR_INDEX_PLACES];
};

/* Never 0. */
static inline uint64_t gr_index_mix(uint64_t hash, enum gr_index_kind kind, unsigned int place)
{
    hash ^= ((uint64_t)kind * 64 + place + 1) * UINT64_C(0x9e3779b97f4a7c15);
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

static inline uint64_t gr_index_text_slot(unsigned int place)
{
    return gr_index_mix(GR_HASH_START, GR_INDEX_TEXT, place);
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

/* The bit of a gram, whose bytes are at p, in struct gr_index_place. */
static inline unsigned int gr_index_gram_bit(const char *p)
{
    uint32_t bytes;

    memcpy(&bytes, p, sizeof(bytes));
    bytes *= UINT32_C(0x9e3779b1);
    return bytes >> 16 & (GR_INDEX_GRAM_WORDS * 64 - 1);
}

static inline uint64_t gr_index_gram(uint64_t slot, const char *p)
{
    struct gr_str bytes = {.p = p, .n = GR_INDEX_GRAM_BYTES};

    return gr_index_text(gr_hash_more(slot, bytes), GR_INDEX_GRAM);
}

#endif
