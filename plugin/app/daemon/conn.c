/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes read at once: more than any ordinary request, so that it is parsed in place. */
#define READ_BYTES (64U << 10)

/* Reads per turn of the loop, so that a talkative peer does not keep signals and timers waiting. */
#define READS_PER_TURN 16

struct gr_conn {
    int fd;
    const struct gr_conn_proto *proto;
    void *object;
    gr_conn_closed_fn *closed;
    void *user;
    struct event *readable, *writable, *deadline;
    uint64_t armed_ns; /* what the deadline event is set to; 0: not */
    bool over;         /* closed was called */
    char input[READ_BYTES];
};

static void finish(struct gr_conn *conn, int reason)
{
    if (conn->over)
        return;
    conn->over = true;
    (void)event_del(conn->readable);
    (void)event_del(conn->writable);
    (void)event_del(conn->deadline);
    conn->closed(conn->user, reason);
}

/* Returns 0 when all was sent or the socket is full, else a negative errno. */
static int flush(struct gr_conn *conn)
{
    struct gr_str out;

    while ((out = conn->proto->pending(conn->object)).n > 0) {
        ssize_t n = send(conn->fd, out.p, out.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return event_add(conn->writable, NULL) ? -ENOMEM : 0;
        if (n < 0)
            return -errno;
        conn->proto->sent(conn->object, (size_t)n);
    }
    return 0;
}

void gr_conn_flush(struct gr_conn *conn)
{
    if (!conn->over)
        (void)flush(conn);
}

static int set_deadline(struct gr_conn *conn)
{
    uint64_t at = conn->proto->next_deadline(conn->object);
    uint64_t now = gr_now_ns();
    uint64_t wait_us;
    struct timeval wait;

    if (at == conn->armed_ns)
        return 0;
    conn->armed_ns = at;
    if (at == 0)
        return event_del(conn->deadline) ? -ENOMEM : 0;
    wait_us = at > now ? (at - now + 999) / 1000 : 0;
    wait = (struct timeval){.tv_sec = (time_t)(wait_us / 1000000),
                            .tv_usec = (suseconds_t)(wait_us % 1000000)};
    return event_add(conn->deadline, &wait) ? -ENOMEM : 0;
}

void gr_conn_kick(struct gr_conn *conn)
{
    int r;

    if (conn->over)
        return;
    if (conn->proto->is_broken(conn->object)) {
        finish(conn, -ENOBUFS);
        return;
    }
    r = flush(conn);
    if (r == 0)
        r = set_deadline(conn);
    if (r)
        finish(conn, r);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct gr_conn *conn = arg;

    (void)fd;
    (void)what;
    for (int i = 0; i < READS_PER_TURN && !conn->over; i++) {
        ssize_t n = recv(conn->fd, conn->input, sizeof(conn->input), 0);
        struct gr_str bytes;
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            finish(conn, n == 0 ? 0 : -errno);
            return;
        }
        bytes = (struct gr_str){.p = conn->input, .n = (size_t)n};
        r = conn->proto->feed(conn->object, bytes, gr_now_ns());
        if (r) {
            (void)flush(conn); /* what was answered before still goes out, if it can */
            finish(conn, r);
            return;
        }
        if ((size_t)n < sizeof(conn->input))
            break;
    }
    gr_conn_kick(conn);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    gr_conn_kick(arg);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct gr_conn *conn = arg;

    (void)fd;
    (void)what;
    conn->armed_ns = 0;
    conn->proto->tick(conn->object, gr_now_ns());
    gr_conn_kick(conn);
}

static int add_events(struct gr_conn *conn, struct event_base *base)
{
    conn->readable = event_new(base, conn->fd, EV_READ | EV_PERSIST, on_readable, conn);
    conn->writable = event_new(base, conn->fd, EV_WRITE, on_writable, conn);
    conn->deadline = event_new(base, -1, 0, on_deadline, conn);
    if (!conn->readable || !conn->writable || !conn->deadline)
        return -ENOMEM;
    return event_add(conn->readable, NULL) ? -ENOMEM : 0;
}

int gr_conn_new(struct event_base *base, int fd, const struct gr_conn_proto *proto, void *object,
                gr_conn_closed_fn *closed, void *user, struct gr_conn **out_conn)
{
    int flags = fcntl(fd, F_GETFL);
    struct gr_conn *conn;
    int r;

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        r = -errno;
        (void)close(fd);
        return r;
    }
    conn = calloc(1, sizeof(*conn));
    if (!conn) {
        (void)close(fd);
        return -ENOMEM;
    }
    conn->fd = fd;
    conn->proto = proto;
    conn->object = object;
    conn->closed = closed;
    conn->user = user;
    r = add_events(conn, base);
    if (r) {
        gr_conn_free(conn);
        return r;
    }
    *out_conn = conn;
    return 0;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

void gr_conn_free(struct gr_conn *conn)
{
    if (!conn)
        return;
    free_event(conn->readable);
    free_event(conn->writable);
    free_event(conn->deadline);
    (void)close(conn->fd);
    free(conn);
}
