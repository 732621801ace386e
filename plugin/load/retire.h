/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/retire: takes packages out of force that their owner does not install any more.
 *
 * Layer: load. Spec: specs/programs.md, "Retiring". Only the link current goes: what containers
 * name stays until it is collected.
 */
#ifndef GR_LOAD_RETIRE_H
#define GR_LOAD_RETIRE_H

#include "base/err.h"
#include "load/fs.h"

/* One package that was to be retired: rc is 0, -EWOULDBLOCK (somebody is at work there) or another
 * negative errno, with words of why. Borrowed for the call. */
typedef void gr_retired_fn(void *user, const char *name, int rc, const char *why);

struct gr_retire {
    const struct gr_fs *fs;
    const char *root;        /* where the host's / is seen */
    const char *store;       /* below it */
    const char *owner;       /* whose packages; all others are left alone */
    const char *const *keep; /* NAMEs that stay */
    size_t keep_n;
    int64_t before_s; /* only what was installed before, in seconds since 1970; 0: any */
    bool dry_run;
    gr_retired_fn *retired;
    void *user;
};

/*
 * A store that is not there has none. Returns 0: what is left is to stay; a negative errno: some
 * packages could not be retired, which was told, or, with err filled, the store cannot be opened.
 */
GR_CHECKED int gr_retire(const struct gr_retire *retire, struct gr_err *err);

#endif
