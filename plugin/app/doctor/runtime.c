/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/runtime.h"

#include <errno.h>
#include <unistd.h>

#include "app/doctor/doctor.h"
#include "app/doctor/gobuild.h"

/* Where programs lie that do not run now. */
static const struct {
    enum gr_runtime_kind kind;
    const char *path;
} binaries[] = {
    {GR_RUNTIME_CRIO, "/usr/bin/crio"},
    {GR_RUNTIME_CRIO, "/usr/local/bin/crio"},
    {GR_RUNTIME_CONTAINERD, "/usr/bin/containerd"},
    {GR_RUNTIME_CONTAINERD, "/usr/local/bin/containerd"},
    {GR_RUNTIME_CONTAINERD, "/var/lib/rancher/k3s/data/current/bin/containerd"},
    {GR_RUNTIME_CONTAINERD, "/var/lib/rancher/rke2/bin/containerd"},
    {GR_RUNTIME_DOCKER, "/usr/bin/dockerd"},
    {GR_RUNTIME_PODMAN, "/usr/bin/podman"},
};

static const struct {
    enum gr_runtime_kind kind;
    const char *path;
} configurations[] = {
    {GR_RUNTIME_CRIO, "/etc/crio/crio.conf"},
    {GR_RUNTIME_CRIO, "/etc/crio/crio.conf.d"},
    {GR_RUNTIME_CONTAINERD, "/etc/containerd/config.toml"},
};

static const char *find_binary(struct gr_doctor *d, enum gr_runtime_kind kind)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(binaries); i++) {
        if (binaries[i].kind == kind && gr_doctor_exists(d->host, binaries[i].path))
            return binaries[i].path;
    }
    return NULL;
}

static bool has_config(struct gr_doctor *d, enum gr_runtime_kind kind)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(configurations); i++) {
        if (configurations[i].kind == kind && gr_doctor_exists(d->host, configurations[i].path))
            return true;
    }
    return false;
}

/* The containerd that dockerd starts for itself has no CRI and is none of ours. A process in a
 * container may call itself as it likes, but it is never a child of the host's first one. */
static const struct gr_doctor_proc *find_proc(const struct gr_doctor *d, enum gr_runtime_kind kind)
{
    enum gr_doctor_program program =
        kind == GR_RUNTIME_CRIO ? GR_PROGRAM_CRIO : GR_PROGRAM_CONTAINERD;

    if (kind != GR_RUNTIME_CRIO && kind != GR_RUNTIME_CONTAINERD)
        return kind == GR_RUNTIME_DOCKER ? gr_doctor_find_proc(d, GR_PROGRAM_DOCKERD) : NULL;
    for (size_t i = 0; i < 2 * d->procs.n; i++) {
        const struct gr_doctor_proc *proc = &d->procs.items[i % d->procs.n];
        const char *config = gr_doctor_arg(proc, "config", 'c');

        if (proc->program == program && (proc->parent == 1 || i >= d->procs.n) &&
            !(config && strstr(config, "/docker/")))
            return proc;
    }
    return NULL;
}

/* The one that a plugin of ours is connected to. */
static enum gr_runtime_kind told_kind(const struct gr_doctor *d)
{
    const json_t *told = json_object_get(d->plugin.status, "connection");
    const char *name = json_string_value(json_object_get(told, "runtime"));

    if (!name)
        return GR_RUNTIME_NONE;
    return strcmp(name, "containerd") == 0 ? GR_RUNTIME_CONTAINERD
           : strcmp(name, "cri-o") == 0    ? GR_RUNTIME_CRIO
                                           : GR_RUNTIME_NONE;
}

/* The one that the plugin has; one that runs comes before one that is only there, CRI runtimes
 * before engines. */
static void choose(struct gr_doctor *d)
{
    static const enum gr_runtime_kind order[] = {GR_RUNTIME_CRIO, GR_RUNTIME_CONTAINERD,
                                                 GR_RUNTIME_DOCKER, GR_RUNTIME_PODMAN};
    struct gr_runtime *r = &d->runtime;

    r->kind = d->wanted ? d->wanted : told_kind(d);
    r->told = r->kind != GR_RUNTIME_NONE && r->kind == told_kind(d);
    for (size_t i = 0; i < 2 && r->kind == GR_RUNTIME_NONE; i++) {
        if (find_proc(d, order[i]))
            r->kind = order[i];
    }
    for (size_t i = 0; i < GR_ARRAY_LEN(order) && r->kind == GR_RUNTIME_NONE; i++) {
        if (find_binary(d, order[i]) || has_config(d, order[i]))
            r->kind = order[i];
    }
    r->proc = find_proc(d, r->kind);
    r->binary = r->proc && r->proc->exe ? r->proc->exe : find_binary(d, r->kind);
    r->installed = r->proc || r->binary || has_config(d, r->kind);
}

/* A build that does not name its release still names its NRI, and containerd 2 itself: the earliest
 * release that has both. */
static void guess_release(struct gr_runtime *r, bool is_v2)
{
    const struct gr_compat *found = NULL;

    for (size_t i = 0; i < gr_compat_rows_n && r->nri.known; i++) {
        const struct gr_compat *row = &gr_compat_rows[i];

        if (row->runtime != r->kind || gr_release_cmp(row->nri, r->nri) != 0 ||
            (r->kind == GR_RUNTIME_CONTAINERD && is_v2 != (row->first.major >= 2)))
            continue;
        if (found && found->on != row->on)
            return; /* they differ in what matters */
        if (!found)
            found = row;
    }
    if (found)
        r->release = found->first;
    else if (is_v2)
        r->release = (struct gr_release){true, 2, 0, 0};
}

static void read_binary(struct gr_doctor *d)
{
    struct gr_runtime *r = &d->runtime;
    struct gr_gobuild build;
    int fd = r->binary ? gr_doctor_open_read(d->host, r->binary) : -ENOENT;
    int rc = fd < 0 ? fd : gr_gobuild_read(fd, &d->arena, &build);

    if (fd >= 0)
        (void)close(fd);
    if (rc != 0)
        return;
    r->nri = gr_release_parse(build.nri);
    r->release = gr_release_parse(build.version);
    if (!r->release.known) {
        guess_release(r, gr_str_has_suffix(build.module, GR_STR("/v2")));
        return;
    }
    r->version = gr_doctor_text(d, "%.*s", GR_STR_FMT(build.version));
    r->version_from = gr_doctor_text(d, "the build record in %s", r->binary);
}

/* What the runtime told the plugin in Configure comes before what lies on the disk. */
static void ask_plugin(struct gr_doctor *d)
{
    struct gr_runtime *r = &d->runtime;
    const json_t *told = json_object_get(d->plugin.status, "connection");
    const char *version = json_string_value(json_object_get(told, "runtimeVersion"));
    const char *nri = json_string_value(json_object_get(told, "nri"));

    if (!r->told || !version || !gr_release_parse(gr_str_from(version)).known)
        return;
    r->release = gr_release_parse(gr_str_from(version));
    r->version = gr_doctor_text(d, "%s", version);
    r->version_from = "what the runtime told the plugin";
    if (nri && gr_release_parse(gr_str_from(nri)).known)
        r->nri = gr_release_parse(gr_str_from(nri));
}

static const char *text_or(const struct gr_runtime_setting *setting, const char *otherwise)
{
    return setting->has && setting->text && setting->text[0] ? setting->text : otherwise;
}

static void resolve(struct gr_runtime *r)
{
    const struct gr_runtime_config *c = &r->config;
    enum gr_default by_default = gr_compat_default(r->kind, r->release, r->nri);

    r->nri_on = c->on.has ? c->on.is_true : by_default != GR_DEFAULT_OFF;
    r->nri_unsure = !c->on.has && by_default == GR_DEFAULT_UNKNOWN;
    if (c->nri_disabled.has)
        r->nri_on = r->nri_unsure = false;
    r->socket = text_or(&c->socket, GR_NRI_SOCKET_PATH);
    r->plugin_dir = text_or(&c->plugin_dir, GR_NRI_PLUGIN_DIR);
    r->config_dir = text_or(&c->config_dir, GR_NRI_CONFIG_DIR);
}

int gr_runtime_find(struct gr_doctor *d)
{
    struct gr_runtime *r = &d->runtime;
    int rc = 0;

    choose(d);
    read_binary(d);
    ask_plugin(d);
    if (!r->nri.known && gr_compat_find(r->kind, r->release))
        r->nri = gr_compat_find(r->kind, r->release)->nri;
    if (r->kind == GR_RUNTIME_CONTAINERD)
        rc = gr_config_read_containerd(d);
    else if (r->kind == GR_RUNTIME_CRIO)
        rc = gr_config_read_crio(d);
    resolve(r);
    return rc;
}
