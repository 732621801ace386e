/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <sys/socket.h>

/* After accept failed, for want of descriptors: the endpoint would be ready again at once. */
#define ACCEPT_PAUSE_S 1

struct client {
    struct gr_http *http;
    struct client *next, **at; /* at: what points here */
    struct bufferevent *bev;
    struct event *deadline;
    bool answered;
    bool ended; /* the client sends no more */
};

struct gr_http {
    struct event_base *base;
    gr_http_fn *answer;
    void *user;
    struct evconnlistener *endpoint;
    struct event *resume;
    struct client *clients;
    size_t clients_n;
};

static void client_free(struct client *client)
{
    struct gr_http *http = client->http;

    *client->at = client->next;
    if (client->next)
        client->next->at = client->at;
    if (client->deadline)
        event_free(client->deadline);
    if (client->bev)
        bufferevent_free(client->bev);
    free(client);
    if (http->clients_n-- == GR_HTTP_CONNECTIONS_MAX && http->endpoint)
        (void)evconnlistener_enable(http->endpoint);
}

/* ---- answers ---- */

struct request {
    bool bad;  /* no request of HTTP/1 */
    bool get;  /* GET or HEAD */
    bool head; /* HEAD */
    struct gr_str path;
};

static struct gr_str cut(struct gr_str *rest, char c)
{
    size_t at = gr_str_find(*rest, c);
    struct gr_str part = gr_str_first(*rest, at);

    *rest = gr_str_skip(*rest, at + 1);
    return part;
}

static bool is_method(struct gr_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 'A' || s.p[i] > 'Z')
            return false;
    }
    return s.n > 0;
}

/* line: without its end. */
static struct request parse(struct gr_str line)
{
    struct gr_str method = cut(&line, ' '), target = cut(&line, ' ');
    bool is_1_x = gr_str_is(line, "HTTP/1.1") || gr_str_is(line, "HTTP/1.0");

    return (struct request){
        .bad = !is_method(method) || target.n == 0 || target.p[0] != '/' || !is_1_x,
        .get = gr_str_is(method, "GET") || gr_str_is(method, "HEAD"),
        .head = gr_str_is(method, "HEAD"),
        .path = cut(&target, '?'),
    };
}

static const char *status_text(int status)
{
    switch (status) {
    case 200:
        return "200 OK";
    case 400:
        return "400 Bad Request";
    case 404:
        return "404 Not Found";
    case 405:
        return "405 Method Not Allowed\r\nAllow: GET, HEAD";
    case 431:
        return "431 Request Header Fields Too Large";
    default:
        return "503 Service Unavailable";
    }
}

static void free_body(const void *data, size_t bytes, void *user)
{
    (void)data;
    (void)bytes;
    free(user);
}

/* Takes the body. */
static int put_answer(struct evbuffer *out, struct gr_http_answer *answer, bool head)
{
    struct gr_buf *body = &answer->body;
    int n = evbuffer_add_printf(out,
                                "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                                "Connection: close\r\n\r\n",
                                status_text(answer->status), answer->type, body->len);

    if (n >= 0 && !head && body->len > 0) {
        n = evbuffer_add_reference(out, body->data, body->len, free_body, body->data);
        if (n == 0)
            gr_buf_init(body, 0);
    }
    gr_buf_fini(body);
    return n < 0 ? -ENOMEM : 0;
}

/* An answer of our own making: its text is the status line. */
static struct gr_http_answer plain(int status, const char *text)
{
    struct gr_http_answer answer = {.status = status, .type = "text/plain; charset=utf-8"};

    gr_buf_init(&answer.body, 256);
    (void)gr_buf_text(&answer.body, text);
    return answer;
}

static void set_deadline(struct client *client, time_t seconds)
{
    const struct timeval wait = {.tv_sec = seconds};

    (void)event_add(client->deadline, &wait);
}

/* Afterwards the client may be gone. */
static void send_answer(struct client *client, struct gr_http_answer *answer, bool head)
{
    client->answered = true;
    if (put_answer(bufferevent_get_output(client->bev), answer, head) != 0)
        client_free(client);
}

static void answer_line(struct client *client, struct gr_str line)
{
    struct request request = parse(line);
    struct gr_http_answer answer;

    if (request.bad)
        answer = plain(400, "expected GET /metrics, /healthz or /readyz of HTTP/1.1\n");
    else if (!request.get)
        answer = plain(405, "expected GET or HEAD\n");
    else
        client->http->answer(client->http->user, request.path, &answer);
    send_answer(client, &answer, request.head);
}

/* ---- connections ---- */

/* The first line of a header that is whole, without its end; n == 0: there is none yet. */
static bool whole_header(struct evbuffer *in, struct gr_str *out_line)
{
    size_t bytes = evbuffer_get_length(in);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);

    if (end.pos < 0 || (size_t)end.pos + 4 > GR_HTTP_HEADER_MAX_BYTES)
        return false;
    *out_line = (struct gr_str){.p = (const char *)evbuffer_pullup(in, (ev_ssize_t)bytes),
                                .n = (size_t)end.pos};
    if (!out_line->p)
        *out_line = GR_STR_NONE;
    *out_line = gr_str_first(*out_line, gr_str_find(*out_line, '\r'));
    return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(bev);
    struct client *client = arg;
    struct gr_http_answer answer;
    struct gr_str line;

    if (!client->answered && whole_header(in, &line)) {
        answer_line(client, line);
    } else if (!client->answered && evbuffer_get_length(in) >= GR_HTTP_HEADER_MAX_BYTES) {
        answer = plain(431, "expected a shorter header\n");
        send_answer(client, &answer, false);
    } else if (client->answered) {
        (void)evbuffer_drain(in, evbuffer_get_length(in));
    }
}

/*
 * All is sent. Closing with bytes unread would make the kernel reset the connection and the client
 * lose the answer, so that only our half is closed.
 */
static void on_written(struct bufferevent *bev, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(bev);
    struct client *client = arg;

    if (client->ended) {
        client_free(client);
        return;
    }
    (void)evbuffer_drain(in, evbuffer_get_length(in));
    (void)shutdown((int)bufferevent_getfd(bev), SHUT_WR);
    set_deadline(client, GR_HTTP_LINGER_S);
}

/* A client that ends its half is not waited for, unless it is to get an answer first. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct client *client = arg;
    bool sending = evbuffer_get_length(bufferevent_get_output(bev)) > 0;

    client->ended = true;
    if ((what & BEV_EVENT_EOF) && sending)
        return;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        client_free(client);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    client_free(arg);
}

/* fd: taken. */
static void add_client(struct gr_http *http, evutil_socket_t fd)
{
    struct client *client = calloc(1, sizeof(*client));

    if (!client) {
        (void)evutil_closesocket(fd);
        return;
    }
    client->http = http;
    client->next = http->clients;
    client->at = &http->clients;
    if (client->next)
        client->next->at = &client->next;
    http->clients = client;
    http->clients_n++;
    client->deadline = evtimer_new(http->base, on_deadline, client);
    client->bev = bufferevent_socket_new(http->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!client->bev)
        (void)evutil_closesocket(fd);
    if (!client->bev || !client->deadline) {
        client_free(client);
        return;
    }
    (void)bufferevent_priority_set(client->bev, GR_HTTP_PRIORITY);
    (void)event_priority_set(client->deadline, GR_HTTP_PRIORITY);
    bufferevent_setcb(client->bev, on_read, on_written, on_event, client);
    /* Reading stops there, so that a client's bytes stay in the kernel. */
    bufferevent_setwatermark(client->bev, EV_READ, 0, GR_HTTP_HEADER_MAX_BYTES);
    set_deadline(client, GR_HTTP_TIME_MAX_S);
    if (bufferevent_enable(client->bev, EV_READ) != 0)
        client_free(client);
}

static void on_accept(struct evconnlistener *endpoint, evutil_socket_t fd, struct sockaddr *from,
                      int from_bytes, void *arg)
{
    struct gr_http *http = arg;

    (void)from;
    (void)from_bytes;
    add_client(http, fd);
    if (http->clients_n == GR_HTTP_CONNECTIONS_MAX)
        (void)evconnlistener_disable(endpoint);
}

static void on_accept_failed(struct evconnlistener *endpoint, void *arg)
{
    const struct timeval wait = {.tv_sec = ACCEPT_PAUSE_S};
    struct gr_http *http = arg;

    (void)evconnlistener_disable(endpoint);
    (void)event_add(http->resume, &wait);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct gr_http *http = arg;

    (void)fd;
    (void)what;
    if (http->clients_n < GR_HTTP_CONNECTIONS_MAX)
        (void)evconnlistener_enable(http->endpoint);
}

/* ---- life ---- */

int gr_http_new(struct event_base *base, const struct gr_endpoint *endpoint, gr_http_fn *answer,
                void *user, struct gr_http **out_http)
{
    struct gr_http *http = calloc(1, sizeof(*http));

    if (!http)
        return -ENOMEM;
    http->base = base;
    http->answer = answer;
    http->user = user;
    http->resume = evtimer_new(base, on_resume, http);
    http->endpoint =
        evconnlistener_new(base, on_accept, http, LEV_OPT_CLOSE_ON_EXEC, 0, endpoint->fd);
    if (!http->resume || !http->endpoint) {
        gr_http_free(http);
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(http->endpoint, on_accept_failed);
    *out_http = http;
    return 0;
}

void gr_http_free(struct gr_http *http)
{
    if (!http)
        return;
    if (http->endpoint)
        evconnlistener_free(gr_take(http->endpoint));
    while (http->clients)
        client_free(http->clients);
    if (http->resume)
        event_free(http->resume);
    free(http);
}
