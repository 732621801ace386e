/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/config: the settings of the program (kind Config), and where each came from.
 *
 * Layer: load. One reader for the configuration file and for what a runtime hands over in NRI's
 * Configure. Sources are laid over each other: built-in, file, NRI Configure, flags; a later one
 * replaces a setting, lists are not joined. Format: specs/config.md and specs/config.schema.json.
 */
#ifndef GR_LOAD_CONFIG_H
#define GR_LOAD_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

#define GR_CONFIG_RESCAN_MIN_S 1
#define GR_CONFIG_RESCAN_MAX_S 3600
#define GR_CONFIG_RESCAN_DEFAULT_S 30

/* Where the last good text of each rule file is kept. */
#define GR_CONFIG_LAST_GOOD_DEFAULT "/var/lib/grapnel/last-good"

/* What is kept until the node starts anew. */
#define GR_CONFIG_RUN_DIR_DEFAULT "/run/grapnel"
#define GR_CONFIG_CONTROL_DEFAULT GR_CONFIG_RUN_DIR_DEFAULT "/control.sock"

/* Where CRI-O's storage has what runs, unless its own settings say otherwise. */
#define GR_CONFIG_CRIO_DIR_DEFAULT "/run/containers/storage"

/* Path of a socket: struct sockaddr_un has room for it and a NUL byte. */
#define GR_CONFIG_SOCKET_MAX_BYTES 107

/* Directories of rule files, and of oci-hooks(5) files. No evidence. */
#define GR_CONFIG_DIRS_MAX 32

/* requiredSets. Each is looked up for each container. No evidence. */
#define GR_CONFIG_REQUIRED_MAX 64

enum gr_config_source {
    GR_CONFIG_BUILT_IN,
    GR_CONFIG_FILE,
    GR_CONFIG_NRI, /* Configure */
    GR_CONFIG_FLAG,
};

/* "built-in", "file", "NRI Configure", "flag". */
const char *gr_config_source_name(enum gr_config_source source);

enum gr_log_format {
    GR_LOG_LOGFMT,
    GR_LOG_JSON,
};

/* What an image name is worth that may be one of several names of the image (CRI-O, containerd
 * 1.7). */
enum gr_ambiguous_image {
    GR_IMAGE_TRUST,
    GR_IMAGE_UNKNOWN,
};

/* What a container whose request cannot be decoded gets. */
enum gr_on_request_error {
    GR_REQUEST_ERROR_FAIL,
    GR_REQUEST_ERROR_IGNORE,
};

/* Where the lines about what was done to containers are repeated. */
enum gr_audit_log {
    GR_AUDIT_NONE,
    GR_AUDIT_STDOUT,
    GR_AUDIT_SYSLOG,
};

/* What the plugin process gives up. */
enum gr_sandbox {
    GR_SANDBOX_NONE,
    GR_SANDBOX_CAPABILITIES,
    GR_SANDBOX_FULL,
};

enum gr_setting {
    GR_SETTING_HOOKS_DIRS,
    GR_SETTING_HOST_ROOT,
    GR_SETTING_NODE_NAME,
    GR_SETTING_LOG_LEVEL,
    GR_SETTING_LOG_FORMAT,
    GR_SETTING_AMBIGUOUS_IMAGE,
    GR_SETTING_ON_REQUEST_ERROR,
    GR_SETTING_RESCAN_INTERVAL,
    GR_SETTING_LAST_GOOD_DIR,
    GR_SETTING_ENVIRONMENT,
    GR_SETTING_OCI_HOOKS_DIRS,
    GR_SETTING_REQUEST_ANNOTATION,
    GR_SETTING_REQUIRED_SETS,
    GR_SETTING_OWN_NAMESPACE,
    GR_SETTING_RUN_DIR,
    GR_SETTING_CONTROL_SOCKET,
    GR_SETTING_AUDIT_LOG,
    GR_SETTING_SANDBOX,
    GR_SETTING_METRICS_ADDRESS,
    GR_SETTING_METRICS_TEXTFILE,
    GR_SETTING_PROGRAMS_DIR,
    GR_SETTING_CRIO_DIR,
};
#define GR_SETTING_COUNT 22

/* As it is written: "hooksDirs", … */
const char *gr_setting_name(enum gr_setting setting);

struct gr_setting_origin {
    bool has; /* this source sets it */
    enum gr_config_source source;
    uint32_t line; /* 0: no line (built-in, flags) */
};

/* Values of settings that no origin has are zeroes. Texts are NUL-terminated and borrowed: from the
 * arena they were decoded into, or from whoever filled them in. */
struct gr_config {
    struct gr_setting_origin origins[GR_SETTING_COUNT];
    const char *const *hooks_dirs; /* lowest to highest precedence */
    size_t hooks_dirs_n;
    const char *host_root;
    const char *node_name;
    enum gr_level log_level;
    enum gr_log_format log_format;
    enum gr_ambiguous_image ambiguous_image;
    enum gr_on_request_error on_request_error;
    uint32_t rescan_interval_s;
    const char *last_good_dir;         /* empty: none are kept */
    const char *environment;           /* of spec.environments; empty: none */
    const char *const *oci_hooks_dirs; /* oci-hooks(5) files, lowest to highest precedence */
    size_t oci_hooks_dirs_n;
    const char *request_annotation;
    struct gr_strs required_sets;
    const char *own_namespace;  /* Grapnel's own; empty: not known */
    const char *run_dir;        /* what is kept until the node starts anew: plugin/state; empty:
                                 * nothing is */
    const char *control_socket; /* empty: none */
    enum gr_audit_log audit_log;
    enum gr_sandbox sandbox;
    const char *metrics_address;  /* as load/address reads it; empty: none */
    const char *metrics_textfile; /* ends in .prom; empty: none */
    const char *programs_dir;     /* the program store, on the host; empty: none */
    const char *crio_dir;         /* CRI-O's runroot, on the host; empty: none */
};

/* What a setting's enum is written as, by its value; n == 0: the setting takes no words. */
struct gr_config_words {
    const char *const *items;
    size_t n;
};

struct gr_config_words gr_config_words(enum gr_setting setting);

/* Everything set to its default; node_name is the empty text (the caller asks the kernel). */
void gr_config_init(struct gr_config *out_config);

/* The text was refused whole; every error was reported. */
#define GR_CONFIG_REFUSED 1

struct gr_config_text {
    struct gr_str text; /* borrowed for the call */
    const char *name;   /* for messages: a path, or "NRI Configure" */
    enum gr_config_source source;
};

/*
 * Decodes one document. An empty text sets nothing. In what Configure carries, policies may stand
 * beside it: they are passed over (rules/policy reads them), but what is no YAML in them is
 * reported here. The result lives in arena and borrows nothing. Returns 0; GR_CONFIG_REFUSED
 * (*out_config untouched); -ENOMEM.
 */
GR_CHECKED int gr_config_decode(struct gr_arena *arena, const struct gr_config_text *text,
                                const struct gr_reporter *reporter, struct gr_config *out_config);

/* Lays what over sets over config. Borrows what over borrows. */
void gr_config_merge(struct gr_config *config, const struct gr_config *over);

/* For flags: the word or number of a setting from text, as the YAML reader would take it.
 * True and *out_… set, or false. */
bool gr_log_level_parse(struct gr_str text, enum gr_level *out_level);
bool gr_log_format_parse(struct gr_str text, enum gr_log_format *out_format);

/* Whether the path of metricsTextfile ends as it must: in a name, then .prom. */
bool gr_is_textfile(struct gr_str path);

#endif
