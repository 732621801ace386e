/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/held: accepted texts that cannot be kept on disk, held in memory from load to load.
 *
 * Layer: load; of load/lastgood. For the loader's thread. Only as long as the process lives, and
 * only texts of files whose last good text could not be written.
 */
#ifndef GR_LOAD_HELD_H
#define GR_LOAD_HELD_H

#include "base/defs.h"
#include "base/str.h"

struct gr_held_text {
    struct gr_held_text *next, *previous;
    struct gr_str path, text; /* behind it in memory */
};

/* Zeroed memory is an empty one. */
struct gr_held {
    struct gr_held_text *first;
    size_t bytes; /* of texts and paths */
};

/*
 * Holds a copy in place of before, which may be NULL and is freed. Returns it; NULL: no memory, or
 * more than GR_LOAD_TEXT_MAX_BYTES together; then before stays.
 */
struct gr_held_text *gr_held_put(struct gr_held *held, struct gr_held_text *before,
                                 struct gr_str path, struct gr_str text);

void gr_held_drop(struct gr_held *held, struct gr_held_text *text);
void gr_held_fini(struct gr_held *held); /* fine on zeroed memory and twice */

#endif
