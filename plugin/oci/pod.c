/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pod.h"

#include <errno.h>

static int needed_text_at(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                          const char *example, struct gr_str *out)
{
    if (!gr_node_get(mapping, key))
        return gr_decode_refuse(d, mapping->at, "missing-key",
                                "expected the key \"%s\", such as %s: %s", key, key, example);
    return gr_node_text_at(d, mapping, key, out);
}

/* ---- containers ---- */

struct variables {
    struct gr_str *items;
    size_t n;
};

/* Only entries with a value of their own: others come from the cluster. */
static int read_variable(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct variables *variables = user;
    struct gr_str name = GR_STR_NONE, value = GR_STR_NONE;
    int result = gr_node_text_at(d, node, "name", &name);
    char *joined;

    if (result == 0)
        result = gr_node_text_at(d, node, "value", &value);
    if (result || name.n == 0 || !gr_node_get(node, "value"))
        return result;
    joined = gr_arena_alloc(d->arena, name.n + value.n + 2);
    if (!joined)
        return -ENOMEM;
    memcpy(joined, name.p, name.n);
    joined[name.n] = '=';
    if (value.n)
        memcpy(joined + name.n + 1, value.p, value.n);
    variables->items[variables->n++] = (struct gr_str){.p = joined, .n = name.n + value.n + 1};
    return 0;
}

static int read_env(struct gr_decoder *d, const struct gr_yaml_node *node,
                    struct gr_pod_container *c)
{
    struct variables variables = {0};
    int result;

    variables.items = gr_arena_array(d->arena, gr_node_count(node, "env"), sizeof(struct gr_str));
    if (!variables.items)
        return -ENOMEM;
    result = gr_node_each(d, node, "env", read_variable, &variables);
    c->env = (struct gr_strs){.items = variables.items, .n = variables.n};
    return result;
}

struct mounts {
    struct gr_pod_mount *items;
    size_t n;
};

static int read_only_at(struct gr_decoder *d, const struct gr_yaml_node *mount, bool *out)
{
    const struct gr_yaml_node *node = gr_node_get(mount, "readOnly");
    size_t before;
    int result;

    if (!node)
        return 0;
    before = gr_field_path_key(&d->path, GR_STR("readOnly"));
    result = gr_decode_bool(d, node, out);
    gr_field_path_cut(&d->path, before);
    return result;
}

static int read_mount(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct mounts *mounts = user;
    struct gr_pod_mount mount = {.at = node->at};
    int result = needed_text_at(d, node, "name", "data", &mount.volume);

    if (result == 0)
        result = needed_text_at(d, node, "mountPath", "/data", &mount.path);
    if (result == 0)
        result = gr_node_text_at(d, node, "subPath", &mount.sub_path);
    if (result == 0)
        result = read_only_at(d, node, &mount.read_only);
    if (result == 0)
        mounts->items[mounts->n++] = mount;
    return result;
}

static int read_mounts(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_pod_container *c)
{
    const char *const key = "volumeMounts";
    struct mounts mounts = {0};
    int result;

    mounts.items = gr_arena_array(d->arena, gr_node_count(node, key), sizeof(*mounts.items));
    if (!mounts.items)
        return -ENOMEM;
    result = gr_node_each(d, node, key, read_mount, &mounts);
    c->mounts = mounts.items;
    c->mounts_n = mounts.n;
    return result;
}

struct reading {
    struct gr_pod *pod;
    enum gr_pod_role role;
};

static int read_container(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct reading *reading = user;
    struct gr_pod_container c = {.role = reading->role, .at = node->at};
    int result = needed_text_at(d, node, "name", "app", &c.name);

    if (result == 0)
        result = needed_text_at(d, node, "image", "nginx:1.27", &c.image);
    if (result == 0)
        result = gr_node_texts_at(d, node, "command", &c.command);
    if (result == 0)
        result = gr_node_texts_at(d, node, "args", &c.args);
    if (result == 0)
        result = read_env(d, node, &c);
    if (result == 0)
        result = read_mounts(d, node, &c);
    if (result)
        return result;
    reading->pod->containers[reading->pod->n++] = c;
    return 0;
}

static const char *const lists[] = {
    [GR_POD_INIT] = "initContainers",
    [GR_POD_MAIN] = "containers",
    [GR_POD_EPHEMERAL] = "ephemeralContainers",
};

static int read_containers(struct gr_decoder *d, const struct gr_yaml_node *spec,
                           struct gr_pod *pod)
{
    size_t n = 0;
    int result = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(lists); i++)
        n += gr_node_count(spec, lists[i]);
    pod->containers = gr_arena_array(d->arena, n, sizeof(*pod->containers));
    if (!pod->containers)
        return -ENOMEM;
    for (size_t i = 0; i < GR_ARRAY_LEN(lists) && result == 0; i++) {
        struct reading reading = {.pod = pod, .role = (enum gr_pod_role)i};

        result = gr_node_each(d, spec, lists[i], read_container, &reading);
    }
    return result;
}

/* ---- volumes ---- */

struct volumes {
    struct gr_pod_volume *items;
    size_t n;
};

/* Beside its name a volume has one key, which says what it is. */
static int read_volume(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct volumes *volumes = user;
    struct gr_pod_volume volume = {0};
    const struct gr_yaml_node *host_path = gr_node_get(node, "hostPath");
    int result = needed_text_at(d, node, "name", "data", &volume.name);

    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        if (!gr_str_is(item->key, "name"))
            volume.kind = item->key;
    }
    if (result == 0 && host_path) {
        size_t before = gr_field_path_key(&d->path, GR_STR("hostPath"));

        result = needed_text_at(d, host_path, "path", "/srv/data", &volume.host_path);
        gr_field_path_cut(&d->path, before);
    }
    if (result == 0)
        volumes->items[volumes->n++] = volume;
    return result;
}

static int read_volumes(struct gr_decoder *d, const struct gr_yaml_node *spec, struct gr_pod *pod)
{
    struct volumes volumes = {0};
    int result;

    volumes.items =
        gr_arena_array(d->arena, gr_node_count(spec, "volumes"), sizeof(*volumes.items));
    if (!volumes.items)
        return -ENOMEM;
    result = gr_node_each(d, spec, "volumes", read_volume, &volumes);
    pod->volumes = volumes.items;
    pod->volumes_n = volumes.n;
    return result;
}

/* ---- pods ---- */

/* Where a pod's template stands below spec. */
struct holder {
    const char *kind;
    const char *path[3];
};

static const struct holder holders[] = {
    {"Deployment", {"template"}},
    {"DaemonSet", {"template"}},
    {"StatefulSet", {"template"}},
    {"ReplicaSet", {"template"}},
    {"ReplicationController", {"template"}},
    {"Job", {"template"}},
    {"CronJob", {"jobTemplate", "spec", "template"}},
};

static const struct holder *holder_of(const struct gr_yaml_node *kind)
{
    for (size_t i = 0; kind && i < GR_ARRAY_LEN(holders); i++) {
        if (gr_str_is(kind->text, holders[i].kind))
            return &holders[i];
    }
    return NULL;
}

bool gr_pod_is(const struct gr_yaml_node *object)
{
    const struct gr_yaml_node *kind = gr_node_get(object, "kind");

    return kind && (gr_str_is(kind->text, "Pod") || holder_of(kind));
}

static int read_object_metadata(struct gr_decoder *d, const struct gr_yaml_node *object,
                                struct gr_pod *pod)
{
    const struct gr_yaml_node *metadata = gr_node_get(object, "metadata");
    size_t before;
    int result;

    if (!metadata)
        return gr_decode_refuse(d, object->at, "missing-key",
                                "expected the key \"metadata\" with the pod's name");
    before = gr_field_path_key(&d->path, GR_STR("metadata"));
    result = needed_text_at(d, metadata, "name", "web", &pod->name);
    if (result == 0)
        result = gr_node_text_at(d, metadata, "namespace", &pod->namespace);
    if (result == 0 && !pod->is_template)
        result = gr_node_text_at(d, metadata, "uid", &pod->uid);
    gr_field_path_cut(&d->path, before);
    return result;
}

/* What stands in the pod itself or in its template. */
static int read_pod(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_pod *pod)
{
    const struct gr_yaml_node *metadata = gr_node_get(node, "metadata");
    const struct gr_yaml_node *spec = gr_node_get(node, "spec");
    size_t before = gr_field_path_key(&d->path, GR_STR("metadata"));
    int result = gr_node_map_at(d, metadata, "labels", &pod->labels);

    if (result == 0)
        result = gr_node_map_at(d, metadata, "annotations", &pod->annotations);
    gr_field_path_cut(&d->path, before);
    if (result)
        return result;
    if (!gr_node_get(spec, "containers"))
        return gr_decode_refuse(d, spec ? spec->at : node->at, "missing-key",
                                "expected spec.containers with at least one container");
    before = gr_field_path_key(&d->path, GR_STR("spec"));
    result = gr_node_text_at(d, spec, "runtimeClassName", &pod->runtime_class);
    if (result == 0)
        result = read_volumes(d, spec, pod);
    if (result == 0)
        result = read_containers(d, spec, pod);
    gr_field_path_cut(&d->path, before);
    return result;
}

int gr_pod_read(struct gr_decoder *d, const struct gr_yaml_node *object, struct gr_pod *out_pod)
{
    const struct holder *holder = holder_of(gr_node_get(object, "kind"));
    const struct gr_yaml_node *node = object;
    size_t before = d->path.n;
    int result;

    *out_pod = (struct gr_pod){.is_template = holder != NULL};
    result = read_object_metadata(d, object, out_pod);
    if (holder) {
        (void)gr_field_path_key(&d->path, GR_STR("spec"));
        node = gr_node_get(object, "spec");
    }
    for (size_t i = 0; holder && i < GR_ARRAY_LEN(holder->path) && holder->path[i]; i++) {
        (void)gr_field_path_key(&d->path, gr_str_from(holder->path[i]));
        node = gr_node_get(node, holder->path[i]);
    }
    if (result == 0 && !node)
        result = gr_decode_refuse(d, object->at, "missing-key",
                                  "expected the template of the pods that this object makes");
    if (result == 0)
        result = read_pod(d, node, out_pod);
    gr_field_path_cut(&d->path, before);
    return result;
}
