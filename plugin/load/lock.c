/* SPDX-License-Identifier: Apache-2.0 */
#include "load/lock.h"

#include <errno.h>

#include "load/trust.h"

#define MODE_ALL 07777U

/* Somebody could have opened one that is not so, and may hold it for ever. */
static int judge(const struct gr_lock *lock, const struct gr_fs_meta *meta, struct gr_err *err)
{
    char shown[GR_TRUST_QUOTED_BYTES];

    if (meta->type == GR_FS_REGULAR && meta->uid == lock->fs->euid &&
        (meta->mode & MODE_ALL) == GR_LOCK_MODE)
        return 0;
    gr_trust_shorten(shown, sizeof(shown), lock->shown);
    return gr_fail(err, -EPERM, "setup-target",
                   "expected %s/%s to be a regular file with mode %04o and root's, so that nobody "
                   "else can hold the lock, found %s with mode %04o and uid %u; look at what has "
                   "it open (lslocks, fuser), then remove it",
                   shown, lock->name, GR_LOCK_MODE, gr_fs_type_name(meta->type), meta->mode,
                   meta->uid);
}

static int look(const struct gr_lock *lock, int dir, struct gr_fs_meta *out_meta)
{
    int node;
    int rc = gr_fs_open_at(lock->fs, dir, lock->name, &node);

    if (rc != 0)
        return rc;
    rc = lock->fs->meta(lock->fs->user, node, out_meta);
    gr_fs_close(lock->fs, &node);
    return rc;
}

/* One that comes or goes meanwhile is another process's: it is at work. */
static int open_file(const struct gr_lock *lock, int dir, int *out_node, struct gr_err *err)
{
    const struct gr_fs *fs = lock->fs;
    struct gr_fs_meta meta;
    int rc = look(lock, dir, &meta);

    if (rc == -ENOENT) {
        rc = lock->look_only ? 0 : fs->create(fs->user, dir, lock->name, GR_LOCK_MODE, out_node);
        return rc == -EEXIST ? -EWOULDBLOCK : rc;
    }
    if (rc == 0)
        rc = judge(lock, &meta, err); /* not that a device is opened */
    if (rc != 0)
        return rc;
    do {
        rc = fs->open_write(fs->user, dir, lock->name, out_node);
    } while (rc == -EINTR);
    return rc == -ENOENT ? -EWOULDBLOCK : rc;
}

/* The one that had the lock may have removed the file before it ended. */
static int has_name(const struct gr_lock *lock, int dir, int node, struct gr_err *err)
{
    struct gr_fs_meta ours, named;
    int rc = lock->fs->meta(lock->fs->user, node, &ours);

    if (rc == 0)
        rc = judge(lock, &ours, err);
    if (rc != 0)
        return rc;
    rc = look(lock, dir, &named);
    if (rc == -ENOENT || (rc == 0 && !gr_fs_same_file(&ours, &named)))
        return -EWOULDBLOCK;
    return rc;
}

int gr_lock_take(const struct gr_lock *lock, int dir, int *out_lock, struct gr_err *err)
{
    int node = GR_FS_NO_NODE;
    int rc = open_file(lock, dir, &node, err);

    if (rc == 0 && node != GR_FS_NO_NODE) {
        rc = lock->fs->lock(lock->fs->user, node);
        if (rc == 0)
            rc = has_name(lock, dir, node, err);
    }
    if (rc == 0)
        *out_lock = node;
    else
        gr_fs_close(lock->fs, &node);
    return rc;
}
