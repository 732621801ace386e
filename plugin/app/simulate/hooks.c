/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the hooks of each container without one, as runc 1.1 to 1.5 does it (measured with 1.1.5):
 *
 *     stage            state.status  working directory  when one fails
 *     prestart         creating      bundle             the rest is left out, poststop runs
 *     createRuntime    creating      bundle             the same
 *     createContainer  creating      rootfs             the same
 *     poststart        created       bundle             the same
 *     poststop         stopped       bundle             the rest of it is left out
 *
 * runc runs poststart before the container's own process, and startContainer hooks last: those are
 * looked up inside the container and left out here. What differs: there are no namespaces, the pid
 * is that of a process that only waits, and in createContainer, where runc gives the 1 that its
 * process has inside the container, it is the same one.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/cli/shared/hooks_json.h"
#include "app/simulate/simulate.h"
#include "app/exit.h"

/* What runc 1.1 writes; it is of the runtime, not of the bundle. */
#define STATE_OCI_VERSION "1.0.2-dev"

struct embedded {
    struct gr_sim *sim;
    struct gr_sim_container *container;
    struct gr_sim_bundle bundle;
    pid_t pid; /* 0: it is gone */
};

static const char *status_of(enum gr_stage stage)
{
    if (stage == GR_STAGE_POSTSTOP)
        return "stopped";
    return stage == GR_STAGE_POSTSTART ? "created" : "creating";
}

/* The keys in runc's order. Without a process there is no pid. */
static char *make_state(const struct embedded *e, enum gr_stage stage)
{
    const struct gr_sim_container *c = e->container;
    json_t *state = json_pack("{s:s, s:s, s:s}", "ociVersion", STATE_OCI_VERSION, "id",
                              c->subject.id.p, "status", status_of(stage));
    char *text;

    if (e->pid)
        (void)json_object_set_new(state, "pid", json_integer(e->pid));
    (void)json_object_set_new(state, "bundle", json_string(e->bundle.path));
    (void)json_object_set_new(state, "annotations", gr_annotations_json(c->spec_annotations));
    text = json_dumps(state, JSON_COMPACT);
    json_decref(state);
    return text;
}

/* A list that ends with NULL, for execve. */
static char **make_list(struct gr_arena *arena, struct gr_strs strs)
{
    char **list = gr_arena_array(arena, strs.n + 1, sizeof(*list));

    if (!list)
        return NULL;
    for (size_t i = 0; i < strs.n; i++) {
        list[i] = gr_arena_copy(arena, strs.items[i]);
        if (!list[i])
            return NULL;
    }
    return list;
}

/* Without one of its own a hook gets runc's environment, createContainer hooks none (runc 1.3). */
static char **make_env(struct gr_arena *arena, const struct gr_oci_hook *hook)
{
    if (hook->env.n == 0 && hook->stage != GR_STAGE_CREATE_CONTAINER)
        return environ;
    return make_list(arena, hook->env);
}

static int run_hook(const struct embedded *e, const struct gr_oci_hook *hook,
                    struct gr_sim_run *run)
{
    struct gr_arena *arena = &e->sim->arena;
    const struct gr_strs only_path = {.items = &hook->path, .n = 1};
    char *state = make_state(e, hook->stage);
    struct gr_sim_command command = {
        .path = gr_arena_copy(arena, hook->path),
        .argv = make_list(arena, hook->args.n ? hook->args : only_path),
        .envp = make_env(arena, hook),
        .cwd = hook->stage == GR_STAGE_CREATE_CONTAINER ? e->bundle.rootfs : e->bundle.path,
        .input = gr_str_from(state),
        .has_timeout = hook->has_timeout,
        .timeout_ms = GR_MIN(hook->timeout_s, (int64_t)1000000) * 1000,
    };

    command.what = command.path;
    *run = (struct gr_sim_run){.hook = hook, .supervised = true};
    if (!state || !command.path || !command.argv || !command.envp) {
        free(state);
        return gr_sim_no_memory();
    }
    gr_sim_run_command(arena, &command, &run->end);
    free(state);
    return GR_EXIT_OK;
}

static struct gr_str make_failure(struct embedded *e, const struct gr_sim_run *run)
{
    struct gr_str how = gr_sim_end_text(&e->sim->arena, run);
    struct gr_str failure = GR_STR_NONE;
    struct gr_buf text;

    gr_buf_init(&text, 1U << 14);
    (void)gr_buf_printf(&text, "the %s hook %.*s failed: %.*s", gr_stage_name(run->hook->stage),
                        GR_STR_FMT(run->hook->path), GR_STR_FMT(how));
    (void)!gr_arena_str(&e->sim->arena, gr_buf_view(&text), &failure);
    gr_buf_fini(&text);
    return failure;
}

/* The first failure ends the stage; the container's first one is the one that is kept. */
static int run_stage(struct embedded *e, enum gr_stage stage, bool *out_failed)
{
    struct gr_sim_container *c = e->container;

    for (size_t i = 0; i < c->hooks_n; i++) {
        struct gr_sim_run *run = &c->runs[c->runs_n];
        int r;

        if (c->hooks[i].stage != stage)
            continue;
        r = run_hook(e, &c->hooks[i], run);
        if (r != GR_EXIT_OK)
            return r;
        c->runs_n++;
        if (gr_sim_interrupted())
            return GR_EXIT_FAILED;
        *out_failed = gr_sim_has_failed(&run->end);
        if (*out_failed) {
            if (c->failure.n == 0)
                c->failure = make_failure(e, run);
            return GR_EXIT_OK;
        }
    }
    return GR_EXIT_OK;
}

/* ---- the process that stands for the container's ---- */

static int start_process(struct embedded *e)
{
    pid_t self = getpid();

    e->pid = fork();
    if (e->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGINT, SIG_IGN);  /* ours to end, also when a terminal */
        (void)signal(SIGTERM, SIG_DFL); /* sends its signal to all */
        while (getppid() == self)
            (void)pause();
        _exit(0);
    }
    if (e->pid > 0)
        return GR_EXIT_OK;
    e->pid = 0;
    (void)fprintf(stderr, "grapnel simulate: no process can be started: %s\n", strerror(errno));
    return GR_EXIT_HOST;
}

static void end_process(struct embedded *e)
{
    if (e->pid == 0)
        return;
    (void)kill(e->pid, SIGKILL);
    while (waitpid(e->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    e->pid = 0;
}

/* ---- one container ---- */

static int run_life(struct embedded *e)
{
    static const enum gr_stage create_stages[] = {GR_STAGE_PRESTART, GR_STAGE_CREATE_RUNTIME,
                                                  GR_STAGE_CREATE_CONTAINER, GR_STAGE_POSTSTART};
    bool failed = false;
    int r = GR_EXIT_OK;

    for (size_t i = 0; i < GR_ARRAY_LEN(create_stages) && r == GR_EXIT_OK && !failed; i++)
        r = run_stage(e, create_stages[i], &failed);
    end_process(e);
    return r == GR_EXIT_OK ? run_stage(e, GR_STAGE_POSTSTOP, &failed) : r;
}

static int run_container(struct gr_sim *sim, const char *work, struct gr_sim_container *c)
{
    struct embedded e = {.sim = sim, .container = c};
    int r = gr_sim_bundle_new(sim, work, c, NULL, true, &e.bundle);

    if (r == GR_EXIT_OK) {
        c->runs = gr_arena_array(&sim->arena, c->hooks_n, sizeof(*c->runs));
        r = c->runs ? start_process(&e) : gr_sim_no_memory();
    }
    if (r == GR_EXIT_OK)
        r = run_life(&e);
    end_process(&e);
    return r;
}

int gr_sim_run_embedded(struct gr_sim *sim)
{
    const char *work;
    int r = gr_sim_work_new(sim, &work);

    if (r != GR_EXIT_OK)
        return r;
    sim->ran_by = GR_STR("grapnel");
    for (size_t i = 0; i < sim->containers_n && r == GR_EXIT_OK; i++) {
        if (sim->containers[i].code == 0 && sim->containers[i].hooks_n > 0)
            r = run_container(sim, work, &sim->containers[i]);
    }
    gr_sim_work_free(work);
    return r;
}
