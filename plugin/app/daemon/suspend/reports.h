/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/suspend/reports: the socket at which hook runners tell how runs ended.
 *
 * Layer: app. Loop thread only. Datagrams at "reports.sock" in the run directory, from root or our
 * own user, as the kernel says; whatever comes, a turn of the loop reads a bounded number of them
 * and nothing is kept. A sender is never answered, and never waits for longer than the socket's
 * queue is full. Two instances: as with the control socket, the later one has the path.
 * Spec: specs/runner-reports.md.
 */
#ifndef GR_APP_DAEMON_SUSPEND_REPORTS_H
#define GR_APP_DAEMON_SUSPEND_REPORTS_H

#include "app/log.h"
#include "state/report.h"

struct event_base;
struct gr_reports;

#define GR_REPORTS_SOCKET "reports.sock"

/* A good report; borrowed for the call. */
typedef void gr_reports_fn(void *user, const struct gr_report *report);

/* base and log are borrowed for the object. Not listening yet. Returns 0; -ENOMEM. */
GR_CHECKED int gr_reports_new(struct event_base *base, const struct gr_log *log, gr_reports_fn *run,
                              void *user, struct gr_reports **out_reports);

/* NULL is fine. The socket's file is removed if it is ours. */
void gr_reports_free(struct gr_reports *reports);

/*
 * To be called with the setting runDir (copied; empty: none) at first and after each reload:
 * listens there, anew where the directory changed or the file is gone. A failure is logged, once,
 * and tried again with the next call.
 */
void gr_reports_follow(struct gr_reports *reports, const char *run_dir);

/* To be called now and then: listens anew where the file is gone. */
void gr_reports_look(struct gr_reports *reports);

/* Datagrams since the start. */
struct gr_report_counts {
    uint64_t good;
    uint64_t bad;     /* no report, or one that is too large */
    uint64_t foreign; /* from another user */
};

void gr_reports_counts(const struct gr_reports *reports, struct gr_report_counts *out_counts);

#endif
