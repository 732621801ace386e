/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation of one match tree. Recursion goes as deep as the tree, which the reader bounds with
 * GR_YAML_DEPTH_MAX.
 */
#include "rules/ruleset.h"
#include "rules/scope.h"
#include "rules/steps.h"
#include "rules/test.h"

/* What a leaf looks at. */
struct value {
    enum gr_truth present; /* true, false, or unknown: nothing can be said about it */
    struct gr_str text;
};

static bool take_scan(struct gr_kvs map, uint64_t *steps)
{
    return gr_steps_take(steps, gr_steps_of_entries(map.n));
}

static struct value from_map(struct gr_kvs map, struct gr_str key, uint64_t *steps)
{
    struct value value = {.present = GR_ERROR};

    if (take_scan(map, steps))
        value.present = gr_kvs_get(map, key, &value.text) ? GR_TRUE : GR_FALSE;
    return value;
}

static struct value from_annotations(const struct gr_subject *subject, struct gr_str key,
                                     uint64_t *steps)
{
    struct value value = {.present = GR_ERROR};

    if (take_scan(subject->pod_annotations, steps) &&
        take_scan(subject->container_annotations, steps))
        value.present = gr_subject_find_annotation(subject, key, &value.text);
    return value;
}

static struct value from_text(struct gr_str text)
{
    return (struct value){.present = GR_TRUE, .text = text};
}

static struct value find_value(const struct gr_cond *leaf, const struct gr_subject *subject,
                               uint64_t *steps)
{
    if (!gr_subject_knows(subject, leaf->field))
        return (struct value){.present = GR_UNKNOWN};
    switch (leaf->field) {
    case GR_FIELD_IMAGE:
        return from_text(subject->image.name);
    case GR_FIELD_NAMESPACE:
        return from_text(subject->pod_namespace);
    case GR_FIELD_POD_NAME:
        return from_text(subject->pod_name);
    case GR_FIELD_CONTAINER_NAME:
        return from_text(subject->name);
    case GR_FIELD_RUNTIME_HANDLER:
        return from_text(subject->runtime_handler);
    case GR_FIELD_RUNTIME:
        return from_text(subject->runtime);
    case GR_FIELD_COMMAND:
        if (subject->args.n == 0)
            break;
        return from_text(subject->args.items[0]);
    case GR_FIELD_ARGS:
    case GR_FIELD_ENV:
    case GR_FIELD_REQUESTED:
    case GR_FIELD_MOUNTS:
    case GR_FIELD_ANY_ANNOTATION:
        break;
    case GR_FIELD_POD_LABELS:
        return from_map(subject->pod_labels, leaf->key, steps);
    case GR_FIELD_CONTAINER_LABELS:
        return from_map(subject->container_labels, leaf->key, steps);
    case GR_FIELD_POD_ANNOTATIONS:
        return from_map(subject->pod_annotations, leaf->key, steps);
    case GR_FIELD_CONTAINER_ANNOTATIONS:
        return from_map(subject->container_annotations, leaf->key, steps);
    case GR_FIELD_ANNOTATIONS:
        return from_annotations(subject, leaf->key, steps);
    }
    return (struct value){.present = GR_FALSE};
}

static enum gr_truth truth_of(bool is)
{
    return is ? GR_TRUE : GR_FALSE;
}

static enum gr_truth eval_leaf(const struct gr_cond *leaf, const struct gr_subject *subject,
                               uint64_t *steps)
{
    struct value found = find_value(leaf, subject, steps);
    struct gr_value value = {.present = found.present == GR_TRUE,
                             .empty_is_absent = !gr_field_is_map(leaf->field),
                             .text = found.text,
                             .image = &subject->image};

    if (found.present == GR_UNKNOWN || found.present == GR_ERROR)
        return found.present;
    return gr_tests_eval(leaf->tests, &value, steps);
}

enum gr_truth gr_cond_eval(const struct gr_cond *cond, const struct gr_subject *subject,
                           uint64_t *steps)
{
    enum gr_truth truth;

    if (!gr_steps_take(steps, 1))
        return GR_ERROR;
    switch (cond->kind) {
    case GR_COND_ALWAYS:
        return truth_of(cond->always);
    case GR_COND_UNREADABLE:
        return GR_ERROR;
    case GR_COND_LEAF:
        return eval_leaf(cond, subject, steps);
    case GR_COND_NOT:
        return gr_truth_not(gr_cond_eval(&cond->children[0], subject, steps));
    case GR_COND_ALL:
        truth = GR_TRUE;
        for (size_t i = 0; i < cond->children_n && truth != GR_FALSE; i++)
            truth = gr_truth_and(truth, gr_cond_eval(&cond->children[i], subject, steps));
        return truth;
    case GR_COND_ANY:
        truth = GR_FALSE;
        for (size_t i = 0; i < cond->children_n && truth != GR_TRUE; i++)
            truth = gr_truth_or(truth, gr_cond_eval(&cond->children[i], subject, steps));
        return truth;
    }
    return GR_ERROR;
}
