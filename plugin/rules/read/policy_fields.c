/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/policy_fields: spec of a policy, one table per mapping (rules/read/strict).
 *
 * Layer: rules.
 */
#include <errno.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"
#include "rules/policy_parts.h"

/* ---- programs ---- */

static int decode_directory(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_str *dir = target;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, dir);

    return r ? r : gr_decode_check_path(d, node->at, *dir, GR_HOOK_PATH_MAX_BYTES);
}

static int decode_directories(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;
    void *dirs = NULL;
    size_t n = 0;
    int r = gr_decode_list(d, node, GR_POLICY_DIRS_MAX, sizeof(struct gr_str), decode_directory,
                           &dirs, &n);

    if (r == 0) {
        policy->has_hook_dirs = true;
        policy->hook_dirs = (struct gr_strs){.items = dirs, .n = n};
        policy->hook_dirs_line = node->key_at.line;
    }
    return r;
}

static int decode_unverified(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {
        [GR_UNVERIFIED_WARN] = "Warn",
        [GR_UNVERIFIED_BLOCK] = "Block",
    };
    struct gr_policy *policy = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    policy->unverified = (enum gr_unverified)index;
    policy->unverified_line = node->key_at.line;
    return r;
}

static int decode_verify(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {
        [GR_VERIFY_NONE] = "None",
        [GR_VERIFY_DIGEST] = "Digest",
        [GR_VERIFY_SIGNATURE] = "Signature",
    };
    struct gr_policy *policy = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    policy->verify = (enum gr_require_verify)index;
    policy->verify_line = node->key_at.line;
    return r;
}

static int decode_programs(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"directories", decode_directories, 0, NULL},
        {"unverified", decode_unverified, 0, NULL},
        {"verify", decode_verify, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

/* ---- stages and timeouts ---- */

static int decode_stage_bits(struct gr_decoder *d, const struct gr_yaml_node *node,
                             uint32_t *out_stages)
{
    const char *words[GR_STAGE_COUNT];
    uint32_t stages = 0;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_STAGE_COUNT);

    if (r != 0)
        return r;
    for (size_t i = 0; i < GR_STAGE_COUNT; i++)
        words[i] = gr_stage_name((enum gr_stage)i);
    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        size_t before = gr_field_path_index(&d->path, n++);
        size_t stage = 0;

        r = gr_decode_word(d, item, words, GR_STAGE_COUNT, &stage);
        if (r == 0 && stages & GR_STAGE_BIT(stage))
            r = gr_decode_refuse(d, item->at, "duplicate-stage",
                                 "the stage %s stands here a second time; keep one", words[stage]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
        if (r == 0)
            stages |= GR_STAGE_BIT(stage);
    }
    *out_stages = stages;
    return 0;
}

static int decode_stages(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    policy->stages_line = node->key_at.line;
    return decode_stage_bits(d, node, &policy->stages);
}

static int decode_timeout_min(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    return gr_decode_seconds(d, node, GR_HOOK_TIMEOUT_MIN_S, GR_HOOK_TIMEOUT_MAX_S,
                             &policy->timeout_min_s);
}

static int decode_timeout_max(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    return gr_decode_seconds(d, node, GR_HOOK_TIMEOUT_MIN_S, GR_HOOK_TIMEOUT_MAX_S,
                             &policy->timeout_max_s);
}

static int decode_timeout_default(struct gr_decoder *d, const struct gr_yaml_node *node,
                                  void *target)
{
    struct gr_policy *policy = target;

    return gr_decode_seconds(d, node, GR_HOOK_TIMEOUT_MIN_S, GR_HOOK_TIMEOUT_MAX_S,
                             &policy->timeout_default_s);
}

static int check_range(struct gr_decoder *d, const struct gr_yaml_node *node,
                       const struct gr_policy *policy)
{
    uint32_t min = policy->timeout_min_s ? policy->timeout_min_s : GR_HOOK_TIMEOUT_MIN_S;
    uint32_t max = policy->timeout_max_s ? policy->timeout_max_s : GR_HOOK_TIMEOUT_MAX_S;
    uint32_t usual = policy->timeout_default_s;

    if (min > max)
        return gr_decode_refuse(d, node->at, "bad-range",
                                "expected min to be at most max, found min %u and max %u; no "
                                "timeout lies between them",
                                min, max);
    if (usual && (usual < min || usual > max))
        return gr_decode_refuse(d, node->at, "bad-range",
                                "expected default to lie between min and max, found default %u, "
                                "min %u and max %u",
                                usual, min, max);
    return 0;
}

static int decode_timeout(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"min", decode_timeout_min, 0, NULL},
        {"max", decode_timeout_max, 0, NULL},
        {"default", decode_timeout_default, 0, NULL},
    };
    struct gr_policy *policy = target;
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), policy);

    policy->timeout_line = node->key_at.line;
    return r ? r : check_range(d, node, policy);
}

static int decode_create_total(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    policy->create_timeout_line = node->key_at.line;
    return gr_decode_seconds(d, node, 1, GR_POLICY_CREATE_TIMEOUT_MAX_S,
                             &policy->create_timeout_total_s);
}

static int decode_hooks_max(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    policy->hooks_line = node->key_at.line;
    return gr_decode_number(d, node, 1, GR_POLICY_HOOKS_MAX, &policy->hooks_per_container);
}

/* ---- requests ---- */

static int decode_grant_sets(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_grant *grant = target;

    return gr_decode_tests(d, node, false, &grant->sets);
}

static int decode_grant_namespaces(struct gr_decoder *d, const struct gr_yaml_node *node,
                                   void *target)
{
    struct gr_grant *grant = target;

    return gr_decode_tests(d, node, false, &grant->namespaces);
}

static int decode_grant(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"sets", decode_grant_sets, GR_KEY_REQUIRED, "sets: [my-set]"},
        {"namespaces", decode_grant_namespaces, GR_KEY_REQUIRED, "namespaces: [my-namespace]"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_requests(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;
    void *grants = NULL;
    size_t n = 0;
    int r = gr_decode_list(d, node, GR_POLICY_GRANTS_MAX, sizeof(struct gr_grant), decode_grant,
                           &grants, &n);

    if (r == 0) {
        policy->grants = grants;
        policy->grants_n = n;
    }
    return r;
}

static int decode_on_denied(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {
        [GR_DENIED_FAIL] = "Fail",
        [GR_DENIED_IGNORE] = "Ignore",
    };
    struct gr_policy *policy = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    policy->on_denied = (enum gr_denied_request)index;
    return r;
}

/* ---- exemptions ---- */

static int decode_exempt(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    return gr_decode_tests(d, node, false, &policy->exempt_namespaces);
}

/* Here alone an empty list means something: nowhere, not even in kube-system. */
static int decode_never_fail(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    policy->has_never_fail = true;
    if (node->kind == GR_YAML_LIST && node->n == 0)
        return 0;
    return gr_decode_tests(d, node, false, &policy->never_fail);
}

static int decode_protected(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

    return gr_decode_tests(d, node, false, &policy->protected_sets);
}

static int decode_skip_handlers(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_stage_skip *skip = target;

    return gr_decode_tests(d, node, false, &skip->handlers);
}

static int decode_skip_bits(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_stage_skip *skip = target;

    return decode_stage_bits(d, node, &skip->stages);
}

static int decode_skip(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"runtimeHandlers", decode_skip_handlers, GR_KEY_REQUIRED,
         "runtimeHandlers: [{glob: \"kata*\"}]"},
        {"stages", decode_skip_bits, GR_KEY_REQUIRED, "stages: [startContainer]"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_skips(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;
    void *skips = NULL;
    size_t n = 0;
    int r = gr_decode_list(d, node, GR_POLICY_SKIPS_MAX, sizeof(struct gr_stage_skip), decode_skip,
                           &skips, &n);

    if (r == 0) {
        policy->skips = skips;
        policy->skips_n = n;
    }
    return r;
}

int gr_policy_decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"programs", decode_programs, 0, NULL},
        {"stages", decode_stages, 0, NULL},
        {"timeout", decode_timeout, 0, NULL},
        {"createTimeoutTotal", decode_create_total, 0, NULL},
        {"hooksPerContainer", decode_hooks_max, 0, NULL},
        {"requests", decode_requests, 0, NULL},
        {"onDeniedRequest", decode_on_denied, 0, NULL},
        {"exemptNamespaces", decode_exempt, 0, NULL},
        {"neverFail", decode_never_fail, 0, NULL},
        {"protectedSets", decode_protected, 0, NULL},
        {"skipStages", decode_skips, 0, NULL},
    };

    if (node->kind == GR_YAML_MAPPING && node->n == 0)
        return 0; /* no guard rail of its own: the defaults */
    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}
