/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/link.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/backoff.h"
#include "app/daemon/conn_nri.h"
#include "app/daemon/nri_socket.h"
#include "app/daemon/view.h"
#include "app/exit.h"

#define NS_PER_MS UINT64_C(1000000)

struct gr_link {
    const struct gr_link_options *options;
    const struct gr_log *log;
    const struct gr_link_ops *ops;
    void *user;
    struct event_base *base;
    struct event *retry;        /* also: the end of the wait for the beginning */
    bool begun;                 /* the first connection was tried */
    bool only_looks;            /* gr_session_settings.only_looks */
    struct gr_session *session; /* NULL while there is no connection */
    struct gr_conn *conn;
    struct gr_backoff backoff;
    uint64_t connected_ns;
    struct gr_view_session told; /* connect_errno also so that a failure is said once, not every
                                  * few seconds */
};

static bool is_launched(const struct gr_link *link)
{
    return link->options->launched_fd >= 0;
}

/* Cut, and with a NUL byte. */
static void keep_text(char kept[GR_VIEW_TEXT_BYTES], struct gr_str text)
{
    (void)snprintf(kept, GR_VIEW_TEXT_BYTES, "%.*s", GR_STR_FMT(text));
}

/* ---- what the session asks and tells ---- */

static uint64_t on_now(void *user)
{
    (void)user;
    return gr_now_ns();
}

static bool on_configure(void *user, const struct gr_nri_runtime *runtime, struct gr_str config)
{
    struct gr_link *link = user;

    GR_LOG(link->log, GR_LEVEL_INFO, "configured by the runtime",
           GR_LOG_STR("runtime", runtime->name), GR_LOG_STR("version", runtime->version),
           GR_LOG_STR("nri", runtime->nri_version),
           GR_LOG_INT("request_timeout_ms", runtime->request_timeout_ms));
    if (runtime->err)
        GR_LOG(link->log, GR_LEVEL_ERROR, "the Configure request could not be read",
               GR_LOG_TEXT("error", runtime->err->text));
    keep_text(link->told.runtime, runtime->name);
    keep_text(link->told.version, runtime->version);
    keep_text(link->told.nri, runtime->nri_version);
    link->told.request_timeout_ms = runtime->request_timeout_ms;
    return link->ops->configure(link->user, runtime, config);
}

static void on_flush(void *user)
{
    struct gr_link *link = user;

    gr_conn_flush(link->conn);
}

static void on_synchronized(void *user, size_t pods, size_t containers,
                            struct gr_nri_running *running)
{
    struct gr_link *link = user;

    link->told.synchronized = true;
    link->told.pods = pods;
    link->told.containers = containers;
    GR_LOG(link->log, GR_LEVEL_INFO, "synchronized", GR_LOG_INT("pods", pods),
           GR_LOG_INT("containers", containers));
    link->ops->synchronized(link->user, running);
}

static int on_decide(void *user, const struct gr_subject *subject, struct gr_arena *arena,
                     struct gr_decision *out_decision, struct gr_err *err)
{
    struct gr_link *link = user;

    return link->ops->decide(link->user, subject, arena, out_decision, err);
}

static void on_created(void *user, const struct gr_session_event *event)
{
    struct gr_link *link = user;

    /* The answer first: a slow reader of the log is no reason to keep a container waiting. */
    gr_conn_flush(link->conn);
    link->ops->created(link->user, event);
}

static void on_answered(void *user, const struct gr_session_answer *answer)
{
    struct gr_link *link = user;

    link->ops->answered(link->user, answer);
}

static void on_rejected(void *user, struct gr_str text)
{
    const struct gr_link *link = user;

    GR_LOG(link->log, GR_LEVEL_ERROR, "the runtime refused the registration",
           GR_LOG_STR("error", text));
}

static void on_shutdown(void *user)
{
    struct gr_link *link = user;

    link->ops->shutdown(link->user);
}

static void on_state(void *user, enum gr_session_state from, enum gr_session_state to)
{
    struct gr_link *link = user;

    link->told.state = to;
    link->ops->state(link->user, to);
    GR_LOG(link->log, GR_LEVEL_DEBUG, "session", GR_LOG_TEXT("from", gr_session_state_name(from)),
           GR_LOG_TEXT("to", gr_session_state_name(to)));
}

static const struct gr_session_ops session_ops = {
    .now = on_now,
    .configure = on_configure,
    .flush = on_flush,
    .synchronized = on_synchronized,
    .decide = on_decide,
    .created = on_created,
    .answered = on_answered,
    .rejected = on_rejected,
    .shutdown = on_shutdown,
    .state = on_state,
};

/* ---- one connection after the other ---- */

static uint32_t random_number(void)
{
    uint32_t number = 0;

    /* Only jitter: without entropy the wait is simply the longest. */
    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
        number = 0;
    return number;
}

static void retry_in(struct gr_link *link, uint32_t wait_ms)
{
    const struct timeval wait = {.tv_sec = wait_ms / 1000,
                                 .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

    if (event_add(link->retry, &wait) != 0)
        link->ops->over(link->user, GR_EXIT_FAILED);
}

static void drop_connection(struct gr_link *link)
{
    gr_conn_free(link->conn);
    gr_session_free(link->session);
    link->conn = NULL;
    link->session = NULL;
}

static void on_closed(void *user, int reason)
{
    struct gr_link *link = user;
    const char *why = reason ? strerror(-reason) : "end of file";
    uint64_t age_ms = (gr_now_ns() - link->connected_ns) / NS_PER_MS;
    uint32_t wait_ms;

    keep_text(link->told.lost, gr_str_from(why));
    gr_session_closed(link->session);
    drop_connection(link);
    link->told.state = GR_SESSION_CLOSED;
    link->told.since_s = (int64_t)time(NULL);
    link->ops->closed(link->user, reason);
    if (is_launched(link)) {
        GR_LOG(link->log, GR_LEVEL_INFO, "the runtime closed the connection, ending",
               GR_LOG_TEXT("reason", link->told.lost));
        link->ops->over(link->user, GR_EXIT_OK);
        return;
    }
    wait_ms = gr_backoff_session_ended(&link->backoff, age_ms, random_number());
    GR_LOG(link->log, GR_LEVEL_WARNING,
           link->only_looks
               ? "the connection to the runtime is lost"
               : "the connection to the runtime is lost: containers created now get no hooks",
           GR_LOG_TEXT("reason", link->told.lost), GR_LOG_INT("retry_ms", wait_ms));
    retry_in(link, wait_ms);
}

/* Takes fd, whatever comes of it. */
static int open_session(struct gr_link *link, int fd)
{
    const struct gr_link_options *options = link->options;
    int r = gr_session_new(options->name, options->index, &session_ops, link, &link->session);

    if (r) {
        (void)close(fd);
        return r;
    }
    r = gr_conn_new(link->base, fd, &gr_conn_session, link->session, on_closed, link, &link->conn);
    if (r == 0)
        r = gr_session_start(link->session, gr_now_ns());
    if (r) {
        drop_connection(link);
        return r;
    }
    gr_link_settings_changed(link);
    link->told.synchronized = false;
    link->told.since_s = (int64_t)time(NULL);
    link->told.sessions++;
    link->connected_ns = gr_now_ns();
    gr_conn_kick(link->conn);
    return 0;
}

static void connect_failed(struct gr_link *link, int result)
{
    uint32_t wait_ms = gr_backoff_connect_failed(&link->backoff, random_number());

    if (link->told.connect_errno != result)
        GR_LOG(link->log, GR_LEVEL_WARNING, "cannot connect to the runtime, trying on",
               GR_LOG_TEXT("socket", link->options->socket),
               GR_LOG_TEXT("error", strerror(-result)));
    link->told.connect_errno = result;
    retry_in(link, wait_ms);
}

static void try_connect(struct gr_link *link)
{
    int fd = gr_nri_socket_connect(link->options->socket);
    int r = fd < 0 ? fd : open_session(link, fd);

    if (r) {
        connect_failed(link, r);
        return;
    }
    link->told.connect_errno = 0;
    GR_LOG(link->log, GR_LEVEL_INFO, "connected", GR_LOG_TEXT("socket", link->options->socket));
}

/* ---- the beginning ---- */

void gr_link_begin(struct gr_link *link)
{
    int r;

    (void)event_del(link->retry);
    link->begun = true;
    if (!is_launched(link)) {
        try_connect(link);
        return;
    }
    r = open_session(link, link->options->launched_fd);
    if (r) {
        GR_LOG(link->log, GR_LEVEL_ERROR, "cannot use the connection that the runtime passed",
               GR_LOG_TEXT("error", strerror(-r)));
        link->ops->over(link->user, GR_EXIT_FAILED);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct gr_link *link = arg;

    (void)fd;
    (void)what;
    if (link->begun)
        try_connect(link);
    else
        gr_link_begin(link);
}

void gr_link_begin_within(struct gr_link *link, uint32_t wait_ms)
{
    retry_in(link, wait_ms);
}

bool gr_link_has_begun(const struct gr_link *link)
{
    return link->begun;
}

/* ---- what the owner tells ---- */

void gr_link_settings_changed(struct gr_link *link)
{
    const struct gr_session_settings settings = link->ops->settings(link->user);

    link->only_looks = settings.only_looks;
    if (link->session)
        gr_session_set(link->session, &settings);
}

void gr_link_configured(struct gr_link *link)
{
    if (!link->session)
        return;
    gr_session_configured(link->session);
    gr_conn_kick(link->conn);
}

const struct gr_view_session *gr_link_view(const struct gr_link *link)
{
    return &link->told;
}

/* ---- life ---- */

int gr_link_new(struct event_base *base, const struct gr_link_options *options,
                const struct gr_log *log, const struct gr_link_ops *ops, void *user,
                struct gr_link **out_link)
{
    struct gr_link *link = calloc(1, sizeof(*link));

    if (!link)
        return -ENOMEM;
    *link = (struct gr_link){
        .options = options,
        .log = log,
        .ops = ops,
        .user = user,
        .base = base,
        .retry = evtimer_new(base, on_retry, link),
        .told = {.launched = options->launched_fd >= 0,
                 .socket = options->socket,
                 .name = options->name,
                 .index = options->index,
                 .state = GR_SESSION_CLOSED,
                 .since_s = (int64_t)time(NULL)},
    };
    gr_backoff_init(&link->backoff);
    if (!link->retry) {
        free(link);
        return -ENOMEM;
    }
    *out_link = link;
    return 0;
}

void gr_link_free(struct gr_link *link)
{
    if (!link)
        return;
    drop_connection(link);
    event_free(link->retry);
    free(link);
}
