/* SPDX-License-Identifier: Apache-2.0 */
#include "nri/translate.h"

#include <errno.h>

/* Go's map order is random and a key comes once; a repeated one would count as its last entry. */
#define COPY_MAP(arena, entries, n, out) copy_map((arena), (const void *)(entries), (n), (out))

/* All generated map entries have this shape: a base, then key and value. */
static int copy_map(struct gr_arena *arena, const void *entries, size_t n, struct gr_kvs *out)
{
    Nri__PodSandbox__LabelsEntry *const *from = entries;
    struct gr_kv *items;

    if (n == 0)
        return 0;
    items = gr_arena_array(arena, n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        items[i].key = gr_str_from(from[i]->key);
        items[i].value = gr_str_from(from[i]->value);
    }
    *out = (struct gr_kvs){.items = items, .n = n};
    return 0;
}

_Static_assert(sizeof(Nri__PodSandbox__LabelsEntry) == sizeof(Nri__Container__AnnotationsEntry) &&
                   offsetof(Nri__PodSandbox__LabelsEntry, key) ==
                       offsetof(Nri__Container__AnnotationsEntry, key) &&
                   offsetof(Nri__PodSandbox__LabelsEntry, value) ==
                       offsetof(Nri__Container__AnnotationsEntry, value),
               "map entries of the generated code have one shape");

static int copy_strs(struct gr_arena *arena, char *const *from, size_t n, struct gr_strs *out)
{
    struct gr_str *items;

    if (n == 0)
        return 0;
    items = gr_arena_array(arena, n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = gr_str_from(from[i]);
    *out = (struct gr_strs){.items = items, .n = n};
    return 0;
}

struct hook_lists {
    Nri__Hook *const *items[GR_STAGE_COUNT];
    size_t n[GR_STAGE_COUNT];
};

static struct hook_lists lists_of(const Nri__Hooks *h)
{
    return (struct hook_lists){
        .items = {[GR_STAGE_PRESTART] = h->prestart,
                  [GR_STAGE_CREATE_RUNTIME] = h->create_runtime,
                  [GR_STAGE_CREATE_CONTAINER] = h->create_container,
                  [GR_STAGE_START_CONTAINER] = h->start_container,
                  [GR_STAGE_POSTSTART] = h->poststart,
                  [GR_STAGE_POSTSTOP] = h->poststop},
        .n = {[GR_STAGE_PRESTART] = h->n_prestart,
              [GR_STAGE_CREATE_RUNTIME] = h->n_create_runtime,
              [GR_STAGE_CREATE_CONTAINER] = h->n_create_container,
              [GR_STAGE_START_CONTAINER] = h->n_start_container,
              [GR_STAGE_POSTSTART] = h->n_poststart,
              [GR_STAGE_POSTSTOP] = h->n_poststop},
    };
}

static int copy_hook(struct gr_arena *arena, enum gr_stage stage, const Nri__Hook *from,
                     struct gr_oci_hook *out)
{
    int r;

    out->stage = stage;
    out->path = gr_str_from(from->path);
    out->has_timeout = from->timeout != NULL;
    out->timeout_s = from->timeout ? from->timeout->value : 0;
    r = copy_strs(arena, from->args, from->n_args, &out->args);
    return r ? r : copy_strs(arena, from->env, from->n_env, &out->env);
}

int gr_nri_read_hooks(const Nri__Hooks *from, struct gr_arena *arena,
                      const struct gr_oci_hook **out_hooks, size_t *out_n)
{
    struct hook_lists lists;
    struct gr_oci_hook *hooks;
    size_t n = 0;

    *out_hooks = NULL;
    *out_n = 0;
    if (!from)
        return 0;
    lists = lists_of(from);
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++)
        n += lists.n[stage];
    if (n == 0)
        return 0;
    hooks = gr_arena_array(arena, n, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    *out_hooks = hooks;
    *out_n = n;
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < lists.n[stage]; i++) {
            int r = copy_hook(arena, (enum gr_stage)stage, lists.items[stage][i], hooks++);

            if (r)
                return r;
        }
    }
    return 0;
}

int gr_nri_subject(const Nri__CreateContainerRequest *request, const struct gr_nri_origin *origin,
                   struct gr_arena *arena, struct gr_subject *out_subject, struct gr_err *err)
{
    const Nri__PodSandbox *pod = request->pod;
    const Nri__Container *c = request->container;
    struct gr_subject s = {0};

    if (!pod || !c)
        return gr_fail(err, -EBADMSG, "bad-request", "the CreateContainer request has no %s",
                       pod ? "container" : "pod");
    s.id = gr_str_from(c->id);
    s.name = gr_str_from(c->name);
    s.pod_name = gr_str_from(pod->name);
    s.pod_namespace = gr_str_from(pod->namespace_);
    s.pod_uid = gr_str_from(pod->uid);
    s.runtime_handler = gr_str_from(pod->runtime_handler);
    s.runtime = gr_nri_is_containerd(origin) ? GR_STR("containerd") : origin->runtime_name;
    if (COPY_MAP(arena, pod->labels, pod->n_labels, &s.pod_labels) ||
        COPY_MAP(arena, pod->annotations, pod->n_annotations, &s.pod_annotations) ||
        COPY_MAP(arena, c->labels, c->n_labels, &s.container_labels) ||
        COPY_MAP(arena, c->annotations, c->n_annotations, &s.container_annotations) ||
        copy_strs(arena, c->args, c->n_args, &s.args) ||
        gr_nri_read_hooks(c->hooks, arena, &s.hooks, &s.hooks_n))
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to read the container");
    gr_nri_image(c, s.pod_annotations, s.container_annotations, origin, &s.image);
    *out_subject = s;
    return 0;
}
