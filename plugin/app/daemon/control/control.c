/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/control/control.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/daemon/conn.h"
#include "app/daemon/control/exchange.h"
#include "app/daemon/control/listener.h"
#include "version.h"

#define NS_PER_MS UINT64_C(1000000)

/* Connections taken in one turn of the loop. */
#define ACCEPTS_PER_TURN GR_CONTROL_CLIENTS_MAX

/* How long no connection is taken when the process has no descriptor left. */
#define ACCEPT_PAUSE_MS 1000

/* Room for an error's text in JSON, when nothing else is kept for a client. */
#define REFUSAL_MAX_BYTES 8192

struct client {
    struct gr_control *control;
    struct client *next;
    struct gr_conn *conn;
    struct gr_exchange exchange;
    uint64_t deadline_ns;
    bool broken;
};

struct gr_control {
    struct event_base *base;
    const struct gr_log *log;
    struct gr_control_world world;
    struct gr_control_table table;
    struct gr_listener listener;
    struct event *acceptable, *pause, *look;
    struct client *clients;
    size_t clients_n;
    char failed[GR_ERR_TEXT_BYTES]; /* what was last logged about the socket; empty: all is well */
};

/* ---- one client ---- */

static struct client *client_of(void *object)
{
    return object;
}

static int client_feed(void *object, struct gr_str bytes, uint64_t now_ns)
{
    (void)now_ns;
    return gr_exchange_feed(&client_of(object)->exchange, bytes);
}

static struct gr_str client_pending(const void *object)
{
    return gr_exchange_pending(&((const struct client *)object)->exchange);
}

static void client_sent(void *object, size_t n)
{
    gr_exchange_sent(&client_of(object)->exchange, n);
}

/* An answer that came later. */
static void client_ready(void *object)
{
    gr_conn_kick(client_of(object)->conn);
}

static uint64_t client_deadline(const void *object)
{
    return ((const struct client *)object)->deadline_ns;
}

static void client_tick(void *object, uint64_t now_ns)
{
    struct client *c = client_of(object);

    c->broken = c->broken || now_ns >= c->deadline_ns;
}

static bool client_is_broken(const void *object)
{
    return ((const struct client *)object)->broken;
}

static const struct gr_conn_proto client_proto = {
    .feed = client_feed,
    .pending = client_pending,
    .sent = client_sent,
    .next_deadline = client_deadline,
    .tick = client_tick,
    .is_broken = client_is_broken,
};

static void free_client(struct client *c)
{
    gr_conn_free(c->conn);
    gr_exchange_fini(&c->exchange);
    free(c);
}

static void on_closed(void *user, int reason)
{
    struct client *c = user;
    struct client **link = &c->control->clients;

    (void)reason; /* a client that goes away early is nobody's concern */
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    c->control->clients_n--;
    free_client(c);
}

static int add_client(struct gr_control *control, int fd, uid_t uid, pid_t pid)
{
    struct client *c = calloc(1, sizeof(*c));
    int r;

    if (!c) {
        (void)close(fd);
        return -ENOMEM;
    }
    c->control = control;
    c->deadline_ns = gr_now_ns() + control->world.client_max_ms * NS_PER_MS;
    gr_exchange_init(&c->exchange, &control->table, uid, pid, client_ready, c);
    r = gr_conn_new(control->base, fd, &client_proto, c, on_closed, c, &c->conn);
    if (r) {
        free_client(c);
        return r;
    }
    c->next = control->clients;
    control->clients = c;
    control->clients_n++;
    gr_conn_kick(c->conn); /* sets the deadline */
    return 0;
}

/* ---- who may ask ---- */

static int kernel_peer(int fd, uid_t *out_uid, pid_t *out_pid)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
        return -errno;
    *out_uid = peer.uid;
    *out_pid = peer.pid;
    return 0;
}

/* As much as the socket takes at once, which an empty one does. */
static void turn_away(int fd, const struct gr_err *err)
{
    struct gr_buf out;

    gr_buf_init(&out, REFUSAL_MAX_BYTES);
    if (gr_control_refuse(err, &out) == 0)
        (void)!send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    gr_buf_fini(&out);
    (void)close(fd);
}

static void take_connection(struct gr_control *control, int fd)
{
    struct gr_err err = {0};
    uid_t uid = 0;
    pid_t pid = 0;
    int r = control->world.peer(fd, &uid, &pid);

    if (r || (uid != 0 && uid != geteuid())) {
        (void)gr_fail(&err, -EPERM, "not-permitted", "only root may ask here, not the user %u",
                      (unsigned int)uid);
        GR_LOG(control->log, GR_LEVEL_WARNING, "somebody without permission asked",
               GR_LOG_TEXT("socket", control->listener.path), GR_LOG_INT("uid", uid),
               GR_LOG_INT("pid", pid));
    } else if (control->clients_n >= GR_CONTROL_CLIENTS_MAX) {
        (void)gr_fail(&err, -EBUSY, "busy", "%d others are being served; try again",
                      GR_CONTROL_CLIENTS_MAX);
    }
    if (err.code)
        turn_away(fd, &err);
    else
        (void)add_client(control, fd, uid, pid); /* without memory it is closed */
}

static void on_acceptable(evutil_socket_t listener, short what, void *arg)
{
    const struct timeval wait = {.tv_sec = ACCEPT_PAUSE_MS / 1000};
    struct gr_control *control = arg;

    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_un from; /* of no use: clients have no names */
        socklen_t n = sizeof(from);
        int fd = accept4(listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            take_connection(control, fd);
            continue;
        }
        /* The connection stays in the queue, so that the loop would turn for nothing. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            (void)event_del(control->acceptable);
            (void)event_add(control->pause, &wait);
        }
        return;
    }
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct gr_control *control = arg;

    (void)fd;
    (void)what;
    if (control->acceptable)
        (void)event_add(control->acceptable, NULL);
}

/* ---- where we listen ---- */

static void stop_listening(struct gr_control *control)
{
    char path[GR_CONFIG_SOCKET_MAX_BYTES + 1];

    if (control->acceptable)
        event_free(control->acceptable);
    control->acceptable = NULL;
    (void)event_del(control->pause);
    if (control->listener.fd < 0)
        return;
    (void)snprintf(path, sizeof(path), "%s", control->listener.path);
    gr_listener_close(&control->listener);
    GR_LOG(control->log, GR_LEVEL_DEBUG, "the control socket is closed",
           GR_LOG_TEXT("socket", path));
}

static void failed(struct gr_control *control, const struct gr_err *err)
{
    if (strcmp(control->failed, err->text) != 0)
        GR_LOG(control->log, GR_LEVEL_ERROR,
               "there is no control socket; containers are served all the same",
               GR_LOG_TEXT("code", err->code), GR_LOG_TEXT("error", err->text));
    (void)snprintf(control->failed, sizeof(control->failed), "%s", err->text);
}

static void start_listening(struct gr_control *control, const char *path)
{
    struct gr_err err = {0};
    pid_t pid = 0;
    bool somebody = gr_listener_somebody(path, &pid);

    if (gr_listener_open(&control->listener, path, &err) != 0) {
        failed(control, &err);
        return;
    }
    control->acceptable = event_new(control->base, control->listener.fd, EV_READ | EV_PERSIST,
                                    on_acceptable, control);
    if (!control->acceptable || event_add(control->acceptable, NULL) != 0) {
        (void)gr_fail(&err, -ENOMEM, "no-memory", "no memory for the socket %s", path);
        stop_listening(control);
        failed(control, &err);
        return;
    }
    control->failed[0] = '\0';
    GR_LOG(control->log, somebody ? GR_LEVEL_INFO : GR_LEVEL_DEBUG,
           somebody ? "the control socket is taken over from another instance"
                    : "the control socket is open",
           GR_LOG_TEXT("socket", path), GR_LOG_INT("pid", somebody ? pid : getpid()));
}

void gr_control_follow(struct gr_control *control, const char *path)
{
    const struct gr_listener *listener = &control->listener;

    if (listener->fd >= 0 && strcmp(listener->path, path) == 0 &&
        gr_listener_place(listener) != GR_LISTENER_NOBODY)
        return;
    stop_listening(control);
    if (path[0] != '\0')
        start_listening(control, path);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct gr_control *control = arg;
    char path[GR_CONFIG_SOCKET_MAX_BYTES + 1];

    (void)fd;
    (void)what;
    if (control->listener.fd < 0)
        return;
    (void)snprintf(path, sizeof(path), "%s", control->listener.path);
    gr_control_follow(control, path);
}

const char *gr_control_path(const struct gr_control *control)
{
    const struct gr_listener *listener = &control->listener;

    return listener->fd >= 0 && gr_listener_place(listener) == GR_LISTENER_OURS ? listener->path
                                                                                : "";
}

/* ---- life ---- */

static int run_ping(void *user, const struct gr_control_request *request, json_t *reply,
                    struct gr_err *err)
{
    (void)user;
    (void)request;
    (void)err;
    (void)json_object_set_new(reply, "program", json_string(GR_VERSION));
    (void)json_object_set_new(reply, "pid", json_integer(getpid()));
    return 0;
}

static const struct gr_control_command ping = {.name = "ping", .run = run_ping};

static int start_looking(struct gr_control *control)
{
    const uint32_t ms = control->world.look_ms;
    const struct timeval every = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    return event_add(control->look, &every);
}

int gr_control_new(struct event_base *base, const struct gr_log *log,
                   const struct gr_control_world *world, struct gr_control **out_control)
{
    static const struct gr_control_world kernel = {.peer = kernel_peer,
                                                   .client_max_ms = GR_CONTROL_CLIENT_MAX_MS,
                                                   .look_ms = GR_CONTROL_LOOK_MS};
    struct gr_control *control = calloc(1, sizeof(*control));

    if (!control)
        return -ENOMEM;
    control->base = base;
    control->log = log;
    control->world = world ? *world : kernel;
    gr_listener_init(&control->listener);
    gr_control_add(control, &ping, 1, NULL);
    control->pause = evtimer_new(base, on_pause_over, control);
    control->look = event_new(base, -1, EV_PERSIST, on_look, control);
    if (!control->pause || !control->look || start_looking(control) != 0) {
        gr_control_free(control);
        return -ENOMEM;
    }
    *out_control = control;
    return 0;
}

void gr_control_free(struct gr_control *control)
{
    if (!control)
        return;
    if (control->pause) {
        stop_listening(control);
        event_free(control->pause);
    }
    if (control->look)
        event_free(control->look);
    while (control->clients) {
        struct client *c = control->clients;

        control->clients = c->next;
        free_client(c);
    }
    free(control);
}

void gr_control_add(struct gr_control *control, const struct gr_control_command *commands, size_t n,
                    void *user)
{
    for (size_t i = 0; i < n; i++)
        gr_control_table_add(&control->table, &commands[i], user);
}
