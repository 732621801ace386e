/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/arena: memory with one lifetime and one limit.
 *
 * Layer: base. Blocks are taken from malloc as they are needed and given back all at once; nothing
 * is freed singly. There are four lifetimes in the project (process, rule set, session, request)
 * and each has its own arena. The limit turns hostile input into an ordinary -ENOMEM.
 * Not safe for use by two threads at once.
 */
#ifndef GR_BASE_ARENA_H
#define GR_BASE_ARENA_H

#include "base/str.h"

struct gr_arena_block;

struct gr_arena {
    struct gr_arena_block *blocks; /* newest first */
    size_t block_bytes;            /* size of an ordinary block */
    size_t limit_bytes;            /* most that all blocks together may take */
    size_t taken_bytes;            /* what they take now */
};

/*
 * Nothing is allocated yet. block_bytes: size of ordinary blocks (a larger request gets a block of
 * its own). limit_bytes: the most that the blocks may take together; 0 means no limit.
 */
void gr_arena_init(struct gr_arena *arena, size_t block_bytes, size_t limit_bytes);

/* Gives everything back. Zeroed and finished arenas are fine. */
void gr_arena_fini(struct gr_arena *arena);

/* Forgets everything but keeps one ordinary block for the next use. */
void gr_arena_reset(struct gr_arena *arena);

/*
 * Aligned for any type; zeroed; valid until reset or fini. NULL when memory or the limit is used
 * up. A size of 0 gives a valid pointer to nothing.
 */
void *gr_arena_alloc(struct gr_arena *arena, size_t bytes);

/* As gr_arena_alloc for count elements; NULL also when the product overflows. */
void *gr_arena_array(struct gr_arena *arena, size_t count, size_t element_bytes);

/* A copy that is also terminated by a NUL byte (not counted). NULL as above. */
char *gr_arena_copy(struct gr_arena *arena, struct gr_str s);

/* Copies s into the arena; false when there is no memory, *out is then unchanged. */
GR_CHECKED bool gr_arena_str(struct gr_arena *arena, struct gr_str s, struct gr_str *out);

#endif
