/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/self: this program into a directory, so that it can run in an image that has none.
 *
 * Layer: app. What is copied is run as root: the directory and those above it are root's, and
 * nobody else may write them. Kubelet makes volumes of pods writable for all, so a directory that
 * is a mount of its own may be that.
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

/* The running program, opened for reading; a negative errno with err filled. */
GR_CHECKED int gr_self_open(struct gr_err *err);

/* A new file in dir with what from has, synchronised. Returns 0 and its size; a negative errno:
 * some of it may be there. */
GR_CHECKED int gr_self_write(const struct gr_fs *fs, int dir, const char *name, int from,
                             uint64_t *out_bytes);

/* Copies the running program to DIR/grapnel, whole or not at all. Returns 0 and its size; a
 * negative errno with err filled. */
GR_CHECKED int gr_self_copy(const struct gr_self *self, uint64_t *out_bytes, struct gr_err *err);

#endif
