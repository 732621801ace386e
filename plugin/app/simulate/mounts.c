/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a container as containerd (2.x) tells them: those that every container of a pod
 * has, in its order and with its options, and the volumes of the manifest, whose sources kubelet
 * chooses.
 */
#include <errno.h>
#include <stdio.h>

#include "app/simulate/simulate.h"
#include "oci/pod.h"

#define KUBELET_PODS "/var/lib/kubelet/pods/"
#define SANDBOX_FILES "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/"
#define SANDBOX_STATE "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/"
#define TOKEN "/var/run/secrets/kubernetes.io/serviceaccount"

/* What is made for each container alone: its source has the type's name. */
static const struct {
    const char *destination, *type, *options;
} specials[] = {
    {"/proc", "proc", "nosuid,noexec,nodev"},
    {"/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
    {"/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"/dev/mqueue", "mqueue", "nosuid,noexec,nodev"},
    {"/sys", "sysfs", "nosuid,noexec,nodev,ro"},
    {"/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
};

/* Where kubelet keeps the volumes of a kind; behind it comes the volume's name. Kinds that are not
 * here have a driver (persistentVolumeClaim, csi, ephemeral). */
static const struct {
    const char *kind, *folder;
} plugins[] = {
    {"emptyDir", "kubernetes.io~empty-dir/"},
    {"configMap", "kubernetes.io~configmap/"},
    {"secret", "kubernetes.io~secret/"},
    {"projected", "kubernetes.io~projected/"},
    {"downwardAPI", "kubernetes.io~downward-api/"},
    {"nfs", "kubernetes.io~nfs/"},
};

/* Mounts that are being made; the array has room for all. */
struct making {
    struct gr_arena *arena;
    const struct gr_sim_pod *pod;
    struct gr_mount *items;
    size_t n;
    bool no_memory;
};

static struct gr_strs split(struct making *m, const char *options)
{
    struct gr_str rest = gr_str_from(options);
    struct gr_str *items;
    size_t n = 1;

    for (size_t i = 0; i < rest.n; i++)
        n += rest.p[i] == ',';
    items = gr_arena_array(m->arena, n, sizeof(*items));
    m->no_memory |= !items;
    if (!items)
        return (struct gr_strs){0};
    for (size_t i = 0; i < n; i++) {
        items[i] = gr_str_first(rest, gr_str_find(rest, ','));
        rest = gr_str_skip(rest, items[i].n + 1);
    }
    return (struct gr_strs){.items = items, .n = n};
}

static void add_bind(struct making *m, struct gr_str destination, const char *const *source,
                     bool read_only)
{
    struct gr_mount *mount = &m->items[m->n++];

    *mount = (struct gr_mount){
        .destination = destination,
        .source = gr_sim_join(m->arena, source),
        .type = GR_STR("bind"),
        .options = split(m, read_only ? "rbind,rprivate,ro" : "rbind,rprivate,rw"),
    };
    m->no_memory |= !mount->source.p;
}

static void add_specials(struct making *m)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(specials); i++)
        m->items[m->n++] = (struct gr_mount){.destination = gr_str_from(specials[i].destination),
                                             .source = gr_str_from(specials[i].type),
                                             .type = gr_str_from(specials[i].type),
                                             .options = split(m, specials[i].options)};
}

#define STANDARD_BINDS 6

/* Bound into every container of a pod. */
static void add_standard(struct making *m, const struct gr_sim_container *c)
{
    const char *uid = m->pod->uid.p;
    const char *sandbox = m->pod->sandbox_id.p;
    char eight[9];

    (void)snprintf(eight, sizeof(eight), "%.8s", c->subject.id.p);
    add_bind(m, GR_STR("/etc/hosts"), (const char *[]){KUBELET_PODS, uid, "/etc-hosts", NULL},
             false);
    add_bind(
        m, GR_STR("/dev/termination-log"),
        (const char *[]){KUBELET_PODS, uid, "/containers/", c->subject.name.p, "/", eight, NULL},
        false);
    add_bind(m, GR_STR("/etc/hostname"),
             (const char *[]){SANDBOX_FILES, sandbox, "/hostname", NULL}, false);
    add_bind(m, GR_STR("/etc/resolv.conf"),
             (const char *[]){SANDBOX_FILES, sandbox, "/resolv.conf", NULL}, false);
    add_bind(m, GR_STR("/dev/shm"), (const char *[]){SANDBOX_STATE, sandbox, "/shm", NULL}, false);
    add_bind(m, GR_STR(TOKEN),
             (const char *[]){KUBELET_PODS, uid, "/volumes/kubernetes.io~projected/kube-api-access",
                              NULL},
             true);
}

static const struct gr_pod_volume *find_volume(const struct gr_pod *manifest, struct gr_str name)
{
    for (size_t i = 0; i < manifest->volumes_n; i++) {
        if (gr_str_eq(manifest->volumes[i].name, name))
            return &manifest->volumes[i];
    }
    return NULL;
}

static const char *folder_of(const struct gr_pod_volume *volume)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(plugins); i++) {
        if (gr_str_is(volume->kind, plugins[i].kind))
            return plugins[i].folder;
    }
    return NULL;
}

/* number: which of the container's mounts it is. */
static void add_volume(struct making *m, const struct gr_pod_volume *volume,
                       const struct gr_pod_mount *mount, const struct gr_sim_container *c,
                       size_t number)
{
    const char *uid = m->pod->uid.p;
    const char *folder = folder_of(volume);
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%zu", number);
    if (mount->sub_path.n > 0)
        add_bind(m, mount->path,
                 (const char *[]){KUBELET_PODS, uid, "/volume-subpaths/", volume->name.p, "/",
                                  c->subject.name.p, "/", digits, NULL},
                 mount->read_only);
    else if (volume->host_path.n > 0)
        add_bind(m, mount->path, (const char *[]){volume->host_path.p, NULL}, mount->read_only);
    else if (folder)
        add_bind(m, mount->path,
                 (const char *[]){KUBELET_PODS, uid, "/volumes/", folder, volume->name.p, NULL},
                 mount->read_only);
    else
        add_bind(m, mount->path,
                 (const char *[]){KUBELET_PODS, uid, "/volumes/kubernetes.io~csi/", volume->name.p,
                                  "/mount", NULL},
                 mount->read_only);
}

int gr_sim_make_mounts(struct gr_arena *arena, const struct gr_sim_pod *pod,
                       const struct gr_pod *manifest, const struct gr_pod_container *from,
                       struct gr_sim_container *c, const struct gr_pod_mount **out_missing)
{
    struct making m = {.arena = arena, .pod = pod};

    *out_missing = NULL;
    m.items = gr_arena_array(arena, GR_ARRAY_LEN(specials) + STANDARD_BINDS + from->mounts_n,
                             sizeof(*m.items));
    if (!m.items)
        return -ENOMEM;
    add_specials(&m);
    for (size_t i = 0; i < from->mounts_n; i++) {
        const struct gr_pod_volume *volume = find_volume(manifest, from->mounts[i].volume);

        if (!volume) {
            *out_missing = &from->mounts[i];
            return 0;
        }
        add_volume(&m, volume, &from->mounts[i], c, i);
    }
    add_standard(&m, c);
    if (m.no_memory)
        return -ENOMEM;
    c->subject.mounts = m.items;
    c->subject.mounts_n = m.n;
    return 0;
}
