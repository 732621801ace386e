/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/fs: the few file operations that loading needs, as a table.
 *
 * Layer: load. Everything above works on nodes (descriptors in the real table, numbers in a test's)
 * and opens one component at a time, so that what was checked is what is read. Paths are never
 * handed to the system, except for the two roots. Every operation returns 0 or a negative errno
 * unless it says otherwise, and may be interrupted (-EINTR) or read and write less than asked: the
 * helpers below repeat it.
 */
#ifndef GR_LOAD_FS_H
#define GR_LOAD_FS_H

#include "base/buf.h"

enum gr_fs_type {
    GR_FS_REGULAR,
    GR_FS_DIRECTORY,
    GR_FS_LINK,
    GR_FS_NULL,  /* the device /dev/null */
    GR_FS_OTHER, /* other devices, pipes */
    GR_FS_SOCKET,
};

/* "a regular file", "a directory", … */
const char *gr_fs_type_name(enum gr_fs_type type);

struct gr_fs_meta {
    enum gr_fs_type type;
    uint32_t mode; /* the permission bits, 07777 */
    uint32_t uid, gid;
    uint64_t size_bytes;
    uint64_t modified, changed; /* opaque times: they differ when content or metadata changed */
    uint64_t device, inode;
    uint64_t mount; /* tells mounts apart */
    bool volume;    /* a directory on a read-only mount that kubelet fills: root's link ..data */
    /* Of the mount; not told (false) of a regular file that nobody may execute. */
    bool read_only;
    bool no_exec;
    bool proc; /* its file system is a proc: what is there depends on who looks */
};

/* Called for each name of a directory. Returns 0, or what ends the listing and is passed up. */
typedef int gr_fs_entry_fn(void *user, const char *name, enum gr_fs_type type);

#define GR_FS_NO_NODE (-1)

struct gr_fs {
    void *user;
    uint32_t euid, egid; /* whose rights the process has */
    uint64_t token;      /* random: part of temporary names, tells two instances apart */

    /* The directory at path, links followed. For "/" and the host root only. */
    int (*open_root)(void *user, const char *path, int *out_node);
    /* The entry name of dir, links not followed, not opened for reading: has no side effect. */
    int (*open_at)(void *user, int dir, const char *name, int *out_node);
    /* The same for reading content, never waits; the caller compares device and inode. */
    int (*open_read)(void *user, int dir, const char *name, int *out_node);
    int (*meta)(void *user, int node, struct gr_fs_meta *out_meta);
    /* Without "." and "..", in no order. */
    int (*list)(void *user, int dir, gr_fs_entry_fn *each, void *each_user);
    /* The text of a link into out, not terminated. Returns its length, cut at bytes. */
    int64_t (*read_link)(void *user, int node, char *out, size_t bytes);
    /* Returns the bytes read, 0 at the end. */
    int64_t (*read)(void *user, int node, void *out, size_t bytes);
    /* The absolute path of the working directory, terminated. */
    int (*cwd)(void *user, char *out, size_t bytes);
    void (*close)(void *user, int node); /* GR_FS_NO_NODE is fine */

    /* For last good texts and the program store only. */
    int (*make_dir)(void *user, int dir, const char *name, uint32_t mode);
    int (*create)(void *user, int dir, const char *name, uint32_t mode, int *out_node);
    int64_t (*write)(void *user, int node, const void *data, size_t bytes);
    int (*sync)(void *user, int node);     /* file or directory */
    int (*sync_all)(void *user, int node); /* the whole file system that it lies on */
    int (*rename)(void *user, int dir, const char *from, const char *to);
    int (*unlink)(void *user, int dir, const char *name);

    /* For what is installed only. */
    int (*make_link)(void *user, int dir, const char *name, const char *text); /* symbolic */
    int (*exchange)(void *user, int dir, const char *a, const char *b);        /* both at once */
    int (*remove_dir)(void *user, int dir, const char *name);
    /* From one directory into another one; what has the name there goes. */
    int (*move)(void *user, int from_dir, const char *from, int dir, const char *to);
    /* A file that is there, as open_read, but so that it could be written. */
    int (*open_write)(void *user, int dir, const char *name, int *out_node);
    /* An exclusive lock on an open file, until it is closed. -EWOULDBLOCK: somebody has it. */
    int (*lock)(void *user, int node);
};

/* Fills the table with the real operations. */
void gr_fs_posix(struct gr_fs *out_fs);

static inline bool gr_fs_same_file(const struct gr_fs_meta *a, const struct gr_fs_meta *b)
{
    return a->device == b->device && a->inode == b->inode;
}

/* Whether nothing was changed between the two looks at one file. */
static inline bool gr_fs_unchanged(const struct gr_fs_meta *a, const struct gr_fs_meta *b)
{
    return gr_fs_same_file(a, b) && a->size_bytes == b->size_bytes && a->modified == b->modified &&
           a->changed == b->changed;
}

/* Closes *node and forgets it. */
void gr_fs_close(const struct gr_fs *fs, int *node);

/* open_at, open_read with -EINTR repeated. */
GR_CHECKED int gr_fs_open_at(const struct gr_fs *fs, int dir, const char *name, int *out_node);
GR_CHECKED int gr_fs_open_read(const struct gr_fs *fs, int dir, const char *name, int *out_node);

/*
 * Appends all that is left of a file to buf. Returns 0; -EMSGSIZE when that does not fit in
 * buf->max; -ENOMEM; what read returned.
 */
GR_CHECKED int gr_fs_read_all(const struct gr_fs *fs, int node, struct gr_buf *buf);

/* Writes everything. Returns 0; what write returned (-EIO when it wrote nothing). */
GR_CHECKED int gr_fs_write_all(const struct gr_fs *fs, int node, const void *data, size_t bytes);

#endif
