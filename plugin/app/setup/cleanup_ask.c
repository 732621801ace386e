/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_ask: what runs, as the runtime tells a plugin that registers.
 *
 * Layer: app. The connection is the plugin's own (app/daemon/link), so that it comes back and waits
 * as that does: runtimes register one plugin at a time and hold up containers meanwhile. It is
 * closed before anything is removed.
 */
#include <errno.h>
#include <signal.h>

#include "app/daemon/link.h"
#include "app/daemon/view.h"
#include "app/setup/cleanup_parts.h"

#define NAME "grapnel-cleanup"
#define INDEX "99"

struct asking {
    struct event_base *base;
    struct gr_link *link;
    struct event *deadline;
    struct gr_log log;
    struct gr_nri_running *running;
    bool told;
};

static struct gr_session_settings on_settings(void *user GR_UNUSED)
{
    return (struct gr_session_settings){.only_looks = true};
}

static bool on_configure(void *user GR_UNUSED, const struct gr_nri_runtime *runtime GR_UNUSED,
                         struct gr_str config GR_UNUSED)
{
    return false;
}

static void on_synchronized(void *user, struct gr_nri_running *running)
{
    struct asking *asking = user;

    asking->running = running;
    asking->told = true;
    (void)event_base_loopbreak(asking->base);
}

/* It is not subscribed to; a runtime that asks all the same is told nothing. */
static int on_decide(void *user GR_UNUSED, const struct gr_subject *subject GR_UNUSED,
                     struct gr_arena *arena GR_UNUSED, struct gr_decision *out_decision,
                     struct gr_err *err GR_UNUSED)
{
    *out_decision = (struct gr_decision){0};
    return 0;
}

static void on_created(void *user GR_UNUSED, const struct gr_session_event *event GR_UNUSED)
{
}
static void on_answered(void *user GR_UNUSED, const struct gr_session_answer *answer GR_UNUSED)
{
}
static void on_shutdown(void *user GR_UNUSED)
{
}
static void on_state(void *user GR_UNUSED, enum gr_session_state to GR_UNUSED)
{
}
static void on_closed(void *user GR_UNUSED, int reason GR_UNUSED)
{
}

static void on_over(void *user, int exit_code GR_UNUSED)
{
    const struct asking *asking = user;

    (void)event_base_loopbreak(asking->base);
}

static const struct gr_link_ops ops = {
    .settings = on_settings,
    .configure = on_configure,
    .synchronized = on_synchronized,
    .decide = on_decide,
    .created = on_created,
    .answered = on_answered,
    .shutdown = on_shutdown,
    .state = on_state,
    .closed = on_closed,
    .over = on_over,
};

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)event_base_loopbreak(arg);
}

static int begin(struct asking *asking, const struct gr_link_options *options, uint32_t wait_ms)
{
    const struct timeval left = {.tv_sec = wait_ms / 1000,
                                 .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

    asking->base = event_base_new();
    if (!asking->base)
        return -ENOMEM;
    asking->deadline = evtimer_new(asking->base, on_deadline, asking->base);
    if (!asking->deadline || event_add(asking->deadline, &left) != 0)
        return -ENOMEM;
    return gr_link_new(asking->base, options, &asking->log, &ops, asking, &asking->link);
}

static int explain(const struct gr_cleanup *cleanup, const struct asking *asking,
                   struct gr_err *err)
{
    const struct gr_view_session *view = gr_link_view(asking->link);
    const char *found;

    if (view->connect_errno != 0)
        found = strerror(-view->connect_errno);
    else if (view->state == GR_SESSION_CONFIGURED)
        found =
            "it has taken us and waits for something else, such as containers that are stopping";
    else if (view->state == GR_SESSION_REGISTERING)
        found = "it takes the connection and does not answer";
    else
        found = view->lost[0] ? view->lost : "no answer";
    return gr_fail(err, -ETIMEDOUT, "cleanup-runtime",
                   "expected the runtime to tell its containers at %s within %u s, found: %s; "
                   "nothing of the program store was removed, since running containers may need "
                   "it: start the runtime with NRI enabled, name its socket with --socket, or wait "
                   "longer with --wait",
                   cleanup->socket, cleanup->wait_ms / 1000, found);
}

static void end(struct asking *asking)
{
    gr_link_free(asking->link);
    if (asking->deadline)
        event_free(asking->deadline);
    if (asking->base)
        event_base_free(asking->base);
}

int gr_cleanup_ask(const struct gr_cleanup *cleanup, struct gr_cleanup_told *out_told,
                   struct gr_err *err)
{
    const struct gr_link_options options = {
        .socket = cleanup->socket, .launched_fd = -1, .name = NAME, .index = INDEX};
    struct asking asking = {0};
    int rc;

    (void)signal(SIGPIPE, SIG_IGN);
    gr_log_init(&asking.log, "grapnel");
    asking.log.level = GR_LEVEL_WARNING;
    rc = begin(&asking, &options, cleanup->wait_ms);
    if (rc == 0) {
        gr_link_begin(asking.link);
        if (event_base_dispatch(asking.base) < 0)
            rc = -ENOMEM;
    }
    if (rc == 0 && !asking.told)
        rc = explain(cleanup, &asking, err);
    else if (rc != 0 || !asking.running)
        rc = gr_fail(err, -ENOMEM, "no-memory", "no memory for what the runtime tells");
    *out_told = (struct gr_cleanup_told){
        .running = asking.running,
        .hides_ended = rc == 0 && strcmp(gr_link_view(asking.link)->runtime, "cri-o") == 0};
    end(&asking);
    return rc;
}
