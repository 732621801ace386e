/* SPDX-License-Identifier: Apache-2.0 */
#include "load/table.h"

#include <errno.h>

#include "base/hash.h"

#define FIRST_SLOTS 64

/* The slot of the key, or the free one where it belongs. The table is never full. */
static struct gr_table_slot *find(struct gr_table_slot *slots, size_t slots_n, struct gr_str key)
{
    size_t at = (size_t)gr_hash(key) & (slots_n - 1);

    while (slots[at].key.p && !gr_str_eq(slots[at].key, key))
        at = (at + 1) & (slots_n - 1);
    return &slots[at];
}

void *gr_table_get(const struct gr_table *table, struct gr_str key)
{
    return table->slots_n ? find(table->slots, table->slots_n, key)->value : NULL;
}

static int grow(struct gr_table *table)
{
    size_t slots_n = table->slots_n ? table->slots_n * 2 : FIRST_SLOTS;
    struct gr_table_slot *slots = gr_arena_array(table->arena, slots_n, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < table->slots_n; i++) {
        if (table->slots[i].key.p)
            *find(slots, slots_n, table->slots[i].key) = table->slots[i];
    }
    table->slots = slots;
    table->slots_n = slots_n;
    return 0;
}

int gr_table_put(struct gr_table *table, struct gr_str key, void *value)
{
    struct gr_table_slot *slot;

    if (table->used * 2 >= table->slots_n) {
        int rc = grow(table);

        if (rc != 0)
            return rc;
    }
    slot = find(table->slots, table->slots_n, key);
    if (!slot->key.p)
        table->used++;
    *slot = (struct gr_table_slot){.key = key, .value = value};
    return 0;
}
