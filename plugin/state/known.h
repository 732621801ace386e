/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/known: which containers are known, in little memory.
 *
 * Layer: state. Of an id only 62 bits of its hash are kept, and two bits of what is known. In the
 * order in which they came; where there is no room those go of which least is known, so that nobody
 * who creates containers without end makes us forget one that missed its hooks. Ids are made by the
 * runtime, so nobody chooses them to collide.
 */
#ifndef GR_STATE_KNOWN_H
#define GR_STATE_KNOWN_H

#include "base/str.h"

/* What is known of a container; each says more than the one before. */
enum gr_known {
    GR_KNOWN_NOT,      /* nothing */
    GR_KNOWN_SEEN,     /* decided about without hooks, or told by the runtime */
    GR_KNOWN_INJECTED, /* at least one set with hooks was injected, and the answer was sent */
    GR_KNOWN_MISSED,   /* it should have hooks and has not */
};

/* Zeroed at first; give it back with gr_known_ids_fini. */
struct gr_known_ids {
    uint64_t *items; /* owned; hash and state, oldest first */
    uint16_t *slots; /* owned; twice as many as cap; place of an item and 1, or 0 */
    uint32_t n, cap;
};

/* How an id is kept: a number whose two lowest bits are 0. */
uint64_t gr_known_hash(struct gr_str id);

enum gr_known gr_known_get(const struct gr_known_ids *ids, uint64_t hash);

/* Sets what is known; state is not GR_KNOWN_NOT. At GR_JOURNAL_KNOWN_MAX ids up to 1,024 go first,
 * seen ones before injected ones before missed ones and each time the oldest, but none that is
 * graver than state: where all are, this one is not kept. Either sets *out_dropped to true (else it
 * is left). Returns 0; -ENOMEM (nothing changed). */
GR_CHECKED int gr_known_set(struct gr_known_ids *ids, uint64_t hash, enum gr_known state,
                            bool *out_dropped);

void gr_known_ids_fini(struct gr_known_ids *ids);

static inline uint64_t gr_known_hash_at(const struct gr_known_ids *ids, uint32_t i)
{
    return ids->items[i] & ~UINT64_C(3);
}

static inline enum gr_known gr_known_state_at(const struct gr_known_ids *ids, uint32_t i)
{
    return (enum gr_known)(ids->items[i] & 3);
}

#endif
