/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crictl inspect, crictl inspectp and the annotations of a config.json tell. status is the
 * answer of the CRI as crictl prints it; info is the runtime's own: containerd's CRI plugin and
 * CRI-O put the config.json there, containerd also the request of kubelet.
 */
#include <errno.h>

#include "oci/input_parts.h"
#include "rules/pattern/imagesource.h"

/* What kubelet calls a container and its pod. */
#define KUBE_CONTAINER "io.kubernetes.container.name"
#define KUBE_POD "io.kubernetes.pod.name"
#define KUBE_NAMESPACE "io.kubernetes.pod.namespace"
#define KUBE_UID "io.kubernetes.pod.uid"

/* These runtimes write such a key into every config.json, and others (Podman) do not. */
#define CONTAINERD_TYPE "io.kubernetes.cri.container-type"
#define CRIO_ID "io.kubernetes.cri-o.ContainerID"
#define MANAGER "io.container.manager"

static void tell_from(struct gr_kvs map, const char *key, struct gr_facts *facts,
                      enum gr_field field, struct gr_str *to)
{
    struct gr_str value;

    if (gr_kvs_get(map, gr_str_from(key), &value) && value.n > 0)
        gr_facts_tell(facts, field, to, value);
}

static void tell_kubelets(struct gr_kvs map, struct gr_facts *facts)
{
    struct gr_subject *s = &facts->subject;

    tell_from(map, KUBE_CONTAINER, facts, GR_FIELD_CONTAINER_NAME, &s->name);
    tell_from(map, KUBE_POD, facts, GR_FIELD_POD_NAME, &s->pod_name);
    tell_from(map, KUBE_NAMESPACE, facts, GR_FIELD_NAMESPACE, &s->pod_namespace);
    (void)gr_kvs_get(map, GR_STR(KUBE_UID), &s->pod_uid);
}

/* ---- annotations of a config.json ---- */

/* The one runtime that can have written them; of_cri where one of Kubernetes may have. */
static struct gr_str written_by(struct gr_kvs annotations, bool *out_of_cri)
{
    struct gr_str value, manager = GR_STR_NONE;
    bool containerd = gr_kvs_get(annotations, GR_STR(CONTAINERD_TYPE), &value);
    bool crio = gr_kvs_get(annotations, GR_STR(CRIO_ID), &value);

    (void)gr_kvs_get(annotations, GR_STR(MANAGER), &manager);
    *out_of_cri = containerd || crio;
    if (gr_str_is(manager, "libpod") && !*out_of_cri)
        return GR_STR("podman");
    if (containerd && !crio && manager.n == 0)
        return GR_STR("containerd");
    if (crio && !containerd && gr_str_is(manager, "cri-o"))
        return GR_STR("cri-o");
    return GR_STR_NONE;
}

void gr_facts_of_annotations(struct gr_str runtime, struct gr_facts *facts)
{
    struct gr_subject *s = &facts->subject;
    struct gr_kvs map = s->container_annotations;
    struct gr_image_origin origin = {0};
    bool of_cri;
    struct gr_str found = written_by(map, &of_cri);

    origin.runtime = runtime.n ? runtime : found;
    if (origin.runtime.n)
        gr_facts_tell(facts, GR_FIELD_RUNTIME, &s->runtime,
                      gr_runtime_is_containerd(origin.runtime) ? GR_STR("containerd")
                                                               : origin.runtime);
    facts->of_cri = of_cri;
    if (gr_runtime_is_containerd(origin.runtime)) {
        tell_from(map, "io.kubernetes.cri.container-name", facts, GR_FIELD_CONTAINER_NAME,
                  &s->name);
        tell_from(map, "io.kubernetes.cri.sandbox-name", facts, GR_FIELD_POD_NAME, &s->pod_name);
        tell_from(map, "io.kubernetes.cri.sandbox-namespace", facts, GR_FIELD_NAMESPACE,
                  &s->pod_namespace);
        (void)gr_kvs_get(map, GR_STR("io.kubernetes.cri.sandbox-uid"), &s->pod_uid);
        (void)gr_kvs_get(map, GR_STR("io.kubernetes.cri.sandbox-id"), &facts->sandbox_id);
    } else if (gr_str_is(origin.runtime, "cri-o")) {
        tell_kubelets(map, facts); /* CRI-O copies the labels behind the pod's annotations */
        (void)gr_kvs_get(map, GR_STR(CRIO_ID), &s->id);
        (void)gr_kvs_get(map, GR_STR("io.kubernetes.cri-o.SandboxID"), &facts->sandbox_id);
    } else if (origin.runtime.n) {
        facts->of_cri = false; /* another runtime: then these keys are anybody's */
    }
    gr_image_from_annotations(NULL, map, &origin, &s->image);
}

int gr_facts_of_bundle(struct gr_input_reading *r, const struct gr_yaml_node *object)
{
    struct gr_facts facts = {.kind = GR_INPUT_BUNDLE, .file = r->file, .at = object->at};
    int result = gr_facts_of_spec(&r->d, object, &facts);

    if (result == 0)
        gr_facts_of_annotations(r->runtime, &facts);
    if (result == 0 && !r->d.bad)
        result = gr_facts_add(r, &facts);
    return result < 0 ? result : 0;
}

/* ---- inspections ---- */

/* containerd says which shim it used; nobody else has this. */
static int read_runtime(struct gr_decoder *d, const struct gr_yaml_node *info, struct gr_str given,
                        struct gr_str *out)
{
    struct gr_str shim = GR_STR_NONE;
    int result = gr_node_text_at(d, info, "runtimeType", &shim);

    *out = given;
    if (given.n == 0 && gr_str_has_prefix(shim, GR_STR("io.containerd.")))
        *out = GR_STR("containerd");
    return result;
}

/* As NRI sees them: those of config.json, and kubelet's own over them. */
static int add_annotations(struct gr_decoder *d, struct gr_kvs more, struct gr_kvs *inout)
{
    struct gr_kv *items = gr_arena_array(d->arena, inout->n + more.n, sizeof(*items));

    if (!items)
        return -ENOMEM;
    if (inout->n)
        memcpy(items, inout->items, inout->n * sizeof(*items));
    if (more.n)
        memcpy(items + inout->n, more.items, more.n * sizeof(*items));
    *inout = (struct gr_kvs){.items = items, .n = inout->n + more.n};
    return 0;
}

/*
 * The name as the user wrote it, else what the runtime calls the image. What the annotations of the
 * config.json say comes first: that is what the plugin was told.
 */
static int read_image(struct gr_decoder *d, const struct gr_yaml_node *status,
                      const struct gr_yaml_node *info, struct gr_facts *facts)
{
    const struct gr_yaml_node *asked = gr_node_get(gr_node_get(info, "config"), "image");
    const struct gr_yaml_node *image = gr_node_get(status, "image");
    struct {
        const struct gr_yaml_node *node;
        const char *key;
    } places[] = {
        {asked, "user_specified_image"},
        {image, "userSpecifiedImage"},
        {image, "image"},
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(places) && !facts->subject.image.known; i++) {
        struct gr_str name = GR_STR_NONE;
        int result = gr_node_text_at(d, places[i].node, places[i].key, &name);

        if (result)
            return result;
        if (name.n)
            (void)gr_image_parse(name, &facts->subject.image);
    }
    return 0;
}

static int read_status(struct gr_decoder *d, const struct gr_yaml_node *status,
                       struct gr_kvs *out_annotations, struct gr_facts *facts)
{
    struct gr_subject *s = &facts->subject;
    struct gr_str name = GR_STR_NONE;
    int result = gr_node_text_at(d, status, "id", &s->id);

    if (result == 0)
        result = gr_node_text_at(d, gr_node_get(status, "metadata"), "name", &name);
    if (result == 0)
        result = gr_node_map_at(d, status, "labels", &s->container_labels);
    if (result == 0)
        result = gr_node_map_at(d, status, "annotations", out_annotations);
    if (result)
        return result;
    if (gr_node_get(status, "labels"))
        gr_facts_know(facts, GR_FIELD_CONTAINER_LABELS);
    tell_kubelets(s->container_labels, facts);
    if (name.n)
        gr_facts_tell(facts, GR_FIELD_CONTAINER_NAME, &s->name, name);
    return 0;
}

int gr_facts_of_inspect(struct gr_input_reading *r, const struct gr_yaml_node *object)
{
    struct gr_facts facts = {.kind = GR_INPUT_CONTAINER, .file = r->file, .at = object->at};
    const struct gr_yaml_node *status = gr_node_get(object, "status");
    const struct gr_yaml_node *info = gr_node_get(object, "info");
    const struct gr_yaml_node *spec = gr_node_get(info, "runtimeSpec");
    struct gr_kvs annotations = {0};
    struct gr_str runtime = GR_STR_NONE;
    int result = read_runtime(&r->d, info, r->runtime, &runtime);

    if (result == 0 && spec) {
        size_t before = gr_field_path_key(&r->d.path, GR_STR("info"));

        (void)gr_field_path_key(&r->d.path, GR_STR("runtimeSpec"));
        result = gr_facts_of_spec(&r->d, spec, &facts);
        gr_field_path_cut(&r->d.path, before);
    }
    if (result == 0)
        gr_facts_of_annotations(runtime, &facts);
    if (result == 0)
        result = gr_node_text_at(&r->d, info, "sandboxID", &facts.sandbox_id);
    if (result == 0)
        result = read_status(&r->d, status, &annotations, &facts);
    if (result == 0)
        result = add_annotations(&r->d, annotations, &facts.subject.container_annotations);
    if (result == 0)
        result = read_image(&r->d, status, info, &facts);
    if (result == 0 && !r->d.bad)
        result = gr_facts_add(r, &facts);
    return result < 0 ? result : 0;
}

int gr_facts_of_sandbox(struct gr_input_reading *r, const struct gr_yaml_node *object)
{
    struct gr_facts facts = {.kind = GR_INPUT_SANDBOX, .file = r->file, .at = object->at};
    const struct gr_yaml_node *status = gr_node_get(object, "status");
    const struct gr_yaml_node *metadata = gr_node_get(status, "metadata");
    const struct gr_yaml_node *info = gr_node_get(object, "info");
    struct gr_subject *s = &facts.subject;
    struct gr_str runtime = GR_STR_NONE;
    int result = gr_node_text_at(&r->d, status, "id", &facts.sandbox_id);

    if (result == 0)
        result = gr_node_text_at(&r->d, metadata, "name", &s->pod_name);
    if (result == 0)
        result = gr_node_text_at(&r->d, metadata, "namespace", &s->pod_namespace);
    if (result == 0)
        result = gr_node_text_at(&r->d, metadata, "uid", &s->pod_uid);
    if (result == 0)
        result = gr_node_map_at(&r->d, status, "labels", &s->pod_labels);
    if (result == 0)
        result = gr_node_map_at(&r->d, status, "annotations", &s->pod_annotations);
    if (result == 0)
        result = gr_node_text_at(&r->d, status, "runtimeHandler", &s->runtime_handler);
    if (result == 0)
        result = read_runtime(&r->d, info, r->runtime, &runtime);
    if (result || r->d.bad)
        return result < 0 ? result : 0;
    facts.known = (s->pod_name.n ? 1U << GR_FIELD_POD_NAME : 0) |
                  (s->pod_namespace.n ? 1U << GR_FIELD_NAMESPACE : 0) |
                  (gr_node_get(status, "labels") ? 1U << GR_FIELD_POD_LABELS : 0) |
                  (gr_node_get(status, "annotations") ? 1U << GR_FIELD_POD_ANNOTATIONS : 0) |
                  (gr_node_get(status, "runtimeHandler") ? 1U << GR_FIELD_RUNTIME_HANDLER : 0);
    if (runtime.n)
        gr_facts_tell(&facts, GR_FIELD_RUNTIME, &s->runtime, runtime);
    result = gr_facts_add(r, &facts);
    return result < 0 ? result : 0;
}
