/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/metrics/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdio.h>
#include <sys/queue.h>

/* After accept failed, for want of descriptors: the endpoint would be ready again at once. */
#define ACCEPT_PAUSE_S 1

/* What evhttp reads and does not look at yet (a chunk's size without its end, bytes that come while
 * it answers) waits in memory. More than a header, or one that is too long would never be seen. */
#define UNREAD_MAX_BYTES (2 * GR_HTTP_HEADER_MAX_BYTES)

/* Those that evhttp knows. It answers 501 to another. CONNECT is not one of them: evhttp would keep
 * its connection. */
#define METHODS                                                                                \
    (EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
     EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH)

enum stage {
    ACCEPTED, /* evhttp has the bufferevent, and is about to use it */
    SERVED,   /* by evhttp */
    LEFT,     /* by evhttp just now, which has closed our half */
    LINGERING,
};

/* evhttp 2.1 counts no connections and limits only their pauses. */
struct conn {
    struct gr_http *http;
    LIST_ENTRY(conn) others;
    struct bufferevent *bev; /* with a reference of our own: it outlives what evhttp does to it */
    struct event *turn;      /* the next stage, or the end of the time for this one */
    enum stage stage;
};

struct gr_http {
    gr_http_fn *answer;
    void *user;
    struct evhttp *server;
    struct evconnlistener *endpoint; /* the server's */
    struct event *resume;
    LIST_HEAD(conn_list, conn) conns;
    size_t conns_n;
};

/* ---- answers ---- */

static void free_body(const void *data, size_t bytes, void *user)
{
    (void)data;
    (void)bytes;
    free(user);
}

/* Takes the body. Without memory for it: no body. */
static struct evbuffer *take_body(struct gr_buf *body)
{
    struct evbuffer *out = evbuffer_new();

    if (out && body->len > 0 &&
        evbuffer_add_reference(out, body->data, body->len, free_body, body->data) == 0)
        gr_buf_init(body, 0);
    gr_buf_fini(body);
    return out;
}

/* evhttp would send the body of an answer to HEAD, and not its length. */
static void send_answer(struct evhttp_request *request, struct gr_http_answer *answer)
{
    bool head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    size_t bytes = answer->body.len;
    struct evbuffer *body = take_body(&answer->body);
    char length[24];

    if (!body || (evbuffer_get_length(body) < bytes)) {
        answer->status = HTTP_SERVUNAVAIL;
        bytes = 0;
    }
    (void)snprintf(length, sizeof(length), "%zu", bytes);
    (void)evhttp_add_header(headers, "Content-Type", answer->type);
    (void)evhttp_add_header(headers, "Content-Length", length);
    (void)evhttp_add_header(headers, "Connection", "close");
    evhttp_send_reply(request, answer->status, NULL, head ? NULL : body);
    if (body)
        evbuffer_free(body);
}

static void refuse_method(struct evhttp_request *request, struct gr_http_answer *out_answer)
{
    *out_answer =
        (struct gr_http_answer){.status = HTTP_BADMETHOD, .type = "text/plain; charset=utf-8"};
    gr_buf_init(&out_answer->body, 64);
    (void)gr_buf_text(&out_answer->body, "expected GET or HEAD\n");
    (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
}

static void on_request(struct evhttp_request *request, void *arg)
{
    const enum evhttp_cmd_type method = evhttp_request_get_command(request);
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    struct gr_http *http = arg;
    struct gr_http_answer answer;

    if (method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD)
        http->answer(http->user, gr_str_from(path ? path : ""), &answer);
    else
        refuse_method(request, &answer);
    send_answer(request, &answer);
    /* A client may have ended its half: evhttp would take that for the end of the connection. */
    (void)bufferevent_disable(evhttp_connection_get_bufferevent(connection), EV_READ);
}

/* ---- connections ---- */

static void conn_free(struct conn *conn)
{
    struct gr_http *http = conn->http;

    LIST_REMOVE(conn, others);
    event_free(conn->turn);
    bufferevent_setcb(conn->bev, NULL, NULL, NULL, NULL);
    (void)bufferevent_decref(conn->bev);
    free(conn);
    if (http->conns_n-- == GR_HTTP_CONNECTIONS_MAX && http->endpoint)
        (void)evconnlistener_enable(http->endpoint);
}

static void set_turn(struct conn *conn, time_t seconds)
{
    const struct timeval wait = {.tv_sec = seconds};

    (void)event_add(conn->turn, &wait);
}

/* evhttp frees it: for any reason, and with the server. */
static void on_left(struct evhttp_connection *connection, void *arg)
{
    struct conn *conn = arg;

    (void)connection;
    conn->stage = LEFT;
    event_active(conn->turn, EV_TIMEOUT, 0);
}

/*
 * evhttp hands out a connection only with its request, which need not come; but it is what evhttp's
 * own callbacks are called with.
 */
static void serve(struct conn *conn)
{
    void *connection = NULL;

    bufferevent_getcb(conn->bev, NULL, NULL, NULL, &connection);
    if (!connection) { /* there was no memory for it */
        conn_free(conn);
        return;
    }
    evhttp_connection_set_closecb(connection, on_left, conn);
    (void)bufferevent_priority_set(conn->bev, GR_HTTP_PRIORITY);
    conn->stage = SERVED;
    set_turn(conn, GR_HTTP_TIME_MAX_S);
}

/* To evhttp it is one that paused for too long. */
static void expire(struct conn *conn)
{
    bufferevent_trigger_event(conn->bev, BEV_EVENT_TIMEOUT, 0);
    conn_free(conn);
}

static void on_rest(struct bufferevent *bev, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(bev);

    (void)arg;
    (void)evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    conn_free(arg);
}

/* Closing with bytes unread would make the kernel reset the connection and the client lose the
 * answer. */
static void linger(struct conn *conn)
{
    conn->stage = LINGERING;
    set_turn(conn, GR_HTTP_LINGER_S);
    bufferevent_setcb(conn->bev, on_rest, NULL, on_end, conn);
    on_rest(conn->bev, NULL);
    if (bufferevent_enable(conn->bev, EV_READ) != 0)
        conn_free(conn);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    switch (conn->stage) {
    case ACCEPTED:
        serve(conn);
        break;
    case SERVED:
        expire(conn);
        break;
    case LEFT:
        linger(conn);
        break;
    case LINGERING:
        conn_free(conn);
        break;
    }
}

/*
 * evhttp accepted a connection and wants a bufferevent for it. The turn comes when evhttp has done
 * with accepting and before anything was read. NULL: evhttp makes one of its own, or runs out of
 * memory as well; its own time limit holds for such a connection.
 */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    struct gr_http *http = arg;

    if (!conn)
        return NULL;
    conn->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    conn->turn = evtimer_new(base, on_turn, conn);
    if (!conn->bev || !conn->turn) {
        if (conn->bev)
            bufferevent_free(conn->bev);
        if (conn->turn)
            event_free(conn->turn);
        free(conn);
        return NULL;
    }
    bufferevent_incref(conn->bev);
    bufferevent_setwatermark(conn->bev, EV_READ, 0, UNREAD_MAX_BYTES);
    conn->http = http;
    LIST_INSERT_HEAD(&http->conns, conn, others);
    event_active(conn->turn, EV_TIMEOUT, 0);
    if (++http->conns_n == GR_HTTP_CONNECTIONS_MAX)
        (void)evconnlistener_disable(http->endpoint);
    return conn->bev;
}

/* arg is evhttp's: on_resume finds out by itself. */
static void on_accept_failed(struct evconnlistener *endpoint, void *arg)
{
    (void)arg;
    (void)evconnlistener_disable(endpoint);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct gr_http *http = arg;

    (void)fd;
    (void)what;
    if (http->conns_n < GR_HTTP_CONNECTIONS_MAX)
        (void)evconnlistener_enable(http->endpoint);
}

/* ---- life ---- */

static int start_server(struct gr_http *http, struct event_base *base, int fd)
{
    struct evconnlistener *endpoint;

    http->server = evhttp_new(base);
    if (!http->server)
        return -ENOMEM;
    evhttp_set_bevcb(http->server, on_accept, http);
    evhttp_set_gencb(http->server, on_request, http);
    evhttp_set_allowed_methods(http->server, METHODS);
    evhttp_set_max_headers_size(http->server, GR_HTTP_HEADER_MAX_BYTES);
    evhttp_set_max_body_size(http->server, 0);
    evhttp_set_timeout(http->server, GR_HTTP_TIME_MAX_S);
    endpoint = evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!endpoint)
        return -ENOMEM;
    if (!evhttp_bind_listener(http->server, endpoint)) {
        evconnlistener_free(endpoint);
        return -ENOMEM;
    }
    http->endpoint = endpoint;
    evconnlistener_set_error_cb(endpoint, on_accept_failed);
    return 0;
}

int gr_http_new(struct event_base *base, const struct gr_endpoint *endpoint, gr_http_fn *answer,
                void *user, struct gr_http **out_http)
{
    const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
    struct gr_http *http = calloc(1, sizeof(*http));

    if (!http)
        return -ENOMEM;
    LIST_INIT(&http->conns);
    http->answer = answer;
    http->user = user;
    http->resume = event_new(base, -1, EV_PERSIST, on_resume, http);
    if (!http->resume || start_server(http, base, endpoint->fd) != 0 ||
        event_add(http->resume, &pause) != 0) {
        gr_http_free(http);
        return -ENOMEM;
    }
    *out_http = http;
    return 0;
}

void gr_http_free(struct gr_http *http)
{
    if (!http)
        return;
    http->endpoint = NULL;
    if (http->resume)
        event_free(http->resume);
    if (http->server)
        evhttp_free(http->server);
    while (!LIST_EMPTY(&http->conns))
        conn_free(LIST_FIRST(&http->conns));
    free(http);
}
