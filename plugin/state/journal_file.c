/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How several instances share the file. Each holds it open with O_APPEND and writes a record with
 * one write(2), so lines never mix. Behind each record it looks
 *
 *   - where the record ended: what stands between that and what it has read was written by another
 *     instance, and is read;
 *   - whether the name still belongs to its file: if not, another instance has put a new one in
 *     place, which is opened and read, and the record is written once more.
 *
 * Whoever finds the file too large takes an exclusive lock (flock) of it, without waiting. With it
 * nobody else replaces the file. A new one is written beside it that begins with all that is known;
 * the old one gets the name decisions.old as well, and the new one takes its name: `decisions` is
 * there at any time. Last, what others have added to the old one meanwhile is copied: who adds to
 * it later finds that the name has moved on.
 */
#include "state/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/journal_lines.h"
#include "state/limits.h"
#include "state/rundir.h"

#define NAME GR_JOURNAL_FILE_NAME
#define OLD_NAME NAME ".old"
/* Of one instance at a time, the one with the lock; what a killed one left is replaced. */
#define NEW_NAME "." NAME ".new"
#define LINK_NAME "." OLD_NAME ".new"
#define NAMED_MS 1000
#define AGAIN_MAX 8 /* files that are replaced while one record is written */

bool gr_journal_file_may_retry(uint64_t then_ms)
{
    return then_ms == 0 || gr_now_ms() - then_ms >= GR_JOURNAL_RETRY_S * UINT64_C(1000);
}

struct gr_journal_stamp gr_journal_file_stamp(const struct gr_journal_file *f)
{
    return (struct gr_journal_stamp){.time_s = (int64_t)time(NULL), .by = f->by};
}

/* ---- the file ---- */

/* Reads what stands between read_to and an offset, or the end where that is negative. */
static int read_more(struct gr_journal_file *f, off_t until)
{
    struct gr_journal_lines lines = {.fd = f->fd, .at = f->read_to, .until = until};
    int r = gr_journal_lines_take(&lines, &f->state);

    f->read_to = lines.at;
    f->torn = lines.torn;
    f->damaged += lines.damaged;
    return r;
}

/* Whether the name still belongs to the file that is open, and the path to its directory. */
static bool is_current(struct gr_journal_file *f)
{
    struct stat named;

    f->named_ms = gr_now_ms();
    return gr_rundir_leads_to(f->path, f->dir) &&
           fstatat(f->dir, NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == f->ino &&
           named.st_dev == f->dev;
}

/* The same without a look at the name each time, for who has just written. Instances replace a file
 * that has become too large, and no other; what people do to it by hand is seen a little later. */
static bool is_still_current(struct gr_journal_file *f)
{
    bool replaceable = f->read_to >= (off_t)GR_JOURNAL_MAX_BYTES || f->removed;

    return (!replaceable && gr_now_ms() - f->named_ms < NAMED_MS) || is_current(f);
}

/* Returns how many bytes were written: fewer where there is no room; a negative errno. */
static ssize_t write_once(int fd, struct gr_str text)
{
    ssize_t n;

    do
        n = write(fd, text.p, text.n);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Where in the file our last write ended. */
static off_t find_end(struct gr_journal_file *f, ssize_t written)
{
    struct stat st;

    if (fstat(f->fd, &st) != 0)
        return -1;
    f->removed = st.st_nlink == 0;
    /* Nobody else has written. */
    if (st.st_size == f->read_to + written)
        return st.st_size;
    return lseek(f->fd, 0, SEEK_CUR);
}

/* One write. What others have written before it is read. */
static int append(struct gr_journal_file *f, struct gr_str text)
{
    ssize_t n = write_once(f->fd, text);
    off_t end = n > 0 ? find_end(f, n) : 0;
    int r = 0;

    if (n <= 0)
        return n < 0 ? (int)n : -ENOSPC;
    if (end < 0)
        return -errno;
    if (end - n > f->read_to) {
        f->gaps++;
        r = read_more(f, end - n);
    }
    f->read_to = end;
    f->torn = f->torn || (size_t)n < text.n;
    if (r)
        return r;
    return (size_t)n < text.n ? -ENOSPC : 0;
}

/* A line that somebody could not write to its end is ended here. */
static int mend(struct gr_journal_file *f)
{
    int r = f->torn ? append(f, GR_STR("\n")) : 0;

    if (r == 0)
        f->torn = false;
    return r;
}

/* The directory was removed or moved, by a cleanup or by hand: in what is left of it nothing can be
 * made, or nobody looks for it. */
static int renew_dir(struct gr_journal_file *f)
{
    struct gr_err err = {0};
    int dir;

    if (gr_rundir_leads_to(f->path, f->dir))
        return 0;
    dir = gr_rundir_open(f->path, &err);
    if (dir < 0)
        return dir;
    (void)close(f->dir);
    f->dir = dir;
    return 0;
}

int gr_journal_file_attach(struct gr_journal_file *f)
{
    int r = renew_dir(f);
    int fd = r ? r : gr_rundir_append(f->dir, NAME, false);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) != 0) {
        (void)close(fd);
        return -errno;
    }
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = fd;
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->read_to = 0;
    f->torn = false;
    f->removed = false;
    f->named_ms = 0;
    r = read_more(f, -1);
    if (r == 0 && f->torn) {
        /* Behind the line feed it is a line, and damaged; unless it was still being written. */
        if (write_once(fd, GR_STR("\n")) == 1)
            r = read_more(f, -1);
        else
            gr_journal_state_damaged(&f->state);
    }
    return r;
}

int gr_journal_file_put_known(const struct gr_journal_file *f, bool listed, struct gr_buf *out)
{
    const struct gr_journal_stamp now = gr_journal_file_stamp(f);
    const struct gr_journal_standing standing = {.ids = &f->state.ids,
                                                 .listed = listed,
                                                 .complete = f->state.complete,
                                                 .session_ended_s = f->state.session_ended_s,
                                                 .session_by = f->state.session_by};

    return gr_journal_put_known(out, &now, &standing);
}

int gr_journal_file_add_known(struct gr_journal_file *f)
{
    struct gr_buf all;
    int r;

    gr_buf_init(&all, GR_JOURNAL_FILE_KNOWN_MAX_BYTES);
    r = gr_journal_file_put_known(f, false, &all);
    if (r == 0)
        r = append(f, gr_buf_view(&all));
    gr_buf_fini(&all);
    return r;
}

/* ---- a new file in place of the old one ---- */

/* Complete lines that others have added to the old file since it was read, to the new one. */
static int copy_tail(const struct gr_journal_file *f, int from, off_t at)
{
    struct gr_journal_lines lines = {.fd = from, .at = at, .until = -1, .copy_to = &f->fd};

    return gr_journal_lines_take(&lines, NULL);
}

static int name_new(const struct gr_journal_file *f)
{
    int r = 0;

    (void)unlinkat(f->dir, LINK_NAME, 0);
    if (linkat(f->dir, NAME, f->dir, LINK_NAME, 0) != 0)
        return -errno;
    if (renameat(f->dir, LINK_NAME, f->dir, OLD_NAME) != 0)
        r = -errno;
    /* Where both names are those of one file, renaming does nothing and leaves both. */
    (void)unlinkat(f->dir, LINK_NAME, 0);
    if (r == 0 && renameat(f->dir, NEW_NAME, f->dir, NAME) != 0)
        r = -errno;
    return r;
}

/* The new file, that begins with what is known. Returns its descriptor. */
static int make_new(const struct gr_journal_file *f, struct stat *out_st)
{
    struct gr_buf all;
    int fd, r;

    (void)unlinkat(f->dir, NEW_NAME, 0);
    fd = gr_rundir_append(f->dir, NEW_NAME, true);
    if (fd < 0)
        return fd;
    gr_buf_init(&all, GR_JOURNAL_FILE_KNOWN_MAX_BYTES);
    r = gr_journal_file_put_known(f, false, &all);
    if (r == 0 && write_once(fd, gr_buf_view(&all)) != (ssize_t)all.len)
        r = -ENOSPC;
    gr_buf_fini(&all);
    if (r == 0 && fstat(fd, out_st) != 0)
        r = -errno;
    if (r == 0)
        return fd;
    (void)close(fd);
    (void)unlinkat(f->dir, NEW_NAME, 0);
    return r;
}

/* With the lock. */
static int replace(struct gr_journal_file *f)
{
    struct stat st;
    int old = f->fd;
    off_t copied;
    int fd;
    int r = read_more(f, -1);

    if (r)
        return r;
    copied = f->read_to;
    fd = make_new(f, &st);
    if (fd < 0)
        return fd;
    r = name_new(f);
    if (r) {
        (void)unlinkat(f->dir, NEW_NAME, 0);
        (void)close(fd);
        return r;
    }
    f->fd = fd;
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->rotations++;
    r = copy_tail(f, old, copied);
    (void)close(old); /* and the lock with it */
    f->named_ms = 0;
    /* Others may write to the new one already. */
    f->read_to = st.st_size;
    if (r || read_more(f, -1) != 0)
        f->behind = true;
    return 0;
}

/* Nothing where another instance is about to, and where it has failed lately: the file is good for
 * twice its size. */
static void rotate(struct gr_journal_file *f)
{
    int fd = f->fd;

    if (!gr_journal_file_may_retry(f->not_rotated_ms) || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return;
    f->not_rotated_ms = is_current(f) && replace(f) != 0 ? gr_now_ms() : 0;
    if (f->fd == fd)
        (void)flock(fd, LOCK_UN);
}

/* ---- adding to it ---- */

/* What the file lacks since it could not be written. */
static int catch_up(struct gr_journal_file *f)
{
    struct gr_journal_state mine;
    int r;

    if (is_current(f)) {
        r = read_more(f, -1);
        return r ? r : gr_journal_file_add_known(f);
    }
    mine = f->state;
    f->state = (struct gr_journal_state){0};
    r = gr_journal_file_attach(f);
    if (r || f->read_to == 0) { /* nothing is known there */
        gr_journal_state_fini(&f->state);
        f->state = mine;
    } else {
        r = gr_journal_state_merge(&f->state, &mine);
        gr_journal_state_fini(&mine);
    }
    return r ? r : gr_journal_file_add_known(f);
}

/* Another instance has put a new file in place, or somebody has removed it. */
static int attach_again(struct gr_journal_file *f)
{
    int r = gr_journal_file_attach(f);

    return r == 0 && f->read_to == 0 ? gr_journal_file_add_known(f) : r;
}

/* The record once more, with its meaning, since what is known was read anew. */
static int append_again(struct gr_journal_file *f, struct gr_str text)
{
    ssize_t n;
    int r = attach_again(f);

    if (r)
        return r;
    n = write_once(f->fd, text);
    if (n < 0 || (size_t)n < text.n) {
        f->torn = f->torn || n > 0;
        return n < 0 ? (int)n : -ENOSPC;
    }
    return read_more(f, -1);
}

static bool is_full(const struct gr_journal_file *f, struct gr_str text)
{
    return f->read_to + (off_t)text.n > (off_t)GR_JOURNAL_HARD_MAX_BYTES;
}

/* Makes the file one that can be added to. */
static int make_ready(struct gr_journal_file *f, struct gr_str text)
{
    int r;

    if (is_full(f, text) && is_current(f))
        rotate(f);
    else if (is_full(f, text))
        f->behind = true; /* another instance has put a new one in place meanwhile */
    r = f->behind && !is_current(f) ? 0 : mend(f);
    if (r == 0 && f->behind)
        r = catch_up(f);
    return r == 0 && is_full(f, text) ? -EFBIG : r;
}

int gr_journal_file_add(struct gr_journal_file *f, struct gr_str text)
{
    int r = make_ready(f, text);

    if (r == 0)
        r = append(f, text);
    /* It was written behind what another instance could not write to its end. */
    if (r == 0 && f->torn) {
        r = mend(f);
        if (r == 0)
            r = append(f, text);
    }
    for (int i = 0; r == 0 && i < AGAIN_MAX && !is_still_current(f); i++)
        r = append_again(f, text);
    if (r == 0)
        f->behind = false;
    if (f->read_to >= (off_t)GR_JOURNAL_MAX_BYTES)
        rotate(f);
    return r;
}

int gr_journal_file_follow(struct gr_journal_file *f)
{
    int r = 0;

    if (f->behind)
        r = make_ready(f, GR_STR_NONE);
    else if (!is_current(f))
        r = attach_again(f);
    f->behind = r != 0;
    return r;
}

int gr_journal_file_read(struct gr_journal_file *f)
{
    return read_more(f, -1);
}

/* ---- life ---- */

void gr_journal_file_init(struct gr_journal_file *out_file, const char *path, int dir, uint64_t by)
{
    *out_file = (struct gr_journal_file){.path = path, .dir = dir, .fd = -1, .by = by};
}

void gr_journal_file_fini(struct gr_journal_file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    (void)close(f->dir);
    gr_journal_state_fini(&f->state);
}
