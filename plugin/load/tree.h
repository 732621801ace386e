/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/tree: a directory of program files: what is in it, its digest, and away with it.
 *
 * Layer: load. The directory may be an untrusted image's: entries are opened one component at a
 * time without following links, sizes and numbers are bounded, and what changes while it is read is
 * refused. Digest: specs/programs.md.
 */
#ifndef GR_LOAD_TREE_H
#define GR_LOAD_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sha256.h"
#include "load/fs.h"
#include "load/store_limits.h"

/* What every program file and directory of the store has. */
#define GR_TREE_MODE_DIR 0755U
#define GR_TREE_MODE_PROGRAM 0755U
#define GR_TREE_MODE_DATA 0644U

struct gr_tree_file {
    struct gr_str path; /* below the directory, also NUL-terminated */
    bool executable;
    struct gr_fs_meta meta; /* as it was listed */
    char sha256[GR_SHA256_HEX + 1];
};

struct gr_tree {
    struct gr_tree_file *files; /* in the order of their paths' bytes */
    size_t n;
    uint64_t bytes;
    char digest[GR_SHA256_HEX + 1]; /* filled by gr_tree_read */
};

enum gr_tree_kind {
    GR_TREE_SOURCE,    /* anybody's */
    GR_TREE_INSTALLED, /* only what an installer leaves: owners and modes are looked at, too */
};

/*
 * Lists a directory; shown: its path, for messages. Empty directories do not count. Returns 0 and a
 * tree in arena; -EINVAL: something in it is refused; -ENOMEM or another negative errno. err says
 * which.
 */
GR_CHECKED int gr_tree_list(const struct gr_fs *fs, int dir, const char *shown,
                            enum gr_tree_kind kind, struct gr_arena *arena,
                            struct gr_tree *out_tree, struct gr_err *err);

/* Takes a piece of a file. Returns 0; a negative errno, which is passed up with err filled. */
typedef int gr_tree_piece_fn(void *user, const void *data, size_t bytes, struct gr_err *err);

/*
 * Reads one file, at most as much as was listed, and fills its sha256. each: NULL or what takes the
 * pieces. Returns 0; -ESTALE: it has changed since it was listed; another negative errno.
 */
GR_CHECKED int gr_tree_read_file(const struct gr_fs *fs, int dir, const char *shown,
                                 struct gr_tree_file *file, gr_tree_piece_fn *each, void *user,
                                 struct gr_err *err);

/* Fills the digest from what each file has. */
void gr_tree_digest(struct gr_tree *tree);

/* Reads every file and fills the digest. Returns as gr_tree_read_file. */
GR_CHECKED int gr_tree_read(const struct gr_fs *fs, int dir, const char *shown,
                            struct gr_tree *tree, struct gr_err *err);

/* The directory that holds the last component of path, opened; *out_name: that component. Returns
 * 0; -ENOTDIR (a link, too) or another negative errno. */
GR_CHECKED int gr_tree_open_parent(const struct gr_fs *fs, int dir, const char *path, int *out_node,
                                   const char **out_name);

/* Removes an entry with all that is in it, links not followed. One that is not there is fine.
 * Returns 0; a negative errno: some of it may be left (-EXDEV: something is mounted in it, which is
 * not ours to empty). */
GR_CHECKED int gr_tree_remove(const struct gr_fs *fs, int dir, const char *name);

/* Whether it is a digest as tree writes it: 64 digits and letters a to f. */
bool gr_is_tree_digest(struct gr_str text);

/* The next thing in a text that looks like a digest, wherever the store was: 64 digits with no
 * other beside them. text becomes what stands behind it. False: there is none, and text is empty.
 */
bool gr_tree_digest_next(struct gr_str *text, struct gr_str *out_digest);

#endif
