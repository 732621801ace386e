/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/journal_lines: a stretch of the journal, line by line.
 *
 * Layer: state.
 */
#ifndef GR_STATE_JOURNAL_LINES_H
#define GR_STATE_JOURNAL_LINES_H

#include <sys/types.h>

#include "state/journal_state.h"

struct gr_journal_lines {
    int fd;
    off_t at;           /* where reading begins; then behind the last line that was taken */
    off_t until;        /* negative: the end of the file */
    const int *copy_to; /* a descriptor that gets each line as well; NULL: none */
    bool torn;          /* what stands last has no line feed, and was not taken */
    uint64_t damaged;   /* lines that could not be read: the state is not complete then */
};

/* state: NULL where lines are only copied. Returns 0; -ENOMEM; another negative errno of reading or
 * copying. */
GR_CHECKED int gr_journal_lines_take(struct gr_journal_lines *lines,
                                     struct gr_journal_state *state);

/* One line, without its line feed. Returns 0; GR_JOURNAL_DAMAGED (the state knows); -ENOMEM. The
 * arena is reset. */
GR_CHECKED int gr_journal_line_take(struct gr_str line, struct gr_arena *arena,
                                    struct gr_journal_state *state);

#endif
