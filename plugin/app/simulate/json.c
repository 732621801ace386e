/* SPDX-License-Identifier: Apache-2.0 */
/* What came out, for programs. The same pods and rules give the same text, hook runs apart. */
#include <jansson.h>
#include <string.h>
#include <sys/wait.h>

#include "app/cli/shared/document.h"
#include "app/cli/shared/hooks_json.h"
#include "app/simulate/simulate.h"
#include "app/exit.h"

/* Output may hold anything; a line of it never holds what JSON cannot. */
static json_t *line_json(struct gr_str text)
{
    char line[GR_SIM_LINE_BYTES];

    gr_sim_printable(text, line);
    return json_string(line);
}

static json_t *lines_json(struct gr_str text)
{
    json_t *lines = json_array();

    while (text.n > 0) {
        size_t end = gr_str_find(text, '\n');

        (void)json_array_append_new(lines, line_json(gr_str_first(text, end)));
        text = gr_str_skip(text, end + 1);
    }
    return lines;
}

static json_t *sets_json(const struct gr_sim_container *c)
{
    json_t *sets = json_array();

    for (size_t i = 0; i < c->hooks_n; i++) {
        struct gr_str set = gr_sim_new_set(c, i);

        if (set.n > 0)
            (void)json_array_append_new(sets, gr_json_str(set));
    }
    return sets;
}

static void set_end(json_t *object, const struct gr_sim_end *end)
{
    if (end->start_errno)
        (void)json_object_set_new(object, "error", json_string(strerror(end->start_errno)));
    else if (end->timed_out)
        (void)json_object_set_new(object, "timedOut", json_true());
    else if (WIFSIGNALED(end->status))
        (void)json_object_set_new(object, "signal", json_integer(WTERMSIG(end->status)));
    else
        (void)json_object_set_new(object, "exitCode", json_integer(WEXITSTATUS(end->status)));
    (void)json_object_set_new(object, "durationMs", json_integer((json_int_t)end->took_ms));
}

static json_t *run_json(const struct gr_sim_run *run)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "stage", json_string(gr_stage_name(run->hook->stage)));
    (void)json_object_set_new(object, "path", gr_json_str(run->hook->path));
    if (run->supervised)
        set_end(object, &run->end);
    (void)json_object_set_new(object, "output", lines_json(run->end.output));
    if (run->end.cut)
        (void)json_object_set_new(object, "outputCut", json_true());
    return object;
}

static void set_runs(json_t *object, const struct gr_sim_container *c)
{
    json_t *runs = json_array();

    for (size_t i = 0; i < c->runs_n; i++)
        (void)json_array_append_new(runs, run_json(&c->runs[i]));
    (void)json_object_set_new(object, "runs", runs);
    if (c->failure.n)
        (void)json_object_set_new(object, "failure", line_json(c->failure));
}

static json_t *others_json(const struct gr_sim_container *c)
{
    json_t *others = json_array();

    for (size_t i = 0; i < c->others_n; i++) {
        json_t *other = json_object();

        (void)json_object_set_new(other, "set", gr_json_str(c->others[i].set));
        (void)json_object_set_new(other, "verdict", json_string(c->others[i].verdict));
        if (c->others[i].reason.n > 0)
            (void)json_object_set_new(other, "reason", line_json(c->others[i].reason));
        (void)json_array_append_new(others, other);
    }
    return others;
}

/* {"env": {"A": "1"}, "mounts": {"/data": "bind /s (ro)"}, …} */
static json_t *adjust_json(const struct gr_sim_container *c)
{
    json_t *kinds = json_object();
    struct gr_arena scratch;

    gr_arena_init(&scratch, 4096, 0);
    for (size_t i = 0; i < c->adjust_n; i++) {
        const struct gr_adjust_entry *entry = &c->adjust[i];
        const char *name = gr_adjust_kind_name(entry->kind);
        json_t *kind = json_object_get(kinds, name);

        if (!kind) {
            kind = json_object();
            (void)json_object_set_new(kinds, name, kind);
        }
        (void)json_object_set_new(kind, gr_adjust_entry_key(entry).p,
                                  gr_json_str(gr_sim_adjust_text(&scratch, entry)));
    }
    gr_arena_fini(&scratch);
    return kinds;
}

static json_t *container_json(const struct gr_sim *sim, const struct gr_sim_container *c)
{
    const struct gr_subject *s = &c->subject;
    json_t *object = json_object();

    (void)json_object_set_new(object, "namespace", gr_json_str(s->pod_namespace));
    (void)json_object_set_new(object, "pod", gr_json_str(s->pod_name));
    (void)json_object_set_new(object, "container", gr_json_str(s->name));
    (void)json_object_set_new(object, "init", json_boolean(c->init));
    (void)json_object_set_new(object, "id", gr_json_str(s->id));
    (void)json_object_set_new(object, "image", gr_json_str(c->image));
    (void)json_object_set_new(object, "refused", json_boolean(c->code != 0));
    if (c->code) {
        (void)json_object_set_new(object, "refusal", gr_json_str(c->refusal));
        return object;
    }
    (void)json_object_set_new(object, "sets", sets_json(c));
    if (c->others_n > 0)
        (void)json_object_set_new(object, "others", others_json(c));
    (void)json_object_set_new(object, "hooks", gr_hooks_json(c->hooks, c->hooks_n));
    if (c->adjust_n > 0)
        (void)json_object_set_new(object, "adjust", adjust_json(c));
    if (sim->options.run_hooks)
        set_runs(object, c);
    return object;
}

int gr_sim_print_json(const struct gr_sim *sim)
{
    json_t *containers = json_array();
    json_t *all = json_pack("{s:{s:s, s:s, s:i}, s:o}", "plugin", "index", sim->index, "name",
                            sim->name, "events", (int)sim->events, "containers", containers);

    if (sim->ran_by.n)
        (void)json_object_set_new(all, "ranBy", gr_json_str(sim->ran_by));
    if (sim->instead.n)
        (void)json_object_set_new(all, "noContainerBecause", gr_json_str(sim->instead));
    for (size_t i = 0; i < sim->containers_n; i++)
        (void)json_array_append_new(containers, container_json(sim, &sim->containers[i]));
    return gr_document_print("simulate", all, GR_OUTPUT_JSON);
}
