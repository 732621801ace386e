/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/journal: what was decided about each container, kept in the run directory.
 *
 * Layer: state. The file `decisions` is appended to, one JSON object a line, after the answer has
 * left; what it adds up to (which containers are known) is kept in memory as well. Several
 * instances may write at once. Nothing here waits: not for a lock, and not for a disk that is full;
 * what could not be written is counted, tried again later, and then made good by writing down all
 * that is known. Spec: specs/journal.md.
 */
#ifndef GR_STATE_JOURNAL_H
#define GR_STATE_JOURNAL_H

#include "base/err.h"
#include "rules/decide/decide.h"
#include "state/known.h"

struct gr_journal;

/*
 * Opens the journal in the run directory, which is made where it is missing, and reads what is
 * there. Returns 0 and an object for gr_journal_free; a negative errno after filling err.
 */
GR_CHECKED int gr_journal_open(const char *run_dir, struct gr_journal **out, struct gr_err *err);
void gr_journal_free(struct gr_journal *journal); /* NULL is fine */

/*
 * Looks whether the run directory and the file are still those that are open, as before a record;
 * where somebody has removed them, both are made again, with all that is known. What failed less
 * than GR_JOURNAL_RETRY_S ago is not tried again. Returns 0; a negative errno, as the records
 * below.
 */
int gr_journal_follow(struct gr_journal *journal);

/*
 * Each of these returns 0, or a negative errno when it could not be written: what is known in
 * memory then is right all the same, and the file is mended when it can be written again. Without
 * memory (-ENOMEM) something may not be known, and the journal is not complete.
 */

/*
 * A decision, whose answer was sent. decision: NULL, and then err says why there is none. subject:
 * NULL where the request could not be read. refused: the runtime was told not to create it.
 */
int gr_journal_decided(struct gr_journal *journal, const struct gr_subject *subject,
                       const struct gr_decision *decision, const struct gr_err *err, bool refused);

/* A session with the runtime has begun, or ended for this reason. */
int gr_journal_session(struct gr_journal *journal, bool begun, struct gr_str reason);

/* Other rules are in force. */
int gr_journal_rules(struct gr_journal *journal, uint64_t hash, size_t sets);

/* Synchronize told exactly these: those that were not known are SEEN now, and others are
 * forgotten. */
int gr_journal_listed(struct gr_journal *journal, const struct gr_str *ids, size_t n);

/* The container has no hooks of this set and should: it is MISSED until it is forgotten. */
int gr_journal_missed(struct gr_journal *journal, struct gr_str id, struct gr_str set);

enum gr_known gr_journal_known(const struct gr_journal *journal, struct gr_str id);

/* Every container since the first Synchronize in this journal is known: false for a new, damaged or
 * overflown journal, until the runtime tells its containers. */
bool gr_journal_is_complete(const struct gr_journal *journal);

/* When the last session of an earlier process, or of this one, ended as recorded, in seconds since
 * 1970; 0: it never did (killed while connected, or no session). */
int64_t gr_journal_session_ended_s(const struct gr_journal *journal);

struct gr_journal_status {
    size_t known;       /* containers */
    uint64_t records;   /* written by this process */
    uint64_t lost;      /* that could not be written */
    int failed;         /* 0, or the negative errno for which the file is not written now */
    uint64_t damaged;   /* lines of the file that could not be read */
    uint64_t rotations; /* by this process */
};

void gr_journal_status(const struct gr_journal *journal, struct gr_journal_status *out_status);

#endif
