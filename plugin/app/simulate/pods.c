/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pod manifests to containers. Only what NRI can see of a pod is read; keys that are not known here
 * are Kubernetes' own affair.
 */
#include <errno.h>
#include <string.h>

#include "app/simulate/simulate.h"
#include "app/exit.h"
#include "rules/limits.h"
#include "rules/strict.h"

/* A List holds the objects of kubectl get -o yaml; Lists do not nest. */
#define LIST "List"

struct reader {
    struct gr_sim *sim;
    const char *file;
    struct gr_decoder d;
    size_t cap;  /* of sim->containers */
    size_t pods; /* in this file */
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

/*
 * The list or mapping under a key; NULL when it is absent, or null, which Kubernetes takes as such.
 * Anything else is refused.
 */
static int collection_at(struct reader *r, const struct gr_yaml_node *mapping, const char *key,
                         enum gr_yaml_kind kind, const struct gr_yaml_node **out_node)
{
    const struct gr_yaml_node *node = gr_yaml_get(mapping, key);

    *out_node = node && node->kind == kind ? node : NULL;
    if (!node || *out_node || node->kind == GR_YAML_BAD ||
        (node->kind == GR_YAML_SCALAR && node->plain &&
         gr_yaml_plain_type(node->text) == GR_YAML_NULL))
        return 0;
    return gr_decode_refuse(&r->d, node->at, "wrong-type", "expected %s as \"%s\", found %s",
                            kind == GR_YAML_LIST ? "a list" : "a mapping", key,
                            gr_decode_describe(node).text);
}

/* A mapping of texts. */
static int map_at(struct reader *r, const struct gr_yaml_node *mapping, const char *key,
                  struct gr_kvs *out)
{
    const struct gr_yaml_node *node;
    size_t before = gr_field_path_key(&r->d.path, gr_str_from(key));
    int result = collection_at(r, mapping, key, GR_YAML_MAPPING, &node);
    size_t n = node ? node->n : 0;
    struct gr_kv *items = gr_arena_array(&r->sim->arena, n, sizeof(*items));

    if (!items)
        result = -ENOMEM;
    *out = (struct gr_kvs){.items = items};
    for (node = node ? node->first : NULL; node && result == 0; node = node->next) {
        result = gr_decode_map_key(&r->d, node, &items[out->n].key);
        if (result == 0)
            result = text_of(r, node, &items[out->n++].value);
    }
    gr_field_path_cut(&r->d.path, before);
    return result;
}

/* Appends a list of texts; items has room for it. */
static int strs_at(struct reader *r, const struct gr_yaml_node *mapping, const char *key,
                   struct gr_str *items, size_t *inout_n)
{
    const struct gr_yaml_node *node;
    size_t before = gr_field_path_key(&r->d.path, gr_str_from(key));
    int result = collection_at(r, mapping, key, GR_YAML_LIST, &node);

    for (node = node ? node->first : NULL; node && result == 0; node = node->next)
        result = text_of(r, node, &items[(*inout_n)++]);
    gr_field_path_cut(&r->d.path, before);
    return result;
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
        result = strs_at(r, node, "command", items, &n);
    if (result == 0)
        result = strs_at(r, node, "args", items, &n);
    c->subject.args = (struct gr_strs){.items = items, .n = n};
    return result;
}

/* Only entries with a value of their own: others come from the cluster. */
static int read_variable(struct reader *r, const struct gr_yaml_node *node, struct gr_str *items,
                         size_t *inout_n)
{
    struct gr_str name = GR_STR_NONE, value = GR_STR_NONE;
    const char *parts[] = {NULL, "=", NULL, NULL};
    int result = text_at(r, node, "name", &name);

    if (result == 0)
        result = text_at(r, node, "value", &value);
    if (result || name.n == 0 || !gr_yaml_get(node, "value"))
        return result;
    parts[0] = name.p;
    parts[2] = value.n ? value.p : "";
    items[*inout_n] = gr_sim_join(&r->sim->arena, parts);
    return items[(*inout_n)++].p ? 0 : -ENOMEM;
}

static int read_env(struct reader *r, const struct gr_yaml_node *node, struct gr_sim_container *c)
{
    const struct gr_yaml_node *env;
    int result = collection_at(r, node, "env", GR_YAML_LIST, &env);
    struct gr_str *items = gr_arena_array(&r->sim->arena, env ? env->n : 0, sizeof(*items));
    size_t n = 0;

    if (!items)
        return -ENOMEM;
    for (env = env ? env->first : NULL; env && result == 0; env = env->next)
        result = read_variable(r, env, items, &n);
    c->subject.env = (struct gr_strs){.items = items, .n = n};
    return result;
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

static int check_unique(struct reader *r, const struct gr_yaml_node *node,
                        const struct gr_sim_pod *pod, struct gr_str id)
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

static int read_container(struct reader *r, const struct gr_yaml_node *node,
                          const struct gr_sim_pod *pod, bool init)
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
    if (gr_sim_complete_container(&r->sim->arena, pod, c))
        return -ENOMEM;
    result = check_unique(r, node, pod, s->id);
    if (result == 0)
        r->sim->containers_n++;
    return result;
}

static int read_containers(struct reader *r, const struct gr_yaml_node *spec, const char *key,
                           const struct gr_sim_pod *pod)
{
    const struct gr_yaml_node *node;
    size_t before = gr_field_path_key(&r->d.path, gr_str_from(key));
    int result = collection_at(r, spec, key, GR_YAML_LIST, &node);
    size_t index = 0;

    for (node = node ? node->first : NULL; node && result >= 0; node = node->next) {
        size_t at = gr_field_path_index(&r->d.path, index++);

        result = read_container(r, node, pod, key[0] == 'i');
        gr_field_path_cut(&r->d.path, at);
    }
    gr_field_path_cut(&r->d.path, before);
    return result < 0 ? result : 0;
}

/* ---- pods ---- */

static int read_metadata(struct reader *r, const struct gr_yaml_node *root, struct gr_sim_pod *pod)
{
    const struct gr_yaml_node *metadata = gr_yaml_get(root, "metadata");
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
        result = map_at(r, metadata, "labels", &pod->labels);
    if (result == 0)
        result = map_at(r, metadata, "annotations", &pod->annotations);
    if (result)
        return result;
    return gr_sim_complete_pod(&r->sim->arena, pod);
}

static int read_pod(struct reader *r, const struct gr_yaml_node *root)
{
    const struct gr_yaml_node *spec = gr_yaml_get(root, "spec");
    struct gr_sim_pod pod = {0};
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
