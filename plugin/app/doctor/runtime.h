/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/runtime: the runtime of the node: which one, which version, how it is configured.
 *
 * Layer: app. The configuration is read as the runtime reads it: containerd's file and what it
 * imports, CRI-O's file, its drop-ins and its command line. What is no TOML is told, not guessed.
 */
#ifndef GR_APP_DOCTOR_RUNTIME_H
#define GR_APP_DOCTOR_RUNTIME_H

#include "app/doctor/compat.h"
#include "app/doctor/procs.h"
#include "base/toml.h"

/* Files of one configuration. No evidence. */
#define GR_RUNTIME_FILES_MAX 128

#define GR_NRI_SOCKET_PATH "/var/run/nri/nri.sock"
#define GR_NRI_PLUGIN_DIR "/opt/nri/plugins"
#define GR_NRI_CONFIG_DIR "/etc/nri/conf.d"

/* One setting, where it stands. */
struct gr_runtime_setting {
    bool has;
    bool is_true;                    /* of true and false */
    const char *text;                /* of a text; else NULL */
    const struct gr_toml_node *list; /* of a list; else NULL */
    const char *file;
    uint32_t line;
};

struct gr_runtime_file {
    const char *path;
    const struct gr_toml_node *root; /* NULL: it could not be read, or is not there */
    const char *broken;              /* why */
    uint32_t broken_line;
    int64_t modified_s;
};

/* What the configuration says about NRI, by what it means and not by its runtime's key. */
struct gr_runtime_config {
    const char *path;     /* the main file, there or not */
    const char *drop_ins; /* CRI-O: the directory of further files; NULL: it reads none */
    struct gr_runtime_file files[GR_RUNTIME_FILES_MAX]; /* in the order in which they are read */
    size_t files_n;
    bool files_left_out;          /* there are more of them */
    int version;                  /* containerd: of the main file; 0: not given */
    struct gr_runtime_setting on; /* NRI: whether it is; as enable_nri has it */
    struct gr_runtime_setting no_connections;
    struct gr_runtime_setting socket, plugin_dir, config_dir;
    struct gr_runtime_setting validator, reject_hooks, required_plugins;
    struct gr_runtime_setting nri_disabled; /* by disabled_plugins */
    struct gr_runtime_setting cri_disabled;
    struct gr_runtime_setting hooks_dirs; /* CRI-O: of oci-hooks(5) files */
    const char *wrong_type; /* a setting that is of another type than it should be; NULL: none */
    struct gr_runtime_setting wrong_place;
};

struct gr_runtime {
    enum gr_runtime_kind kind;
    bool installed;                    /* its program or its configuration is there */
    bool told;                         /* the plugin has it for its own */
    const struct gr_doctor_proc *proc; /* NULL: it does not run, or that cannot be seen */
    const char *binary;                /* NULL: not found */
    struct gr_release release;
    struct gr_release nri;
    const char *version;      /* as it was told; NULL: not known */
    const char *version_from; /* where from */
    struct gr_runtime_config config;

    bool nri_on;                                  /* as far as is known */
    bool nri_unsure;                              /* it is not */
    const char *socket, *plugin_dir, *config_dir; /* in force */
};

struct gr_doctor;

/* Whether it is there and one that launches plugins: containerd or CRI-O, whatever its version. */
static inline bool gr_runtime_has_nri(const struct gr_runtime *r)
{
    return r->installed && (r->kind == GR_RUNTIME_CONTAINERD || r->kind == GR_RUNTIME_CRIO);
}

/* Fills d->runtime. Returns 0; -ENOMEM. */
GR_CHECKED int gr_runtime_find(struct gr_doctor *d);

/* One that takes no hooks from a plugin: there is nothing that could be started for it. */
static inline bool gr_runtime_is_engine(const struct gr_runtime *r)
{
    return r->kind == GR_RUNTIME_DOCKER || r->kind == GR_RUNTIME_PODMAN;
}

/* runtime_files.c: reads one file into config->files. Returns 0, also when it is broken; -ENOENT;
 * -ENOMEM. */
GR_CHECKED int gr_runtime_add_file(struct gr_doctor *d, const char *path);
/* Files of a pattern with * and ? in its last components, by name. Returns 0; -ENOMEM. */
GR_CHECKED int gr_runtime_glob(struct gr_doctor *d, const char *pattern, struct gr_strs *out_paths);

/* Sets *setting from value unless that is NULL. kind: what it has to be. */
void gr_runtime_set(struct gr_doctor *d, struct gr_runtime_setting *setting, enum gr_toml_kind kind,
                    const struct gr_toml_node *value, const struct gr_runtime_file *file);

/* config_containerd.c, config_crio.c: fill d->runtime.config. Return 0; -ENOMEM. */
GR_CHECKED int gr_config_read_containerd(struct gr_doctor *d);
GR_CHECKED int gr_config_read_crio(struct gr_doctor *d);

#endif
