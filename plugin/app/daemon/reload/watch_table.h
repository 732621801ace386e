/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/watch_table: the directories that are watched, and which of their entries
 * matter.
 *
 * Layer: app. A table is made anew by each search and not changed afterwards, so that one thread
 * may search while another one uses the table of before.
 */
#ifndef GR_APP_DAEMON_RELOAD_WATCH_TABLE_H
#define GR_APP_DAEMON_RELOAD_WATCH_TABLE_H

#include "app/daemon/reload/watch.h"

/* The end of what people read about what does not work. */
#define GR_WATCH_BY_RESCAN "; until then changed files are found by the rescan only"

struct gr_watch_name;

struct gr_watch_spot {
    struct gr_watch_spot *next;
    int number;       /* of the watch */
    const char *path; /* as it was reached */
    bool whole;       /* every entry matters, else those named */
    struct gr_watch_name *names;
};

struct gr_watch_table {
    struct gr_arena arena; /* holds everything else */
    struct gr_watch_spot *spots;
    size_t n;
};

/*
 * Watches the directories of all paths (absolute) and makes a table of them. Looks at file systems,
 * so that it may take as long as they do. err: filled when something could not be watched, with the
 * first such place. Returns 0 and a table for gr_watch_table_fini; -ENOMEM.
 */
GR_CHECKED int gr_watch_table_make(const struct gr_watch_sys *sys, int fd, const char *const *paths,
                                   size_t n, struct gr_err *err, struct gr_watch_table *out_table);
void gr_watch_table_fini(struct gr_watch_table *table); /* zeroed and finished ones are fine */

/* NULL: the table has no such watch. */
const struct gr_watch_spot *gr_watch_table_get(const struct gr_watch_table *table, int number);

/* Whether every watch of a is in b. */
bool gr_watch_table_within(const struct gr_watch_table *a, const struct gr_watch_table *b);

/* Whether this entry of the directory matters. */
bool gr_watch_spot_has(const struct gr_watch_spot *spot, struct gr_str name);

#endif
