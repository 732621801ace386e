/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_spec: spec of a HookSet; match, hooks and adjust have files of their own.
 *
 * Layer: rules.
 */
#include <errno.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"

static int decode_mode(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {
        [GR_MODE_ENFORCE] = "Enforce",
        [GR_MODE_OBSERVE] = "Observe",
    };
    struct gr_hookset *set = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    if (r == 0)
        set->mode = (enum gr_mode)index;
    return r;
}

static int decode_failure_policy(struct gr_decoder *d, const struct gr_yaml_node *node,
                                 void *target)
{
    static const char *const words[] = {
        [GR_FAIL] = "Fail",
        [GR_IGNORE] = "Ignore",
    };
    struct gr_hookset *set = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    if (r == 0) {
        set->failure_policy = (enum gr_failure_policy)index;
        set->failure_policy_given = true;
    }
    return r;
}

static int decode_on_unknown(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {
        [GR_UNKNOWN_SKIP] = "Skip",
        [GR_UNKNOWN_INJECT] = "Inject",
        [GR_UNKNOWN_FAIL] = "Fail",
    };
    struct gr_hookset *set = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    if (r == 0)
        set->on_unknown = (enum gr_on_unknown)index;
    return r;
}

static int decode_order(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;

    return gr_decode_number(d, node, 0, GR_ORDER_MAX, &set->order);
}

static int decode_node_names(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;
    struct gr_tests tests = {0};
    int r = gr_decode_tests(d, node, false, &tests);

    if (r != 0)
        return r;
    set->nodes.has_names = true;
    set->nodes.names = tests;
    return 0;
}

static int decode_percent(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;
    int r = gr_decode_number(d, node, 0, 100, &set->nodes.percent);

    if (r == 0)
        set->nodes.has_percent = true;
    return r;
}

static int decode_nodes(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"names", decode_node_names, 0, NULL},
        {"percent", decode_percent, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_requestable(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;

    return gr_decode_bool(d, node, &set->requestable);
}

/* ---- environments ---- */

struct environment {
    struct gr_environment *kept;
    struct gr_runner_needs needs;
};

static int decode_environment_env(struct gr_decoder *d, const struct gr_yaml_node *node,
                                  void *target)
{
    struct environment *environment = target;

    return gr_decode_env_list(d, node, &environment->needs, &environment->kept->env,
                              &environment->kept->env_n);
}

static int decode_environment(struct gr_decoder *d, const struct gr_yaml_node *node,
                              struct gr_environment *kept)
{
    static const struct gr_key keys[] = {
        {"env", decode_environment_env, GR_KEY_REQUIRED, "env: [NAME=value]"},
    };
    struct environment environment = {.kept = kept};
    int r = gr_decode_map_key(d, node, &kept->name);

    if (r != 0)
        return r;
    if (gr_str_find(kept->name, '.') < kept->name.n || kept->name.n > GR_LABEL_MAX_BYTES ||
        !gr_is_dns_subdomain(kept->name))
        return gr_decode_refuse(
            d, node->key_at, "bad-name",
            "the environment \"%s\" is refused: expected at most %d lower-case "
            "letters, digits and -, beginning and ending with a letter or digit",
            gr_show(kept->name).text, GR_LABEL_MAX_BYTES);
    r = gr_decode_mapping(d, node, GR_KEYS(keys), &environment);
    return r ? r : gr_runner_needs_check(d, &environment.needs);
}

static int decode_environments(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;
    struct gr_environment *environments;
    size_t n = 0;

    if (node->kind != GR_YAML_MAPPING)
        return gr_decode_refuse(d, node->at, "wrong-type",
                                "expected a mapping such as {production: {env: [NAME=value]}}, "
                                "found %s",
                                gr_decode_describe(node).text);
    if (node->n == 0 || node->n > GR_ENVIRONMENTS_MAX)
        return gr_decode_refuse(d, node->at, node->n == 0 ? "empty" : "too-many",
                                "expected 1 to %d environments, found %zu", GR_ENVIRONMENTS_MAX,
                                node->n);
    environments = gr_arena_array(d->arena, node->n, sizeof(*environments));
    if (!environments)
        return -ENOMEM;
    for (const struct gr_yaml_node *value = node->first; value; value = value->next) {
        size_t before = gr_field_path_key(&d->path, value->key);
        int r = decode_environment(d, value, &environments[n++]);

        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    set->environments = environments;
    set->environments_n = n;
    return 0;
}

/* ---- spec ---- */

static void check_does_something(struct gr_decoder *d, const struct gr_yaml_node *node)
{
    size_t before = gr_field_path_key(&d->path, GR_STR("hooks"));

    if (!gr_yaml_get(node, "hooks") && !gr_yaml_get(node, "adjust"))
        gr_decode_refuse(d, node->at, "missing-key",
                         "the key \"hooks\" is missing; write hooks: {createRuntime: [{path: "
                         "/opt/hooks/program}]}, or adjust: {env: {NAME: value}}");
    gr_field_path_cut(&d->path, before);
}

/* Hooks stand beside "process" in a config.json; whoever knows that may look for them below it. */
static int refuse_process(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    (void)target;
    return gr_decode_refuse(
        d, node->key_at, "misplaced-key",
        "\"process\" belongs to a container's config.json; in a HookSet hooks "
        "stand below spec.hooks, by stage, and env and rlimits below spec.adjust");
}

int gr_decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"minVersion", gr_decode_min_version, 0, NULL},
        {"mode", decode_mode, 0, NULL},
        {"nodes", decode_nodes, 0, NULL},
        {"order", decode_order, 0, NULL},
        {"match", gr_decode_match, GR_KEY_REQUIRED, "match: {always: true} to match everything"},
        {"failurePolicy", decode_failure_policy, 0, NULL},
        {"onUnknown", decode_on_unknown, 0, NULL},
        {"requestable", decode_requestable, 0, NULL},
        {"hooks", gr_decode_hooks, 0, NULL},
        {"environments", decode_environments, 0, NULL},
        {"adjust", gr_decode_adjust, 0, NULL},
        {"breaker", gr_decode_breaker, 0, NULL},
        {"process", refuse_process, GR_KEY_ELSEWHERE, NULL},
    };
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), target);

    if (r == 0)
        check_does_something(d, node);
    return r;
}

int gr_decode_later_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"mode", decode_mode, 0, NULL},
        {"nodes", decode_nodes, 0, NULL},
        {"match", gr_decode_match, 0, NULL},
        {"failurePolicy", decode_failure_policy, 0, NULL},
        {"onUnknown", decode_on_unknown, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}
