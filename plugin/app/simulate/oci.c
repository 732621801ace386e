/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real containers from the plugin's answers, by runc, crun or whatever has their command line. A
 * first container without hooks shows whether this machine lets us make one at all, so that no hook
 * runs half its life when it does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/simulate/simulate.h"
#include "app/exit.h"

/* Beside the hooks' own timeouts. */
#define RUN_WAIT_MS 30000

/* Where an unprivileged PATH does not look. */
#define MORE_PATH ":/usr/local/sbin:/usr/sbin:/sbin"

struct real {
    struct gr_sim *sim;
    const char *work;
    const char *program;
    const char *state; /* --root */
    char recorder[PATH_MAX];
};

/* ---- the program ---- */

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

static bool find_in(struct gr_str dirs, const char *name, char out[PATH_MAX])
{
    while (dirs.n > 0) {
        size_t end = gr_str_find(dirs, ':');
        int n = snprintf(out, PATH_MAX, "%.*s/%s", GR_STR_FMT(gr_str_first(dirs, end)), name);

        if (out[0] == '/' && n < PATH_MAX && is_program(out))
            return true;
        dirs = gr_str_skip(dirs, end + 1);
    }
    return false;
}

static int find_program(struct real *real)
{
    const char *name = real->sim->options.runtime;
    const char *path = getenv("PATH");
    char found[PATH_MAX];
    bool there;

    if (strchr(name, '/'))
        there = realpath(name, found) && is_program(found);
    else
        there = find_in(gr_str_from(path ? path : ""), name, found) ||
                find_in(GR_STR(MORE_PATH), name, found);
    if (!there) {
        (void)fprintf(
            stderr, "grapnel simulate: --runtime %s is no program here; is it installed?\n", name);
        return GR_EXIT_HOST;
    }
    real->program = gr_arena_copy(&real->sim->arena, gr_str_from(found));
    return real->program ? GR_EXIT_OK : gr_sim_no_memory();
}

/* The first line of --version. */
static void ask_version(struct real *real)
{
    const char *argv[] = {real->program, "--version", NULL};
    struct gr_sim_command command = {
        .path = real->program,
        .argv = (char *const *)(uintptr_t)argv,
        .envp = environ,
        .cwd = "/",
        .has_timeout = true,
        .timeout_ms = RUN_WAIT_MS,
        .what = real->program,
    };
    struct gr_sim_end end;

    gr_sim_run_command(&real->sim->arena, &command, &end);
    real->sim->ran_by = gr_str_first(end.output, gr_str_find(end.output, '\n'));
    if (gr_sim_has_failed(&end) || real->sim->ran_by.n == 0)
        real->sim->ran_by = gr_str_from(real->program);
}

/* ---- one run ---- */

static int64_t wait_ms_of(const struct gr_sim_container *c, bool hooks)
{
    int64_t wait_ms = RUN_WAIT_MS;

    for (size_t i = 0; i < c->hooks_n && hooks; i++) {
        if (c->hooks[i].has_timeout && c->hooks[i].timeout_s > 0)
            wait_ms += GR_MIN(c->hooks[i].timeout_s, (int64_t)1000000) * 1000;
    }
    return wait_ms;
}

static bool waits_for_ever(const struct gr_sim_container *c, bool hooks)
{
    for (size_t i = 0; i < c->hooks_n && hooks; i++) {
        if (!c->hooks[i].has_timeout)
            return true;
    }
    return false;
}

/*
 * A runtime that is killed while a hook runs leaves its cgroups behind, and there is no container
 * yet that could be deleted. When the hook is killed instead, it takes everything back itself.
 */
static bool kill_hook(const void *records)
{
    return gr_sim_kill_recorded(records);
}

static void run_and_delete(struct real *real, const struct gr_sim_container *c,
                           const struct gr_sim_bundle *bundle, bool hooks,
                           struct gr_sim_end *out_end)
{
    const char *run[] = {real->program, "--root",     real->state,     "run",
                         "--bundle",    bundle->path, c->subject.id.p, NULL};
    const char *delete[] = {real->program, "--root",        real->state, "delete",
                            "--force",     c->subject.id.p, NULL};
    struct gr_sim_command command = {
        .path = real->program,
        .argv = (char *const *)(uintptr_t)run,
        .envp = environ,
        .cwd = bundle->path,
        .has_timeout = !waits_for_ever(c, hooks),
        .timeout_ms = wait_ms_of(c, hooks),
        .what = real->program,
        .ask_to_end = bundle->records ? kill_hook : NULL,
        .user = bundle->records,
    };
    struct gr_sim_end ignored;

    gr_sim_run_command(&real->sim->arena, &command, out_end);
    if (!gr_sim_has_failed(out_end))
        return; /* run has deleted it */
    command.argv = (char *const *)(uintptr_t) delete;
    command.has_timeout = true;
    command.timeout_ms = RUN_WAIT_MS;
    command.cleans_up = true;
    command.ask_to_end = NULL;
    gr_sim_run_command(&real->sim->arena, &command, &ignored);
}

/* ---- what the runtime says ---- */

/* The text of a log line: msg="…", with its escapes, or the whole line. */
static struct gr_str message_of(struct gr_arena *arena, struct gr_str line)
{
    const struct gr_str mark = GR_STR("msg=\"");
    char *text;
    size_t n = 0;

    while (line.n > 0 && !gr_str_has_prefix(line, mark))
        line = gr_str_skip(line, 1);
    line = gr_str_skip(line, mark.n);
    text = gr_arena_alloc(arena, line.n + 1);
    if (!text)
        return GR_STR_NONE;
    for (size_t i = 0; i < line.n && line.p[i] != '"'; i++) {
        if (line.p[i] == '\\' && i + 1 < line.n)
            i++;
        text[n++] = line.p[i];
    }
    return (struct gr_str){.p = text, .n = n};
}

/* runc: the first error that it logged, or what it died of; crun: the last line. */
static struct gr_str complaint(struct gr_arena *arena, const struct gr_sim_end *end)
{
    struct gr_str rest = end->output;
    struct gr_str last = GR_STR("it says nothing");

    if (end->start_errno)
        return gr_str_from(strerror(end->start_errno));
    if (end->timed_out)
        return GR_STR("it did not end in time");
    while (rest.n > 0) {
        size_t at = gr_str_find(rest, '\n');
        struct gr_str line = gr_str_first(rest, at);

        if (memmem(line.p, line.n, "level=error", 11) && memmem(line.p, line.n, "msg=\"", 5))
            return message_of(arena, line);
        if (gr_str_has_prefix(line, GR_STR("panic: ")))
            return line;
        if (line.n > 0)
            last = line;
        rest = gr_str_skip(rest, at + 1);
    }
    return last;
}

/* ---- all of it ---- */

/* Whether a container can be made here at all. */
static int probe(struct real *real)
{
    struct gr_sim_container nothing = {.subject.id = GR_STR("grapnel-simulate-probe")};
    struct gr_sim_bundle bundle;
    struct gr_sim_end end;
    int r = gr_sim_bundle_new(real->sim, real->work, &nothing, NULL, false, &bundle);

    if (r != GR_EXIT_OK)
        return r;
    run_and_delete(real, &nothing, &bundle, false, &end);
    if (gr_sim_interrupted())
        return GR_EXIT_FAILED;
    if (!gr_sim_has_failed(&end))
        return GR_EXIT_OK;
    real->sim->instead = complaint(&real->sim->arena, &end);
    return GR_SIM_NO_CONTAINER;
}

/* crun's message names the program that it started: the recorder, in the place of the hook that
 * ran last. */
static struct gr_str name_hook(const struct real *real, const struct gr_sim_container *c,
                               struct gr_str message)
{
    size_t n = strlen(real->recorder);
    const char *at = c->runs_n ? memmem(message.p, message.n, real->recorder, n) : NULL;
    struct gr_str named = message;
    struct gr_buf text;

    if (!at)
        return message;
    gr_buf_init(&text, GR_SIM_OUTPUT_MAX_BYTES);
    (void)gr_buf_str(&text, gr_str_first(message, (size_t)(at - message.p)));
    (void)gr_buf_str(&text, c->runs[c->runs_n - 1].hook->path);
    (void)gr_buf_str(&text, gr_str_skip(message, (size_t)(at - message.p) + n));
    if (!text.broken)
        (void)!gr_arena_str(&real->sim->arena, gr_buf_view(&text), &named);
    gr_buf_fini(&text);
    return named;
}

static int run_container(struct real *real, struct gr_sim_container *c)
{
    struct gr_sim_bundle bundle;
    struct gr_sim_end end;
    int r = gr_sim_bundle_new(real->sim, real->work, c, real->recorder, true, &bundle);

    if (r != GR_EXIT_OK)
        return r;
    run_and_delete(real, c, &bundle, true, &end);
    if (gr_sim_interrupted())
        return GR_EXIT_FAILED;
    r = gr_sim_read_records(real->sim, bundle.records, c);
    if (r == GR_EXIT_OK && gr_sim_has_failed(&end))
        c->failure = name_hook(real, c, complaint(&real->sim->arena, &end));
    return r;
}

/* What has neither hooks nor adjustments is as the runtime makes it without us. */
static bool is_changed(const struct gr_sim_container *c)
{
    return c->code == 0 && (c->hooks_n > 0 || c->adjust_n > 0);
}

static int run_all(struct real *real)
{
    struct gr_sim *sim = real->sim;
    char state[PATH_MAX];
    int r;

    (void)snprintf(state, sizeof(state), "%s/state", real->work);
    real->state = gr_arena_copy(&sim->arena, gr_str_from(state));
    if (!real->state)
        return gr_sim_no_memory();
    if (gr_sim_own_path(real->recorder) != 0) {
        sim->instead = GR_STR("this program's own file cannot be found");
        return GR_SIM_NO_CONTAINER;
    }
    r = probe(real);
    if (r == GR_EXIT_OK)
        ask_version(real);
    for (size_t i = 0; i < sim->containers_n && r == GR_EXIT_OK; i++) {
        if (is_changed(&sim->containers[i]))
            r = run_container(real, &sim->containers[i]);
    }
    return r;
}

int gr_sim_run_real(struct gr_sim *sim)
{
    struct real real = {.sim = sim};
    int r = find_program(&real);

    if (r != GR_EXIT_OK)
        return r;
    if (geteuid() != 0)
        sim->instead = GR_STR("making one needs root");
    else if (faccessat(AT_FDCWD, "/proc/self/ns/mnt", F_OK, 0) != 0)
        sim->instead = GR_STR("/proc is not mounted");
    else if (faccessat(AT_FDCWD, "/sys/fs/cgroup", F_OK, 0) != 0)
        sim->instead = GR_STR("there is no /sys/fs/cgroup");
    if (sim->instead.n)
        return GR_SIM_NO_CONTAINER;
    r = gr_sim_work_new(sim, &real.work);
    if (r != GR_EXIT_OK)
        return r;
    r = run_all(&real);
    gr_sim_work_free(real.work);
    return r;
}
