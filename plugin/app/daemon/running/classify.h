/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/running/classify: what a set that a running container lacks says about us.
 *
 * Layer: app. Pure: from what is known to a class, as specs/missed.md has it. Where something is
 * not known the milder class is chosen: only a missed container raises an alert.
 */
#ifndef GR_APP_DAEMON_RUNNING_CLASSIFY_H
#define GR_APP_DAEMON_RUNNING_CLASSIFY_H

#include "rules/decide/decide.h"
#include "state/journal.h"
#include "state/since.h"

/* The graver ones last. */
enum gr_running_class {
    GR_RUNNING_FINE,        /* it has the set, or is not meant to have it */
    GR_RUNNING_PREEXISTING, /* it is older than the set, or that cannot be told */
    GR_RUNNING_OUTDATED,    /* it has an older text of the set */
    GR_RUNNING_UNREADABLE,  /* a container of which no set can be told; never of gr_running_classify
                             */
    GR_RUNNING_MISSED,      /* the set was in force when it was created, and it has not got it */
};

/* "fine", "preexisting", "outdated", "unreadable", "missed". */
const char *gr_running_class_name(enum gr_running_class class);

/* What is known of a container, and of the set that matches it. */
struct gr_running_facts {
    /* of the set */
    bool in_force;    /* gr_since_is_in_force */
    bool has_hooks;   /* adjustments leave no mark */
    bool since_known; /* since is filled in */
    struct gr_since_of since;

    /* of both, now */
    enum gr_verdict verdict;
    enum gr_marked mark; /* of the set, on the container */

    /* of the container */
    int64_t created_s; /* seconds since 1970; 0: the runtime does not tell */
    bool marked;       /* it has a mark, of whatever set */

    /* from before */
    enum gr_known known;  /* from the journal, before it was told of this Synchronize */
    bool complete;        /* the journal: gr_journal_is_complete */
    int64_t ended_s;      /* of the session before: gr_journal_session_ended_s */
    bool was_missed;      /* this set was found missed on this container before */
    bool answer_was_lost; /* the set was injected with the last answer of a session */
};

enum gr_running_class gr_running_classify(const struct gr_running_facts *facts);

#endif
