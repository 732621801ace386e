/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "app/cli/shared/hooks_json.h"
#include "app/explain/out.h"
#include "app/json.h"
#include "rules/tell/handlers.h"

json_t *gr_subject_json(const struct gr_subject *subject)
{
    json_t *object = json_object();

    gr_json_set_str(object, "namespace", subject->pod_namespace);
    gr_json_set_str(object, "pod", subject->pod_name);
    gr_json_set_str(object, "container", subject->name);
    gr_json_set_str(object, "image", subject->image.name);
    return object;
}

static json_t *leaf_json(const struct gr_hookset *set, const struct gr_explain_leaf *leaf)
{
    json_t *object = json_object();

    gr_json_set_str(object, "expected", leaf->expected);
    gr_json_set_str(object, "seen", leaf->seen);
    (void)json_object_set_new(
        object, "result",
        json_string(gr_truth_name(leaf->negated ? gr_truth_not(leaf->truth) : leaf->truth)));
    gr_json_set_str(object, "file", set->file);
    (void)json_object_set_new(object, "line", json_integer(leaf->cond->line));
    (void)json_object_set_new(object, "column", json_integer(leaf->cond->column));
    return object;
}

static int add_leaves(struct gr_explanation *explanation, const struct gr_explained *explained,
                      struct gr_arena *arena, json_t *object)
{
    json_t *list = json_array();
    struct gr_explain_leaves leaves;
    int r = gr_explain_leaves(explanation, explained, arena, &leaves);

    for (size_t i = 0; r == 0 && i < leaves.n; i++)
        (void)json_array_append_new(list, leaf_json(explained->set, &leaves.items[i]));
    if (r == 0 && leaves.more > 0)
        (void)json_object_set_new(object, "conditionsLeftOut",
                                  json_integer((json_int_t)leaves.more));
    (void)json_object_set_new(object, "conditions", list);
    return r;
}

static int add_nodes(const struct gr_explanation *explanation, const struct gr_hookset *set,
                     struct gr_arena *arena, json_t *object)
{
    struct gr_str text;
    int r = gr_explain_nodes(explanation, set, arena, &text);

    if (r == 0)
        gr_json_set_str(object, "reason", text);
    return r;
}

static json_t *set_json(struct gr_explanation *explanation, const struct gr_explained *explained,
                        struct gr_arena *arena)
{
    static const char *const states[] = {[GR_EXPLAIN_EVALUATED] = "evaluated",
                                         [GR_EXPLAIN_OTHER_NODE] = "otherNode",
                                         [GR_EXPLAIN_EXEMPT] = "exempt"};
    const struct gr_hookset *set = explained->set;
    json_t *object = json_object();
    int r = 0;

    gr_json_set_str(object, "name", set->name);
    gr_json_set_str(object, "file", set->file);
    (void)json_object_set_new(object, "line", json_integer(set->line));
    (void)json_object_set_new(object, "state", json_string(states[explained->state]));
    (void)json_object_set_new(object, "match", json_string(gr_truth_name(explained->truth)));
    if (explained->result) {
        (void)json_object_set_new(object, "verdict",
                                  json_string(gr_verdict_name(explained->result->verdict)));
        gr_json_set_str(object, "reason", explained->result->reason);
    }
    if (explained->near)
        (void)json_object_set_new(object, "near", json_true());
    if (explained->state == GR_EXPLAIN_OTHER_NODE)
        r = add_nodes(explanation, set, arena, object);
    if (r == 0)
        r = add_leaves(explanation, explained, arena, object);
    if (r == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* What speaks against the container beside the sets that match. */
static json_t *objections_json(const struct gr_decision *decision)
{
    json_t *list = json_array();

    for (size_t i = 0; i < decision->objections_n; i++) {
        const struct gr_objection *objection = &decision->objections[i];
        json_t *object = json_object();

        (void)json_object_set_new(
            object, "kind",
            json_string(objection->kind == GR_OBJECTION_REQUIRED ? "required" : "request"));
        gr_json_set_str(object, "set", objection->set);
        (void)json_object_set_new(object, "verdict",
                                  json_string(gr_verdict_name(objection->verdict)));
        gr_json_set_str(object, "reason", objection->reason);
        (void)json_array_append_new(list, object);
    }
    return list;
}

/* Stages with hooks that the container's runtime handler does not run; NULL: none. */
static json_t *stages_not_run_json(const struct gr_explanation *explanation)
{
    const struct gr_decision *decision = &explanation->decision;
    json_t *object = NULL;

    for (size_t i = 0; i < decision->hooks_n; i++) {
        enum gr_stage stage = decision->hooks[i].stage;
        const char *why = gr_handler_ignores(explanation->subject->runtime_handler, stage);

        if (why && !object)
            object = json_object();
        if (why)
            (void)json_object_set_new(object, gr_stage_name(stage), json_string(why));
    }
    return object;
}

/* ---- the document, piece by piece: the sets may be thousands ---- */

static int dump_to_buf(const char *bytes, size_t n, void *out)
{
    return gr_buf_add(out, bytes, n) == 0 ? 0 : -1;
}

/* Takes value. */
static int put(struct gr_buf *out, json_t *value)
{
    int r = value && json_dump_callback(value, dump_to_buf, out, JSON_COMPACT) == 0 ? 0 : -ENOMEM;

    json_decref(value);
    return out->broken ? out->broken : r;
}

static int put_sets(struct gr_buf *out, struct gr_explanation *explanation, const bool *shown,
                    const struct gr_arena *like)
{
    struct gr_arena scratch;
    bool first = true;
    int r = 0;

    gr_arena_init(&scratch, like->block_bytes, like->limit_bytes);
    for (size_t i = 0; i < explanation->n && r == 0; i++) {
        if (!shown[i])
            continue;
        (void)gr_buf_text(out, first ? "" : ",");
        first = false;
        r = put(out, set_json(explanation, &explanation->sets[i], &scratch));
        gr_arena_reset(&scratch);
    }
    gr_arena_fini(&scratch);
    return r;
}

/* What stands before the sets, and there is always something. */
static json_t *head_json(const struct gr_explanation *explanation)
{
    const struct gr_decision *decision = &explanation->decision;
    json_t *object = gr_subject_json(explanation->subject);

    (void)json_object_set_new(object, "refused", json_boolean(decision->refuse));
    gr_json_set_str(object, "refusal", decision->refusal);
    (void)json_object_set_new(object, "exempt", json_boolean(decision->exempt));
    if (decision->objections_n > 0)
        (void)json_object_set_new(object, "objections", objections_json(decision));
    return object;
}

static json_t *tail_json(const struct gr_explanation *explanation, size_t left_out)
{
    const struct gr_decision *decision = &explanation->decision;
    json_t *object = json_object();
    json_t *not_run, *programs;

    (void)json_object_set_new(object, "setsLeftOut", json_integer((json_int_t)left_out));
    (void)json_object_set_new(object, "hooks", gr_hooks_json(decision->hooks, decision->hooks_n));
    programs = gr_hook_programs_json(decision->hooks, decision->hooks_n);
    if (json_array_size(programs) > 0)
        (void)json_object_set(object, "programs", programs);
    json_decref(programs);
    not_run = stages_not_run_json(explanation);
    if (not_run)
        (void)json_object_set_new(object, "stagesNotRun", not_run);
    if (decision->adjust_n > 0)
        (void)json_object_set_new(object, "adjust",
                                  gr_adjust_json(decision->adjust, decision->adjust_n));
    return object;
}

/* Takes value. An object that goes on, or that was begun. */
static int put_members(struct gr_buf *out, json_t *value, bool goes_on)
{
    size_t before = out->len;
    int r = put(out, value);

    if (r)
        return r;
    if (goes_on)
        out->len--; /* its brace */
    else
        out->data[before] = ',';
    return 0;
}

int gr_explain_json(struct gr_explanation *explanation, const struct gr_explain_choice *choice,
                    struct gr_arena *arena, struct gr_buf *out)
{
    size_t left_out;
    bool *shown = gr_explain_choose(explanation, choice, arena, &left_out);
    int r = shown ? put_members(out, head_json(explanation), true) : -ENOMEM;

    if (r == 0)
        r = gr_buf_text(out, ",\"sets\":[");
    if (r == 0)
        r = put_sets(out, explanation, shown, arena);
    if (r == 0)
        r = gr_buf_text(out, "]");
    return r ? r : put_members(out, tail_json(explanation, left_out), false);
}
