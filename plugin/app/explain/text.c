/* SPDX-License-Identifier: Apache-2.0 */
#include "app/explain/out.h"

#include <errno.h>

#include "app/cli/shared/hooks_json.h"
#include "app/cli/shared/subject_flags.h"
#include "base/utf8.h"
#include "rules/read/findings.h"
#include "rules/tell/handlers.h"

#define WORD_COLUMNS 11 /* the longest word and a blank */

#define GREEN "32"
#define RED "31"
#define YELLOW "33"
#define DIM "2"

const char *gr_explain_word(const struct gr_explained *explained)
{
    if (explained->state == GR_EXPLAIN_OTHER_NODE)
        return "other node";
    if (explained->state == GR_EXPLAIN_EXEMPT)
        return "exempt";
    if (explained->result)
        return gr_verdict_name(explained->result->verdict);
    return explained->near ? "near miss" : "no match";
}

static const char *colour_of(const struct gr_explained *explained)
{
    if (!explained->result)
        return DIM;
    switch (explained->result->verdict) {
    case GR_VERDICT_INJECTED:
    case GR_VERDICT_ALREADY:
        return GREEN;
    case GR_VERDICT_REFUSED:
        return RED;
    case GR_VERDICT_OBSERVED:
    case GR_VERDICT_SKIPPED:
    case GR_VERDICT_IGNORED:
        break;
    }
    return YELLOW;
}

static bool is_named(const struct gr_explain_choice *choice, struct gr_str name)
{
    for (size_t i = 0; i < choice->names_n; i++) {
        if (gr_str_is(name, choice->names[i]))
            return true;
    }
    return false;
}

bool *gr_explain_choose(const struct gr_explanation *explanation,
                        const struct gr_explain_choice *choice, struct gr_arena *arena,
                        size_t *out_left_out)
{
    bool *shown = gr_arena_array(arena, explanation->n, sizeof(*shown));
    size_t near = 0, rest = 0;

    for (size_t i = 0; shown && i < explanation->n; i++) {
        const struct gr_explained *set = &explanation->sets[i];
        bool speaks = set->result || (set->state != GR_EXPLAIN_EVALUATED && set->truth != GR_FALSE);

        if (choice->names_n > 0)
            shown[i] = is_named(choice, set->set->name);
        else
            shown[i] = choice->all || speaks || (set->near && near++ < GR_EXPLAIN_NEAR_MAX);
        rest += !shown[i];
    }
    /* A few of them are told sooner than counted. */
    if (shown && choice->names_n == 0 && rest <= GR_EXPLAIN_REST_MAX) {
        for (size_t i = 0; i < explanation->n; i++)
            shown[i] = true;
        rest = 0;
    }
    *out_left_out = choice->names_n > 0 ? 0 : rest;
    return shown;
}

static const char *plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

static void put_what_it_gets(struct gr_buf *out, const struct gr_explanation *explanation)
{
    const struct gr_decision *decision = &explanation->decision;
    size_t sets = 0;

    for (size_t i = 0; i < decision->results_n; i++)
        sets += decision->results[i].verdict == GR_VERDICT_INJECTED;
    if (decision->hooks_n + decision->adjust_n == 0) {
        (void)gr_buf_text(out, "gets nothing");
    } else {
        (void)gr_buf_printf(out, "gets %zu %s", decision->hooks_n,
                            plural(decision->hooks_n, "hook", "hooks"));
        if (decision->adjust_n > 0)
            (void)gr_buf_printf(out, " and %zu %s", decision->adjust_n,
                                plural(decision->adjust_n, "adjustment", "adjustments"));
    }
    (void)gr_buf_printf(out, ": %zu of %zu %s", sets, explanation->n,
                        plural(explanation->n, "set", "sets"));
}

static void put_verdict(struct gr_buf *out, const struct gr_explanation *explanation)
{
    const struct gr_decision *decision = &explanation->decision;
    const struct gr_subject *subject = explanation->subject;
    char title[1024];
    struct gr_shown image = gr_show(subject->image.name);

    gr_subject_title(subject, title, sizeof(title));
    (void)gr_buf_printf(out, "Container %s, image %s: ", title,
                        subject->image.known ? image.text : "?");
    if (decision->refuse)
        (void)gr_buf_printf(out, "REFUSED\n  %.*s", GR_STR_FMT(decision->refusal));
    else if (decision->exempt)
        (void)gr_buf_text(out, "gets nothing: its namespace is exempt");
    else
        put_what_it_gets(out, explanation);
    (void)gr_buf_text(out, "\n\n");
    for (size_t i = 0; i < decision->objections_n; i++)
        (void)gr_buf_printf(out, "%-*s%.*s\n", WORD_COLUMNS,
                            gr_verdict_name(decision->objections[i].verdict),
                            GR_STR_FMT(decision->objections[i].reason));
}

static void put_leaf(struct gr_buf *out, const struct gr_hookset *set,
                     const struct gr_explain_leaf *leaf)
{
    (void)gr_buf_printf(out, "%*s%.*s", WORD_COLUMNS, "", GR_STR_FMT(leaf->expected));
    if (leaf->seen.n > 0)
        (void)gr_buf_printf(out, "; seen: %.*s", GR_STR_FMT(leaf->seen));
    (void)gr_buf_printf(out, "  (%s:%u:%u)\n", set->file.p, leaf->cond->line, leaf->cond->column);
}

static int put_reason(struct gr_buf *out, struct gr_explanation *explanation,
                      const struct gr_explained *explained, struct gr_arena *arena)
{
    struct gr_str text = GR_STR_NONE;
    int r = 0;

    if (explained->result)
        text = explained->result->reason;
    else if (explained->state == GR_EXPLAIN_OTHER_NODE)
        r = gr_explain_nodes(explanation, explained->set, arena, &text);
    if (r == 0 && text.n > 0)
        (void)gr_buf_printf(out, "%*s%.*s\n", WORD_COLUMNS, "", GR_STR_FMT(text));
    if (r == 0 && explained->state != GR_EXPLAIN_EVALUATED)
        (void)gr_buf_printf(out, "%*swithout that, its match would be %s\n", WORD_COLUMNS, "",
                            gr_truth_name(explained->truth));
    return r;
}

static int put_set(struct gr_buf *out, struct gr_explanation *explanation,
                   const struct gr_explained *explained, bool colours, struct gr_arena *arena)
{
    const struct gr_hookset *set = explained->set;
    struct gr_explain_leaves leaves = {0};
    int r;

    if (colours)
        (void)gr_buf_printf(out, "\033[%sm%-*s\033[0m", colour_of(explained), WORD_COLUMNS,
                            gr_explain_word(explained));
    else
        (void)gr_buf_printf(out, "%-*s", WORD_COLUMNS, gr_explain_word(explained));
    (void)gr_buf_printf(out, "%s  %s:%u%s\n", set->name.p, set->file.p, set->line,
                        set->mode == GR_MODE_OBSERVE ? "  (mode Observe)" : "");
    r = put_reason(out, explanation, explained, arena);
    if (r == 0)
        r = gr_explain_leaves(explanation, explained, arena, &leaves);
    for (size_t i = 0; r == 0 && i < leaves.n; i++)
        put_leaf(out, set, &leaves.items[i]);
    if (leaves.more > 0)
        (void)gr_buf_printf(out, "%*sand %zu more %s\n", WORD_COLUMNS, "", leaves.more,
                            plural(leaves.more, "condition", "conditions"));
    return r;
}

static void put_hook(struct gr_buf *out, const struct gr_oci_hook *hook, size_t number)
{
    struct gr_shown path = gr_show(hook->path);

    /* The end of a path of the store says more than its middle. */
    if (hook->program.n > 0)
        (void)gr_buf_printf(out, "  %zu. %.*s", number, GR_STR_FMT(hook->path));
    else
        (void)gr_buf_printf(out, "  %zu. %s", number, path.text);
    for (size_t i = 1; i < hook->args.n; i++) {
        struct gr_shown arg = gr_show(hook->args.items[i]);

        (void)gr_buf_printf(out, " %s", arg.text);
    }
    (void)gr_buf_printf(out, "  (%.*s", GR_STR_FMT(gr_hook_set_name(hook)));
    if (hook->program.n > 0)
        (void)gr_buf_printf(out, ", program %.*s", GR_STR_FMT(hook->program));
    (void)gr_buf_text(out, ")\n");
}

static void put_adjusted(struct gr_buf *out, const struct gr_adjusted *adjusted)
{
    const struct gr_adjust_entry *entry = adjusted->entry;
    char room[GR_SHOWN_BYTES * 4];
    struct gr_shown key = gr_show(gr_adjust_describe(entry, true, room, sizeof(room)));

    (void)gr_buf_printf(out, "  %s %s  (%s", gr_adjust_kind_name(entry->kind), key.text,
                        adjusted->set->name.p);
    if (adjusted->over)
        (void)gr_buf_printf(out, ", over %s", adjusted->over->name.p);
    (void)gr_buf_text(out, ")\n");
}

/* With what is known against the stage under the container's runtime handler. */
static void put_stage(struct gr_buf *out, struct gr_str handler, enum gr_stage stage)
{
    const char *why = gr_handler_ignores(handler, stage);

    (void)gr_buf_printf(out, "\n%s\n", gr_stage_name(stage));
    if (why)
        (void)gr_buf_printf(out, "  not run under the handler %s: %s\n", gr_show(handler).text,
                            why);
}

static void put_results(struct gr_buf *out, const struct gr_explanation *explanation)
{
    const struct gr_decision *decision = &explanation->decision;
    size_t number = 0;

    for (size_t i = 0; i < decision->hooks_n; i++) {
        if (i == 0 || decision->hooks[i - 1].stage != decision->hooks[i].stage) {
            put_stage(out, explanation->subject->runtime_handler, decision->hooks[i].stage);
            number = 0;
        }
        put_hook(out, &decision->hooks[i], ++number);
    }
    if (decision->adjust_n > 0)
        (void)gr_buf_text(out, "\nadjust\n");
    for (size_t i = 0; i < decision->adjust_n; i++)
        put_adjusted(out, &decision->adjust[i]);
}

int gr_explain_text(struct gr_explanation *explanation, const struct gr_explain_choice *choice,
                    bool colours, struct gr_arena *arena, struct gr_buf *out)
{
    struct gr_arena scratch;
    size_t left_out;
    bool *shown = gr_explain_choose(explanation, choice, arena, &left_out);
    int r = shown ? 0 : -ENOMEM;

    if (shown)
        put_verdict(out, explanation);
    gr_arena_init(&scratch, arena->block_bytes, arena->limit_bytes);
    for (size_t i = 0; r == 0 && i < explanation->n; i++) {
        if (shown[i])
            r = put_set(out, explanation, &explanation->sets[i], colours, &scratch);
        gr_arena_reset(&scratch);
    }
    gr_arena_fini(&scratch);
    if (r == 0 && left_out > 0)
        (void)gr_buf_printf(out, "%zu other %s not match; --all shows them, or name one\n",
                            left_out, plural(left_out, "set does", "sets do"));
    if (r == 0)
        put_results(out, explanation);
    return r ? r : out->broken;
}
