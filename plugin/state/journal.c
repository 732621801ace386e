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
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/journal_lines.h"
#include "state/journal_put.h"
#include "state/journal_state.h"
#include "state/limits.h"
#include "state/rundir.h"

#define NAME "decisions"
#define OLD_NAME "decisions.old"
/* Of one instance at a time, the one with the lock; what a killed one left is replaced. */
#define NEW_NAME ".decisions.new"
#define LINK_NAME ".decisions.old.new"
#define NAMED_MS 1000
#define AGAIN_MAX 8                  /* files that are replaced while one record is written */
#define BUFFER_KEPT_BYTES (8U << 10) /* a usual record has 5 KiB */
/* All that is known, in records: 20 bytes for each id, and 200 for each record. */
#define KNOWN_MAX_BYTES ((size_t)GR_JOURNAL_KNOWN_MAX * 24)

struct gr_journal {
    int dir, fd;
    dev_t dev; /* of the file that is open */
    ino_t ino;
    uint64_t named_ms; /* when the name was last looked at */
    bool removed;      /* the file has no name any more */
    uint64_t by;       /* number of this process; never 0 */
    off_t read_to;     /* what stands before it is in state */
    bool torn;         /* the file does not end with a line feed */
    bool behind;       /* the file lacks something that state has */
    int failed;        /* 0, or why the last write failed */
    uint64_t failed_ms, not_rotated_ms;
    struct gr_journal_state state;
    struct gr_buf line;
    uint64_t gaps; /* stretches between two of our records that others wrote */
    uint64_t records, lost, damaged, rotations;
};

/* Whether something that failed then may be tried again. */
static bool is_over(uint64_t then_ms)
{
    return then_ms == 0 || gr_now_ms() - then_ms >= GR_JOURNAL_RETRY_S * UINT64_C(1000);
}

static struct gr_journal_stamp stamp(const struct gr_journal *j)
{
    return (struct gr_journal_stamp){.time_s = (int64_t)time(NULL), .by = j->by};
}

/* ---- the file ---- */

/* Reads what stands between read_to and an offset, or the end where that is negative. */
static int read_more(struct gr_journal *j, off_t until)
{
    struct gr_journal_lines lines = {.fd = j->fd, .at = j->read_to, .until = until};
    int r = gr_journal_lines_take(&lines, &j->state);

    j->read_to = lines.at;
    j->torn = lines.torn;
    j->damaged += lines.damaged;
    return r;
}

/* Whether the name still belongs to the file that is open. */
static bool is_current(struct gr_journal *j)
{
    struct stat named;

    j->named_ms = gr_now_ms();
    return fstatat(j->dir, NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == j->ino &&
           named.st_dev == j->dev;
}

/* The same without a look at the name each time, for who has just written. Instances replace a file
 * that has become too large, and no other; what people do to it by hand is seen a little later. */
static bool is_still_current(struct gr_journal *j)
{
    bool replaceable = j->read_to >= (off_t)GR_JOURNAL_MAX_BYTES || j->removed;

    return (!replaceable && gr_now_ms() - j->named_ms < NAMED_MS) || is_current(j);
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
static off_t find_end(struct gr_journal *j, ssize_t written)
{
    struct stat st;

    if (fstat(j->fd, &st) != 0)
        return -1;
    j->removed = st.st_nlink == 0;
    /* Nobody else has written. */
    if (st.st_size == j->read_to + written)
        return st.st_size;
    return lseek(j->fd, 0, SEEK_CUR);
}

/* One write. What others have written before it is read. */
static int append(struct gr_journal *j, struct gr_str text)
{
    ssize_t n = write_once(j->fd, text);
    off_t end = n > 0 ? find_end(j, n) : 0;
    int r = 0;

    if (n <= 0)
        return n < 0 ? (int)n : -ENOSPC;
    if (end < 0)
        return -errno;
    if (end - n > j->read_to) {
        j->gaps++;
        r = read_more(j, end - n);
    }
    j->read_to = end;
    j->torn = j->torn || (size_t)n < text.n;
    if (r)
        return r;
    return (size_t)n < text.n ? -ENOSPC : 0;
}

/* A line that somebody could not write to its end is ended here. */
static int mend(struct gr_journal *j)
{
    int r = j->torn ? append(j, GR_STR("\n")) : 0;

    if (r == 0)
        j->torn = false;
    return r;
}

/* Opens the file that has the name now and reads it; what it says takes the place of what is known,
 * where it says all. */
static int attach(struct gr_journal *j)
{
    int fd = gr_rundir_append(j->dir, NAME, false);
    struct stat st;
    int r;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) != 0) {
        (void)close(fd);
        return -errno;
    }
    if (j->fd >= 0)
        (void)close(j->fd);
    j->fd = fd;
    j->dev = st.st_dev;
    j->ino = st.st_ino;
    j->read_to = 0;
    j->torn = false;
    j->removed = false;
    j->named_ms = 0;
    r = read_more(j, -1);
    if (r == 0 && j->torn) {
        /* Behind the line feed it is a line, and damaged; unless it was still being written. */
        if (write_once(fd, GR_STR("\n")) == 1)
            r = read_more(j, -1);
        else
            gr_journal_state_damaged(&j->state);
    }
    return r;
}

static int put_known(const struct gr_journal *j, bool listed, struct gr_buf *out)
{
    const struct gr_journal_stamp now = stamp(j);
    const struct gr_journal_standing standing = {.ids = &j->state.ids,
                                                 .listed = listed,
                                                 .complete = j->state.complete,
                                                 .session_ended_s = j->state.session_ended_s,
                                                 .session_by = j->state.session_by};

    return gr_journal_put_known(out, &now, &standing);
}

static int append_known(struct gr_journal *j)
{
    struct gr_buf all;
    int r;

    gr_buf_init(&all, KNOWN_MAX_BYTES);
    r = put_known(j, false, &all);
    if (r == 0)
        r = append(j, gr_buf_view(&all));
    gr_buf_fini(&all);
    return r;
}

/* ---- a new file in place of the old one ---- */

/* Complete lines that others have added to the old file since it was read, to the new one. */
static int copy_tail(const struct gr_journal *j, int from, off_t at)
{
    struct gr_journal_lines lines = {.fd = from, .at = at, .until = -1, .copy_to = &j->fd};

    return gr_journal_lines_take(&lines, NULL);
}

static int name_new(const struct gr_journal *j)
{
    int r = 0;

    (void)unlinkat(j->dir, LINK_NAME, 0);
    if (linkat(j->dir, NAME, j->dir, LINK_NAME, 0) != 0)
        return -errno;
    if (renameat(j->dir, LINK_NAME, j->dir, OLD_NAME) != 0)
        r = -errno;
    /* Where both names are those of one file, renaming does nothing and leaves both. */
    (void)unlinkat(j->dir, LINK_NAME, 0);
    if (r == 0 && renameat(j->dir, NEW_NAME, j->dir, NAME) != 0)
        r = -errno;
    return r;
}

/* The new file, that begins with what is known. Returns its descriptor. */
static int make_new(const struct gr_journal *j, struct stat *out_st)
{
    struct gr_buf all;
    int fd, r;

    (void)unlinkat(j->dir, NEW_NAME, 0);
    fd = gr_rundir_append(j->dir, NEW_NAME, true);
    if (fd < 0)
        return fd;
    gr_buf_init(&all, KNOWN_MAX_BYTES);
    r = put_known(j, false, &all);
    if (r == 0 && write_once(fd, gr_buf_view(&all)) != (ssize_t)all.len)
        r = -ENOSPC;
    gr_buf_fini(&all);
    if (r == 0 && fstat(fd, out_st) != 0)
        r = -errno;
    if (r == 0)
        return fd;
    (void)close(fd);
    (void)unlinkat(j->dir, NEW_NAME, 0);
    return r;
}

/* With the lock. */
static int replace(struct gr_journal *j)
{
    struct stat st;
    int old = j->fd;
    off_t copied;
    int fd;
    int r = read_more(j, -1);

    if (r)
        return r;
    copied = j->read_to;
    fd = make_new(j, &st);
    if (fd < 0)
        return fd;
    r = name_new(j);
    if (r) {
        (void)unlinkat(j->dir, NEW_NAME, 0);
        (void)close(fd);
        return r;
    }
    j->fd = fd;
    j->dev = st.st_dev;
    j->ino = st.st_ino;
    j->rotations++;
    r = copy_tail(j, old, copied);
    (void)close(old); /* and the lock with it */
    j->named_ms = 0;
    /* Others may write to the new one already. */
    j->read_to = st.st_size;
    if (r || read_more(j, -1) != 0)
        j->behind = true;
    return 0;
}

/* Nothing where another instance is about to, and where it has failed lately: the file is good for
 * twice its size. */
static void rotate(struct gr_journal *j)
{
    int fd = j->fd;

    if (!is_over(j->not_rotated_ms) || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return;
    j->not_rotated_ms = is_current(j) && replace(j) != 0 ? gr_now_ms() : 0;
    if (j->fd == fd)
        (void)flock(fd, LOCK_UN);
}

/* ---- records ---- */

/* What the file lacks since it could not be written. */
static int catch_up(struct gr_journal *j)
{
    struct gr_journal_state mine;
    int r;

    if (is_current(j)) {
        r = read_more(j, -1);
        return r ? r : append_known(j);
    }
    mine = j->state;
    j->state = (struct gr_journal_state){0};
    r = attach(j);
    if (r || j->read_to == 0) { /* nothing is known there */
        gr_journal_state_fini(&j->state);
        j->state = mine;
    } else {
        r = gr_journal_state_merge(&j->state, &mine);
        gr_journal_state_fini(&mine);
    }
    return r ? r : append_known(j);
}

/* Another instance has put a new file in place, or somebody has removed it: the record once more,
 * with its meaning, since what is known was read anew. */
static int append_again(struct gr_journal *j, struct gr_str text)
{
    ssize_t n;
    int r = attach(j);

    if (r == 0 && j->read_to == 0)
        r = append_known(j);
    if (r)
        return r;
    n = write_once(j->fd, text);
    if (n < 0 || (size_t)n < text.n) {
        j->torn = j->torn || n > 0;
        return n < 0 ? (int)n : -ENOSPC;
    }
    return read_more(j, -1);
}

static bool is_full(const struct gr_journal *j, struct gr_str text)
{
    return j->read_to + (off_t)text.n > (off_t)GR_JOURNAL_HARD_MAX_BYTES;
}

/* Makes the file one that can be added to. */
static int make_ready(struct gr_journal *j, struct gr_str text)
{
    int r;

    if (is_full(j, text) && is_current(j))
        rotate(j);
    else if (is_full(j, text))
        j->behind = true; /* another instance has put a new one in place meanwhile */
    r = j->behind && !is_current(j) ? 0 : mend(j);
    if (r == 0 && j->behind)
        r = catch_up(j);
    return r == 0 && is_full(j, text) ? -EFBIG : r;
}

static int append_record(struct gr_journal *j, struct gr_str text)
{
    int r = make_ready(j, text);

    if (r == 0)
        r = append(j, text);
    /* It was written behind what another instance could not write to its end. */
    if (r == 0 && j->torn) {
        r = mend(j);
        if (r == 0)
            r = append(j, text);
    }
    for (int i = 0; r == 0 && i < AGAIN_MAX && !is_still_current(j); i++)
        r = append_again(j, text);
    if (r == 0)
        j->behind = false;
    if (j->read_to >= (off_t)GR_JOURNAL_MAX_BYTES)
        rotate(j);
    return r;
}

static int record(struct gr_journal *j, struct gr_str text)
{
    int r = j->failed;

    if (r == 0 || is_over(j->failed_ms)) {
        r = append_record(j, text);
        if (r)
            j->failed_ms = gr_now_ms();
    }
    j->failed = r;
    j->behind = j->behind || r != 0;
    j->records += r == 0;
    j->lost += r != 0;
    return r;
}

/* What was put into line, when the putting went well. */
static int record_line(struct gr_journal *j, int put)
{
    int r = put;

    if (r == 0) {
        r = record(j, gr_buf_view(&j->line));
    } else {
        j->lost++;
        j->behind = true;
    }
    gr_buf_reset(&j->line, BUFFER_KEPT_BYTES);
    return r;
}

int gr_journal_decided(struct gr_journal *j, const struct gr_subject *subject,
                       const struct gr_decision *decision, const struct gr_err *err, bool refused)
{
    const struct gr_journal_stamp now = stamp(j);
    bool injected = decision && !refused && decision->hooks_n > 0;
    int known = 0, r;

    if (subject && !refused)
        known = gr_journal_state_decided(&j->state, gr_known_hash(subject->id), injected);
    r = record_line(j, gr_journal_put_decision(&j->line, &now, subject, decision, err, refused));
    return r ? r : known;
}

int gr_journal_session(struct gr_journal *j, bool begun, struct gr_str reason)
{
    const struct gr_journal_stamp now = stamp(j);

    gr_journal_state_session(&j->state, begun, j->by, now.time_s);
    return record_line(j, gr_journal_put_session(&j->line, &now, begun, reason));
}

int gr_journal_rules(struct gr_journal *j, uint64_t hash, size_t sets)
{
    const struct gr_journal_stamp now = stamp(j);

    return record_line(j, gr_journal_put_rules(&j->line, &now, hash, sets));
}

int gr_journal_missed(struct gr_journal *j, struct gr_str id, struct gr_str set)
{
    const struct gr_journal_stamp now = stamp(j);
    int known = gr_journal_state_missed(&j->state, gr_known_hash(id));
    int r = record_line(j, gr_journal_put_missed(&j->line, &now, id, set));

    return r ? r : known;
}

int gr_journal_listed(struct gr_journal *j, const struct gr_str *ids, size_t n)
{
    uint64_t gaps = j->gaps;
    struct gr_buf all;
    int r;

    (void)read_more(j, -1); /* of other instances: what they know of them */
    r = gr_journal_state_listed(&j->state, ids, n);
    if (r)
        return r;
    gr_buf_init(&all, KNOWN_MAX_BYTES);
    r = put_known(j, true, &all);
    if (r == 0)
        r = record(j, gr_buf_view(&all));
    else
        j->lost++;
    gr_buf_fini(&all);
    /* Who comes later forgets what another instance wrote just before: once more, with it. */
    if (r == 0 && j->gaps != gaps)
        r = append_known(j);
    return r;
}

/* ---- what is known ---- */

enum gr_known gr_journal_known(const struct gr_journal *j, struct gr_str id)
{
    return gr_known_get(&j->state.ids, gr_known_hash(id));
}

bool gr_journal_is_complete(const struct gr_journal *j)
{
    return j->state.complete;
}

int64_t gr_journal_session_ended_s(const struct gr_journal *j)
{
    return j->state.session_ended_s;
}

void gr_journal_status(const struct gr_journal *j, struct gr_journal_status *out_status)
{
    *out_status = (struct gr_journal_status){.known = j->state.ids.n,
                                             .records = j->records,
                                             .lost = j->lost,
                                             .failed = j->failed,
                                             .damaged = j->damaged,
                                             .rotations = j->rotations};
}

/* ---- life ---- */

/* Told apart from other instances, also of other nodes' pid namespaces: not from attackers. */
static uint64_t make_number(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
        number = (uint32_t)gr_now_ms() ^ (uint32_t)getpid() << 16;
    return number ? number : 1;
}

int gr_journal_open(const char *run_dir, struct gr_journal **out, struct gr_err *err)
{
    struct gr_journal *j;
    int dir = gr_rundir_open(run_dir, err);
    int r;

    if (dir < 0)
        return dir;
    j = calloc(1, sizeof(*j));
    if (!j) {
        (void)close(dir);
        return gr_fail(err, -ENOMEM, "no-memory", "no memory for the journal of decisions");
    }
    j->dir = dir;
    j->fd = -1;
    j->by = make_number();
    gr_buf_init(&j->line, GR_JOURNAL_RECORD_MAX_BYTES);
    r = attach(j);
    if (r) {
        gr_journal_free(j);
        return gr_fail(err, r, "run-dir", "the journal %s/" NAME " is not used: %s", run_dir,
                       r == -EPERM ? "it is no file that only root may change; remove it"
                                   : strerror(-r));
    }
    *out = j;
    return 0;
}

void gr_journal_free(struct gr_journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        (void)close(j->fd);
    (void)close(j->dir);
    gr_journal_state_fini(&j->state);
    gr_buf_fini(&j->line);
    free(j);
}
