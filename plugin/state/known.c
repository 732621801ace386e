/* SPDX-License-Identifier: Apache-2.0 */
#include "state/known.h"

#include <errno.h>

#include "base/hash.h"
#include "state/limits.h"

#define FIRST_CAP 64U
#define DROPPED_AT_ONCE 1024U /* so that a full table is not put in order for each container */
#define STATE_BITS UINT64_C(3)

uint64_t gr_known_hash(struct gr_str id)
{
    return gr_hash(id) & ~STATE_BITS;
}

/* The slot of a hash, or the empty one where it belongs. There always is one. */
static uint32_t slot_of(const struct gr_known_ids *ids, uint64_t hash)
{
    uint32_t mask = ids->cap * 2 - 1;
    uint32_t i = (uint32_t)(hash >> 32 ^ hash >> 2) & mask;

    while (ids->slots[i] != 0 && (ids->items[ids->slots[i] - 1] & ~STATE_BITS) != hash)
        i = (i + 1) & mask;
    return i;
}

enum gr_known gr_known_get(const struct gr_known_ids *ids, uint64_t hash)
{
    uint16_t place = ids->cap > 0 ? ids->slots[slot_of(ids, hash & ~STATE_BITS)] : 0;

    return place ? gr_known_state_at(ids, place - 1U) : GR_KNOWN_NOT;
}

static void fill_slots(struct gr_known_ids *ids)
{
    memset(ids->slots, 0, ids->cap * 2 * sizeof(*ids->slots));
    for (uint32_t i = 0; i < ids->n; i++)
        ids->slots[slot_of(ids, gr_known_hash_at(ids, i))] = (uint16_t)(i + 1);
}

/* Makes room for what is coming: those go of which least is known, of them the oldest, and none of
 * which more is known than of what is coming. */
static void drop_least(struct gr_known_ids *ids, enum gr_known coming)
{
    uint32_t going[GR_KNOWN_MISSED + 1] = {0};
    uint32_t left = DROPPED_AT_ONCE, n = 0;

    for (uint32_t i = 0; i < ids->n; i++)
        going[gr_known_state_at(ids, i)]++;
    for (size_t state = GR_KNOWN_NOT; state < GR_ARRAY_LEN(going); state++) {
        going[state] = state <= coming ? GR_MIN(going[state], left) : 0;
        left -= going[state];
    }
    for (uint32_t i = 0; i < ids->n; i++) {
        if (going[gr_known_state_at(ids, i)] > 0)
            going[gr_known_state_at(ids, i)]--;
        else
            ids->items[n++] = ids->items[i];
    }
    ids->n = n;
    fill_slots(ids);
}

static int grow(struct gr_known_ids *ids)
{
    uint32_t cap = ids->cap > 0 ? ids->cap * 2 : FIRST_CAP;
    uint64_t *items = malloc(cap * sizeof(*items));
    uint16_t *slots = malloc(cap * 2 * sizeof(*slots));

    if (!items || !slots) {
        free(items);
        free(slots);
        return -ENOMEM;
    }
    if (ids->n > 0)
        memcpy(items, ids->items, ids->n * sizeof(*items));
    free(ids->items);
    free(ids->slots);
    ids->items = items;
    ids->slots = slots;
    ids->cap = cap;
    fill_slots(ids);
    return 0;
}

int gr_known_set(struct gr_known_ids *ids, uint64_t hash, enum gr_known state, bool *out_dropped)
{
    uint64_t item = (hash & ~STATE_BITS) | (uint64_t)state;
    uint32_t slot;

    hash &= ~STATE_BITS;
    slot = ids->cap > 0 ? slot_of(ids, hash) : 0;
    if (ids->cap > 0 && ids->slots[slot] != 0) {
        ids->items[ids->slots[slot] - 1] = item;
        return 0;
    }
    if (ids->n == GR_JOURNAL_KNOWN_MAX) {
        drop_least(ids, state);
        *out_dropped = true;
        if (ids->n == GR_JOURNAL_KNOWN_MAX)
            return 0;
    }
    if (ids->n == ids->cap) {
        int r = grow(ids);

        if (r)
            return r;
    }
    slot = slot_of(ids, hash);
    ids->items[ids->n] = item;
    ids->slots[slot] = (uint16_t)++ids->n;
    return 0;
}

void gr_known_ids_fini(struct gr_known_ids *ids)
{
    free(ids->items);
    free(ids->slots);
    *ids = (struct gr_known_ids){0};
}
