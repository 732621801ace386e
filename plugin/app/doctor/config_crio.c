/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/config_crio: crio.conf, every file below crio.conf.d, and CRI-O's command line.
 *
 * Layer: app. As CRI-O does it: the drop-ins in the order of their names, folders within them
 * included and whatever their suffix; a later file replaces single keys, lists as a whole; the
 * command line comes last.
 */
#include <errno.h>

#include "app/doctor/doctor.h"

#define CONFIG_PATH "/etc/crio/crio.conf"
#define DROP_IN_DIR "/etc/crio/crio.conf.d"

/* Folders within the folder of drop-ins. No evidence. */
#define DEPTH_MAX 8

static void read_file(struct gr_doctor *d, const struct gr_runtime_file *file)
{
    struct gr_runtime_config *c = &d->runtime.config;
    const struct gr_toml_node *crio = gr_toml_get(file->root, "crio");
    const struct gr_toml_node *nri = gr_toml_get(crio, "nri");
    const struct gr_toml_node *validator = gr_toml_get(nri, "default_validator");

    gr_runtime_set(d, &c->on, GR_TOML_BOOLEAN, gr_toml_get(nri, "enable_nri"), file);
    gr_runtime_set(d, &c->no_connections, GR_TOML_BOOLEAN,
                   gr_toml_get(nri, "nri_disable_connections"), file);
    gr_runtime_set(d, &c->socket, GR_TOML_TEXT, gr_toml_get(nri, "nri_listen"), file);
    gr_runtime_set(d, &c->plugin_dir, GR_TOML_TEXT, gr_toml_get(nri, "nri_plugin_dir"), file);
    gr_runtime_set(d, &c->config_dir, GR_TOML_TEXT, gr_toml_get(nri, "nri_plugin_config_dir"),
                   file);
    gr_runtime_set(d, &c->validator, GR_TOML_BOOLEAN,
                   gr_toml_get(validator, "nri_enable_default_validator"), file);
    gr_runtime_set(d, &c->reject_hooks, GR_TOML_BOOLEAN,
                   gr_toml_get(validator, "nri_validator_reject_oci_hook_adjustment"), file);
    gr_runtime_set(d, &c->required_plugins, GR_TOML_LIST,
                   gr_toml_get(validator, "nri_validator_required_plugins"), file);
    gr_runtime_set(d, &c->hooks_dirs, GR_TOML_LIST,
                   gr_toml_get(gr_toml_get(crio, "runtime"), "hooks_dir"), file);
}

static int add_file(struct gr_doctor *d, const char *path)
{
    int r = gr_runtime_add_file(d, path);

    if (r == -ENOENT)
        return 0;
    if (r == 0 && !d->runtime.config.files_left_out)
        read_file(d, &d->runtime.config.files[d->runtime.config.files_n - 1]);
    return r;
}

static int add_dir(struct gr_doctor *d, const char *dir, int depth)
{
    struct gr_doctor_entries entries;
    int r = gr_doctor_list(d->host, dir, &entries);

    if (r != 0)
        return r == -ENOMEM ? r : 0;
    for (size_t i = 0; i < entries.n && r == 0; i++) {
        const char *path = gr_doctor_text(d, "%s/%s", dir, entries.items[i].name);

        if (!S_ISDIR(entries.items[i].st.st_mode))
            r = add_file(d, path);
        else if (depth < DEPTH_MAX)
            r = add_dir(d, path, depth + 1);
    }
    return r;
}

/* A switch of the command line: true where it has no value. */
static void switch_arg(struct gr_doctor *d, const char *name, struct gr_runtime_setting *setting)
{
    const char *value = gr_doctor_arg(d->runtime.proc, name, '\0');

    if (value)
        *setting = (struct gr_runtime_setting){.has = true,
                                               .is_true = strcmp(value, "false") != 0,
                                               .file = "the command line of crio"};
}

static void text_arg(struct gr_doctor *d, const char *name, struct gr_runtime_setting *setting)
{
    const char *value = gr_doctor_arg(d->runtime.proc, name, '\0');

    if (value)
        *setting = (struct gr_runtime_setting){
            .has = true, .text = value, .file = "the command line of crio"};
}

static void read_args(struct gr_doctor *d)
{
    struct gr_runtime_config *c = &d->runtime.config;

    switch_arg(d, "enable-nri", &c->on);
    switch_arg(d, "nri-disable-connections", &c->no_connections);
    text_arg(d, "nri-listen", &c->socket);
    text_arg(d, "nri-plugin-dir", &c->plugin_dir);
    text_arg(d, "nri-plugin-config-dir", &c->config_dir);
}

int gr_config_read_crio(struct gr_doctor *d)
{
    struct gr_runtime_config *c = &d->runtime.config;
    const struct gr_doctor_proc *proc = d->runtime.proc;
    const char *named = proc ? gr_doctor_arg(proc, "config", 'c') : NULL;
    const char *dir = proc ? gr_doctor_arg(proc, "config-dir", 'd') : NULL;
    int r;

    c->path = d->runtime_config ? d->runtime_config : named && named[0] ? named : CONFIG_PATH;
    c->drop_ins = !dir ? DROP_IN_DIR : dir[0] ? dir : NULL;
    r = add_file(d, c->path);
    if (r == 0 && c->drop_ins)
        r = add_dir(d, c->drop_ins, 0);
    if (proc)
        read_args(d);
    return r;
}
