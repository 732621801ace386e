/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation of one match tree. Recursion goes as deep as the tree, which the reader bounds with
 * GR_YAML_DEPTH_MAX.
 */
#include "rules/mounts.h"
#include "rules/match/ruleset.h"
#include "rules/match/scope.h"
#include "rules/steps.h"
#include "rules/match/test.h"

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

/* Of a field that is known. */
static struct value find_value(const struct gr_cond *leaf, const struct gr_subject *subject,
                               uint64_t *steps)
{
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
    case GR_FIELD_ARGS: /* not one value: eval_leaf */
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

static enum gr_truth eval_single(const struct gr_cond *leaf, const struct gr_subject *subject,
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

static struct gr_strs list_of(enum gr_field field, const struct gr_subject *subject)
{
    if (field == GR_FIELD_ARGS)
        return subject->args;
    return field == GR_FIELD_ENV ? subject->env : subject->requests;
}

/* ---- elements with parts ---- */

/* All parts of a pattern that are asked for; values has one for each. */
static enum gr_truth eval_pattern(const struct gr_pattern *pattern, const struct gr_value *values,
                                  size_t n, uint64_t *steps)
{
    enum gr_truth truth = GR_TRUE;

    for (size_t i = 0; i < n && truth != GR_FALSE; i++) {
        if (pattern->parts[i].n > 0)
            truth = gr_truth_and(truth, gr_tests_eval(pattern->parts[i], &values[i], steps));
    }
    return truth;
}

static enum gr_truth eval_patterns(const struct gr_cond *leaf, const struct gr_value *values,
                                   size_t n, uint64_t *steps)
{
    enum gr_truth truth = GR_FALSE;

    for (size_t i = 0; i < leaf->patterns_n && truth != GR_TRUE; i++)
        truth = gr_truth_or(truth, eval_pattern(&leaf->patterns[i], values, n, steps));
    return truth;
}

/* A part that a mount has not is absent, as a key that is not in a map. */
static struct gr_value part_of(struct gr_str text)
{
    return (struct gr_value){.present = text.n > 0, .text = text};
}

/* Standard mounts are left out by the index already, or here. */
static enum gr_truth eval_mount(const struct gr_cond *leaf, const struct gr_subject *subject,
                                const struct gr_mount *mount, uint64_t *steps)
{
    const struct gr_value values[] = {
        [GR_MOUNT_SOURCE] = part_of(mount->source),
        [GR_MOUNT_DESTINATION] = part_of(mount->destination),
        [GR_MOUNT_TYPE] = part_of(mount->type),
    };

    if (!subject->whole && gr_mount_is_standard(mount))
        return GR_FALSE;
    return eval_patterns(leaf, values, GR_ARRAY_LEN(values), steps);
}

static enum gr_truth eval_mounts(const struct gr_cond *leaf, const struct gr_subject *subject,
                                 uint64_t *steps)
{
    enum gr_truth truth = GR_FALSE;

    if (!gr_steps_take(steps, gr_steps_of_entries(subject->mounts_n)))
        return GR_ERROR;
    for (size_t i = 0; i < subject->mounts_n && truth != GR_TRUE; i++) {
        if (*steps == 0)
            return GR_ERROR;
        truth = gr_truth_or(truth, eval_mount(leaf, subject, &subject->mounts[i], steps));
    }
    return truth;
}

/* Whether another entry of the same key counts in place of the one at this position: a later one of
 * the same map, or any of the pod's for one of the container's. */
static enum gr_truth is_hidden(const struct gr_subject *whole, size_t position, uint64_t *steps)
{
    struct gr_kvs pod = whole->pod_annotations;
    struct gr_kvs own = whole->container_annotations;
    bool is_own = position >= pod.n;
    size_t at = is_own ? position - pod.n : position;
    struct gr_kvs same = is_own ? own : pod;
    struct gr_kvs later = {.items = same.items + at + 1, .n = same.n - at - 1};
    struct gr_str value;

    if (!take_scan(later, steps) || (is_own && !take_scan(pod, steps)))
        return GR_ERROR;
    return truth_of(gr_kvs_get(later, same.items[at].key, &value) ||
                    (is_own && gr_kvs_get(pod, same.items[at].key, &value)));
}

/* Most entries match nothing, so what hides them is looked for last. */
static enum gr_truth eval_annotation(const struct gr_cond *leaf, const struct gr_subject *whole,
                                     size_t position, uint64_t *steps)
{
    size_t pod_n = whole->pod_annotations.n;
    const struct gr_kv *entry = position < pod_n
                                    ? &whole->pod_annotations.items[position]
                                    : &whole->container_annotations.items[position - pod_n];
    const struct gr_value values[] = {
        [GR_ENTRY_KEY] = {.present = true, .text = entry->key},
        [GR_ENTRY_VALUE] = {.present = true, .text = entry->value},
    };
    enum gr_truth truth = eval_patterns(leaf, values, GR_ARRAY_LEN(values), steps);

    if (truth == GR_FALSE)
        return truth;
    return gr_truth_and(truth, gr_truth_not(is_hidden(whole, position, steps)));
}

static enum gr_truth eval_annotations(const struct gr_cond *leaf, const struct gr_subject *subject,
                                      uint64_t *steps)
{
    const struct gr_subject *whole = subject->whole ? subject->whole : subject;
    size_t n = subject->whole ? subject->any_annotations_n
                              : whole->pod_annotations.n + whole->container_annotations.n;
    enum gr_truth truth = GR_FALSE;

    if (!gr_steps_take(steps, gr_steps_of_entries(n)))
        return GR_ERROR;
    for (size_t i = 0; i < n && truth != GR_TRUE; i++) {
        size_t position = subject->whole ? subject->any_annotations[i] : i;

        if (*steps == 0)
            return GR_ERROR;
        truth = gr_truth_or(truth, eval_annotation(leaf, whole, position, steps));
    }
    return truth;
}

static enum gr_truth eval_leaf(const struct gr_cond *leaf, const struct gr_subject *subject,
                               uint64_t *steps)
{
    if (!gr_subject_knows(subject, leaf->field))
        return GR_UNKNOWN;
    if (gr_field_is_list(leaf->field))
        return gr_tests_eval_list(leaf->tests, list_of(leaf->field, subject), steps);
    if (leaf->field == GR_FIELD_MOUNTS)
        return eval_mounts(leaf, subject, steps);
    if (leaf->field == GR_FIELD_ANY_ANNOTATION)
        return eval_annotations(leaf, subject, steps);
    return eval_single(leaf, subject, steps);
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

static int walk_why(const struct gr_cond *cond, enum gr_truth truth, bool negated,
                    const struct gr_subject *subject, uint64_t *steps, const struct gr_why *why)
{
    enum gr_truth by_one = cond->kind == GR_COND_ALL ? GR_FALSE : GR_TRUE;
    int r = 0;

    if (cond->kind == GR_COND_NOT)
        return walk_why(&cond->children[0], gr_truth_not(truth), !negated, subject, steps, why);
    if (cond->kind != GR_COND_ALL && cond->kind != GR_COND_ANY)
        return why->decided(why->user, cond, truth, negated);
    for (size_t i = 0; i<cond->children_n && * steps> 0 && r == 0; i++) {
        if (gr_cond_eval(&cond->children[i], subject, steps) != truth)
            continue;
        r = walk_why(&cond->children[i], truth, negated, subject, steps, why);
        if (truth == by_one)
            break;
    }
    return r;
}

int gr_cond_why(const struct gr_cond *cond, enum gr_truth truth, const struct gr_subject *subject,
                uint64_t *steps, const struct gr_why *why)
{
    if (*steps == 0 || gr_cond_eval(cond, subject, steps) != truth)
        return 0;
    return walk_why(cond, truth, false, subject, steps, why);
}
