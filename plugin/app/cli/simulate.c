/* SPDX-License-Identifier: Apache-2.0 */
#include "app/simulate/simulate.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/cli/shared/hooks_json.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "base/utf8.h"
#include "rules/decide/decide.h"

int gr_sim_no_memory(void)
{
    (void)fputs("grapnel simulate: no memory\n", stderr);
    return GR_EXIT_FAILED;
}

struct gr_str gr_sim_new_set(const struct gr_sim_container *c, size_t i)
{
    struct gr_str set = gr_hook_set_name(&c->hooks[i]);

    for (size_t k = 0; k < i; k++) {
        if (gr_str_eq(gr_hook_set_name(&c->hooks[k]), set))
            return GR_STR_NONE;
    }
    return set;
}

void gr_sim_printable(struct gr_str text, char out[GR_SIM_LINE_BYTES])
{
    size_t n = GR_MIN(text.n, (size_t)GR_SIM_LINE_BYTES - 1);

    for (size_t i = 0; i < n; i++)
        out[i] = text.p[i] ? text.p[i] : '?';
    out[n] = '\0';
    gr_utf8_make_printable(out);
}

struct gr_str gr_sim_end_text(struct gr_arena *arena, const struct gr_sim_run *run)
{
    const struct gr_sim_end *end = &run->end;
    struct gr_str out = GR_STR_NONE;
    char text[160];

    if (end->start_errno)
        (void)snprintf(text, sizeof(text), "cannot be started: %s", strerror(end->start_errno));
    else if (end->timed_out)
        (void)snprintf(text, sizeof(text), "killed after its timeout of %lld s",
                       (long long)run->hook->timeout_s);
    else if (WIFSIGNALED(end->status))
        (void)snprintf(text, sizeof(text), "killed by signal %d (%s)", WTERMSIG(end->status),
                       strsignal(WTERMSIG(end->status)));
    else
        (void)snprintf(text, sizeof(text), "exit code %d", WEXITSTATUS(end->status));
    (void)!gr_arena_str(arena, gr_str_from(text), &out);
    return out;
}

/* The file name of --plugin: NN-name. */
static int name_plugin(struct gr_sim *sim)
{
    const char *path = sim->options.plugin;
    const char *slash = path ? strrchr(path, '/') : NULL;
    char *copy;

    sim->index = GR_SIM_PLUGIN_INDEX;
    sim->name = GR_SIM_PLUGIN_NAME;
    if (!path)
        return GR_EXIT_OK;
    copy = gr_arena_copy(&sim->arena, gr_str_from(slash ? slash + 1 : path));
    if (!copy)
        return gr_sim_no_memory();
    copy[2] = '\0';
    sim->index = copy;
    sim->name = copy + 3;
    return GR_EXIT_OK;
}

static int ask_plugin(struct gr_sim *sim)
{
    struct gr_sim_plugin plugin = {.fd = -1};
    int r = gr_sim_launch(sim, &plugin);

    if (r != GR_EXIT_OK)
        return r;
    r = gr_sim_drive(sim, &plugin);
    if (plugin.fd >= 0)
        (void)close(plugin.fd);
    gr_sim_reap(sim, &plugin, r != GR_EXIT_OK);
    return r;
}

static int run_hooks(struct gr_sim *sim)
{
    int r = GR_SIM_NO_CONTAINER;

    gr_sim_catch_signals();
    if (sim->options.runtime)
        r = gr_sim_run_real(sim);
    if (r == GR_SIM_NO_CONTAINER)
        r = gr_sim_run_embedded(sim);
    if (gr_sim_interrupted())
        (void)fputs("grapnel simulate: interrupted\n", stderr);
    return r;
}

static int simulate(struct gr_sim *sim)
{
    int r = name_plugin(sim);

    if (r == GR_EXIT_OK)
        r = gr_sim_make_config(sim);
    if (r == GR_EXIT_OK)
        r = gr_sim_read_pods(sim);
    if (r == GR_EXIT_OK && !sim->options.plugin)
        r = gr_sim_check_rules(sim);
    if (r == GR_EXIT_OK)
        r = ask_plugin(sim);
    if (r == GR_EXIT_OK && sim->options.run_hooks)
        r = run_hooks(sim);
    return r;
}

static int print(const struct gr_sim *sim)
{
    if (sim->options.output == GR_OUTPUT_JSON)
        return gr_sim_print_json(sim);
    gr_sim_print(sim);
    return GR_EXIT_OK;
}

int gr_verb_simulate(int argc, char **argv)
{
    struct gr_sim sim = {0};
    int r;

    if (argc > 1 && strcmp(argv[1], "--record") == 0)
        return gr_sim_record(argc - 1, argv + 1);
    r = gr_sim_parse(argc, argv, &sim.options);
    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    gr_arena_init(&sim.arena, 64U << 10, 0);
    r = simulate(&sim);
    if (r == GR_EXIT_OK)
        r = print(&sim);
    for (size_t i = 0; i < sim.containers_n && r == GR_EXIT_OK; i++) {
        if (sim.containers[i].code || sim.containers[i].failure.n)
            r = GR_EXIT_FAILED;
    }
    gr_arena_fini(&sim.arena);
    return r;
}
