/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/metrics: what the plugin counts, and the text in which Prometheus reads it.
 *
 * Layer: app. Loop thread only; lines of the log are counted where they are written, by any thread.
 * What is now so (rules in force, the session) is not counted but taken from app/daemon/view when
 * somebody asks. Families: specs/metrics.md.
 */
#ifndef GR_APP_DAEMON_METRICS_METRICS_H
#define GR_APP_DAEMON_METRICS_METRICS_H

#include "app/daemon/view.h"
#include "base/buf.h"
#include "state/report.h"

/*
 * Sets that have series of their own; what the others count stands together under rule="". A set
 * that has done everything has 60 lines. Nothing is kept for a set before something happens to it,
 * and nothing is dropped before the process ends.
 */
#define GR_METRICS_SETS_MAX 1000

/* The whole text: 21 MB where every set has a name of 253 bytes and every series. */
#define GR_METRICS_TEXT_MAX_BYTES (32U << 20)

struct gr_metrics;

/* log: what was logged, borrowed; NULL: nothing. Returns 0; -ENOMEM. */
GR_CHECKED int gr_metrics_new(const struct gr_log_counts *log, struct gr_metrics **out_metrics);
void gr_metrics_free(struct gr_metrics *metrics); /* NULL is fine */

/* ---- what happened ---- */

void gr_metrics_answered(struct gr_metrics *metrics, const struct gr_session_answer *answer);

/* now_s: seconds since 1970. */
void gr_metrics_created(struct gr_metrics *metrics, const struct gr_session_event *event,
                        int64_t now_s);

/* The runtime asked for the end: what follows is no loss. */
void gr_metrics_shutdown(struct gr_metrics *metrics);

/* A session is over. reason: 0 end of file, or a negative errno. */
void gr_metrics_disconnected(struct gr_metrics *metrics, int reason);

/* A hook that ran, as the hook runner reports it. Text is borrowed for the call. */
void gr_metrics_hook_run(struct gr_metrics *metrics, const struct gr_report *report);

/* ---- what is told of it ---- */

/* What became of containers that a set matched, or may have matched. */
struct gr_set_counts {
    uint64_t injected, observed, refused, skipped, ignored;
    int64_t last_s; /* the last of them, seconds since 1970; 0: never */
};

/* Valid until the next event. NULL: nothing happened yet, or the set has no series of its own. */
const struct gr_set_counts *gr_metrics_set(const struct gr_metrics *metrics, struct gr_str set);

/*
 * Appends all families but process_*, in the text format 0.0.4. Returns 0; -ENOMEM, -EMSGSIZE: what
 * was appended is not whole.
 */
GR_CHECKED int gr_metrics_write(const struct gr_metrics *metrics, const struct gr_view *view,
                                struct gr_buf *out);

/*
 * Appends process_*: cpu, memory, descriptors, start. What cannot be read is left out. Not for a
 * textfile, whose reader has families of these names of its own. Returns as above.
 */
GR_CHECKED int gr_metrics_write_process(struct gr_buf *out);

#endif
