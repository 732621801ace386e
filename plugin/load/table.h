/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/table: texts to pointers, for names of sets, hook programs and last good texts.
 *
 * Layer: load. Open addressing, memory from an arena (outgrown tables stay there: at most as much
 * again). Nothing is ever removed.
 */
#ifndef GR_LOAD_TABLE_H
#define GR_LOAD_TABLE_H

#include "base/arena.h"

struct gr_table_slot {
    struct gr_str key; /* p NULL: free */
    void *value;
};

struct gr_table {
    struct gr_arena *arena; /* borrowed */
    struct gr_table_slot *slots;
    size_t slots_n; /* 0 or a power of two */
    size_t used;
};

static inline void gr_table_init(struct gr_table *table, struct gr_arena *arena)
{
    *table = (struct gr_table){.arena = arena};
}

/* The value, or NULL. */
void *gr_table_get(const struct gr_table *table, struct gr_str key);

/* Sets or replaces; key (not NULL) and value are borrowed as long as the table. 0 or -ENOMEM. */
GR_CHECKED int gr_table_put(struct gr_table *table, struct gr_str key, void *value);

#endif
