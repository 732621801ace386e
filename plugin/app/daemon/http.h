/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/http: answers GET and HEAD, one request for each connection.
 *
 * Layer: app. As little of HTTP/1.1 as a scrape and a probe need: of a request only the first line
 * counts. Everything has a bound that no client can stretch, the time of a whole connection, too.
 * Its events have the lowest priority of the loop (GR_HTTP_PRIORITY): runtimes come first.
 */
#ifndef GR_APP_DAEMON_HTTP_H
#define GR_APP_DAEMON_HTTP_H

#include <event2/event.h>

#include "app/daemon/endpoint.h"
#include "base/buf.h"

/* At one time; more wait in the kernel (GR_ENDPOINT_BACKLOG) until one has ended. */
#define GR_HTTP_CONNECTIONS_MAX 16

/* First line and headers. What follows is thrown away. Prometheus sends some 300 bytes. */
#define GR_HTTP_HEADER_MAX_BYTES 8192

/* From accept to the end of the answer, whoever is slow. Prometheus waits 10 s by default. */
#define GR_HTTP_TIME_MAX_S 10

/* For the client to close, when it has its answer. */
#define GR_HTTP_LINGER_S 1

/* The base has at least so many and one more. */
#define GR_HTTP_PRIORITY 2

struct gr_http;

struct gr_http_answer {
    int status;         /* 200, 404 or 503 */
    const char *type;   /* Content-Type; a literal */
    struct gr_buf body; /* taken */
};

/* Fills the answer to GET path (without its query). Without memory: status 503 and no body. */
typedef void gr_http_fn(void *user, struct gr_str path, struct gr_http_answer *out_answer);

/* endpoint: its descriptor is borrowed. Returns 0; -ENOMEM. */
GR_CHECKED int gr_http_new(struct event_base *base, const struct gr_endpoint *endpoint,
                           gr_http_fn *answer, void *user, struct gr_http **out_http);
void gr_http_free(struct gr_http *http); /* NULL is fine; ends all connections */

#endif
