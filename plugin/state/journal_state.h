/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/journal_state: what the records of a journal add up to.
 *
 * Layer: state. Memory only; the same for what is read from the file and for what this process
 * writes itself.
 */
#ifndef GR_STATE_JOURNAL_STATE_H
#define GR_STATE_JOURNAL_STATE_H

#include "state/journal_record.h"

/* Zeroed at first; give it back with gr_journal_state_fini. */
struct gr_journal_state {
    struct gr_known_ids ids;
    bool complete;           /* every container since the first Synchronize is known */
    int64_t session_ended_s; /* see gr_journal_session_ended_s */
    uint64_t session_by;     /* the process that is connected, as recorded last; 0: none */
    /* Parts of what is known that were read so far; none where part is 0. */
    struct {
        struct gr_known_ids ids;
        uint64_t by, part, of;
    } parts;
};

void gr_journal_state_fini(struct gr_journal_state *state);

/* Adds what a record says. Returns 0; -ENOMEM: then the state is not complete. */
GR_CHECKED int gr_journal_state_take(struct gr_journal_state *state,
                                     const struct gr_journal_record *record);

/* Adds what another state knows: together they are complete where both are. Returns 0; -ENOMEM. */
GR_CHECKED int gr_journal_state_merge(struct gr_journal_state *state,
                                      const struct gr_journal_state *other);

/* A line was lost. */
void gr_journal_state_damaged(struct gr_journal_state *state);

/* An answer about a container was sent that lets it be created. */
GR_CHECKED int gr_journal_state_decided(struct gr_journal_state *state, uint64_t hash,
                                        bool injected);
GR_CHECKED int gr_journal_state_missed(struct gr_journal_state *state, uint64_t hash);
void gr_journal_state_session(struct gr_journal_state *state, bool begun, uint64_t by,
                              int64_t now_s);

/* The runtime has told exactly these. */
GR_CHECKED int gr_journal_state_listed(struct gr_journal_state *state, const struct gr_str *ids,
                                       size_t n);

#endif
