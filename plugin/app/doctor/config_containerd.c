/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/config_containerd: config.toml of versions 1 to 3 and later, and what it imports.
 *
 * Layer: app. As containerd's server/config does it: files in the order in which they are imported,
 * each once. Of containerd 2 a later file replaces single keys; of containerd 1 the whole table of
 * a plugin.
 */
#include <errno.h>

#include "app/doctor/doctor.h"

#define CONFIG_PATH "/etc/containerd/config.toml"
/* Of containerd 2.2 and later, where there is no config.toml. */
#define DROP_IN_PATTERN "/etc/containerd/conf.d/*.toml"

#define NRI_ID "io.containerd.nri.v1.nri"

/* disabled_plugins and the tables of plugins have short names in version 1. */
static bool names(struct gr_str id, const char *name)
{
    const char *dot = strrchr(name, '.');

    return gr_str_is(id, name) || gr_str_is(id, dot + 1);
}

static void read_disabled(struct gr_doctor *d, const struct gr_runtime_file *file)
{
    static const char *const cri[] = {"io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"};
    struct gr_runtime_config *config = &d->runtime.config;
    const struct gr_toml_node *list = gr_toml_get(file->root, "disabled_plugins");

    if (!list || list->kind != GR_TOML_LIST)
        return;
    for (const struct gr_toml_node *item = list->first; item; item = item->next) {
        struct gr_runtime_setting here = {
            .has = true, .is_true = true, .file = file->path, .line = item->line};

        if (item->kind != GR_TOML_TEXT)
            continue;
        if (names(item->text, NRI_ID))
            config->nri_disabled = here;
        if (names(item->text, cri[0]) || gr_str_is(item->text, cri[1]))
            config->cri_disabled = here;
    }
}

static void read_validator(struct gr_doctor *d, const struct gr_toml_node *table,
                           const struct gr_runtime_file *file)
{
    struct gr_runtime_config *c = &d->runtime.config;

    gr_runtime_set(d, &c->validator, GR_TOML_BOOLEAN, gr_toml_get(table, "enable"), file);
    gr_runtime_set(d, &c->reject_hooks, GR_TOML_BOOLEAN,
                   gr_toml_get(table, "reject_oci_hook_adjustment"), file);
    gr_runtime_set(d, &c->required_plugins, GR_TOML_LIST, gr_toml_get(table, "required_plugins"),
                   file);
}

static void forget(struct gr_runtime_config *c)
{
    static const struct gr_runtime_setting none;

    c->on = c->no_connections = c->socket = c->plugin_dir = c->config_dir = none;
    c->validator = c->reject_hooks = c->required_plugins = none;
}

static void read_nri(struct gr_doctor *d, const struct gr_runtime_file *file)
{
    struct gr_runtime_config *c = &d->runtime.config;
    const struct gr_toml_node *plugins = gr_toml_get(file->root, "plugins");
    const struct gr_toml_node *table = gr_toml_get(plugins, NRI_ID);
    struct gr_runtime_setting off = {0};

    if (!table && c->version < 2)
        table = gr_toml_get(plugins, "nri");
    if (!table)
        return;
    if (gr_release_before(d->runtime.release, 2, 0, 0))
        forget(c);
    gr_runtime_set(d, &off, GR_TOML_BOOLEAN, gr_toml_get(table, "disable"), file);
    if (off.has) {
        c->on = off;
        c->on.is_true = !off.is_true;
    }
    gr_runtime_set(d, &c->no_connections, GR_TOML_BOOLEAN,
                   gr_toml_get(table, "disable_connections"), file);
    gr_runtime_set(d, &c->socket, GR_TOML_TEXT, gr_toml_get(table, "socket_path"), file);
    gr_runtime_set(d, &c->plugin_dir, GR_TOML_TEXT, gr_toml_get(table, "plugin_path"), file);
    gr_runtime_set(d, &c->config_dir, GR_TOML_TEXT, gr_toml_get(table, "plugin_config_path"), file);
    read_validator(d, gr_toml_get(table, "default_validator"), file);
}

struct pending {
    const char *paths[GR_RUNTIME_FILES_MAX];
    size_t n, done;
};

static void put(struct gr_doctor *d, struct pending *pending, const char *path)
{
    for (size_t i = 0; i < pending->n; i++) {
        if (strcmp(pending->paths[i], path) == 0)
            return;
    }
    if (pending->n < GR_RUNTIME_FILES_MAX)
        pending->paths[pending->n++] = path;
    else
        d->runtime.config.files_left_out = true;
}

/* Relative ones count from the folder of the file that imports. */
static int put_import(struct gr_doctor *d, struct pending *pending, const char *parent,
                      struct gr_str import)
{
    size_t dir = gr_str_rfind(gr_str_from(parent), '/');
    struct gr_strs paths;
    const char *pattern;
    int r;

    pattern = import.n > 0 && import.p[0] == '/'
                  ? gr_doctor_text(d, "%.*s", GR_STR_FMT(import))
                  : gr_doctor_text(d, "%.*s/%.*s", (int)dir, parent, GR_STR_FMT(import));
    if (!strchr(pattern, '*')) {
        put(d, pending, pattern);
        return 0;
    }
    r = gr_runtime_glob(d, pattern, &paths);
    for (size_t i = 0; i < paths.n && r == 0; i++)
        put(d, pending, paths.items[i].p);
    return r;
}

static int put_imports(struct gr_doctor *d, struct pending *pending,
                       const struct gr_runtime_file *file)
{
    const struct gr_toml_node *list = gr_toml_get(file->root, "imports");
    int r = 0;

    if (!list || list->kind != GR_TOML_LIST)
        return 0;
    for (const struct gr_toml_node *item = list->first; item && r == 0; item = item->next) {
        if (item->kind != GR_TOML_TEXT)
            continue;
        r = put_import(d, pending, file->path, item->text);
    }
    return r;
}

static int version_of(const struct gr_toml_node *root)
{
    const struct gr_toml_node *version = gr_toml_get(root, "version");
    uint64_t number;

    if (!version || version->kind != GR_TOML_INTEGER ||
        gr_str_to_u64(version->text, &number) != 0 || number > 1000)
        return 0;
    return (int)number;
}

static int read_files(struct gr_doctor *d, struct pending *pending)
{
    struct gr_runtime_config *c = &d->runtime.config;

    while (pending->done < pending->n) {
        const char *path = pending->paths[pending->done++];
        int r = gr_runtime_add_file(d, path);
        const struct gr_runtime_file *file;

        if (r == -ENOENT && strcmp(path, c->path) != 0 && c->files_n < GR_RUNTIME_FILES_MAX)
            c->files[c->files_n++] = (struct gr_runtime_file){
                .path = path,
                .broken = "it is imported and not there: containerd does not start without it"};
        if (r == -ENOENT)
            continue;
        if (r != 0)
            return r;
        file = &c->files[c->files_n - 1];
        if (strcmp(path, c->path) == 0)
            c->version = version_of(file->root);
        read_disabled(d, file);
        read_nri(d, file);
        r = put_imports(d, pending, file);
        if (r != 0)
            return r;
    }
    return 0;
}

/* What a containerd without config.toml reads. */
static int read_defaults(struct gr_doctor *d, struct pending *pending)
{
    struct gr_runtime_config *c = &d->runtime.config;
    struct gr_strs paths;
    int r;

    c->version = 3;
    r = gr_runtime_glob(d, DROP_IN_PATTERN, &paths);
    for (size_t i = 0; i < paths.n && r == 0; i++)
        put(d, pending, paths.items[i].p);
    return r == 0 ? read_files(d, pending) : r;
}

int gr_config_read_containerd(struct gr_doctor *d)
{
    struct gr_runtime_config *c = &d->runtime.config;
    const struct gr_release release = d->runtime.release;
    const char *named = NULL;
    struct pending pending = {0};
    int r;

    if (d->runtime.proc)
        named = gr_doctor_arg(d->runtime.proc, "config", 'c');
    c->path = d->runtime_config ? d->runtime_config : named && named[0] ? named : CONFIG_PATH;
    put(d, &pending, c->path);
    r = read_files(d, &pending);
    if (r == 0 && c->files_n == 0 && release.known && !gr_release_before(release, 2, 2, 0))
        r = read_defaults(d, &pending);
    return r;
}
