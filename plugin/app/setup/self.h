/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/self: this program into a directory, so that it can run in an image that has none.
 *
 * Layer: app. The directory is a volume of a pod: its owner and mode are the pod's business.
 */
#ifndef GR_APP_SETUP_SELF_H
#define GR_APP_SETUP_SELF_H

#include "base/err.h"
#include "load/fs.h"

#define GR_SELF_NAME "grapnel"

struct gr_self {
    const struct gr_fs *fs;
    const char *host_root;
    const char *to; /* absolute, below the host root */
    bool dry_run;
};

/* Copies the running program to DIR/grapnel, whole or not at all. Returns 0 and its size; a
 * negative errno with err filled. */
GR_CHECKED int gr_self_copy(const struct gr_self *self, uint64_t *out_bytes, struct gr_err *err);

#endif
