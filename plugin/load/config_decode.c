/* SPDX-License-Identifier: Apache-2.0 */
/* load/config: a settings document, key by key. */
#include "load/config.h"

#include <errno.h>
#include <string.h>

#include "load/address.h"
#include "rules/decide/decide.h"
#include "rules/limits.h"
#include "rules/policy.h"
#include "rules/read/strict.h"

#define SCRATCH_BLOCK_BYTES (4U << 10)

/* What the tables' handlers write into. */
struct target {
    struct gr_config *config;
    enum gr_config_source source;
};

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

/* One of the setting's words; *out_index: which. */
static int decode_word(struct gr_decoder *d, const struct gr_yaml_node *node,
                       enum gr_setting setting, const struct target *target, size_t *out_index)
{
    const struct gr_config_words words = gr_config_words(setting);

    return noted(gr_decode_word(d, node, words.items, words.n, out_index), node, target, setting);
}

static int decode_log_level(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = decode_word(d, node, GR_SETTING_LOG_LEVEL, target, &index);

    target->config->log_level = (enum gr_level)index;
    return r;
}

static int decode_log_format(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = decode_word(d, node, GR_SETTING_LOG_FORMAT, target, &index);

    target->config->log_format = (enum gr_log_format)index;
    return r;
}

static int decode_ambiguous_image(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = decode_word(d, node, GR_SETTING_AMBIGUOUS_IMAGE, target, &index);

    target->config->ambiguous_image = (enum gr_ambiguous_image)index;
    return r;
}

static int decode_audit_log(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = decode_word(d, node, GR_SETTING_AUDIT_LOG, target, &index);

    target->config->audit_log = (enum gr_audit_log)index;
    return r;
}

static int decode_sandbox(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = decode_word(d, node, GR_SETTING_SANDBOX, target, &index);

    target->config->sandbox = (enum gr_sandbox)index;
    return r;
}

static int decode_on_request_error(struct gr_decoder *d, const struct gr_yaml_node *node,
                                   void *user)
{
    struct target *target = user;
    size_t index = 0;
    int r = decode_word(d, node, GR_SETTING_ON_REQUEST_ERROR, target, &index);

    target->config->on_request_error = (enum gr_on_request_error)index;
    return r;
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

static int decode_programs_dir(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = decode_path_or_none(d, node, &target->config->programs_dir);

    return noted(r, node, target, GR_SETTING_PROGRAMS_DIR);
}

static int decode_crio_dir(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct target *target = user;
    int r = decode_path_or_none(d, node, &target->config->crio_dir);

    return noted(r, node, target, GR_SETTING_CRIO_DIR);
}

static gr_decode_fn *const decoders[GR_SETTING_COUNT] = {
    [GR_SETTING_HOOKS_DIRS] = decode_hooks_dirs,
    [GR_SETTING_HOST_ROOT] = decode_host_root,
    [GR_SETTING_NODE_NAME] = decode_node_name,
    [GR_SETTING_LOG_LEVEL] = decode_log_level,
    [GR_SETTING_LOG_FORMAT] = decode_log_format,
    [GR_SETTING_AMBIGUOUS_IMAGE] = decode_ambiguous_image,
    [GR_SETTING_ON_REQUEST_ERROR] = decode_on_request_error,
    [GR_SETTING_RESCAN_INTERVAL] = decode_rescan,
    [GR_SETTING_LAST_GOOD_DIR] = decode_last_good_dir,
    [GR_SETTING_ENVIRONMENT] = decode_environment,
    [GR_SETTING_OCI_HOOKS_DIRS] = decode_oci_hooks_dirs,
    [GR_SETTING_REQUEST_ANNOTATION] = decode_request_annotation,
    [GR_SETTING_REQUIRED_SETS] = decode_required_sets,
    [GR_SETTING_OWN_NAMESPACE] = decode_own_namespace,
    [GR_SETTING_RUN_DIR] = decode_run_dir,
    [GR_SETTING_CONTROL_SOCKET] = decode_control_socket,
    [GR_SETTING_AUDIT_LOG] = decode_audit_log,
    [GR_SETTING_SANDBOX] = decode_sandbox,
    [GR_SETTING_METRICS_ADDRESS] = decode_metrics_address,
    [GR_SETTING_METRICS_TEXTFILE] = decode_metrics_textfile,
    [GR_SETTING_PROGRAMS_DIR] = decode_programs_dir,
    [GR_SETTING_CRIO_DIR] = decode_crio_dir,
};

/* The settings, and behind them what this version cannot obey. */
#define KEYS (GR_SETTING_COUNT + 1)

static int decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct gr_key keys[KEYS];

    if (node->kind == GR_YAML_MAPPING && node->n == 0)
        return 0; /* no setting of its own: the defaults */
    for (size_t i = 0; i < GR_SETTING_COUNT; i++)
        keys[i] = (struct gr_key){gr_setting_name((enum gr_setting)i), decoders[i], 0, NULL};
    keys[GR_SETTING_COUNT] = (struct gr_key){"runner", decode_runner, 0, NULL};
    return gr_decode_mapping(d, node, GR_KEYS(keys), user);
}

static int decode_document(struct gr_decoder *d, const struct gr_yaml_node *root,
                           struct target *target)
{
    static const struct gr_key top[] = {
        {"apiVersion", gr_decode_seen, GR_KEY_REQUIRED, "apiVersion: " GR_API_VERSION},
        {"kind", gr_decode_seen, GR_KEY_REQUIRED, "kind: Config"},
        {"spec", decode_spec, GR_KEY_REQUIRED, "spec: with the settings in it"},
        {"runner", NULL, GR_KEY_ELSEWHERE, "spec"},
    };
    struct gr_key keys[GR_ARRAY_LEN(top) + GR_SETTING_COUNT];
    int r = 0;

    if (root->kind == GR_YAML_MAPPING)
        r = gr_decode_check_kind(d, root, "Config");
    memcpy(keys, top, sizeof(top));
    for (size_t i = 0; i < GR_SETTING_COUNT; i++)
        keys[GR_ARRAY_LEN(top) + i] =
            (struct gr_key){gr_setting_name((enum gr_setting)i), NULL, GR_KEY_ELSEWHERE, "spec"};
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
