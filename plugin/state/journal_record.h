/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/journal_record: one line of the journal, read.
 *
 * Layer: state. Spec: specs/journal.md. Lines come from a file that only root may write, and are
 * read as if anybody could: bounded, and what is not as it should be is damaged and no more.
 */
#ifndef GR_STATE_JOURNAL_RECORD_H
#define GR_STATE_JOURNAL_RECORD_H

#include "base/arena.h"
#include "rules/subject.h"
#include "state/known.h"

enum gr_journal_kind {
    GR_JOURNAL_DECISION,
    GR_JOURNAL_SESSION,
    GR_JOURNAL_LISTED, /* a part of all that is known, after the runtime told its containers */
    GR_JOURNAL_KNOWN,  /* the same, carried over */
    GR_JOURNAL_MISSED,
    GR_JOURNAL_RULES,
    GR_JOURNAL_OTHER, /* of a later version: passed over */
};

/* What became of a set that came into question; texts as the verbs print them. */
struct gr_journal_set {
    struct gr_str name, hash, verdict, match, reason;
};

/* What spoke against the container beside the sets that match. */
struct gr_journal_objection {
    struct gr_str kind, set, verdict, reason;
};

/* What was left out because it did not fit. */
struct gr_journal_dropped {
    struct gr_str field;
    uint64_t bytes; /* of its texts */
};

struct gr_journal_decision {
    struct gr_str outcome; /* injected, adjusted, unmatched, exempt, refused, error */
    bool refused;          /* the runtime was told not to create it */
    struct gr_str refusal, error;
    uint64_t hooks, adjusted;
    const struct gr_journal_set *sets;
    size_t sets_n;
    uint64_t sets_left_out;
    const struct gr_journal_objection *objections;
    size_t objections_n;
    const struct gr_journal_dropped *dropped;
    size_t dropped_n;
    bool has_facts;            /* false: the request could not be read */
    struct gr_subject subject; /* what was not recorded is unknown; without hooks and present */
};

struct gr_journal_record {
    enum gr_journal_kind kind;
    int64_t time_s; /* since 1970 */
    uint64_t by;    /* number of the process that wrote it */
    struct gr_journal_decision decision;
    bool begun;           /* session */
    struct gr_str reason; /* session */
    struct gr_str id;     /* missed */
    struct gr_str set;    /* missed */
    uint64_t hash, sets;  /* rules */
    /* listed, known */
    uint64_t part, of;       /* from 1 */
    bool complete;           /* nothing is missing in it */
    int64_t session_ended_s; /* of the last session that ended; 0: it never did */
    uint64_t session_by;     /* the process that is connected; 0: none */
    const uint64_t *ids;     /* hash and state, oldest first */
    size_t ids_n;
};

#define GR_JOURNAL_DAMAGED 1

/*
 * Reads one line without its line feed. Texts are borrowed from line or live in arena.
 * Returns 0; GR_JOURNAL_DAMAGED; -ENOMEM.
 */
GR_CHECKED int gr_journal_record_read(struct gr_arena *arena, struct gr_str line,
                                      struct gr_journal_record *out_record);

#endif
