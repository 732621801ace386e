/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/plugin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "app/daemon/control/control.h"
#include "app/daemon/explain/explain_control.h"
#include "app/daemon/metrics/exporter.h"
#include "app/daemon/metrics/http.h"
#include "app/daemon/log_created.h"
#include "app/daemon/process/memory.h"
#include "app/daemon/process/notify.h"
#include "app/daemon/recorder.h"
#include "app/daemon/reload/inforce.h"
#include "app/daemon/running/running.h"
#include "app/daemon/status/status.h"
#include "app/daemon/suspend/reports.h"
#include "app/daemon/suspend/suspend.h"
#include "app/daemon/suspend/suspend_control.h"
#include "app/exit.h"
#include "app/way.h"
#include "base/clock.h"

/*
 * External: the first load normally takes milliseconds and comes before the connection, so that no
 * container is refused meanwhile. Where it does not (slow disks), we connect all the same.
 * Launched: rules are loaded when Configure says where they are.
 */
#define FIRST_LOAD_WAIT_MS 2000

/*
 * A service manager is told READY when the runtime has registered and synchronized us, so that a
 * kubelet that is ordered behind us starts no pod before. Without a runtime it is told after this
 * time, or it would take us for hung and start us again and again.
 */
#define READY_PATIENCE_S 60

#define MS_PER_S 1000

struct gr_plugin {
    const struct gr_plugin_options *options;
    struct gr_log *log;
    struct event_base *base;
    struct event *sigterm, *sigint, *sighup, *sigusr1;
    struct event *look;     /* for sockets whose file is gone */
    struct event *patience; /* of a service manager that waits for READY */
    struct gr_notify *notify;
    struct gr_link *link;
    struct gr_inforce *inforce;
    struct gr_control *control;
    struct gr_exporter *exporter;
    struct gr_suspend *suspend;
    struct gr_reports *reports;
    struct gr_suspend_source suspend_source;
    struct gr_explain_source explain_source;
    struct gr_status_source status;
    struct gr_recorder recorder;
    struct gr_running *running;
    struct gr_retirer *retirer;
    struct gr_instances instances;
    struct gr_instance self;
    struct gr_instance_list others; /* as last looked */
    int64_t started_s;
    int exit_code;
};

static void stop(struct gr_plugin *p, int exit_code)
{
    p->exit_code = exit_code;
    (void)event_base_loopbreak(p->base);
}

/* ---- what others are told ---- */

void gr_plugin_view(const struct gr_plugin *p, struct gr_view *out_view)
{
    *out_view = (struct gr_view){.started_s = p->started_s, .session = *gr_link_view(p->link)};
    gr_inforce_status(p->inforce, &out_view->rules);
    gr_inforce_watch_status(p->inforce, &out_view->watch);
    gr_suspend_view(p->suspend, out_view);
    gr_reports_counts(p->reports, &out_view->reports);
    gr_running_status(p->running, &out_view->running);
    gr_recorder_status(&p->recorder, &out_view->journal);
    gr_exporter_view(p->exporter, out_view);
    out_view->control = gr_control_path(p->control);
    out_view->self = &p->self;
    out_view->others = &p->others;
}

static void view(void *user, struct gr_view *out_view)
{
    gr_plugin_view(user, out_view);
}

/* Ready for a service manager is to be in the runtime's list; faults of the rules are the status.
 */
static void tell_manager(struct gr_plugin *p)
{
    struct gr_view view;
    const char *missing;

    if (!p->notify)
        return;
    gr_plugin_view(p, &view);
    missing = gr_view_not_ready(&view);
    if (gr_view_is_registered(&view))
        gr_notify_ready(p->notify, missing ? missing : "ready");
    else
        gr_notify_status(p->notify, missing);
}

/* ---- the parts ---- */

/* That others are not told of this process is no reason to stop. */
static void follow_instances(struct gr_plugin *p, const char *run_dir)
{
    const struct gr_view_session *session = gr_link_view(p->link);
    struct gr_err err = {0};

    (void)snprintf(p->self.name, sizeof(p->self.name), "%s-%s", session->index, session->name);
    if (run_dir[0] == '\0')
        gr_instances_leave(&p->instances);
    else if (gr_instances_join(&p->instances, run_dir, &p->self, &err) != 0)
        GR_LOG(p->log, GR_LEVEL_DEBUG, "other instances are not told of this one",
               GR_LOG_TEXT("code", err.code), GR_LOG_TEXT("error", err.text));
}

static void follow_settings(struct gr_plugin *p)
{
    struct gr_inforce_status status;

    gr_inforce_status(p->inforce, &status);
    gr_control_follow(p->control, status.settings->config.control_socket);
    gr_exporter_follow(p->exporter, &status.settings->config);
    gr_suspend_follow(p->suspend, &status);
    gr_reports_follow(p->reports, status.settings->config.run_dir);
    gr_recorder_set_dir(&p->recorder, gr_str_from(status.settings->config.run_dir));
    follow_instances(p, status.settings->config.run_dir);
    if (status.ruleset)
        gr_recorder_rules(&p->recorder, status.rules_hash, gr_ruleset_count(status.ruleset));
}

static void on_report(void *user, const struct gr_report *report)
{
    struct gr_plugin *p = user;
    struct gr_inforce_status status;

    gr_inforce_status(p->inforce, &status);
    gr_metrics_hook_run(gr_exporter_metrics(p->exporter), report);
    gr_suspend_report(p->suspend, &status, report, gr_now_ms());
}

/* ---- what the runtime asks and tells ---- */

static struct gr_session_settings settings_for_session(void *user)
{
    const struct gr_plugin *p = user;

    return gr_inforce_session_settings(p->inforce);
}

static bool on_configure(void *user, const struct gr_nri_runtime *runtime, struct gr_str config)
{
    struct gr_plugin *p = user;

    /* Nothing can be said about the settings of a request that was not read: what is known stays.
     */
    if (!runtime->err || !gr_inforce_is_usable(p->inforce))
        gr_inforce_configure(p->inforce, config);
    follow_settings(p);
    return !gr_inforce_is_usable(p->inforce);
}

static void on_synchronized(void *user, struct gr_nri_running *running)
{
    struct gr_plugin *p = user;

    tell_manager(p);
    gr_running_take(p->running, running);
}

static int on_decide(void *user, const struct gr_subject *subject, struct gr_arena *arena,
                     struct gr_decision *out_decision, struct gr_err *err)
{
    struct gr_plugin *p = user;

    return gr_inforce_decide(p->inforce, subject, arena, out_decision, err);
}

static void on_created(void *user, const struct gr_session_event *event)
{
    struct gr_plugin *p = user;

    gr_metrics_created(gr_exporter_metrics(p->exporter), event, (int64_t)time(NULL));
    gr_log_created(p->log, event);
    gr_recorder_created(&p->recorder, event);
    gr_running_created(p->running, event);
}

static void on_answered(void *user, const struct gr_session_answer *answer)
{
    const struct gr_plugin *p = user;

    gr_metrics_answered(gr_exporter_metrics(p->exporter), answer);
}

static void on_shutdown(void *user)
{
    struct gr_plugin *p = user;
    const struct timeval linger = {.tv_usec = 100000};

    gr_metrics_shutdown(gr_exporter_metrics(p->exporter));
    GR_LOG(p->log, GR_LEVEL_INFO, "the runtime asked to shut down",
           GR_LOG_TEXT("socket", p->options->link.socket));
    /* The reply is only queued: a Go peer can lose what is followed at once by a close. */
    (void)event_base_loopexit(p->base, &linger);
}

static void on_session_state(void *user, enum gr_session_state to)
{
    struct gr_plugin *p = user;

    if (to == GR_SESSION_CONFIGURED)
        gr_recorder_session_begun(&p->recorder, GR_STR("configured"));
    else if (to == GR_SESSION_CLOSED)
        gr_recorder_session_ended(&p->recorder, gr_str_from(gr_link_view(p->link)->lost));
}

static void on_closed(void *user, int reason)
{
    struct gr_plugin *p = user;

    gr_metrics_disconnected(gr_exporter_metrics(p->exporter), reason);
    tell_manager(p);
}

static void on_over(void *user, int exit_code)
{
    stop(user, exit_code);
}

static const struct gr_link_ops link_ops = {
    .settings = settings_for_session,
    .configure = on_configure,
    .synchronized = on_synchronized,
    .decide = on_decide,
    .created = on_created,
    .answered = on_answered,
    .shutdown = on_shutdown,
    .state = on_session_state,
    .closed = on_closed,
    .over = on_over,
};

/* ---- the control socket ---- */

static void view_for_status(void *user, struct gr_view *out_view)
{
    struct gr_plugin *p = user;

    gr_instances_others(&p->instances, &p->others);
    gr_plugin_view(p, out_view);
}

static int add_control(struct gr_plugin *p)
{
    int r = gr_control_new(p->base, p->log, NULL, &p->control);

    if (r)
        return r;
    p->status = (struct gr_status_source){.view = view_for_status, .user = p};
    gr_status_add(p->control, &p->status);
    gr_suspend_control_add(p->control, &p->suspend_source);
    p->explain_source = (struct gr_explain_source){.inforce = p->inforce};
    gr_explain_control_add(p->control, &p->explain_source);
    if (p->options->link.launched_fd < 0) /* else Configure may name another socket */
        follow_settings(p);
    return 0;
}

/* ---- the rules ---- */

static void on_changed(void *user)
{
    struct gr_plugin *p = user;

    follow_settings(p);
    if (!gr_link_has_begun(p->link)) {
        gr_link_begin(p->link);
        tell_manager(p);
        return;
    }
    gr_link_settings_changed(p->link);
    gr_running_rules_loaded(p->running);
    if (gr_inforce_is_usable(p->inforce))
        gr_link_configured(p->link);
    tell_manager(p);
}

/* ---- signals, and the service manager ---- */

static void on_stop_signal(evutil_socket_t number, short what, void *arg)
{
    struct gr_plugin *p = arg;

    (void)what;
    GR_LOG(p->log, GR_LEVEL_INFO, "ending", GR_LOG_TEXT("signal", strsignal((int)number)));
    gr_notify_stopping(p->notify);
    stop(p, GR_EXIT_OK);
}

static void on_reload_signal(evutil_socket_t number, short what, void *arg)
{
    struct gr_plugin *p = arg;

    (void)number;
    (void)what;
    gr_notify_reloading(p->notify);
    gr_inforce_reload(p->inforce, "SIGHUP");
}

static void on_state_signal(evutil_socket_t number, short what, void *arg)
{
    struct gr_plugin *p = arg;
    struct gr_view view;
    const char *missing;

    (void)number;
    (void)what;
    gr_plugin_view(p, &view);
    missing = gr_view_not_ready(&view);
    GR_LOG(p->log, GR_LEVEL_INFO, "state", GR_LOG_TEXT("ready", missing ? "no" : "yes"),
           GR_LOG_TEXT("missing", missing ? missing : ""),
           GR_LOG_TEXT("session", gr_session_state_name(view.session.state)),
           GR_LOG_TEXT("runtime", view.session.runtime),
           GR_LOG_TEXT("version", view.session.version),
           GR_LOG_INT("sessions", view.session.sessions), GR_LOG_INT("sets", view.rules.load->sets),
           GR_LOG_INT("loads", view.rules.loads), GR_LOG_INT("failures", view.rules.failures));
}

static void on_patience_end(evutil_socket_t fd, short what, void *arg)
{
    struct gr_plugin *p = arg;
    struct gr_view view;
    const char *missing;

    (void)fd;
    (void)what;
    gr_plugin_view(p, &view);
    missing = gr_view_not_ready(&view);
    gr_notify_ready(p->notify, missing ? missing : "ready");
}

/* Another instance may be the one that stays, with the programs that it came with. */
static void look_at_packages(struct gr_plugin *p)
{
    struct gr_inforce_status status;
    struct gr_view view;
    bool settled;

    if (!gr_retirer_waits(p->retirer))
        return;
    gr_inforce_status(p->inforce, &status);
    view_for_status(p, &view);
    settled = !gr_view_not_ready(&view) && p->others.known && p->others.n == 0;
    gr_retirer_look(p->retirer, settled, &status.settings->config, gr_now_ms());
}

/* The control socket has a look of its own. */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct gr_plugin *p = arg;

    (void)fd;
    (void)what;
    gr_exporter_look(p->exporter);
    gr_reports_look(p->reports);
    look_at_packages(p);
}

static int start_looking(struct gr_plugin *p)
{
    const struct timeval every = {.tv_sec = GR_CONTROL_LOOK_MS / MS_PER_S};

    return event_add(p->look, &every) ? -ENOMEM : 0;
}

static int add_events(struct gr_plugin *p)
{
    p->base = event_base_new();
    if (!p->base || event_base_priority_init(p->base, GR_HTTP_PRIORITY + 1) != 0)
        return -ENOMEM;
    p->sigterm = evsignal_new(p->base, SIGTERM, on_stop_signal, p);
    p->sigint = evsignal_new(p->base, SIGINT, on_stop_signal, p);
    p->sighup = evsignal_new(p->base, SIGHUP, on_reload_signal, p);
    p->sigusr1 = evsignal_new(p->base, SIGUSR1, on_state_signal, p);
    p->patience = evtimer_new(p->base, on_patience_end, p);
    p->look = event_new(p->base, -1, EV_PERSIST, on_look, p);
    if (!p->sigterm || !p->sigint || !p->sighup || !p->sigusr1 || !p->patience || !p->look)
        return -ENOMEM;
    return event_add(p->sigterm, NULL) || event_add(p->sigint, NULL) ||
                   event_add(p->sighup, NULL) || event_add(p->sigusr1, NULL)
               ? -ENOMEM
               : 0;
}

/* A service manager whose socket is no good is none. */
static int begin_notify(struct gr_plugin *p)
{
    const struct timeval patience = {.tv_sec = READY_PATIENCE_S};
    int r = gr_notify_new(p->base, &p->notify);

    if (r)
        GR_LOG(p->log, GR_LEVEL_WARNING, "the service manager cannot be told how the plugin is",
               GR_LOG_TEXT("error", strerror(-r)));
    return p->notify && event_add(p->patience, &patience) ? -ENOMEM : 0;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static void free_all(struct gr_plugin *p)
{
    gr_link_free(p->link);
    gr_running_free(p->running);
    gr_retirer_free(p->retirer);
    gr_control_free(p->control);
    gr_reports_free(p->reports);
    gr_recorder_fini(&p->recorder);
    gr_instances_others(&p->instances, &p->others);
    if (p->others.known && p->others.n == 0)
        gr_inforce_is_last(p->inforce);
    gr_inforce_free(p->inforce);
    gr_instances_leave(&p->instances);
    gr_exporter_free(p->exporter);
    gr_suspend_free(p->suspend);
    free_event(p->sigterm);
    free_event(p->sigint);
    free_event(p->sighup);
    free_event(p->sigusr1);
    free_event(p->look);
    free_event(p->patience);
    gr_notify_free(p->notify);
    if (p->base)
        event_base_free(p->base);
}

/* timeout(1) and terminals tell the whole group, so that who is told to stop may be told twice: it
 * still ends in order. */
static void hold_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    sigset_t held;

    (void)sigemptyset(&held);
    for (size_t i = 0; i < GR_ARRAY_LEN(numbers); i++)
        (void)sigaddset(&held, numbers[i]);
    (void)sigprocmask(SIG_BLOCK, &held, NULL);
}

/* What takes sets out of force: commands, and reports of hooks that failed. */
static int start_suspending(struct gr_plugin *p)
{
    int r = gr_suspend_new(p->base, p->log, NULL, &p->suspend);

    if (r == 0)
        r = gr_reports_new(p->base, p->log, on_report, p, &p->reports);
    if (r)
        return r;
    gr_inforce_set_suspend(p->inforce, p->suspend);
    p->suspend_source = (struct gr_suspend_source){.suspend = p->suspend, .inforce = p->inforce};
    return 0;
}

int gr_plugin_run(const struct gr_plugin_options *options, struct gr_log *log)
{
    bool launched = options->link.launched_fd >= 0;
    struct gr_plugin plugin = {
        .options = options,
        .log = log,
        .exit_code = GR_EXIT_OK,
        .started_s = (int64_t)time(NULL),
    };
    int r;

    (void)signal(SIGPIPE, SIG_IGN);
    gr_memory_tune();
    gr_recorder_init(&plugin.recorder, log);
    gr_instances_init(&plugin.instances);
    plugin.self = gr_way_own(launched, plugin.started_s);
    r = add_events(&plugin);
    if (r == 0)
        r = begin_notify(&plugin);
    if (r == 0)
        r = gr_link_new(plugin.base, &options->link, log, &link_ops, &plugin, &plugin.link);
    if (r == 0)
        r = gr_exporter_new(plugin.base, log, view, &plugin, &plugin.exporter);
    if (r == 0)
        r = gr_inforce_new(plugin.base, &options->flags, launched, log, on_changed, &plugin,
                           &plugin.inforce);
    if (r == 0)
        r = gr_running_new(plugin.base, plugin.inforce, log, &plugin.recorder.journal,
                           &plugin.running);
    if (r == 0)
        r = gr_retirer_new(plugin.base, &options->retire, plugin.started_s, log, &plugin.retirer);
    if (r == 0)
        r = start_suspending(&plugin);
    if (r == 0)
        r = add_control(&plugin);
    if (r == 0)
        r = start_looking(&plugin);
    if (r == 0) {
        gr_link_begin_within(plugin.link, launched ? 0 : FIRST_LOAD_WAIT_MS);
        if (event_base_dispatch(plugin.base) < 0)
            r = -EIO;
    }
    if (r) {
        GR_LOG(log, GR_LEVEL_ERROR, "the plugin cannot run", GR_LOG_TEXT("error", strerror(-r)));
        plugin.exit_code = GR_EXIT_FAILED;
    }
    hold_signals();
    free_all(&plugin);
    return plugin.exit_code;
}
