/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pod manifests to containers, with what kubelet and containerd add to them on the way to NRI.
 * Ids are made from the names, so that the same files always give the same result.
 */
#include <errno.h>
#include <string.h>

#include "app/cli/simulate.h"
#include "app/exit.h"
#include "base/hash.h"
#include "rules/limits.h"
#include "rules/strict.h"

#define ID_BYTES 64 /* hexadecimal digits, as containerd and CRI-O make them */

/* A List holds the objects of kubectl get -o yaml; Lists do not nest. */
#define LIST "List"

struct reader {
    struct gr_sim *sim;
    const char *file;
    struct gr_decoder d;
    size_t cap;  /* of sim->containers */
    size_t pods; /* in this file */
};

struct pod {
    struct gr_str name, namespace, uid, handler, sandbox_id;
    struct gr_kvs labels, annotations;
};

/* ---- values ---- */

static int text_of(struct reader *r, const struct gr_yaml_node *node, struct gr_str *out)
{
    return gr_decode_text_copy(&r->d, node, GR_TEXT_BLOCK, GR_ANNOTATIONS_MAX_BYTES, out);
}

/* The text under a key; an absent one leaves *out alone. */
static int text_at(struct reader *r, const struct gr_yaml_node *mapping, const char *key,
                   struct gr_str *out)
{
    const struct gr_yaml_node *node = gr_yaml_get(mapping, key);
    size_t before;
    int result;

    if (!node)
        return 0;
    before = gr_field_path_key(&r->d.path, gr_str_from(key));
    result = text_of(r, node, out);
    gr_field_path_cut(&r->d.path, before);
    return result;
}

static int needed_text_at(struct reader *r, const struct gr_yaml_node *mapping, const char *key,
                          const char *example, struct gr_str *out)
{
    if (!gr_yaml_get(mapping, key))
        return gr_decode_refuse(&r->d, mapping->at, "missing-key",
                                "expected the key \"%s\", such as %s: %s", key, key, example);
    return text_at(r, mapping, key, out);
}

/* A mapping of texts, with room for more entries behind them. */
static int map_at(struct reader *r, const struct gr_yaml_node *mapping, const char *key,
                  size_t more, struct gr_kv **out_items, size_t *out_n)
{
    const struct gr_yaml_node *node = gr_yaml_get(mapping, key);
    size_t n = node && node->kind == GR_YAML_MAPPING ? node->n : 0;
    struct gr_kv *items = gr_arena_array(&r->sim->arena, n + more, sizeof(*items));
    size_t before = gr_field_path_key(&r->d.path, gr_str_from(key));
    int result = items ? 0 : -ENOMEM;

    *out_n = 0;
    if (result == 0 && n > 0) {
        for (node = node->first; node && result == 0; node = node->next) {
            result = gr_decode_map_key(&r->d, node, &items[*out_n].key);
            if (result == 0)
                result = text_of(r, node, &items[(*out_n)++].value);
        }
    }
    gr_field_path_cut(&r->d.path, before);
    *out_items = items;
    return result;
}

static int strs_at(struct reader *r, const struct gr_yaml_node *mapping, const char *key,
                   struct gr_str **out_items, size_t *inout_n)
{
    const struct gr_yaml_node *node = gr_yaml_get(mapping, key);
    size_t before = gr_field_path_key(&r->d.path, gr_str_from(key));
    int result = 0;

    if (node && node->kind == GR_YAML_LIST) {
        for (node = node->first; node && result == 0; node = node->next)
            result = text_of(r, node, &(*out_items)[(*inout_n)++]);
    }
    gr_field_path_cut(&r->d.path, before);
    return result;
}

/* ---- what is made up ---- */

static struct gr_str join(struct gr_arena *arena, const char *const *parts)
{
    struct gr_str joined = GR_STR_NONE;
    struct gr_buf buf;

    gr_buf_init(&buf, 1U << 20);
    for (; *parts; parts++)
        (void)gr_buf_text(&buf, *parts);
    if (!buf.broken)
        (void)!gr_arena_str(arena, gr_buf_view(&buf), &joined);
    gr_buf_fini(&buf);
    return joined;
}

/* 64 hexadecimal digits from four hashes over the same text. */
static struct gr_str make_id(struct gr_arena *arena, const char *kind, const struct pod *pod,
                             struct gr_str container)
{
    const char *parts[] = {
        kind, "/", pod->namespace.p, "/", pod->name.p, "/", container.n ? container.p : "", NULL};
    struct gr_str text = join(arena, parts);
    uint64_t hash = GR_HASH_START;
    char id[ID_BYTES + 1];

    for (size_t i = 0; i < 4; i++) {
        hash = gr_hash_more(gr_hash_more(hash, text), GR_STR("."));
        (void)snprintf(id + 16 * i, 17, "%016llx", (unsigned long long)hash);
    }
    return (struct gr_str){.p = gr_arena_copy(arena, gr_str_from(id)), .n = ID_BYTES};
}

static struct gr_str make_uid(struct gr_arena *arena, const struct pod *pod)
{
    struct gr_str id = make_id(arena, "uid", pod, GR_STR_NONE);
    char uid[40];

    if (!id.p)
        return id;
    (void)snprintf(uid, sizeof(uid), "%.8s-%.4s-4%.3s-8%.3s-%.12s", id.p, id.p + 8, id.p + 12,
                   id.p + 15, id.p + 18);
    return (struct gr_str){.p = gr_arena_copy(arena, gr_str_from(uid)), .n = strlen(uid)};
}

static struct gr_kv kv(const char *key, struct gr_str value)
{
    return (struct gr_kv){.key = gr_str_from(key), .value = value};
}

/* What kubelet adds to a container's labels. */
static int add_labels(struct reader *r, const struct pod *pod, struct gr_sim_container *c)
{
    const struct gr_kv labels[] = {
        kv("io.kubernetes.container.name", c->subject.name),
        kv("io.kubernetes.pod.name", pod->name),
        kv("io.kubernetes.pod.namespace", pod->namespace),
        kv("io.kubernetes.pod.uid", pod->uid),
    };
    struct gr_kv *items = gr_arena_alloc(&r->sim->arena, sizeof(labels));

    if (!items)
        return -ENOMEM;
    memcpy(items, labels, sizeof(labels));
    c->subject.container_labels = (struct gr_kvs){.items = items, .n = GR_ARRAY_LEN(labels)};
    return 0;
}

/* What containerd writes into config.json, and behind it what kubelet adds for the runtime only. */
static int add_annotations(struct reader *r, const struct pod *pod, struct gr_sim_container *c)
{
    const struct gr_kv annotations[] = {
        kv("io.kubernetes.cri.container-name", c->subject.name),
        kv("io.kubernetes.cri.container-type", GR_STR("container")),
        kv("io.kubernetes.cri.image-name", c->image),
        kv("io.kubernetes.cri.sandbox-id", pod->sandbox_id),
        kv("io.kubernetes.cri.sandbox-name", pod->name),
        kv("io.kubernetes.cri.sandbox-namespace", pod->namespace),
        kv("io.kubernetes.cri.sandbox-uid", pod->uid),
        kv("io.kubernetes.container.restartCount", GR_STR("0")),
        kv("io.kubernetes.container.terminationMessagePath", GR_STR("/dev/termination-log")),
        kv("io.kubernetes.container.terminationMessagePolicy", GR_STR("File")),
        kv("io.kubernetes.pod.terminationGracePeriod", GR_STR("30")),
    };
    struct gr_kv *items = gr_arena_alloc(&r->sim->arena, sizeof(annotations));

    if (!items)
        return -ENOMEM;
    memcpy(items, annotations, sizeof(annotations));
    c->spec_annotations = (struct gr_kvs){.items = items, .n = 7};
    c->subject.container_annotations =
        (struct gr_kvs){.items = items, .n = GR_ARRAY_LEN(annotations)};
    return 0;
}

/* ---- containers ---- */

static int read_args(struct reader *r, const struct gr_yaml_node *node, struct gr_sim_container *c)
{
    const struct gr_yaml_node *command = gr_yaml_get(node, "command");
    const struct gr_yaml_node *args = gr_yaml_get(node, "args");
    size_t most = (command ? command->n : 0) + (args ? args->n : 0);
    struct gr_str *items = gr_arena_array(&r->sim->arena, most, sizeof(*items));
    size_t n = 0;
    int result = items ? 0 : -ENOMEM;

    if (result == 0)
        result = strs_at(r, node, "command", &items, &n);
    if (result == 0)
        result = strs_at(r, node, "args", &items, &n);
    c->subject.args = (struct gr_strs){.items = items, .n = n};
    return result;
}

/* Only entries with a value of their own: others come from the cluster. */
static int read_env(struct reader *r, const struct gr_yaml_node *node, struct gr_sim_container *c)
{
    const struct gr_yaml_node *env = gr_yaml_get(node, "env");
    struct gr_str *items = gr_arena_array(&r->sim->arena, env ? env->n : 0, sizeof(*items));
    size_t n = 0;

    if (!items)
        return -ENOMEM;
    for (env = env ? env->first : NULL; env; env = env->next) {
        struct gr_str name = GR_STR_NONE, value = GR_STR_NONE;
        const char *parts[] = {NULL, "=", NULL, NULL};
        int result = text_at(r, env, "name", &name);

        if (result == 0)
            result = text_at(r, env, "value", &value);
        if (result)
            return result;
        if (name.n == 0 || !gr_yaml_get(env, "value"))
            continue;
        parts[0] = name.p;
        parts[2] = value.n ? value.p : "";
        items[n++] = join(&r->sim->arena, parts);
    }
    c->env = (struct gr_strs){.items = items, .n = n};
    return 0;
}

/* Room for one more, which counts once it is filled. */
static struct gr_sim_container *next_container(struct reader *r)
{
    struct gr_sim *sim = r->sim;

    if (sim->containers_n == r->cap) {
        size_t cap = GR_MAX(r->cap * 2, (size_t)16);
        struct gr_sim_container *more = gr_arena_array(&sim->arena, cap, sizeof(*more));

        if (!more)
            return NULL;
        if (sim->containers_n)
            memcpy(more, sim->containers, sim->containers_n * sizeof(*more));
        sim->containers = more;
        r->cap = cap;
    }
    return &sim->containers[sim->containers_n];
}

static int check_unique(struct reader *r, const struct gr_yaml_node *node, const struct pod *pod,
                        struct gr_str id)
{
    for (size_t i = 0; i < r->sim->containers_n; i++) {
        const struct gr_subject *other = &r->sim->containers[i].subject;

        if (gr_str_eq(other->id, id))
            return gr_decode_refuse(&r->d, node->at, "duplicate-container",
                                    "expected each container once, found \"%.*s\" of pod "
                                    "%.*s/%.*s a second time; give it or its pod another name",
                                    GR_STR_FMT(other->name), GR_STR_FMT(pod->namespace),
                                    GR_STR_FMT(pod->name));
    }
    return 0;
}

static int read_container(struct reader *r, const struct gr_yaml_node *node, const struct pod *pod,
                          bool init)
{
    struct gr_sim_container *c = next_container(r);
    struct gr_subject *s;
    int result;

    if (!c)
        return -ENOMEM;
    *c = (struct gr_sim_container){.init = init};
    s = &c->subject;
    result = needed_text_at(r, node, "name", "app", &s->name);
    if (result == 0)
        result = needed_text_at(r, node, "image", "nginx:1.27", &c->image);
    if (result == 0)
        result = read_args(r, node, c);
    if (result == 0)
        result = read_env(r, node, c);
    if (result)
        return result;
    s->id = make_id(&r->sim->arena, "container", pod, s->name);
    s->pod_name = pod->name;
    s->pod_namespace = pod->namespace;
    s->pod_uid = pod->uid;
    s->runtime_handler = pod->handler;
    s->runtime = GR_STR(GR_SIM_RUNTIME_NAME);
    s->pod_labels = pod->labels;
    s->pod_annotations = pod->annotations;
    if (!s->id.p || add_labels(r, pod, c) || add_annotations(r, pod, c))
        return -ENOMEM;
    result = check_unique(r, node, pod, s->id);
    if (result == 0)
        r->sim->containers_n++;
    return result;
}

static int read_containers(struct reader *r, const struct gr_yaml_node *spec, const char *key,
                           const struct pod *pod)
{
    const struct gr_yaml_node *list = gr_yaml_get(spec, key);
    size_t before = gr_field_path_key(&r->d.path, gr_str_from(key));
    size_t index = 0;
    int result = 0;

    if (list && list->kind == GR_YAML_LIST) {
        for (list = list->first; list && result >= 0; list = list->next) {
            size_t at = gr_field_path_index(&r->d.path, index++);

            result = read_container(r, list, pod, key[0] == 'i');
            gr_field_path_cut(&r->d.path, at);
        }
    }
    gr_field_path_cut(&r->d.path, before);
    return result < 0 ? result : 0;
}

/* ---- pods ---- */

static int read_metadata(struct reader *r, const struct gr_yaml_node *root, struct pod *pod)
{
    const struct gr_yaml_node *metadata = gr_yaml_get(root, "metadata");
    struct gr_kv *labels, *annotations;
    int result;

    if (!metadata)
        return gr_decode_refuse(&r->d, root->at, "missing-key",
                                "expected the key \"metadata\" with the pod's name");
    pod->namespace = GR_STR("default");
    result = needed_text_at(r, metadata, "name", "web", &pod->name);
    if (result == 0)
        result = text_at(r, metadata, "namespace", &pod->namespace);
    if (result == 0)
        result = text_at(r, metadata, "uid", &pod->uid);
    if (result == 0)
        result = map_at(r, metadata, "labels", 3, &labels, &pod->labels.n);
    if (result == 0)
        result = map_at(r, metadata, "annotations", 1, &annotations, &pod->annotations.n);
    if (result)
        return result;
    if (pod->uid.n == 0)
        pod->uid = make_uid(&r->sim->arena, pod);
    pod->sandbox_id = make_id(&r->sim->arena, "sandbox", pod, GR_STR_NONE);
    labels[pod->labels.n++] = kv("io.kubernetes.pod.name", pod->name);
    labels[pod->labels.n++] = kv("io.kubernetes.pod.namespace", pod->namespace);
    labels[pod->labels.n++] = kv("io.kubernetes.pod.uid", pod->uid);
    annotations[pod->annotations.n++] = kv("kubernetes.io/config.source", GR_STR("api"));
    pod->labels.items = labels;
    pod->annotations.items = annotations;
    return pod->uid.p && pod->sandbox_id.p ? 0 : -ENOMEM;
}

static int read_pod(struct reader *r, const struct gr_yaml_node *root)
{
    const struct gr_yaml_node *spec = gr_yaml_get(root, "spec");
    struct pod pod = {0};
    size_t before = gr_field_path_key(&r->d.path, GR_STR("metadata"));
    int result = read_metadata(r, root, &pod);

    gr_field_path_cut(&r->d.path, before);
    if (result)
        return result;
    r->pods++;
    if (!gr_yaml_get(spec, "containers"))
        return gr_decode_refuse(&r->d, spec ? spec->at : root->at, "missing-key",
                                "expected spec.containers with at least one container");
    before = gr_field_path_key(&r->d.path, GR_STR("spec"));
    result = text_at(r, spec, "runtimeClassName", &pod.handler);
    if (result == 0)
        result = read_containers(r, spec, "initContainers", &pod);
    if (result == 0)
        result = read_containers(r, spec, "containers", &pod);
    gr_field_path_cut(&r->d.path, before);
    return result;
}

static int read_object(struct reader *r, const struct gr_yaml_node *root)
{
    const struct gr_yaml_node *kind = gr_yaml_get(root, "kind");
    int result = 0;

    if (root->kind == GR_YAML_BAD)
        return 0;
    if (!kind)
        return gr_decode_refuse(&r->d, root->at, "missing-key",
                                "expected a Kubernetes object with kind: Pod");
    if (gr_str_is(kind->text, "Pod"))
        return read_pod(r, root);
    if (gr_str_is(kind->text, LIST) && gr_yaml_get(root, "items")) {
        const struct gr_yaml_node *item = gr_yaml_get(root, "items")->first;

        for (; item && result >= 0; item = item->next)
            result = read_object(r, item);
        return result;
    }
    (void)fprintf(stderr, "%s:%u: kind \"%.*s\" is passed over, only pods are simulated\n", r->file,
                  kind->at.line, GR_STR_FMT(kind->text));
    return 0;
}

static int read_documents(struct reader *r, struct gr_yaml *yaml)
{
    struct gr_yaml_document document;
    int result;

    while ((result = gr_yaml_next(yaml, &r->sim->arena, &document)) == 0) {
        if (!document.root || document.bad)
            continue;
        result = read_object(r, document.root);
        if (result < 0)
            return result;
    }
    return result == GR_YAML_END ? 0 : result;
}

static int read_file(struct gr_sim *sim, struct reader *r, const char *path)
{
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_findings findings = {.reporter = &reporter};
    struct gr_yaml *yaml = NULL;
    struct gr_str text;
    int result = gr_sim_read(&sim->arena, path, GR_YAML_FILE_MAX_BYTES, &text);

    if (result != GR_EXIT_OK)
        return result;
    r->file = strcmp(path, "-") == 0 ? "<stdin>" : path;
    r->pods = 0;
    findings.file = r->file;
    r->d = (struct gr_decoder){.arena = &sim->arena, .findings = &findings};
    result = gr_yaml_new(text, &findings, &yaml);
    if (result == 0)
        result = read_documents(r, yaml);
    gr_yaml_free(yaml);
    if (result < 0)
        return gr_sim_no_memory();
    if (printed.errors > 0)
        return GR_EXIT_FAILED;
    if (r->pods > 0)
        return GR_EXIT_OK;
    (void)fprintf(stderr, "grapnel simulate: %s holds no pod; expected an object of kind: Pod\n",
                  r->file);
    return GR_EXIT_FAILED;
}

int gr_sim_read_pods(struct gr_sim *sim)
{
    struct reader r = {.sim = sim};

    for (size_t i = 0; i < sim->options.pods_n; i++) {
        int result = read_file(sim, &r, sim->options.pods[i]);

        if (result != GR_EXIT_OK)
            return result;
    }
    return GR_EXIT_OK;
}
