/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/daemon/metrics/metrics share. */
#ifndef GR_APP_DAEMON_METRICS_METRICS_PARTS_H
#define GR_APP_DAEMON_METRICS_METRICS_PARTS_H

#include "app/daemon/metrics/metrics.h"

#define GR_BUCKETS 12

/* The upper bounds, in the unit of what is observed, and as they are shown, in seconds. */
struct gr_bucket {
    uint64_t le;
    const char *text;
};

struct gr_histogram {
    uint64_t counts[GR_BUCKETS + 1]; /* each by itself; the last one is beyond all bounds */
    uint64_t sum;
};

extern const struct gr_bucket gr_request_buckets[GR_BUCKETS]; /* nanoseconds */
extern const struct gr_bucket gr_run_buckets[GR_BUCKETS];     /* milliseconds */

#define GR_EVENT_COUNT (GR_NRI_OTHER + 1)

enum gr_event_failure {
    GR_EVENT_UNREADABLE,
    GR_EVENT_NOT_LOADED,
    GR_EVENT_NO_MEMORY,
    GR_EVENT_REPLY_TOO_LARGE,
    GR_EVENT_FAILED, /* anything else */
};
#define GR_EVENT_FAILURE_COUNT 5

enum gr_container_decision {
    GR_CONTAINER_INJECTED,
    GR_CONTAINER_UNMATCHED,
    GR_CONTAINER_SKIPPED,
    GR_CONTAINER_DENIED,
};
#define GR_CONTAINER_DECISION_COUNT 4

enum gr_disconnection {
    GR_DISCONNECTION_EOF,
    GR_DISCONNECTION_TIMEOUT,
    GR_DISCONNECTION_PROTOCOL,
    GR_DISCONNECTION_REFUSED,
    GR_DISCONNECTION_SHUTDOWN,
    GR_DISCONNECTION_ERROR,
};
#define GR_DISCONNECTION_COUNT 6

struct gr_series_runs {
    uint64_t results[GR_STAGE_COUNT][GR_REPORT_RESULT_COUNT];
    struct gr_histogram duration;
};

/* What is counted of one set. */
struct gr_series {
    struct gr_set_counts counts;
    bool verdicts; /* some of counts was counted */
    uint64_t hooks[GR_STAGE_COUNT];
    struct gr_series_runs *runs; /* owned; NULL: none was reported */
    size_t name_bytes;
    char name[];
};

struct gr_metrics {
    const struct gr_log_counts *log;
    uint64_t events[GR_EVENT_COUNT];
    uint64_t failures[GR_EVENT_COUNT][GR_EVENT_FAILURE_COUNT];
    struct gr_histogram durations[GR_EVENT_COUNT];
    uint64_t containers[GR_CONTAINER_DECISION_COUNT];
    uint64_t disconnections[GR_DISCONNECTION_COUNT];
    bool shutdown;
    struct gr_series **series; /* in the order of their first events; owned */
    size_t series_n, series_cap;
    uint16_t *slots;        /* hash table of indices into series, from 1; 0: free */
    size_t slots_n;         /* a power of 2, twice series_cap */
    struct gr_series *rest; /* of the sets beyond the limit; NULL: there are none */
};

#endif
