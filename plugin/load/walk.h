/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/walk: from a root to a file, one component at a time.
 *
 * Layer: load. Links are followed inside the root: ".." stops there and an absolute link starts
 * there again, so that a host's links mean under /host what they mean on the host. Every directory
 * on the way stays open, ".." goes back to the one that was opened, and a visitor sees each entry
 * together with the directory that holds it: what was looked at is what is used.
 */
#ifndef GR_LOAD_WALK_H
#define GR_LOAD_WALK_H

#include "load/fs.h"
#include "load/limits.h"

struct gr_walk_dir {
    int node;
    size_t path_bytes; /* of its path, a prefix of walk->path */
    struct gr_fs_meta meta;
};

/* One entry on the way; all borrowed for the call. */
struct gr_walk_visit {
    const char *path;                /* below the root, begins with "/" */
    const struct gr_fs_meta *parent; /* the directory that holds it; NULL for the root itself */
    const char *parent_path;         /* ditto; terminated */
    const struct gr_fs_meta *meta;   /* may be a link: then its target is visited next */
};

/* Returns 0 to go on; anything else ends the walk and is passed up. */
typedef int gr_walk_visit_fn(void *user, const struct gr_walk_visit *visit);

/* About 20 KiB: for the heap, or a thread with an ordinary stack. */
struct gr_walk {
    const struct gr_fs *fs;
    struct gr_walk_dir dirs[GR_WALK_DEPTH_MAX]; /* dirs[0] is the root */
    size_t depth;
    unsigned links;

    /* What was reached, or where it failed; its directory is the last of dirs. */
    int node; /* GR_FS_NO_NODE: nothing, or the last of dirs itself */
    struct gr_fs_meta meta;
    char path[GR_LOAD_PATH_BYTES];
    char name[GR_LOAD_PATH_BYTES];        /* the last component, in that directory */
    char parent_path[GR_LOAD_PATH_BYTES]; /* for visitors */
    char todo[GR_LOAD_PATH_BYTES];        /* what is left, at its end */
    size_t todo_at;
    gr_walk_visit_fn *visit;
    void *visit_user;
};

/*
 * Opens the root: "/" or the host root. fs is borrowed until the close. Returns 0, a negative
 * errno.
 */
GR_CHECKED int gr_walk_open(struct gr_walk *walk, const struct gr_fs *fs, const char *root);

/* Closes everything; fine on zeroed memory and twice. */
void gr_walk_close(struct gr_walk *walk);

/*
 * From the root to path (absolute). visit may be NULL; it sees the root first.
 * Returns 0 with node, meta, path and name set; -ELOOP more than GR_WALK_LINKS_MAX links;
 * -ENAMETOOLONG path or depth; -ENOENT, -ENOTDIR, … with path naming what could not be opened and
 * the last of dirs the directory it should have been in; what visit returned.
 */
GR_CHECKED int gr_walk_to(struct gr_walk *walk, const char *path, gr_walk_visit_fn *visit,
                          void *user);

/* Makes the directory that was reached the last of dirs. Returns 0; -ENOTDIR; -ENAMETOOLONG. */
GR_CHECKED int gr_walk_enter(struct gr_walk *walk);

static inline const struct gr_walk_dir *gr_walk_top(const struct gr_walk *walk)
{
    return &walk->dirs[walk->depth - 1];
}

#endif
