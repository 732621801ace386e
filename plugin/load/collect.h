/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/collect: takes digests of the program store away that nobody needs any more.
 *
 * Layer: load. Spec: specs/programs.md, "Collecting". What is not understood stays.
 */
#ifndef GR_LOAD_COLLECT_H
#define GR_LOAD_COLLECT_H

#include "base/arena.h"
#include "load/fs.h"

/* What stays. Borrowed. */
struct gr_collect {
    const struct gr_str *keep; /* digests */
    size_t keep_n;
    int64_t now_s; /* seconds since 1970 */
};

/* What went, as NAME/DIGEST, in an arena. */
struct gr_collected {
    const struct gr_str *items;
    size_t n;
};

/* Packages and digests that are looked at, and digests that go at once. No evidence. */
#define GR_COLLECT_MAX 1024

/*
 * root: where the host's / is seen; dir: the store. One that is missing, or cannot be written, is
 * left alone. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_collect(const struct gr_collect *collect, const struct gr_fs *fs,
                          const char *root, const char *dir, struct gr_arena *arena,
                          struct gr_collected *out_collected);

#endif
