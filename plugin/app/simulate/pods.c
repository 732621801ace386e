/* SPDX-License-Identifier: Apache-2.0 */
/* Pod manifests to containers. */
#include <errno.h>
#include <string.h>

#include "app/simulate/simulate.h"
#include "app/exit.h"
#include "oci/pod.h"
#include "rules/limits.h"

/* A List holds the objects of kubectl get -o yaml; Lists do not nest. */
#define LIST "List"

struct reader {
    struct gr_sim *sim;
    const char *file;
    struct gr_decoder d;
    size_t cap;  /* of sim->containers */
    size_t pods; /* in this file */
};

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

static int check_unique(struct reader *r, struct gr_place at, const struct gr_sim_pod *pod,
                        struct gr_str id)
{
    for (size_t i = 0; i < r->sim->containers_n; i++) {
        const struct gr_subject *other = &r->sim->containers[i].subject;

        if (gr_str_eq(other->id, id))
            return gr_decode_refuse(&r->d, at, "duplicate-container",
                                    "expected each container once, found \"%.*s\" of pod "
                                    "%.*s/%.*s a second time; give it or its pod another name",
                                    GR_STR_FMT(other->name), GR_STR_FMT(pod->namespace),
                                    GR_STR_FMT(pod->name));
    }
    return 0;
}

/* Both lists in one. */
static int join_args(struct reader *r, const struct gr_pod_container *from, struct gr_strs *out)
{
    size_t n = from->command.n + from->args.n;
    struct gr_str *items = gr_arena_array(&r->sim->arena, n, sizeof(*items));

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] =
            i < from->command.n ? from->command.items[i] : from->args.items[i - from->command.n];
    *out = (struct gr_strs){.items = items, .n = n};
    return 0;
}

static int add_mounts(struct reader *r, const struct gr_sim_pod *pod, const struct gr_pod *manifest,
                      const struct gr_pod_container *from, struct gr_sim_container *c)
{
    const struct gr_pod_mount *missing;
    int result = gr_sim_make_mounts(&r->sim->arena, pod, manifest, from, c, &missing);

    if (result || !missing)
        return result;
    return gr_decode_refuse(&r->d, missing->at, "missing-key",
                            "expected a volume \"%.*s\" below spec.volumes, which this container "
                            "mounts at %.*s",
                            GR_STR_FMT(missing->volume), GR_STR_FMT(missing->path));
}

static int add_container(struct reader *r, const struct gr_sim_pod *pod,
                         const struct gr_pod *manifest, const struct gr_pod_container *from)
{
    struct gr_sim_container *c = next_container(r);
    int result;

    if (!c)
        return -ENOMEM;
    *c = (struct gr_sim_container){.init = from->role == GR_POD_INIT, .image = from->image};
    c->subject.name = from->name;
    c->subject.env = from->env;
    if (join_args(r, from, &c->subject.args) || gr_sim_complete_container(&r->sim->arena, pod, c))
        return -ENOMEM;
    result = add_mounts(r, pod, manifest, from, c);
    if (result == 0)
        result = check_unique(r, from->at, pod, c->subject.id);
    if (result == 0)
        r->sim->containers_n++;
    return result;
}

/* Ephemeral containers come later, if at all. */
static int read_pod(struct reader *r, const struct gr_yaml_node *root)
{
    struct gr_pod from;
    struct gr_sim_pod pod;
    int result = gr_pod_read(&r->d, root, &from);

    if (result)
        return result;
    r->pods++;
    pod = (struct gr_sim_pod){.name = from.name,
                              .namespace = from.namespace.n ? from.namespace : GR_STR("default"),
                              .uid = from.uid,
                              .handler = from.runtime_class,
                              .labels = from.labels,
                              .annotations = from.annotations};
    if (gr_sim_complete_pod(&r->sim->arena, &pod))
        return -ENOMEM;
    for (size_t i = 0; i < from.n && result >= 0; i++) {
        if (from.containers[i].role != GR_POD_EPHEMERAL)
            result = add_container(r, &pod, &from, &from.containers[i]);
    }
    return result < 0 ? result : 0;
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
