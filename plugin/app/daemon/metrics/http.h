/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/http: answers GET and HEAD, one request for each connection.
 *
 * Layer: app. libevent's evhttp reads and writes HTTP. Around it stands what it lacks in 2.1: how
 * many connections there are, how long a whole one may last, how much of what it has not looked at
 * may wait in memory, and an end that does not cost a client its answer. The connections' events
 * have the lowest priority of the loop (GR_HTTP_PRIORITY): runtimes come first.
 */
#ifndef GR_APP_DAEMON_METRICS_HTTP_H
#define GR_APP_DAEMON_METRICS_HTTP_H

#include <event2/event.h>

#include "app/daemon/metrics/endpoint.h"
#include "base/buf.h"

/* At one time; more wait in the kernel (GR_LISTENER_BACKLOG) until one has ended. */
#define GR_HTTP_CONNECTIONS_MAX 16

/* First line and headers, without the ends of lines. Prometheus sends some 300 bytes. */
#define GR_HTTP_HEADER_MAX_BYTES 8192

/* From accept to the end of the answer, whoever is slow. Prometheus waits 10 s by default. */
#define GR_HTTP_TIME_MAX_S 10

/* For the client to close, when it has its answer. */
#define GR_HTTP_LINGER_S 1

/* The base has at least so many and one more. */
#define GR_HTTP_PRIORITY 2

struct gr_http;

struct gr_http_answer {
    int status;         /* of HTTP */
    const char *type;   /* Content-Type; a literal */
    struct gr_buf body; /* taken */
};

/* Fills the answer to GET path (as it was sent, without its query). Without memory: status 503 and
 * no body. */
typedef void gr_http_fn(void *user, struct gr_str path, struct gr_http_answer *out_answer);

/* endpoint: its descriptor is borrowed. Returns 0; -ENOMEM. */
GR_CHECKED int gr_http_new(struct event_base *base, const struct gr_endpoint *endpoint,
                           gr_http_fn *answer, void *user, struct gr_http **out_http);
void gr_http_free(struct gr_http *http); /* NULL is fine; ends all connections */

#endif
