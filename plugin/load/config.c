/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/config: one table of settings drives decoding, names and merging.
 *
 * Layer: load.
 */
#include "load/config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "load/address.h"
#include "rules/decide/decide.h"
#include "rules/limits.h"
#include "rules/read/strict.h"

#define SCRATCH_BLOCK_BYTES (4U << 10)

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
};

static const char *const level_words[] = {
    [GR_LEVEL_ERROR] = "error",
    [GR_LEVEL_WARNING] = "warning",
    [GR_LEVEL_INFO] = "info",
    [GR_LEVEL_DEBUG] = "debug",
};

static const char *const format_words[] = {
    [GR_LOG_LOGFMT] = "logfmt",
    [GR_LOG_JSON] = "json",
};

static const char *const audit_words[] = {
    [GR_AUDIT_NONE] = "none",
    [GR_AUDIT_STDOUT] = "stdout",
    [GR_AUDIT_SYSLOG] = "syslog",
};

static const char *const sandbox_words[] = {
    [GR_SANDBOX_NONE] = "None",
    [GR_SANDBOX_CAPABILITIES] = "Capabilities",
    [GR_SANDBOX_FULL] = "Full",
};

/* What the tables' handlers write into. */
struct target {
    struct gr_config *config;
    enum gr_config_source source;
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

const char *gr_audit_log_name(enum gr_audit_log audit_log)
{
    return audit_words[audit_log];
}

const char *gr_sandbox_name(enum gr_sandbox sandbox)
{
    return sandbox_words[sandbox];
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
    };
    for (size_t i = 0; i < GR_SETTING_COUNT; i++)
        out_config->origins[i] = (struct gr_setting_origin){.has = true};
}

/* Notes the place of a setting whose value was taken. Passes r on. */
static int noted(int r, const struct gr_yaml_node *node, const struct target *target,
                 enum gr_setting setting)
{
    if (r == 0)
        target->config->origins[setting] = (struct gr_setting_origin){
            .has = true, .source = target->source, .line = node->key_at.line};
    return r;
}

static int decode_path(struct gr_decoder *d, const struct gr_yaml_node *node, bool root_too,
                       const char **out_path)
{
    struct gr_str path = GR_STR_NONE;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &path);

    if (r == 0 && !(root_too && gr_str_is(path, "/")))
        r = gr_decode_check_path(d, node->at, path, GR_HOOK_PATH_MAX_BYTES);
    if (r == 0)
        *out_path = path.p;
    return r;
}

static int decode_dir(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_path(d, node, false, target);
}

static int decode_dirs(struct gr_decoder *d, const struct gr_yaml_node *node,
                       const char *const **out_dirs, size_t *out_n)
{
    void *dirs = NULL;
    int r =
        gr_decode_list(d, node, GR_CONFIG_DIRS_MAX, sizeof(const char *), decode_dir, &dirs, out_n);

    if (r == 0)
        *out_dirs = dirs;
    return r;
}

static int decode_hooks_dirs(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = decode_dirs(d, node, &target->config->hooks_dirs, &target->config->hooks_dirs_n);

    return noted(r, node, target, GR_SETTING_HOOKS_DIRS);
}

static int decode_oci_hooks_dirs(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r =
        decode_dirs(d, node, &target->config->oci_hooks_dirs, &target->config->oci_hooks_dirs_n);

    return noted(r, node, target, GR_SETTING_OCI_HOOKS_DIRS);
}

static int decode_host_root(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = decode_path(d, node, true, &target->config->host_root);

    return noted(r, node, target, GR_SETTING_HOST_ROOT);
}

/* What Kubernetes takes for a name; what: whose, for the message. */
static int decode_name(struct gr_decoder *d, const struct gr_yaml_node *node, const char *what,
                       struct gr_str *out_name)
{
    struct gr_str name = GR_STR_NONE;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_NAME_MAX_BYTES, &name);

    if (r == 0 && !gr_is_dns_subdomain(name))
        r = gr_decode_refuse(d, node->at, "bad-name",
                             "the name \"%s\" is refused: expected %s, lower-case letters, digits, "
                             "- and .",
                             gr_show(name).text, what);
    if (r == 0)
        *out_name = name;
    return r;
}

static int decode_node_name(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    struct gr_str name = GR_STR_NONE;
    int r = decode_name(d, node, "the node's name in the cluster", &name);

    if (r == 0)
        target->config->node_name = name.p;
    return noted(r, node, target, GR_SETTING_NODE_NAME);
}

static int decode_own_namespace(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    struct gr_str name = GR_STR_NONE;
    int r = decode_name(d, node, "the namespace that Grapnel itself runs in", &name);

    if (r == 0)
        target->config->own_namespace = name.p;
    return noted(r, node, target, GR_SETTING_OWN_NAMESPACE);
}

static int decode_required_set(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_name(d, node, "the name of a HookSet", target);
}

static int decode_required_sets(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    void *names = NULL;
    size_t n = 0;
    int r = gr_decode_list(d, node, GR_CONFIG_REQUIRED_MAX, sizeof(struct gr_str),
                           decode_required_set, &names, &n);

    if (r == 0)
        target->config->required_sets = (struct gr_strs){.items = names, .n = n};
    return noted(r, node, target, GR_SETTING_REQUIRED_SETS);
}

static int decode_environment(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    struct gr_str name = GR_STR_NONE;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_NAME_MAX_BYTES, &name);

    if (r == 0 && name.n == 0)
        r = gr_decode_refuse(d, node->at, "empty",
                             "an empty text means nothing here; write the name of an environment "
                             "of spec.environments, or remove the key");
    if (r == 0)
        target->config->environment = name.p;
    return noted(r, node, target, GR_SETTING_ENVIRONMENT);
}

/* As Kubernetes has the keys of annotations, roughly: what is no key there is never set. */
static bool is_annotation_key(struct gr_str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && (i == 0 || i + 1 == key.n || !memchr("-_./", c, 4)))
            return false;
    }
    return key.n > 0;
}

static int decode_request_annotation(struct gr_decoder *d, const struct gr_yaml_node *node,
                                     void *user)
{
    struct target *target = user;
    struct gr_str key = GR_STR_NONE;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_KEY_MAX_BYTES, &key);

    if (r == 0 && !is_annotation_key(key))
        r = gr_decode_refuse(d, node->at, "bad-name",
                             "the name \"%s\" is refused: expected the key of an annotation, "
                             "letters, digits, -, _, . and /, such as " GR_REQUEST_ANNOTATION,
                             gr_show(key).text);
    if (r == 0)
        target->config->request_annotation = key.p;
    return noted(r, node, target, GR_SETTING_REQUEST_ANNOTATION);
}

static int decode_runner(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    (void)user;
    return gr_decode_refuse(d, node->key_at, "needs-runner",
                            "\"runner\" needs the hook runner, which this version of Grapnel does "
                            "not have; remove it or use a version that has it");
}

static int decode_log_level(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = gr_decode_word(d, node, level_words, GR_ARRAY_LEN(level_words), &index);

    target->config->log_level = (enum gr_level)index;
    return noted(r, node, target, GR_SETTING_LOG_LEVEL);
}

static int decode_log_format(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = gr_decode_word(d, node, format_words, GR_ARRAY_LEN(format_words), &index);

    target->config->log_format = (enum gr_log_format)index;
    return noted(r, node, target, GR_SETTING_LOG_FORMAT);
}

static int decode_ambiguous_image(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    static const char *const words[] = {
        [GR_IMAGE_TRUST] = "Trust",
        [GR_IMAGE_UNKNOWN] = "Unknown",
    };
    struct target *target = user;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    target->config->ambiguous_image = (enum gr_ambiguous_image)index;
    return noted(r, node, target, GR_SETTING_AMBIGUOUS_IMAGE);
}

static int decode_audit_log(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = gr_decode_word(d, node, audit_words, GR_ARRAY_LEN(audit_words), &index);

    target->config->audit_log = (enum gr_audit_log)index;
    return noted(r, node, target, GR_SETTING_AUDIT_LOG);
}

static int decode_sandbox(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = gr_decode_word(d, node, sandbox_words, GR_ARRAY_LEN(sandbox_words), &index);

    target->config->sandbox = (enum gr_sandbox)index;
    return noted(r, node, target, GR_SETTING_SANDBOX);
}

static int decode_on_request_error(struct gr_decoder *d, const struct gr_yaml_node *node,
                                   void *user)
{
    static const char *const words[] = {
        [GR_REQUEST_ERROR_FAIL] = "Fail",
        [GR_REQUEST_ERROR_IGNORE] = "Ignore",
    };
    struct target *target = user;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    target->config->on_request_error = (enum gr_on_request_error)index;
    return noted(r, node, target, GR_SETTING_ON_REQUEST_ERROR);
}

static int decode_rescan(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = gr_decode_seconds(d, node, GR_CONFIG_RESCAN_MIN_S, GR_CONFIG_RESCAN_MAX_S,
                              &target->config->rescan_interval_s);

    return noted(r, node, target, GR_SETTING_RESCAN_INTERVAL);
}

/* A path, or the word none: then the empty text. */
static int decode_path_or_none(struct gr_decoder *d, const struct gr_yaml_node *node,
                               const char **out_path)
{
    if (node->kind != GR_YAML_SCALAR || !gr_str_is(node->text, "none"))
        return decode_path(d, node, false, out_path);
    *out_path = "";
    return 0;
}

static int decode_last_good_dir(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = decode_path_or_none(d, node, &target->config->last_good_dir);

    return noted(r, node, target, GR_SETTING_LAST_GOOD_DIR);
}

/* A path that a socket's address has room for, or the word none. */
static int decode_socket(struct gr_decoder *d, const struct gr_yaml_node *node,
                         const char **out_path)
{
    const char *path = "";
    int r = decode_path_or_none(d, node, &path);

    if (r == 0 && strlen(path) > GR_CONFIG_SOCKET_MAX_BYTES)
        r = gr_decode_refuse(d, node->at, "bad-path",
                             "the path of a socket may have %d bytes, found %zu; use a shorter one",
                             GR_CONFIG_SOCKET_MAX_BYTES, strlen(path));
    if (r == 0)
        *out_path = path;
    return r;
}

static int decode_run_dir(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = decode_path_or_none(d, node, &target->config->run_dir);

    return noted(r, node, target, GR_SETTING_RUN_DIR);
}

static int decode_control_socket(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = decode_socket(d, node, &target->config->control_socket);

    return noted(r, node, target, GR_SETTING_CONTROL_SOCKET);
}

static int decode_metrics_address(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    struct gr_str text = GR_STR_NONE;
    struct gr_address address;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &text);
    bool none = r == 0 && gr_str_is(text, "none");
    struct gr_str scheme = GR_STR("unix:");

    if (r == 0 && gr_str_has_prefix(text, scheme))
        r = gr_decode_check_path(d, node->at, gr_str_skip(text, scheme.n),
                                 GR_CONFIG_SOCKET_MAX_BYTES);
    if (r == 0 && !none && !gr_address_parse(text, &address))
        r = gr_decode_refuse(d, node->at, "bad-address",
                             "expected " GR_ADDRESS_EXPECTED "; found \"%s\"", gr_show(text).text);
    if (r == 0)
        target->config->metrics_address = none ? "" : text.p;
    return noted(r, node, target, GR_SETTING_METRICS_ADDRESS);
}

bool gr_is_textfile(struct gr_str path)
{
    struct gr_str suffix = GR_STR(".prom");

    return gr_str_has_suffix(path, suffix) && path.n > suffix.n &&
           path.p[path.n - suffix.n - 1] != '/';
}

static int decode_metrics_textfile(struct gr_decoder *d, const struct gr_yaml_node *node,
                                   void *user)
{
    struct target *target = user;
    const char *path = "";
    int r = 0;

    if (node->kind != GR_YAML_SCALAR || !gr_str_is(node->text, "none"))
        r = decode_path(d, node, false, &path);
    if (r == 0 && path[0] && !gr_is_textfile(gr_str_from(path)))
        r = gr_decode_refuse(d, node->at, "bad-path",
                             "expected a path that ends in .prom, since the textfile collector "
                             "reads no others; found \"%s\"",
                             gr_show(gr_str_from(path)).text);
    if (r == 0)
        target->config->metrics_textfile = path;
    return noted(r, node, target, GR_SETTING_METRICS_TEXTFILE);
}

/* In the order of enum gr_setting; then what this version cannot obey. */
static const struct gr_key spec_keys[] = {
    {"hooksDirs", decode_hooks_dirs, 0, NULL},
    {"hostRoot", decode_host_root, 0, NULL},
    {"nodeName", decode_node_name, 0, NULL},
    {"logLevel", decode_log_level, 0, NULL},
    {"logFormat", decode_log_format, 0, NULL},
    {"ambiguousImage", decode_ambiguous_image, 0, NULL},
    {"onRequestError", decode_on_request_error, 0, NULL},
    {"rescanInterval", decode_rescan, 0, NULL},
    {"lastGoodDir", decode_last_good_dir, 0, NULL},
    {"environment", decode_environment, 0, NULL},
    {"ociHooksDirs", decode_oci_hooks_dirs, 0, NULL},
    {"requestAnnotation", decode_request_annotation, 0, NULL},
    {"requiredSets", decode_required_sets, 0, NULL},
    {"ownNamespace", decode_own_namespace, 0, NULL},
    {"runDir", decode_run_dir, 0, NULL},
    {"controlSocket", decode_control_socket, 0, NULL},
    {"auditLog", decode_audit_log, 0, NULL},
    {"sandbox", decode_sandbox, 0, NULL},
    {"metricsAddress", decode_metrics_address, 0, NULL},
    {"metricsTextfile", decode_metrics_textfile, 0, NULL},
    {"runner", decode_runner, 0, NULL},
};

static int decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    if (node->kind == GR_YAML_MAPPING && node->n == 0)
        return 0; /* no setting of its own: the defaults */
    return gr_decode_mapping(d, node, GR_KEYS(spec_keys), user);
}

static int refuse_policy(struct gr_decoder *d, const struct gr_yaml_node *kind)
{
    size_t before;
    int r;

    if (!kind || kind->kind != GR_YAML_SCALAR || !gr_str_is(kind->text, "Policy"))
        return 0;
    before = gr_field_path_key(&d->path, GR_STR("kind"));
    r = gr_decode_refuse(d, kind->at, "bad-kind",
                         "expected kind: Config, found a Policy; guard rails belong into "
                         "/etc/grapnel/policy.yaml, or the file that --policy names");
    gr_field_path_cut(&d->path, before);
    return r;
}

static int decode_document(struct gr_decoder *d, const struct gr_yaml_node *root,
                           struct target *target)
{
    static const struct gr_key keys[] = {
        {"apiVersion", gr_decode_seen, GR_KEY_REQUIRED, "apiVersion: " GR_API_VERSION},
        {"kind", gr_decode_seen, GR_KEY_REQUIRED, "kind: Config"},
        {"spec", decode_spec, GR_KEY_REQUIRED, "spec: with the settings in it"},
        {"hooksDirs", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"hostRoot", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"nodeName", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"logLevel", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"logFormat", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"ambiguousImage", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"onRequestError", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"rescanInterval", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"lastGoodDir", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"environment", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"ociHooksDirs", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"requestAnnotation", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"requiredSets", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"ownNamespace", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"runDir", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"controlSocket", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"auditLog", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"sandbox", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"metricsAddress", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"metricsTextfile", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"runner", NULL, GR_KEY_ELSEWHERE, "spec"},
    };
    int r = refuse_policy(d, gr_yaml_get(root, "kind"));

    if (r == 0 && root->kind == GR_YAML_MAPPING)
        r = gr_decode_check_kind(d, root, "Config");
    return r ? r : gr_decode_mapping(d, root, GR_KEYS(keys), target);
}

static int decode_all(struct gr_decoder *d, struct gr_yaml *yaml, struct gr_arena *scratch,
                      struct target *target)
{
    size_t documents = 0;
    int r = 0;

    while (r >= 0) {
        struct gr_yaml_document document;

        r = gr_yaml_next(yaml, scratch, &document);
        if (r != 0)
            break;
        if (target->source == GR_CONFIG_NRI && document.root && gr_policy_claims(&document))
            continue;
        d->bad = d->bad || document.bad;
        d->path = (struct gr_field_path){0};
        if (!document.root)
            continue;
        if (++documents > 1)
            r = gr_decode_refuse(d, document.root->at, "too-many-documents",
                                 "a configuration is one document, found another one; put all "
                                 "settings into the first");
        else
            r = decode_document(d, document.root, target);
    }
    return r < 0 ? r : 0;
}

int gr_config_decode(struct gr_arena *arena, const struct gr_config_text *text,
                     const struct gr_reporter *reporter, struct gr_config *out_config)
{
    struct gr_findings findings = {.reporter = reporter, .file = text->name};
    struct gr_decoder d = {.arena = arena, .findings = &findings};
    struct gr_config config = {0};
    struct target target = {.config = &config, .source = text->source};
    struct gr_yaml *yaml = NULL;
    struct gr_arena scratch;
    int r;

    gr_arena_init(&scratch, SCRATCH_BLOCK_BYTES, 0);
    r = gr_yaml_new(text->text, &findings, &yaml);
    if (r == 0)
        r = decode_all(&d, yaml, &scratch, &target);
    if (r == 0 && d.bad)
        r = GR_CONFIG_REFUSED;
    if (r == 0)
        *out_config = config;
    gr_yaml_free(yaml);
    gr_arena_fini(&scratch);
    return r;
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

bool gr_log_level_parse(struct gr_str text, enum gr_level *out_level)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(level_words); i++) {
        if (gr_str_is(text, level_words[i])) {
            *out_level = (enum gr_level)i;
            return true;
        }
    }
    return false;
}

bool gr_log_format_parse(struct gr_str text, enum gr_log_format *out_format)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(format_words); i++) {
        if (gr_str_is(text, format_words[i])) {
            *out_format = (enum gr_log_format)i;
            return true;
        }
    }
    return false;
}
