/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/journal_put: the lines of the journal, written into a buffer.
 *
 * Layer: state. Spec: specs/journal.md. Each ends with a line feed and has at most
 * GR_JOURNAL_RECORD_MAX_BYTES. Values of environments never get here.
 */
#ifndef GR_STATE_JOURNAL_PUT_H
#define GR_STATE_JOURNAL_PUT_H

#include "base/buf.h"
#include "base/err.h"
#include "rules/decide/decide.h"
#include "state/known.h"

/* What every record begins with. */
struct gr_journal_stamp {
    int64_t time_s; /* since 1970 */
    uint64_t by;    /* the number of this process */
};

/* As gr_journal_decided. What does not fit is left out, and the record says so. Each returns 0;
 * -ENOMEM. */
GR_CHECKED int gr_journal_put_decision(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                                       const struct gr_subject *subject,
                                       const struct gr_decision *decision, const struct gr_err *why,
                                       bool refused);
GR_CHECKED int gr_journal_put_session(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                                      bool begun, struct gr_str reason);
GR_CHECKED int gr_journal_put_missed(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                                     struct gr_str id, struct gr_str set);
GR_CHECKED int gr_journal_put_rules(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                                    uint64_t hash, size_t sets);

/* What is known, as it is carried over: one line for each GR_JOURNAL_IDS_PER_RECORD ids, at least
 * one. listed: the runtime has just told them. */
struct gr_journal_standing {
    const struct gr_known_ids *ids;
    bool listed, complete;
    int64_t session_ended_s;
    uint64_t session_by;
};
GR_CHECKED int gr_journal_put_known(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                                    const struct gr_journal_standing *standing);

/* "injected", "adjusted", "unmatched", "exempt", "refused", "error". */
const char *gr_journal_outcome(const struct gr_decision *decision, bool refused);

#endif
