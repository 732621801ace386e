/* SPDX-License-Identifier: Apache-2.0 */
#include "load/config.h"

#include <stddef.h>
#include <string.h>

#include "load/address.h"
#include "rules/decide/decide.h"
#include "rules/program.h"

static const char *const default_dirs[] = {
    "/usr/share/grapnel/hooks.d",
    "/etc/grapnel/hooks.d",
    "/run/grapnel/hooks.d",
};

static const char *const setting_names[GR_SETTING_COUNT] = {
    [GR_SETTING_HOOKS_DIRS] = "hooksDirs",
    [GR_SETTING_HOST_ROOT] = "hostRoot",
    [GR_SETTING_NODE_NAME] = "nodeName",
    [GR_SETTING_LOG_LEVEL] = "logLevel",
    [GR_SETTING_LOG_FORMAT] = "logFormat",
    [GR_SETTING_AMBIGUOUS_IMAGE] = "ambiguousImage",
    [GR_SETTING_ON_REQUEST_ERROR] = "onRequestError",
    [GR_SETTING_RESCAN_INTERVAL] = "rescanInterval",
    [GR_SETTING_LAST_GOOD_DIR] = "lastGoodDir",
    [GR_SETTING_ENVIRONMENT] = "environment",
    [GR_SETTING_OCI_HOOKS_DIRS] = "ociHooksDirs",
    [GR_SETTING_REQUEST_ANNOTATION] = "requestAnnotation",
    [GR_SETTING_REQUIRED_SETS] = "requiredSets",
    [GR_SETTING_OWN_NAMESPACE] = "ownNamespace",
    [GR_SETTING_RUN_DIR] = "runDir",
    [GR_SETTING_CONTROL_SOCKET] = "controlSocket",
    [GR_SETTING_AUDIT_LOG] = "auditLog",
    [GR_SETTING_SANDBOX] = "sandbox",
    [GR_SETTING_METRICS_ADDRESS] = "metricsAddress",
    [GR_SETTING_METRICS_TEXTFILE] = "metricsTextfile",
    [GR_SETTING_PROGRAMS_DIR] = "programsDir",
    [GR_SETTING_CRIO_DIR] = "crioDir",
};

const char *gr_config_source_name(enum gr_config_source source)
{
    static const char *const names[] = {
        [GR_CONFIG_BUILT_IN] = "built-in",
        [GR_CONFIG_FILE] = "file",
        [GR_CONFIG_NRI] = "NRI Configure",
        [GR_CONFIG_FLAG] = "flag",
    };

    return names[source];
}

const char *gr_setting_name(enum gr_setting setting)
{
    return setting_names[setting];
}

struct gr_config_words gr_config_words(enum gr_setting setting)
{
    static const char *const levels[] = {
        [GR_LEVEL_ERROR] = "error",
        [GR_LEVEL_WARNING] = "warning",
        [GR_LEVEL_INFO] = "info",
        [GR_LEVEL_DEBUG] = "debug",
    };
    static const char *const formats[] = {[GR_LOG_LOGFMT] = "logfmt", [GR_LOG_JSON] = "json"};
    static const char *const images[] = {
        [GR_IMAGE_TRUST] = "Trust", [GR_IMAGE_UNKNOWN] = "Unknown"};
    static const char *const errors[] = {
        [GR_REQUEST_ERROR_FAIL] = "Fail", [GR_REQUEST_ERROR_IGNORE] = "Ignore"};
    static const char *const audits[] = {
        [GR_AUDIT_NONE] = "none", [GR_AUDIT_STDOUT] = "stdout", [GR_AUDIT_SYSLOG] = "syslog"};
    static const char *const sandboxes[] = {[GR_SANDBOX_NONE] = "None",
                                            [GR_SANDBOX_CAPABILITIES] = "Capabilities",
                                            [GR_SANDBOX_FULL] = "Full"};
    static const struct gr_config_words words[GR_SETTING_COUNT] = {
        [GR_SETTING_LOG_LEVEL] = {levels, GR_ARRAY_LEN(levels)},
        [GR_SETTING_LOG_FORMAT] = {formats, GR_ARRAY_LEN(formats)},
        [GR_SETTING_AMBIGUOUS_IMAGE] = {images, GR_ARRAY_LEN(images)},
        [GR_SETTING_ON_REQUEST_ERROR] = {errors, GR_ARRAY_LEN(errors)},
        [GR_SETTING_AUDIT_LOG] = {audits, GR_ARRAY_LEN(audits)},
        [GR_SETTING_SANDBOX] = {sandboxes, GR_ARRAY_LEN(sandboxes)},
    };

    return words[setting];
}

void gr_config_init(struct gr_config *out_config)
{
    *out_config = (struct gr_config){
        .hooks_dirs = default_dirs,
        .hooks_dirs_n = GR_ARRAY_LEN(default_dirs),
        .host_root = "/",
        .node_name = "",
        .log_level = GR_LEVEL_INFO,
        .log_format = GR_LOG_LOGFMT,
        .ambiguous_image = GR_IMAGE_TRUST,
        .on_request_error = GR_REQUEST_ERROR_FAIL,
        .rescan_interval_s = GR_CONFIG_RESCAN_DEFAULT_S,
        .last_good_dir = GR_CONFIG_LAST_GOOD_DEFAULT,
        .environment = "",
        .request_annotation = GR_REQUEST_ANNOTATION,
        .own_namespace = "",
        .run_dir = GR_CONFIG_RUN_DIR_DEFAULT,
        .control_socket = GR_CONFIG_CONTROL_DEFAULT,
        .audit_log = GR_AUDIT_NONE,
        .sandbox = GR_SANDBOX_CAPABILITIES,
        .metrics_address = "",
        .metrics_textfile = "",
        .programs_dir = GR_PROGRAMS_DEFAULT,
        .crio_dir = GR_CONFIG_CRIO_DIR_DEFAULT,
    };
    for (size_t i = 0; i < GR_SETTING_COUNT; i++)
        out_config->origins[i] = (struct gr_setting_origin){.has = true};
}

bool gr_is_textfile(struct gr_str path)
{
    struct gr_str suffix = GR_STR(".prom");

    return gr_str_has_suffix(path, suffix) && path.n > suffix.n &&
           path.p[path.n - suffix.n - 1] != '/';
}

/* Where the value of a setting stands in struct gr_config: a field, or two that follow each other.
 */
struct place {
    size_t offset, size;
};

#define SPAN(first, last)                                                                     \
    {                                                                                         \
        .offset = offsetof(struct gr_config, first),                                          \
        .size = offsetof(struct gr_config, last) + sizeof(((struct gr_config *)NULL)->last) - \
                offsetof(struct gr_config, first)                                             \
    }
#define FIELD(name) SPAN(name, name)

static const struct place places[GR_SETTING_COUNT] = {
    [GR_SETTING_HOOKS_DIRS] = SPAN(hooks_dirs, hooks_dirs_n),
    [GR_SETTING_HOST_ROOT] = FIELD(host_root),
    [GR_SETTING_NODE_NAME] = FIELD(node_name),
    [GR_SETTING_LOG_LEVEL] = FIELD(log_level),
    [GR_SETTING_LOG_FORMAT] = FIELD(log_format),
    [GR_SETTING_AMBIGUOUS_IMAGE] = FIELD(ambiguous_image),
    [GR_SETTING_ON_REQUEST_ERROR] = FIELD(on_request_error),
    [GR_SETTING_RESCAN_INTERVAL] = FIELD(rescan_interval_s),
    [GR_SETTING_LAST_GOOD_DIR] = FIELD(last_good_dir),
    [GR_SETTING_ENVIRONMENT] = FIELD(environment),
    [GR_SETTING_OCI_HOOKS_DIRS] = SPAN(oci_hooks_dirs, oci_hooks_dirs_n),
    [GR_SETTING_REQUEST_ANNOTATION] = FIELD(request_annotation),
    [GR_SETTING_REQUIRED_SETS] = FIELD(required_sets),
    [GR_SETTING_OWN_NAMESPACE] = FIELD(own_namespace),
    [GR_SETTING_RUN_DIR] = FIELD(run_dir),
    [GR_SETTING_CONTROL_SOCKET] = FIELD(control_socket),
    [GR_SETTING_AUDIT_LOG] = FIELD(audit_log),
    [GR_SETTING_SANDBOX] = FIELD(sandbox),
    [GR_SETTING_METRICS_ADDRESS] = FIELD(metrics_address),
    [GR_SETTING_METRICS_TEXTFILE] = FIELD(metrics_textfile),
    [GR_SETTING_PROGRAMS_DIR] = FIELD(programs_dir),
    [GR_SETTING_CRIO_DIR] = FIELD(crio_dir),
};

void gr_config_merge(struct gr_config *config, const struct gr_config *over)
{
    for (size_t i = 0; i < GR_SETTING_COUNT; i++) {
        const struct place *place = &places[i];

        if (!over->origins[i].has)
            continue;
        config->origins[i] = over->origins[i];
        memcpy((char *)config + place->offset, (const char *)over + place->offset, place->size);
    }
}

/* One of a setting's words. */
static bool parse_word(enum gr_setting setting, struct gr_str text, size_t *out_index)
{
    const struct gr_config_words words = gr_config_words(setting);

    for (size_t i = 0; i < words.n; i++) {
        if (gr_str_is(text, words.items[i])) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

bool gr_log_level_parse(struct gr_str text, enum gr_level *out_level)
{
    size_t index = 0;
    bool found = parse_word(GR_SETTING_LOG_LEVEL, text, &index);

    if (found)
        *out_level = (enum gr_level)index;
    return found;
}

bool gr_log_format_parse(struct gr_str text, enum gr_log_format *out_format)
{
    size_t index = 0;
    bool found = parse_word(GR_SETTING_LOG_FORMAT, text, &index);

    if (found)
        *out_format = (enum gr_log_format)index;
    return found;
}
