/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came out, for people. Names and output belong to others: control characters are never
 * printed as they are. Colours only on a terminal.
 */
#include <stdlib.h>
#include <string.h>

#include "app/cli/shared/terminal.h"
#include "app/simulate/simulate.h"

struct style {
    const char *bold, *good, *bad, *dim, *off;
};

static struct style choose_style(void)
{
    if (!gr_has_colours())
        return (struct style){"", "", "", "", ""};
    return (struct style){"\033[1m", "\033[32m", "\033[31m", "\033[2m", "\033[0m"};
}

static void put(struct gr_str text)
{
    char printable[GR_SIM_LINE_BYTES];

    gr_sim_printable(text, printable);
    (void)fputs(printable, stdout);
}

static void put_lines(const struct style *style, struct gr_str text)
{
    while (text.n > 0) {
        size_t end = gr_str_find(text, '\n');

        (void)printf("        %s|%s ", style->dim, style->off);
        put(gr_str_first(text, end));
        (void)fputc('\n', stdout);
        text = gr_str_skip(text, end + 1);
    }
}

/* ---- what the plugin said ---- */

/* Each set once, in the order of its first hook. */
static void print_sets(const struct gr_sim_container *c)
{
    size_t printed = 0;

    for (size_t i = 0; i < c->hooks_n; i++) {
        struct gr_str set = gr_sim_new_set(c, i);

        if (set.n == 0)
            continue;
        (void)fputs(printed++ ? ", " : "    sets:  ", stdout);
        put(set);
    }
    if (printed)
        (void)fputc('\n', stdout);
}

static void print_others(const struct style *style, const struct gr_sim_container *c)
{
    for (size_t i = 0; i < c->others_n; i++) {
        const struct gr_sim_other *other = &c->others[i];

        (void)printf("    %s:  ", other->verdict);
        put(other->set);
        if (other->reason.n > 0) {
            (void)printf(" %s", style->dim);
            put(other->reason);
            (void)fputs(style->off, stdout);
        }
        (void)fputc('\n', stdout);
    }
}

static void put_command(const struct gr_oci_hook *hook)
{
    put(hook->path);
    for (size_t i = 1; i < hook->args.n; i++) {
        (void)fputc(' ', stdout);
        put(hook->args.items[i]);
    }
}

static void print_hook(const struct style *style, const struct gr_oci_hook *hook)
{
    (void)printf("    %-15s ", gr_stage_name(hook->stage));
    put_command(hook);
    (void)fputs(style->dim, stdout);
    if (hook->has_timeout)
        (void)printf("  (timeout %lld s)", (long long)hook->timeout_s);
    (void)printf("%s\n", style->off);
}

static void print_adjust(const struct style *style, const struct gr_sim *sim,
                         const struct gr_sim_container *c)
{
    struct gr_arena scratch;

    gr_arena_init(&scratch, 4096, 0);
    for (size_t i = 0; i < c->adjust_n; i++) {
        const struct gr_adjust_entry *entry = &c->adjust[i];

        (void)printf("    %-15s ", gr_adjust_kind_name(entry->kind));
        put(gr_adjust_entry_key(entry));
        (void)printf(" %s", style->dim);
        put(gr_sim_adjust_text(&scratch, entry));
        if (sim->options.run_hooks && !gr_sim_can_apply(entry->kind))
            (void)fputs(" (not done here)", stdout);
        (void)printf("%s\n", style->off);
    }
    gr_arena_fini(&scratch);
}

/* ---- what became of the hooks ---- */

static void print_run(const struct style *style, struct gr_arena *scratch,
                      const struct gr_sim_run *run, size_t number)
{
    (void)printf("    %zu. %s%s%s ", number, style->bold, gr_stage_name(run->hook->stage),
                 style->off);
    put_command(run->hook);
    if (run->supervised) {
        (void)printf(": %s", gr_sim_has_failed(&run->end) ? style->bad : style->good);
        put(gr_sim_end_text(scratch, run));
        (void)printf("%s, %llu ms", style->off, (unsigned long long)run->end.took_ms);
    }
    (void)fputc('\n', stdout);
    put_lines(style, run->end.output);
    if (run->end.cut)
        (void)puts("        (more output is left out)");
}

static bool has_run(const struct gr_sim_container *c, const struct gr_oci_hook *hook)
{
    for (size_t i = 0; i < c->runs_n; i++) {
        if (c->runs[i].hook == hook)
            return true;
    }
    return false;
}

static void print_not_run(const struct gr_sim *sim, const struct gr_sim_container *c)
{
    bool real = !gr_str_is(sim->ran_by, "grapnel");

    for (size_t i = 0; i < c->hooks_n; i++) {
        const struct gr_oci_hook *hook = &c->hooks[i];
        const char *why = "not reached";

        if (has_run(c, hook))
            continue;
        if (hook->stage == GR_STAGE_START_CONTAINER)
            why = real ? "runs inside the container, where its output is not kept"
                       : "left out, it runs inside a real container only";
        (void)printf("    -  %s ", gr_stage_name(hook->stage));
        put_command(hook);
        (void)printf(": %s\n", why);
    }
}

/* Without hooks only a runtime of containers has anything to do, and only where there are
 * adjustments. */
static void print_runner(const struct gr_sim *sim, const struct gr_sim_container *c)
{
    bool real = !gr_str_is(sim->ran_by, "grapnel");

    if (c->hooks_n == 0 && (c->adjust_n == 0 || !real))
        return;
    (void)fputs(c->hooks_n > 0 ? "    run by " : "    run without hooks by ", stdout);
    put(sim->ran_by);
    (void)puts(c->hooks_n > 0 ? ":" : "");
}

static void print_runs(const struct style *style, const struct gr_sim *sim,
                       const struct gr_sim_container *c)
{
    struct gr_arena scratch;

    gr_arena_init(&scratch, 4096, 0);
    print_runner(sim, c);
    for (size_t i = 0; i < c->runs_n; i++)
        print_run(style, &scratch, &c->runs[i], i + 1);
    if (sim->ran_by.n)
        print_not_run(sim, c);
    if (c->failure.n) {
        (void)printf("    %sfailed:%s ", style->bad, style->off);
        put(c->failure);
        (void)fputc('\n', stdout);
    }
    gr_arena_fini(&scratch);
}

static void print_container(const struct style *style, const struct gr_sim *sim,
                            const struct gr_sim_container *c)
{
    (void)printf("%s", style->bold);
    put(c->subject.pod_namespace);
    (void)fputc('/', stdout);
    put(c->subject.pod_name);
    (void)fputc('/', stdout);
    put(c->subject.name);
    (void)printf("%s  %s", style->off, style->dim);
    put(c->image);
    (void)printf("%s%s\n", c->init ? ", init container" : "", style->off);
    if (c->code) {
        (void)printf("    %srefused:%s ", style->bad, style->off);
        put(c->refusal);
        (void)fputc('\n', stdout);
        return;
    }
    if (c->hooks_n == 0)
        (void)puts("    no hooks");
    print_sets(c);
    print_others(style, c);
    print_adjust(style, sim, c);
    if (sim->options.run_hooks) {
        print_runs(style, sim, c);
        return;
    }
    for (size_t i = 0; i < c->hooks_n; i++)
        print_hook(style, &c->hooks[i]);
}

void gr_sim_print(const struct gr_sim *sim)
{
    const struct style style = choose_style();

    (void)printf("The plugin %s-%s was launched, registered, configured and synchronized, as "
                 "by %s %s.\n",
                 sim->index, sim->name, GR_SIM_RUNTIME_NAME, GR_SIM_RUNTIME_VERSION);
    if (sim->instead.n) {
        (void)fputs("No container could be made here: ", stdout);
        put(sim->instead);
        (void)puts(".");
    }
    if (gr_str_is(sim->ran_by, "grapnel"))
        (void)puts("The hooks were run by grapnel itself, in runc's order, with its working "
                   "directories and states,\nbut in no container.");
    if (sim->containers_n == 0)
        (void)puts("No pods were given, so it was asked about no container.");
    for (size_t i = 0; i < sim->containers_n; i++) {
        (void)fputc('\n', stdout);
        print_container(&style, sim, &sim->containers[i]);
    }
}
