/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/suspend/reports.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/daemon/control/listener.h"

/* Datagrams per turn of the loop: those that wait (net.unix.max_dgram_qlen, 10 by default) and some
 * that come meanwhile. */
#define READS_PER_TURN 32

/* Memory that reading one report may take. */
#define ARENA_BLOCK_BYTES (8U << 10)
#define ARENA_MAX_BYTES (64U << 10)

struct gr_reports {
    struct event_base *base;
    const struct gr_log *log;
    gr_reports_fn *run;
    void *user;
    struct gr_listener listener;
    struct event *readable;
    struct gr_arena arena; /* of one report; emptied behind each */
    struct gr_report_counts counts;
    char problem[GR_ERR_TEXT_BYTES]; /* as last logged */
    bool said_bad, said_foreign;     /* the first one is worth a line */
    char bytes[GR_REPORT_MAX_BYTES + 1];
};

/* Whom the kernel names as sender; -1: nobody. */
static uid_t sender_of(struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        struct ucred peer;

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS ||
            part->cmsg_len < CMSG_LEN(sizeof(peer)))
            continue;
        memcpy(&peer, CMSG_DATA(part), sizeof(peer));
        return peer.uid;
    }
    return (uid_t)-1;
}

static void count_foreign(struct gr_reports *reports, uid_t uid)
{
    reports->counts.foreign++;
    if (!reports->said_foreign)
        GR_LOG(reports->log, GR_LEVEL_WARNING,
               "another user sent a runner's report; it and those that follow are dropped",
               GR_LOG_INT("uid", uid), GR_LOG_TEXT("socket", reports->listener.path));
    reports->said_foreign = true;
}

static void count_bad(struct gr_reports *reports, const struct gr_err *err)
{
    reports->counts.bad++;
    if (!reports->said_bad)
        GR_LOG(reports->log, GR_LEVEL_WARNING,
               "a runner's report cannot be read; it and those like it are dropped",
               GR_LOG_TEXT("error", err->text), GR_LOG_TEXT("socket", reports->listener.path));
    reports->said_bad = true;
}

static void take_datagram(struct gr_reports *reports, size_t n, uid_t uid)
{
    const struct gr_str text = {.p = reports->bytes, .n = n};
    struct gr_err err = {0};
    struct gr_report report;

    if (uid != 0 && uid != geteuid()) {
        count_foreign(reports, uid);
        return;
    }
    if (gr_report_read(&reports->arena, text, &report, &err) == 0) {
        reports->counts.good++;
        reports->run(reports->user, &report);
    } else {
        count_bad(reports, &err);
    }
    gr_arena_reset(&reports->arena);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct gr_reports *reports = arg;

    (void)what;
    for (int i = 0; i < READS_PER_TURN; i++) {
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct iovec part = {.iov_base = reports->bytes, .iov_len = sizeof(reports->bytes)};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        /* Descriptors that somebody sends along do not fit into control and are closed. */
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        /* One byte more than a report may have was read: a longer one is seen to be too long. */
        take_datagram(reports, (size_t)n, sender_of(&message));
    }
}

/* ---- the socket ---- */

static void stop_listening(struct gr_reports *reports)
{
    if (reports->readable)
        event_free(gr_take(reports->readable));
    gr_listener_close(&reports->listener);
}

static int listen_at(struct gr_reports *reports, const char *path, struct gr_err *err)
{
    const int yes = 1;
    int r = gr_listener_open(&reports->listener, path, err);

    if (r)
        return r;
    if (setsockopt(reports->listener.fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) != 0)
        return gr_fail_errno(err, -errno, "socket", "cannot tell who sends to %s", path);
    reports->readable =
        event_new(reports->base, reports->listener.fd, EV_READ | EV_PERSIST, on_readable, reports);
    if (!reports->readable || event_add(reports->readable, NULL) != 0)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to listen at %s", path);
    return 0;
}

static void start_listening(struct gr_reports *reports, const char *path)
{
    struct gr_err err = {0};

    if (listen_at(reports, path, &err) == 0) {
        reports->problem[0] = '\0';
        return;
    }
    stop_listening(reports);
    if (strcmp(reports->problem, err.text) != 0)
        gr_log_finding(reports->log, GR_LEVEL_WARNING, &err);
    (void)snprintf(reports->problem, sizeof(reports->problem), "%s", err.text);
}

void gr_reports_follow(struct gr_reports *reports, const char *run_dir)
{
    char path[GR_CONFIG_SOCKET_MAX_BYTES + 2] = "";

    /* One that is too long is cut, and refused for its length. */
    if (run_dir[0])
        (void)snprintf(path, sizeof(path), "%s/" GR_REPORTS_SOCKET, run_dir);
    if (reports->listener.fd >= 0 && strcmp(reports->listener.path, path) == 0 &&
        gr_listener_place(&reports->listener) != GR_LISTENER_NOBODY)
        return;
    stop_listening(reports);
    if (path[0])
        start_listening(reports, path);
}

void gr_reports_look(struct gr_reports *reports)
{
    char path[sizeof(reports->listener.path)];

    if (reports->listener.fd < 0 || gr_listener_place(&reports->listener) != GR_LISTENER_NOBODY)
        return;
    (void)snprintf(path, sizeof(path), "%s", reports->listener.path);
    stop_listening(reports);
    start_listening(reports, path);
}

void gr_reports_counts(const struct gr_reports *reports, struct gr_report_counts *out_counts)
{
    *out_counts = reports->counts;
}

/* ---- life ---- */

int gr_reports_new(struct event_base *base, const struct gr_log *log, gr_reports_fn *run,
                   void *user, struct gr_reports **out_reports)
{
    struct gr_reports *reports = calloc(1, sizeof(*reports));

    if (!reports)
        return -ENOMEM;
    reports->base = base;
    reports->log = log;
    reports->run = run;
    reports->user = user;
    gr_listener_init_datagrams(&reports->listener);
    gr_arena_init(&reports->arena, ARENA_BLOCK_BYTES, ARENA_MAX_BYTES);
    *out_reports = reports;
    return 0;
}

void gr_reports_free(struct gr_reports *reports)
{
    if (!reports)
        return;
    stop_listening(reports);
    gr_arena_fini(&reports->arena);
    free(reports);
}
