/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A protobuf-c allocator that behaves like the arena (nothing is given back, pieces are rounded up)
 * and remembers the size of every piece.
 */
#ifndef GR_TESTS_WIRE_ACCOUNTING_H
#define GR_TESTS_WIRE_ACCOUNTING_H

#include <protobuf-c/protobuf-c.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/defs.h"

struct accounting_block {
    struct accounting_block *next;
    size_t bytes;
    alignas(max_align_t) unsigned char data[];
};

struct accounting {
    ProtobufCAllocator allocator;
    struct accounting_block *blocks;
    size_t bytes; /* all pieces, rounded up */
};

static inline void *accounting_alloc(void *user, size_t bytes)
{
    size_t rounded = (bytes + alignof(max_align_t) - 1) / alignof(max_align_t);
    struct accounting *accounting = user;
    struct accounting_block *block = malloc(sizeof(*block) + bytes);

    if (!block)
        abort();
    block->next = accounting->blocks;
    block->bytes = bytes;
    memset(block->data, 0xa5, bytes);
    accounting->blocks = block;
    accounting->bytes += rounded * alignof(max_align_t);
    return block->data;
}

static inline void accounting_free(void *user GR_UNUSED, void *p GR_UNUSED)
{
}

static inline void accounting_init(struct accounting *accounting)
{
    *accounting = (struct accounting){
        .allocator = {.alloc = accounting_alloc,
                      .free = accounting_free,
                      .allocator_data = accounting},
    };
}

static inline void accounting_fini(struct accounting *accounting)
{
    while (accounting->blocks) {
        struct accounting_block *next = accounting->blocks->next;

        free(accounting->blocks);
        accounting->blocks = next;
    }
}

/* Size that was asked for when p was allocated. */
static inline size_t accounting_size(const void *p)
{
    size_t bytes;

    memcpy(&bytes,
           (const char *)p - offsetof(struct accounting_block, data) +
               offsetof(struct accounting_block, bytes),
           sizeof(bytes));
    return bytes;
}

#endif
