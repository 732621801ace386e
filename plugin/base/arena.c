/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>

#define ALIGN_BYTES alignof(max_align_t)

struct gr_arena_block {
    struct gr_arena_block *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

void gr_arena_init(struct gr_arena *arena, size_t block_bytes, size_t limit_bytes)
{
    *arena = (struct gr_arena){.block_bytes = block_bytes, .limit_bytes = limit_bytes};
}

static void free_blocks(struct gr_arena *arena, struct gr_arena_block *block)
{
    while (block) {
        struct gr_arena_block *next = block->next;

        arena->taken_bytes -= block->size;
        free(block);
        block = next;
    }
}

void gr_arena_fini(struct gr_arena *arena)
{
    free_blocks(arena, arena->blocks);
    arena->blocks = NULL;
}

void gr_arena_reset(struct gr_arena *arena)
{
    struct gr_arena_block *keep = NULL;

    for (struct gr_arena_block **at = &arena->blocks; *at; at = &(*at)->next) {
        if ((*at)->size == arena->block_bytes) {
            keep = *at;
            *at = keep->next;
            break;
        }
    }
    free_blocks(arena, arena->blocks);
    arena->blocks = keep;
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
}

static struct gr_arena_block *add_block(struct gr_arena *arena, size_t bytes)
{
    size_t size = GR_MAX(bytes, arena->block_bytes);
    struct gr_arena_block *block;
    size_t total;

    if (gr_add_overflows(size, sizeof(*block), &total))
        return NULL;
    if (arena->limit_bytes &&
        size > arena->limit_bytes - GR_MIN(arena->taken_bytes, arena->limit_bytes)) {
        /* Near the limit an exact block may still fit where an ordinary one does not. */
        size = bytes;
        total = size + sizeof(*block);
        if (size > arena->limit_bytes - GR_MIN(arena->taken_bytes, arena->limit_bytes))
            return NULL;
    }
    block = malloc(total);
    if (!block)
        return NULL;
    block->size = size;
    block->used = 0;
    arena->taken_bytes += size;
    /* A block for one large object goes behind the current one, whose room is still of use. */
    if (arena->blocks && size > arena->block_bytes) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *gr_arena_alloc(struct gr_arena *arena, size_t bytes)
{
    struct gr_arena_block *block = arena->blocks;
    size_t rounded;
    void *memory;

    if (gr_add_overflows(bytes, ALIGN_BYTES - 1, &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGN_BYTES - 1);
    if (!block || block->size - block->used < rounded) {
        block = add_block(arena, rounded);
        if (!block)
            return NULL;
    }
    memory = block->data + block->used;
    block->used += rounded;
    memset(memory, 0, bytes);
    return memory;
}

void *gr_arena_array(struct gr_arena *arena, size_t count, size_t element_bytes)
{
    size_t bytes;

    if (gr_mul_overflows(count, element_bytes, &bytes))
        return NULL;
    return gr_arena_alloc(arena, bytes);
}

char *gr_arena_copy(struct gr_arena *arena, struct gr_str s)
{
    size_t bytes;
    char *copy;

    if (gr_add_overflows(s.n, (size_t)1, &bytes))
        return NULL;
    copy = gr_arena_alloc(arena, bytes);
    if (copy && s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

bool gr_arena_str(struct gr_arena *arena, struct gr_str s, struct gr_str *out)
{
    char *copy = gr_arena_copy(arena, s);

    if (!copy)
        return false;
    *out = (struct gr_str){.p = copy, .n = s.n};
    return true;
}
