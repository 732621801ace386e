/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/exporter: where the metrics are to be had, as the settings say.
 *
 * Layer: app. /metrics, /healthz and /readyz over app/daemon/metrics/http, and the textfile. An
 * address that cannot be had is tried for again each second: the instance before this one may still
 * hold the port. The path of a unix socket is taken over, and had again at the next reload when
 * nobody listens there any more.
 */
#ifndef GR_APP_DAEMON_METRICS_EXPORTER_H
#define GR_APP_DAEMON_METRICS_EXPORTER_H

#include <event2/event.h>

#include "app/daemon/metrics/metrics.h"

#define GR_EXPORTER_RETRY_S 1

struct gr_exporter;

/* What the process is now. */
typedef void gr_exporter_view_fn(void *user, struct gr_view *out_view);

/* log: borrowed for the object; its lines are counted from here on. Nothing is open before
 * gr_exporter_follow. Returns 0; -ENOMEM. */
GR_CHECKED int gr_exporter_new(struct event_base *base, struct gr_log *log,
                               gr_exporter_view_fn *view, void *user,
                               struct gr_exporter **out_exporter);
void gr_exporter_free(struct gr_exporter *exporter); /* NULL is fine */

/* After each load: opens and closes what the settings say; what stays the same stays open. config:
 * borrowed for the call. */
void gr_exporter_follow(struct gr_exporter *exporter, const struct gr_config *config);

/* To be called now and then: a unix socket whose file is gone is made again. */
void gr_exporter_look(struct gr_exporter *exporter);

/* Fills in what is counted and where that is to be had; borrowed until the next follow. */
void gr_exporter_view(const struct gr_exporter *exporter, struct gr_view *out_view);

/* What is counted. Lives as long as the exporter. */
struct gr_metrics *gr_exporter_metrics(const struct gr_exporter *exporter);

#endif
