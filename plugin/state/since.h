/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/since: since when each set is in force on this node.
 *
 * Layer: state. One immutable table per load; the loader's thread makes it and writes it to the
 * file "since" of the run directory, the loop's thread looks things up. A set is its name and its
 * hash: an edited one is another. Spec: specs/missed.md.
 */
#ifndef GR_STATE_SINCE_H
#define GR_STATE_SINCE_H

#include "base/err.h"
#include "rules/match/ruleset.h"

#define GR_SINCE_FILE "since"

/* The longest file that is read, in bytes: 100,000 sets with the longest names. */
#define GR_SINCE_FILE_MAX_BYTES (32U << 20)

/* References are counted atomically: the last one frees it, whichever thread that is. */
struct gr_since;

struct gr_since *gr_since_ref(struct gr_since *since);
void gr_since_unref(struct gr_since *since); /* NULL is fine */

/*
 * Whether a set that matches a container is obeyed here: not those of other nodes, blocked ones,
 * and those of mode Observe.
 */
bool gr_since_is_in_force(const struct gr_hookset *set);

/*
 * What the file says, for gr_since_follow. NULL is the empty table, as where there is no file: all
 * sets are then in force since the next load.
 * Returns 0; -ENOMEM; another negative errno after filling err: it cannot be read or is no such
 * file, and the table is empty.
 */
GR_CHECKED int gr_since_read(int dir, struct gr_since **out_since, struct gr_err *err);

/*
 * The table of the sets that are in force in ruleset: those that before (NULL: empty) has keep
 * their time, the others begin at now_s (seconds since 1970). A time that is later than now_s, as
 * when a clock was set back, is now_s. *out_changed: the file is to be written. Returns 0 and one
 * reference; -ENOMEM.
 */
GR_CHECKED int gr_since_follow(const struct gr_since *before, const struct gr_ruleset *ruleset,
                               int64_t now_s, struct gr_since **out_since, bool *out_changed);

/* Whether there is a file: somebody may have removed it. */
bool gr_since_is_there(int dir);

/* Replaces the file. ruleset: of which the table was made. Returns 0; a negative errno. */
GR_CHECKED int gr_since_write(const struct gr_since *since, const struct gr_ruleset *ruleset,
                              int dir);

/* How a set stands in a table. */
struct gr_since_of {
    int64_t since_s;
    bool before_start; /* a process before this one had it in force when it last loaded rules */
};

/* False: it is not in force. since: NULL is the empty table. */
bool gr_since_find(const struct gr_since *since, const struct gr_hookset *set,
                   struct gr_since_of *out_of);

#endif
