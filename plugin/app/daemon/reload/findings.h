/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/findings: what a load had to say, kept until it is known whether it is news.
 *
 * Layer: app. A rescan finds the same faults every time; they are logged when they change.
 */
#ifndef GR_APP_DAEMON_RELOAD_FINDINGS_H
#define GR_APP_DAEMON_RELOAD_FINDINGS_H

#include "app/log.h"

/* Findings of one load that are kept; the rest is counted. 1 KiB each. */
#define GR_FINDINGS_KEPT_MAX 500

struct gr_finding {
    enum gr_level level;
    struct gr_err err;
};

struct gr_finding_list {
    struct gr_finding *items; /* owned */
    size_t n, cap;
    size_t dropped; /* beyond the limit, or no memory */
    uint64_t hash;  /* of all of them: equal lists have equal hashes */
};

void gr_finding_list_init(struct gr_finding_list *list);
void gr_finding_list_fini(struct gr_finding_list *list);

/* A reporter that adds to the list; the list must outlive it. */
struct gr_reporter gr_finding_list_reporter(struct gr_finding_list *list);

/* One line each, and one for those that were not kept. */
void gr_finding_list_log(const struct gr_finding_list *list, const struct gr_log *log);

#endif
