/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a manifest tells. Of a list that the image, kubelet or the runtime completes it tells
 * nothing: env and mounts, and args without a command. specs/inputs.md has the reasons.
 */
#include <errno.h>

#include "oci/input_parts.h"
#include "oci/pod.h"

/* kubelet fills in $(NAME) from the environment, which is not known. */
static bool is_filled_in(struct gr_strs texts)
{
    for (size_t i = 0; i < texts.n; i++) {
        for (size_t j = 0; j + 1 < texts.items[i].n; j++) {
            if (texts.items[i].p[j] == '$' && texts.items[i].p[j + 1] == '(')
                return true;
        }
    }
    return false;
}

static int tell_args(struct gr_decoder *d, const struct gr_pod_container *c, struct gr_facts *facts)
{
    size_t n = c->command.n + c->args.n;
    struct gr_str *items;

    if (c->command.n == 0) /* the image's entry point comes first */
        return 0;
    items = gr_arena_array(d->arena, n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = i < c->command.n ? c->command.items[i] : c->args.items[i - c->command.n];
    facts->subject.args = (struct gr_strs){.items = items, .n = n};
    if (!is_filled_in(facts->subject.args))
        gr_facts_know(facts, GR_FIELD_ARGS);
    if (!is_filled_in((struct gr_strs){.items = items, .n = 1}))
        gr_facts_know(facts, GR_FIELD_COMMAND);
    return 0;
}

/* kubelet gives each container these labels and no others; known where all of them are. */
static int tell_labels(struct gr_decoder *d, struct gr_facts *facts)
{
    struct gr_subject *s = &facts->subject;
    struct gr_kv *labels;

    if (s->pod_uid.n == 0)
        return 0;
    labels = gr_arena_array(d->arena, 4, sizeof(*labels));
    if (!labels)
        return -ENOMEM;
    labels[0] = (struct gr_kv){GR_STR("io.kubernetes.container.name"), s->name};
    labels[1] = (struct gr_kv){GR_STR("io.kubernetes.pod.name"), s->pod_name};
    labels[2] = (struct gr_kv){GR_STR("io.kubernetes.pod.namespace"), s->pod_namespace};
    labels[3] = (struct gr_kv){GR_STR("io.kubernetes.pod.uid"), s->pod_uid};
    s->container_labels = (struct gr_kvs){.items = labels, .n = 4};
    gr_facts_know(facts, GR_FIELD_CONTAINER_LABELS);
    return 0;
}

static void tell_pod(const struct gr_pod *pod, struct gr_facts *facts)
{
    struct gr_subject *s = &facts->subject;

    if (pod->is_template)
        facts->made_by = pod->name;
    else
        gr_facts_tell(facts, GR_FIELD_POD_NAME, &s->pod_name, pod->name);
    facts->namespace_implied = pod->namespace.n == 0;
    gr_facts_tell(facts, GR_FIELD_NAMESPACE, &s->pod_namespace,
                  pod->namespace.n ? pod->namespace : GR_STR("default"));
    s->pod_uid = pod->uid;
    s->pod_labels = pod->labels;
    gr_facts_know(facts, GR_FIELD_POD_LABELS);
    s->pod_annotations = pod->annotations;
    gr_facts_know(facts, GR_FIELD_POD_ANNOTATIONS);
    gr_facts_know(facts, GR_FIELD_CONTAINER_ANNOTATIONS); /* nobody can write one: there is none */
    if (pod->runtime_class.n == 0)
        gr_facts_know(facts, GR_FIELD_RUNTIME_HANDLER); /* the default one */
}

int gr_facts_of_manifest(struct gr_input_reading *r, const struct gr_yaml_node *object)
{
    struct gr_pod pod;
    int result = gr_pod_read(&r->d, object, &pod);

    for (size_t i = 0; i < pod.n && result == 0; i++) {
        const struct gr_pod_container *c = &pod.containers[i];
        struct gr_facts facts = {.kind = GR_INPUT_MANIFEST, .file = r->file, .at = c->at};

        tell_pod(&pod, &facts);
        gr_facts_tell(&facts, GR_FIELD_CONTAINER_NAME, &facts.subject.name, c->name);
        (void)gr_image_parse(c->image, &facts.subject.image);
        result = tell_args(&r->d, c, &facts);
        if (result == 0)
            result = tell_labels(&r->d, &facts);
        if (result == 0)
            result = gr_facts_add(r, &facts);
    }
    return result < 0 ? result : 0;
}
