/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/journal_file: the journal's file in the run directory, and what it adds up to.
 *
 * Layer: state; of state/journal. Several instances add to one file, and whichever finds it too
 * large puts a new one in its place; what others have added is read on the way.
 */
#ifndef GR_STATE_JOURNAL_FILE_H
#define GR_STATE_JOURNAL_FILE_H

#include <sys/types.h>

#include "state/journal_put.h"
#include "state/journal_state.h"

#define GR_JOURNAL_FILE_NAME "decisions"

/* All that is known, in records: 20 bytes for each id, and 200 for each record. */
#define GR_JOURNAL_FILE_KNOWN_MAX_BYTES ((size_t)GR_JOURNAL_KNOWN_MAX * 24)

struct gr_journal_file {
    const char *path; /* of the run directory; borrowed */
    int dir, fd;      /* owned; fd -1: none is open */
    dev_t dev;        /* of the file that is open */
    ino_t ino;
    uint64_t named_ms; /* when the name was last looked at */
    bool removed;      /* the file has no name any more */
    uint64_t by;       /* number of this process; never 0 */
    off_t read_to;     /* what stands before it is in state */
    bool torn;         /* the file does not end with a line feed */
    bool behind;       /* the file lacks something that state has */
    uint64_t not_rotated_ms;
    struct gr_journal_state state;
    uint64_t gaps; /* stretches between two of our records that others wrote */
    uint64_t damaged, rotations;
};

/* path: of the run directory, borrowed for the object; dir: its descriptor, taken. */
void gr_journal_file_init(struct gr_journal_file *out_file, const char *path, int dir, uint64_t by);
void gr_journal_file_fini(struct gr_journal_file *file);

/* Opens the file that has the name now and reads it, in the directory that has its path now, which
 * is made where it is missing; what it says takes the place of what is known, where it says all.
 * Returns 0; a negative errno. */
GR_CHECKED int gr_journal_file_attach(struct gr_journal_file *file);

/* Goes on with the file that has the name now, if that is another one or lacks something; nothing
 * where it is the one that is open. Returns 0; a negative errno. */
GR_CHECKED int gr_journal_file_follow(struct gr_journal_file *file);

/* Reads what others have added. Returns 0; a negative errno. */
int gr_journal_file_read(struct gr_journal_file *file);

/*
 * Adds a record, or several: to the file that has the name when this returns, behind what others
 * were writing, with all that is known where the file was behind. A file that is too large then is
 * replaced. Returns 0; -EFBIG it is too large and could not be; -ENOSPC; another negative errno.
 */
GR_CHECKED int gr_journal_file_add(struct gr_journal_file *file, struct gr_str text);

/* Adds all that is known, with one write and without those precautions. */
GR_CHECKED int gr_journal_file_add_known(struct gr_journal_file *file);

/* What is known, in records. listed: as Synchronize has just told it. Returns 0; what went wrong
 * with out. */
GR_CHECKED int gr_journal_file_put_known(const struct gr_journal_file *file, bool listed,
                                         struct gr_buf *out);

/* Of a record that is made now. */
struct gr_journal_stamp gr_journal_file_stamp(const struct gr_journal_file *file);

/* Whether something that failed then may be tried again; 0: it did not fail. */
bool gr_journal_file_may_retry(uint64_t then_ms);

#endif
