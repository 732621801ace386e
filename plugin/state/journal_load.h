/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/journal_load: all decisions of a journal, for whoever asks about them.
 *
 * Layer: state. Reads only, beside whoever writes. Spec: specs/journal.md.
 */
#ifndef GR_STATE_JOURNAL_LOAD_H
#define GR_STATE_JOURNAL_LOAD_H

#include "state/journal_state.h"

struct gr_journal_entry {
    int64_t time_s;
    struct gr_journal_decision decision;
};

struct gr_journal_contents {
    const struct gr_journal_entry *entries; /* oldest first, also of decisions.old */
    size_t n;
    int64_t since_s;               /* time of the oldest record; 0: there is none */
    size_t damaged;                /* lines that were passed over */
    struct gr_journal_state state; /* of decisions alone, which says all that is known */
};

/*
 * Everything but state lives in arena. Returns 0 and contents for gr_journal_contents_fini; after
 * filling err -ENOENT: there is no journal; another negative errno.
 */
GR_CHECKED int gr_journal_load(const char *run_dir, struct gr_arena *arena,
                               struct gr_journal_contents *out_contents, struct gr_err *err);
void gr_journal_contents_fini(struct gr_journal_contents *contents);

#endif
