/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/running/running_found: what was found out about running containers.
 *
 * Layer: app, for app/daemon/running/running. Names are copied, since what Synchronize told does
 * not stay; those of missed containers before others, and no more than a person reads.
 */
#ifndef GR_APP_DAEMON_RUNNING_RUNNING_FOUND_H
#define GR_APP_DAEMON_RUNNING_RUNNING_FOUND_H

#include "app/daemon/running/running.h"

struct gr_found_node;

/* Of one class, in the order in which they were found. */
struct gr_found_list {
    struct gr_found_node *first, **last; /* last: where the next one goes */
    size_t n;
    bool more; /* than are kept */
};

struct gr_found {
    struct gr_arena arena;
    bool known;
    size_t running;                                   /* containers */
    size_t missed, unreadable, outdated, preexisting; /* the same */
    size_t said; /* warnings about missed ones and unreadable ones */
    struct gr_found_list lists[GR_RUNNING_MISSED + 1];
    const struct gr_running_item *items; /* when finished: all lists, the gravest first */
    size_t items_n;
};

void gr_found_init(struct gr_found *found);
void gr_found_fini(struct gr_found *found);

/* A set that a container lacks. What there is no room or no memory for is left out. */
void gr_found_add(struct gr_found *found, const struct gr_subject *subject, struct gr_str set,
                  enum gr_running_class class);

/* A container was looked at; this is its gravest class. */
void gr_found_count(struct gr_found *found, enum gr_running_class gravest);

/* Nothing more comes: fills items. Without memory they are none. */
void gr_found_finish(struct gr_found *found);

/* The first of the missed sets that are named of a container; borrowed. NULL: none is. Looks
 * through all of them, so once for a container and not for each of its sets. */
const struct gr_found_node *gr_found_of(const struct gr_found *found, struct gr_str id);

/* Whether this set is among those of the container that of is the first of. */
bool gr_found_missed(const struct gr_found_node *of, struct gr_str set);

/* Whether all missed ones are named: none was left out, and none may be among what cannot be read.
 */
bool gr_found_names_all_missed(const struct gr_found *found);

#endif
