/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plugin through its whole life, on an event loop of its own: RegisterPlugin, Configure,
 * Synchronize with nothing running yet, CreateContainer for one container after the other.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app/simulate/simulate.h"
#include "app/daemon/conn_nri.h"
#include "app/exit.h"
#include "nri/runtime.h"

/* NRI's default registration timeout. */
#define REGISTER_WAIT_S 5

#define PROGRESS_S 2

struct drive {
    struct gr_sim *sim;
    struct event_base *base;
    struct event *patience; /* with the registration */
    struct event *progress; /* says that it takes long */
    struct gr_runtime *runtime;
    struct gr_conn *conn;
    const char *waiting_for; /* for messages */
    size_t asked;            /* containers, the one that is outstanding among them */
    int code;
    bool over;
};

static void stop(struct drive *d, int code)
{
    d->over = true;
    d->code = code;
    (void)event_base_loopbreak(d->base);
}

static void fail(struct drive *d, const char *method, struct gr_str text)
{
    if (d->over)
        return;
    (void)fprintf(stderr, "grapnel simulate: the plugin %s-%s failed at %s: %.*s\n", d->sim->index,
                  d->sim->name, method, GR_STR_FMT(text));
    stop(d, GR_EXIT_FAILED);
}

/* The result of queueing a call. */
static void expect(struct drive *d, const char *method, int r)
{
    d->waiting_for = method;
    if (r)
        fail(d, method, gr_str_from(strerror(-r)));
}

static void ask_next(struct drive *d)
{
    if (d->asked == d->sim->containers_n) {
        stop(d, GR_EXIT_OK);
        return;
    }
    expect(d, "CreateContainer",
           gr_runtime_create(d->runtime, &d->sim->containers[d->asked++].subject, gr_now_ns()));
}

/* ---- what the plugin says ---- */

static void on_registered(void *user, struct gr_str name, struct gr_str index)
{
    struct drive *d = user;

    /* For a launched plugin its file name counts, as in real runtimes. */
    (void)name;
    (void)index;
    if (strcmp(d->waiting_for, "RegisterPlugin") != 0)
        return;
    (void)event_del(d->patience);
    expect(d, "Configure", gr_runtime_configure(d->runtime, d->sim->config, gr_now_ns()));
}

static void on_configured(void *user, int32_t events)
{
    struct drive *d = user;

    d->sim->events = events;
    expect(d, "Synchronize", gr_runtime_synchronize(d->runtime, gr_now_ns()));
}

static void on_synchronized(void *user)
{
    ask_next(user);
}

static int keep_strs(struct gr_arena *arena, struct gr_strs *list)
{
    struct gr_str *items = gr_arena_array(arena, list->n, sizeof(*items));

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < list->n; i++) {
        if (!gr_arena_str(arena, list->items[i], &items[i]))
            return -ENOMEM;
    }
    list->items = items;
    return 0;
}

static int keep_answer(struct gr_arena *arena, const struct gr_runtime_answer *answer,
                       struct gr_sim_container *c)
{
    struct gr_oci_hook *hooks = gr_arena_array(arena, answer->hooks_n, sizeof(*hooks));

    if (!hooks || !gr_arena_str(arena, answer->text, &c->refusal))
        return -ENOMEM;
    for (size_t i = 0; i < answer->hooks_n; i++) {
        hooks[i] = answer->hooks[i];
        if (!gr_arena_str(arena, hooks[i].path, &hooks[i].path) ||
            keep_strs(arena, &hooks[i].args) || keep_strs(arena, &hooks[i].env))
            return -ENOMEM;
    }
    c->hooks = hooks;
    c->hooks_n = answer->hooks_n;
    c->adjust_n = answer->adjust_n;
    c->code = answer->code;
    return gr_sim_keep_adjust(arena, answer->adjust, answer->adjust_n, &c->adjust);
}

static void on_created(void *user, const struct gr_runtime_answer *answer)
{
    struct drive *d = user;

    if (keep_answer(&d->sim->arena, answer, &d->sim->containers[d->asked - 1]))
        stop(d, gr_sim_no_memory());
    else
        ask_next(d);
}

static void on_failed(void *user, const char *method, struct gr_str text)
{
    fail(user, method, text);
}

static const struct gr_runtime_ops runtime_ops = {
    .registered = on_registered,
    .configured = on_configured,
    .synchronized = on_synchronized,
    .created = on_created,
    .failed = on_failed,
};

/* ---- the connection ---- */

static void on_closed(void *user, int reason)
{
    struct drive *d = user;
    const char *why = reason ? strerror(-reason) : "it closed the connection";

    fail(d, d->waiting_for, gr_str_from(why));
}

static void on_no_patience(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    fail(arg, "RegisterPlugin", GR_STR("it did not register within 5 s; is it an NRI plugin?"));
}

static void on_progress(evutil_socket_t fd, short what, void *arg)
{
    const struct drive *d = arg;

    (void)fd;
    (void)what;
    (void)fprintf(stderr, "waiting for the plugin's %s (%zu of %zu containers asked)\n",
                  d->waiting_for, d->asked, d->sim->containers_n);
}

static int open_loop(struct drive *d, struct gr_sim_plugin *plugin)
{
    const struct timeval patience = {.tv_sec = REGISTER_WAIT_S};
    const struct timeval progress = {.tv_sec = PROGRESS_S};
    int fd = plugin->fd;
    int r;

    d->base = event_base_new();
    if (!d->base)
        return -ENOMEM;
    d->patience = evtimer_new(d->base, on_no_patience, d);
    d->progress = event_new(d->base, -1, EV_PERSIST, on_progress, d);
    if (!d->patience || !d->progress || event_add(d->patience, &patience) != 0 ||
        event_add(d->progress, &progress) != 0)
        return -ENOMEM;
    r = gr_runtime_new(GR_SIM_RUNTIME_NAME, GR_SIM_RUNTIME_VERSION, &runtime_ops, d, &d->runtime);
    if (r)
        return r;
    plugin->fd = -1;
    return gr_conn_new(d->base, fd, &gr_conn_runtime, d->runtime, on_closed, d, &d->conn);
}

int gr_sim_drive(struct gr_sim *sim, struct gr_sim_plugin *plugin)
{
    struct drive d = {.sim = sim, .waiting_for = "RegisterPlugin", .code = GR_EXIT_FAILED};
    int r = open_loop(&d, plugin);

    if (r == 0 && event_base_dispatch(d.base) < 0)
        r = -EIO;
    if (r)
        (void)fprintf(stderr, "grapnel simulate: the plugin's connection cannot be used: %s\n",
                      strerror(-r));
    gr_conn_free(d.conn);
    gr_runtime_free(d.runtime);
    if (d.patience)
        event_free(d.patience);
    if (d.progress)
        event_free(d.progress);
    if (d.base)
        event_base_free(d.base);
    return d.code;
}
