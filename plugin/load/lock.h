/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/lock: one process at a time in a directory that everybody may read.
 *
 * Layer: load. Spec: specs/programs.md, "One at a time". The lock is the kernel's (flock) and goes
 * with the process that has it. It lies on a file that only root can open, since whoever can open
 * something can lock it: a directory with mode 0755 would be locked by anybody. Whoever has the
 * lock may remove the file; so it is had only where the name still leads to what was locked.
 */
#ifndef GR_LOAD_LOCK_H
#define GR_LOAD_LOCK_H

#include "base/err.h"
#include "load/fs.h"

/* Of the file: nobody else may open it, not even for reading. */
#define GR_LOCK_MODE 0600U

struct gr_lock {
    const struct gr_fs *fs;
    const char *name;  /* of the file in the directory */
    const char *shown; /* the directory's path, for messages */
    bool look_only;    /* the file is not made: where there is none, nobody has the lock */
};

/*
 * Takes the lock of dir and makes its file where that is missing; it is had until *out_lock is
 * closed. The directory must be in nobody's hands but ours. Returns 0 (under look_only *out_lock
 * may be none); -EWOULDBLOCK: somebody has it, or just had it; -ENOENT: the directory was removed;
 * -EPERM with err filled: the file is not as it must be; another negative errno, without words.
 */
GR_CHECKED int gr_lock_take(const struct gr_lock *lock, int dir, int *out_lock, struct gr_err *err);

#endif
