/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/collect: takes digests of the program store away that nobody needs any more.
 *
 * Layer: load. Spec: specs/programs.md, "Collecting". What is not understood stays.
 */
#ifndef GR_LOAD_COLLECT_H
#define GR_LOAD_COLLECT_H

#include "base/arena.h"
#include "base/sha256.h"
#include "load/fs.h"

/* Where. Borrowed. */
struct gr_collect {
    const struct gr_fs *fs;
    const char *root; /* where the host's / is seen */
    const char *dir;  /* the store. One that is missing, or cannot be written, is left alone */
    int64_t now_s;    /* seconds since 1970 */
};

/* Digests that are old and not current: they go, unless somebody names them. Zeroed memory is an
 * object without any. What is in nobody's store needs no room here, however much of it is named. */
struct gr_old {
    struct gr_old_digest *items; /* in their order, each once */
    size_t n;
    size_t named_n;
};

struct gr_old_digest {
    char digest[GR_SHA256_HEX + 1];
    bool named;
};

/* What went, as NAME/DIGEST, in an arena. */
struct gr_collected {
    const struct gr_str *items;
    size_t n;
};

/* Packages and digests that are looked at, and digests that go at once. No evidence. */
#define GR_COLLECT_MAX 1024

/* Looks which there are, before anybody is asked what he names: what is installed later is not
 * among them. At most GR_COLLECT_MAX; the others stay. Returns 0; -ENOMEM. */
GR_CHECKED int gr_old_find(const struct gr_collect *collect, struct gr_old *out_old);
void gr_old_fini(struct gr_old *old); /* fine on zeroed memory and twice */

/* Whatever digests stand in a text are named. */
void gr_old_name(struct gr_old *old, struct gr_str text);

/* Whether there are any that nobody has named. */
static inline bool gr_old_has_unnamed(const struct gr_old *old)
{
    return old->n > old->named_n;
}

/* Takes those away that nobody has named, and that are old and not current still. Returns 0;
 * -ENOMEM. */
GR_CHECKED int gr_collect(const struct gr_collect *collect, const struct gr_old *old,
                          struct gr_arena *arena, struct gr_collected *out_collected);

#endif
