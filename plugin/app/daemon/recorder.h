/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/recorder: what the plugin process writes into the journal of decisions.
 *
 * Layer: app. Loop thread only. The journal lies in the run directory, which the settings name and
 * may change. That it cannot be opened or written is said once, tried again later, and never a
 * reason to answer otherwise.
 */
#ifndef GR_APP_DAEMON_RECORDER_H
#define GR_APP_DAEMON_RECORDER_H

#include "app/log.h"
#include "nri/session.h"
#include "state/journal.h"

struct gr_recorder {
    const struct gr_log *log;   /* borrowed */
    struct gr_journal *journal; /* NULL: no directory is known, or it cannot be used now */
    char *run_dir;              /* owned; NULL: not known, or none */
    bool connected;             /* a session has begun and not ended */
    bool has_rules;
    uint64_t rules_hash;
    size_t rules_sets;
    bool failing;                /* as last logged */
    char why[GR_ERR_TEXT_BYTES]; /* while failing */
    uint64_t not_opened_ms;      /* when opening failed; 0: it did not */
    uint64_t unopened;           /* records that were lost since then, in all */
};

void gr_recorder_init(struct gr_recorder *recorder, const struct gr_log *log);
void gr_recorder_fini(struct gr_recorder *recorder);

/* Where the settings say that it lies; n == 0: nowhere. The same directory is looked at again, and
 * made again where somebody has removed it. */
void gr_recorder_set_dir(struct gr_recorder *recorder, struct gr_str run_dir);

/* These rules are in force; the same ones are not recorded again. */
void gr_recorder_rules(struct gr_recorder *recorder, uint64_t hash, size_t sets);

/* The runtime may ask about containers from now on. */
void gr_recorder_session_begun(struct gr_recorder *recorder, struct gr_str reason);

/* The connection is gone. Nothing where no session has begun. */
void gr_recorder_session_ended(struct gr_recorder *recorder, struct gr_str reason);

/* For status. Borrowed; valid until the loop's next turn. */
struct gr_recorder_status {
    const char *run_dir; /* NULL: not known, or none */
    bool open, complete; /* complete: gr_journal_is_complete */
    const char *problem; /* why records are lost now; NULL: none are */
    size_t known;        /* containers */
    uint64_t records;    /* written to the journal that is open now */
    uint64_t lost;       /* that could not be written to it, or to any */
    uint64_t damaged;    /* lines that could not be read */
};

void gr_recorder_status(const struct gr_recorder *recorder, struct gr_recorder_status *out_status);

/* The answer to CreateContainer was sent. */
void gr_recorder_created(struct gr_recorder *recorder, const struct gr_session_event *event);

#endif
