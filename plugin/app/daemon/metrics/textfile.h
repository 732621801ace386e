/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/textfile: the metrics as a file, for node_exporter's textfile collector.
 *
 * Layer: app. Written aside in the same directory and renamed, mode 0644, by a thread of its own:
 * a disk that hangs holds neither the loop nor a container. It is removed at a clean end, since a
 * file that stays would go on saying that the plugin is connected; what a crash leaves shows by its
 * age (node_textfile_mtime_seconds). Of two instances only one writes: the second waits for the
 * lock on ".NAME.lock" beside it.
 */
#ifndef GR_APP_DAEMON_METRICS_TEXTFILE_H
#define GR_APP_DAEMON_METRICS_TEXTFILE_H

#include <event2/event.h>

#include "app/log.h"
#include "base/buf.h"

/* As often as Prometheus scrapes by many a setting. */
#define GR_TEXTFILE_INTERVAL_S 15

/* Beside it, by the name of the file: the lock that says whose it is, and what is being written. No
 * reader takes them for metrics: neither ends in .prom. */
#define GR_TEXTFILE_LOCK ".%s.lock"
#define GR_TEXTFILE_NEW ".%s.new"

struct gr_textfile;

/* Appends what is to be written. Returns 0; a negative errno: nothing is written then. */
typedef int gr_textfile_fn(void *user, struct gr_buf *out);

/* path: copied. log: borrowed; a failure is said once, not each time. Writes at the loop's next
 * turn for the first time. Returns 0; -ENOMEM. */
GR_CHECKED int gr_textfile_new(struct event_base *base, const char *path, gr_textfile_fn *fill,
                               void *user, const struct gr_log *log,
                               struct gr_textfile **out_textfile);
void gr_textfile_free(struct gr_textfile *textfile); /* NULL is fine; removes the file */

#endif
