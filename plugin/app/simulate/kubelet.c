/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kubelet and containerd (2.x) add to a pod and its containers on the way to NRI. Ids are made
 * from the names, so that the same files always give the same result.
 */
#include <errno.h>
#include <string.h>

#include "app/simulate/simulate.h"
#include "base/hash.h"

#define ID_BYTES 64 /* hexadecimal digits, as containerd and CRI-O make them */

struct gr_str gr_sim_join(struct gr_arena *arena, const char *const *parts)
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
static struct gr_str make_id(struct gr_arena *arena, const char *kind, const struct gr_sim_pod *pod,
                             struct gr_str container)
{
    const char *parts[] = {
        kind, "/", pod->namespace.p, "/", pod->name.p, "/", container.n ? container.p : "", NULL};
    struct gr_str text = gr_sim_join(arena, parts);
    uint64_t hash = GR_HASH_START;
    char id[ID_BYTES + 1];

    for (size_t i = 0; i < 4; i++) {
        hash = gr_hash_more(gr_hash_more(hash, text), GR_STR("."));
        (void)snprintf(id + 16 * i, 17, "%016llx", (unsigned long long)hash);
    }
    return (struct gr_str){.p = gr_arena_copy(arena, gr_str_from(id)), .n = ID_BYTES};
}

static struct gr_str make_uid(struct gr_arena *arena, const struct gr_sim_pod *pod)
{
    struct gr_str id = make_id(arena, "uid", pod, GR_STR_NONE);
    char uid[40];

    if (!id.p)
        return id;
    (void)snprintf(uid, sizeof(uid), "%.8s-%.4s-4%.3s-8%.3s-%.12s", id.p, id.p + 8, id.p + 12,
                   id.p + 15, id.p + 18);
    return (struct gr_str){.p = gr_arena_copy(arena, gr_str_from(uid)), .n = strlen(uid)};
}

/* Both in one list, the second behind the first, so that it wins. */
static int join_maps(struct gr_arena *arena, struct gr_kvs first, const struct gr_kv *second,
                     size_t second_n, struct gr_kvs *out)
{
    struct gr_kv *items = gr_arena_array(arena, first.n + second_n, sizeof(*items));

    if (!items)
        return -ENOMEM;
    if (first.n)
        memcpy(items, first.items, first.n * sizeof(*items));
    memcpy(items + first.n, second, second_n * sizeof(*items));
    *out = (struct gr_kvs){.items = items, .n = first.n + second_n};
    return 0;
}

static struct gr_kv kv(const char *key, struct gr_str value)
{
    return (struct gr_kv){.key = gr_str_from(key), .value = value};
}

/* What kubelet adds to labels. */
static int add_pod_labels(struct gr_arena *arena, struct gr_sim_pod *pod)
{
    const struct gr_kv labels[] = {
        kv("io.kubernetes.pod.name", pod->name),
        kv("io.kubernetes.pod.namespace", pod->namespace),
        kv("io.kubernetes.pod.uid", pod->uid),
    };

    return join_maps(arena, pod->labels, labels, GR_ARRAY_LEN(labels), &pod->labels);
}

static int add_labels(struct gr_arena *arena, const struct gr_sim_pod *pod,
                      struct gr_sim_container *c)
{
    const struct gr_kv labels[] = {
        kv("io.kubernetes.container.name", c->subject.name),
        kv("io.kubernetes.pod.name", pod->name),
        kv("io.kubernetes.pod.namespace", pod->namespace),
        kv("io.kubernetes.pod.uid", pod->uid),
    };
    const struct gr_kvs none = {0};

    return join_maps(arena, none, labels, GR_ARRAY_LEN(labels), &c->subject.container_labels);
}

/* The first so many of the following. */
#define SPEC_ANNOTATIONS 7

/* What containerd writes into config.json, and behind it what kubelet adds for the runtime only. */
static int add_annotations(struct gr_arena *arena, const struct gr_sim_pod *pod,
                           struct gr_sim_container *c)
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
    const struct gr_kvs none = {0};
    struct gr_kvs *all = &c->subject.container_annotations;
    int r = join_maps(arena, none, annotations, GR_ARRAY_LEN(annotations), all);

    c->spec_annotations = (struct gr_kvs){.items = all->items, .n = SPEC_ANNOTATIONS};
    return r;
}

int gr_sim_complete_pod(struct gr_arena *arena, struct gr_sim_pod *pod)
{
    const struct gr_kv annotations[] = {kv("kubernetes.io/config.source", GR_STR("api"))};

    if (pod->uid.n == 0)
        pod->uid = make_uid(arena, pod);
    pod->sandbox_id = make_id(arena, "sandbox", pod, GR_STR_NONE);
    if (!pod->uid.p || !pod->sandbox_id.p)
        return -ENOMEM;
    if (add_pod_labels(arena, pod))
        return -ENOMEM;
    return join_maps(arena, pod->annotations, annotations, GR_ARRAY_LEN(annotations),
                     &pod->annotations);
}

int gr_sim_complete_container(struct gr_arena *arena, const struct gr_sim_pod *pod,
                              struct gr_sim_container *c)
{
    struct gr_subject *s = &c->subject;

    s->id = make_id(arena, "container", pod, s->name);
    s->pod_name = pod->name;
    s->pod_namespace = pod->namespace;
    s->pod_uid = pod->uid;
    s->runtime_handler = pod->handler;
    s->runtime = GR_STR(GR_SIM_RUNTIME_NAME);
    s->pod_labels = pod->labels;
    s->pod_annotations = pod->annotations;
    if (!s->id.p || add_labels(arena, pod, c) || add_annotations(arena, pod, c))
        return -ENOMEM;
    return 0;
}
