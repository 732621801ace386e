/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/pauses: the file "pauses" of the run directory: which sets are paused or tripped.
 *
 * Layer: state. Survives the plugin, not the node's start. It is the truth for all instances of the
 * plugin: each changes it under its lock, and looks whether it was changed before it decides. What
 * is damaged counts as nothing: a suspension takes guard rails away, and is never made up.
 * Format: specs/pausing.md.
 */
#ifndef GR_STATE_PAUSES_H
#define GR_STATE_PAUSES_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "rules/decide/suspend.h"

/* Suspensions at one time. Each decision looks its sets up among them. No evidence. */
#define GR_PAUSES_MAX 1024

/* Bytes of a reason: a line to be read. No evidence. */
#define GR_PAUSE_REASON_MAX_BYTES 256

/* Bytes of who did it. */
#define GR_PAUSE_BY_MAX_BYTES 64

/* Seconds that a pause may last when it is to end by itself: 7 days. What is to last longer is a
 * change of the rules. */
#define GR_PAUSE_MAX_S 604800

/* Bytes of the file: more than GR_PAUSES_MAX entries of the greatest size. */
#define GR_PAUSES_FILE_MAX_BYTES (2U << 20)

struct gr_pauses {
    struct gr_arena arena; /* holds the texts */
    struct gr_suspension *items;
    size_t n;
};

/* Which file it is; all zero: there is none. */
struct gr_pauses_stamp {
    ino_t inode;
    int64_t changed_s, changed_ns;
    int64_t bytes;
};

/*
 * Reads the file; the list is sorted. Without a file it is empty. The caller ends it with
 * gr_pauses_fini, also after a failure, when it is empty.
 * Returns 0; -EINVAL the file is damaged (pauses-damaged), -EFBIG, -EPERM others may write to it,
 * -ENOMEM or another negative errno (pauses-unreadable): err says so.
 */
GR_CHECKED int gr_pauses_read(int dir, struct gr_pauses *out_pauses, struct gr_err *err);

/*
 * Replaces the file. Returns 0; a negative errno after filling err (pauses-unwritable): the old one
 * stands.
 */
GR_CHECKED int gr_pauses_write(int dir, const struct gr_suspension *items, size_t n,
                               struct gr_err *err);

void gr_pauses_fini(struct gr_pauses *pauses);

/* Which file there is now; one that cannot be looked at is none. */
struct gr_pauses_stamp gr_pauses_stamp(int dir);
bool gr_pauses_same_stamp(const struct gr_pauses_stamp *a, const struct gr_pauses_stamp *b);

/* Keeps other instances from changing the file; never waits. Returns a lock, to be given back;
 * -EAGAIN another one is changing the file; a negative errno. */
GR_CHECKED int gr_pauses_lock(int dir);
void gr_pauses_unlock(int lock);

#endif
