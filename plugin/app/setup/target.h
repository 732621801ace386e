/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/target: the directory on the host that something is installed into.
 *
 * Layer: app. What root, and so containers' hooks, will run is written there: it and every
 * directory above it that can be seen is root's and not writable by others, on a file system that
 * can be written and executed from. What is wrong is told with the value to change.
 */
#ifndef GR_APP_SETUP_TARGET_H
#define GR_APP_SETUP_TARGET_H

#include "base/err.h"
#include "load/trust.h"

/* Not what a walk with findings returns. */
#define GR_TARGET_INSIDE (GR_TRUST_BROKEN + 1)

struct gr_target {
    const struct gr_fs *fs;
    struct gr_walk walk;
    struct gr_trust_way way;
    const char *path; /* as it was asked for */
    const char
        *advice; /* where else it could go, for messages; NULL: to another store of programs */
    const struct gr_fs_meta *apart; /* a directory that it must not lie in, nor be; NULL: none */
    bool volume;  /* others may write it where it is a mount of its own: a volume of a pod */
    bool dry_run; /* nothing is made */
    bool missing; /* under dry_run: it, or a directory above it, is not there */
};

/*
 * Opens the directory at path (absolute, below host_root) and makes what is missing, with mode
 * 0755. path, advice, apart, volume and dry_run of a zeroed target are given. Returns 0;
 * GR_TARGET_INSIDE without err: it lies in apart, nothing was made; a negative errno with err
 * filled. Large: for the heap. To be closed in any case.
 */
GR_CHECKED int gr_target_open(struct gr_target *target, const struct gr_fs *fs,
                              const char *host_root, struct gr_err *err);
void gr_target_close(struct gr_target *target);

/* The node of the directory; none when it is missing. */
int gr_target_node(const struct gr_target *target);

/* Whether files there can be written and run. Returns 0; -EROFS, -EACCES with err filled. */
GR_CHECKED int gr_target_check_mount(const struct gr_fs_meta *meta, const char *shown,
                                     struct gr_err *err);

/* Explains a failed write to a directory; what was done, such as "writing bin/setup". Returns rc.
 */
int gr_target_fail(struct gr_err *err, int rc, const char *shown, const char *what);

/* The same for a target that has an advice of its own. */
int gr_target_failed(const struct gr_target *target, int rc, const char *what, struct gr_err *err);

#endif
