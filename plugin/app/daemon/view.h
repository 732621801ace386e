/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/view: the plugin process as it is now, for whoever tells of it.
 *
 * Layer: app. Filled anew for each status, probe and scrape by whoever owns the parts
 * (gr_plugin_view); everything is borrowed and valid until the loop's next turn.
 */
#ifndef GR_APP_DAEMON_VIEW_H
#define GR_APP_DAEMON_VIEW_H

#include "app/daemon/reload/inforce.h"
#include "app/daemon/recorder.h"
#include "app/daemon/suspend/reports.h"
#include "app/daemon/running/running.h"
#include "state/instances.h"

/* Bytes of a runtime's name and versions that are kept; longer ones are cut. */
#define GR_VIEW_TEXT_BYTES 64

struct gr_view_session {
    bool launched;               /* by the runtime, which passed the connection */
    const char *socket;          /* of the runtime; external mode */
    const char *name, *index;    /* what RegisterPlugin says */
    enum gr_session_state state; /* GR_SESSION_CLOSED: there is no connection */
    bool synchronized;           /* in this session; up to NRI 0.6.1 a launched plugin never is */
    size_t pods, containers;     /* that Synchronize told */
    char runtime[GR_VIEW_TEXT_BYTES], version[GR_VIEW_TEXT_BYTES], nri[GR_VIEW_TEXT_BYTES];
    uint64_t request_timeout_ms;
    int64_t since_s;   /* of this state: connected, or without a connection; seconds since
                        * 1970 */
    uint64_t sessions; /* opened since the start */
    int connect_errno; /* of the last failed connect; 0: none */
    char lost[GR_VIEW_TEXT_BYTES]; /* why the last session ended; empty: none has */
};

/* Where the metrics are to be had (app/daemon/metrics/exporter). */
struct gr_view_exporter {
    const char *address; /* empty: nowhere */
    bool served;
    int error;            /* the negative errno for which they are not; 0: it was not tried */
    const char *textfile; /* empty: none */
};

struct gr_metrics;

struct gr_view {
    int64_t started_s; /* seconds since 1970 */
    struct gr_view_session session;
    struct gr_inforce_status rules;
    struct gr_watch_status watch; /* how changed files are noticed */
    /* Suspended sets (app/daemon/suspend/suspend): those that hold now, all sets first. */
    const struct gr_suspension *suspended;
    size_t suspended_n;
    size_t paused, tripped; /* sets of the rules in force that are out of it for this reason */
    const char *suspended_problem;   /* why the file does not count, or what is paused is not kept;
                                      * NULL: nothing is wrong */
    struct gr_report_counts reports; /* of hook runners */
    struct gr_running_status running;
    struct gr_recorder_status journal;
    const struct gr_metrics *counted; /* NULL: nothing is */
    struct gr_view_exporter exporter;
    const char *control; /* path of the control socket that clients reach us at; empty: none */
    const struct gr_instance *self;        /* how this process came to the node */
    const struct gr_instance_list *others; /* those beside it; as last looked, for status */
};

/* Whether the runtime asks this process about containers, as far as it can know. */
bool gr_view_is_registered(const struct gr_view *view);

/*
 * The probe ready: registered, synchronized where the runtime does that at all, rules loaded,
 * nothing rejected, on the real session. Returns NULL, or in a few words what is missing.
 */
const char *gr_view_not_ready(const struct gr_view *view);

#endif
