/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/policy_decode: documents of kind Policy, strictly.
 *
 * Layer: rules. One table per mapping, as for HookSets (rules/strict). A text gives all of its
 * policies or none: half a guard rail is none.
 */
#include <errno.h>

#include "base/hash.h"
#include "rules/decode_parts.h"
#include "rules/limits.h"
#include "rules/policy.h"

#define SCRATCH_BLOCK_BYTES (4U << 10)

static const char *const kinds[] = {"Config", "HookSet", "Policy"};

/* ---- programs ---- */

static int decode_directories(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;
    struct gr_str *dirs;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_POLICY_DIRS_MAX);

    if (r != 0)
        return r;
    dirs = gr_arena_array(d->arena, node->n, sizeof(*dirs));
    if (!dirs)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        r = gr_decode_text_copy(d, item, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &dirs[n]);
        if (r == 0)
            r = gr_decode_check_path(d, item->at, dirs[n], GR_HOOK_PATH_MAX_BYTES);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    policy->has_hook_dirs = true;
    policy->hook_dirs = (struct gr_strs){.items = dirs, .n = n};
    policy->hook_dirs_line = node->key_at.line;
    return 0;
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

    return gr_decode_seconds(d, node, 1, GR_POLICY_CREATE_TIMEOUT_MAX_S,
                             &policy->create_timeout_total_s);
}

static int decode_hooks_max(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_policy *policy = target;

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

static int decode_requests(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"sets", decode_grant_sets, GR_KEY_REQUIRED, "sets: [my-set]"},
        {"namespaces", decode_grant_namespaces, GR_KEY_REQUIRED, "namespaces: [my-namespace]"},
    };
    struct gr_policy *policy = target;
    struct gr_grant *grants;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_POLICY_GRANTS_MAX);

    if (r != 0)
        return r;
    grants = gr_arena_array(d->arena, node->n, sizeof(*grants));
    if (!grants)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        r = gr_decode_mapping(d, item, GR_KEYS(keys), &grants[n]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    policy->grants = grants;
    policy->grants_n = n;
    return 0;
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

static int decode_skips(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"runtimeHandlers", decode_skip_handlers, GR_KEY_REQUIRED,
         "runtimeHandlers: [{glob: \"kata*\"}]"},
        {"stages", decode_skip_bits, GR_KEY_REQUIRED, "stages: [startContainer]"},
    };
    struct gr_policy *policy = target;
    struct gr_stage_skip *skips;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_POLICY_SKIPS_MAX);

    if (r != 0)
        return r;
    skips = gr_arena_array(d->arena, node->n, sizeof(*skips));
    if (!skips)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        r = gr_decode_mapping(d, item, GR_KEYS(keys), &skips[n]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    policy->skips = skips;
    policy->skips_n = n;
    return 0;
}

/* ---- documents ---- */

static int decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
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

/* A document of another kind: where it belongs. */
static int refuse_kind(struct gr_decoder *d, const struct gr_yaml_node *kind)
{
    size_t before = gr_field_path_key(&d->path, GR_STR("kind"));
    int r;

    if (gr_str_is(kind->text, "Config"))
        r = gr_decode_refuse(d, kind->at, "bad-kind",
                             "expected kind: Policy, found a Config; settings belong into "
                             "/etc/grapnel/config.yaml, or the file that --config names");
    else
        r = gr_decode_refuse(d, kind->at, "bad-kind",
                             "expected kind: Policy, found a HookSet; rules belong into "
                             "/etc/grapnel/hooks.d, or a directory that --hooks-dir names");
    gr_field_path_cut(&d->path, before);
    return r;
}

static int decode_document(struct gr_decoder *d, const struct gr_yaml_node *root,
                           struct gr_policy *policy)
{
    static const struct gr_key keys[] = {
        {"apiVersion", gr_decode_seen, GR_KEY_REQUIRED, "apiVersion: " GR_API_VERSION},
        {"kind", gr_decode_seen, GR_KEY_REQUIRED, "kind: Policy"},
        {"spec", decode_spec, GR_KEY_REQUIRED, "spec: with the guard rails in it"},
        {"programs", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"stages", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"timeout", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"createTimeoutTotal", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"hooksPerContainer", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"requests", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"onDeniedRequest", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"exemptNamespaces", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"neverFail", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"protectedSets", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"skipStages", NULL, GR_KEY_ELSEWHERE, "spec"},
    };
    const struct gr_yaml_node *kind = gr_yaml_get(root, "kind");
    int r = 0;

    policy->line = root->at.line;
    policy->stages = GR_STAGES_ALL;
    if (kind && kind->kind == GR_YAML_SCALAR &&
        (gr_str_is(kind->text, "Config") || gr_str_is(kind->text, "HookSet")))
        return refuse_kind(d, kind);
    if (root->kind == GR_YAML_MAPPING)
        r = gr_decode_check_kind(d, root, "Policy");
    return r ? r : gr_decode_mapping(d, root, GR_KEYS(keys), policy);
}

static bool holds(struct gr_str text, struct gr_str part)
{
    return text.n > 0 && memmem(text.p, text.n, part.p, part.n) != NULL;
}

static bool mentions_policy(struct gr_str text)
{
    return holds(text, GR_STR("Policy"));
}

bool gr_policy_claims(const struct gr_yaml_document *document)
{
    const struct gr_yaml_node *kind = document->root ? gr_yaml_get(document->root, "kind") : NULL;
    const char *meant;

    if (!kind || kind->kind != GR_YAML_SCALAR)
        return mentions_policy(document->text);
    meant = gr_nearest(kind->text, kinds, GR_ARRAY_LEN(kinds));
    return meant && strcmp(meant, "Policy") == 0;
}

/* What is read of one text. */
struct reading {
    struct gr_decoder d;
    struct gr_findings findings;
    const struct gr_reporter *reporter;
    enum gr_policy_place place;
    struct gr_str text;      /* the whole one */
    struct gr_str file;      /* in the arena */
    struct gr_policy *items; /* owned, GR_POLICIES_MAX of them */
    size_t n, max;
    uint64_t hash;
};

/* The text from a line on; all of it where lines end otherwise than with a line feed. */
static struct gr_str from_line(struct gr_str text, uint32_t line)
{
    static const struct gr_str others[] = {
        {"\r", 1}, {"\xC2\x85", 2}, {"\xE2\x80\xA8", 3}, {"\xE2\x80\xA9", 3}};

    for (size_t i = 0; i < GR_ARRAY_LEN(others); i++) {
        if (holds(text, others[i]))
            return text;
    }
    while (--line > 0)
        text = gr_str_skip(text, gr_str_find(text, '\n') + 1);
    return text;
}

/* Whether a document is passed over: in a Configure text others stand beside policies. */
static bool is_for_others(const struct reading *reading, const struct gr_yaml_document *document)
{
    if (reading->place == GR_POLICY_FILE)
        return false;
    if (document->root || !document->bad)
        return !gr_policy_claims(document);
    /* Broken syntax ends the reading: a policy may stand in all that is left. */
    return !mentions_policy(from_line(reading->text, document->at.line));
}

static int take_document(struct reading *reading, const struct gr_yaml_document *document)
{
    struct gr_decoder *d = &reading->d;
    struct gr_policy *policy;

    if (is_for_others(reading, document))
        return 0;
    d->bad = d->bad || document->bad;
    d->path = (struct gr_field_path){0};
    if (!document->root)
        return 0;
    if (reading->n == reading->max)
        return gr_decode_refuse(d, document->root->at, "too-many-documents",
                                "expected at most %d policies in force, found more; join some of "
                                "them",
                                GR_POLICIES_MAX);
    policy = &reading->items[reading->n++];
    policy->file = reading->file;
    reading->hash = gr_hash_more(reading->hash, reading->file);
    reading->hash = gr_hash_more(reading->hash, document->text);
    return decode_document(d, document->root, policy);
}

static int decode_all(struct reading *reading, struct gr_yaml *yaml, struct gr_arena *scratch)
{
    int r = 0;

    while (r >= 0) {
        struct gr_yaml_document document;

        gr_arena_reset(scratch);
        /* What is no YAML in a Configure text was reported by the reader of its settings. */
        reading->findings.reporter =
            reading->place == GR_POLICY_IN_CONFIGURE ? NULL : reading->reporter;
        r = gr_yaml_next(yaml, scratch, &document);
        reading->findings.reporter = reading->reporter;
        if (r != 0)
            break;
        r = take_document(reading, &document);
    }
    return r < 0 ? r : 0;
}

/* Old and new ones in one array. */
static int append(const struct reading *reading, struct gr_arena *arena,
                  struct gr_policies *policies)
{
    struct gr_policy *items;

    if (reading->n == 0)
        return 0;
    items = gr_arena_array(arena, policies->n + reading->n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    if (policies->n > 0)
        memcpy(items, policies->items, policies->n * sizeof(*items));
    memcpy(items + policies->n, reading->items, reading->n * sizeof(*items));
    policies->items = items;
    policies->n += reading->n;
    policies->hash = reading->hash;
    return 0;
}

int gr_policies_decode(struct gr_arena *arena, const struct gr_source *source,
                       enum gr_policy_place place, const struct gr_reporter *reporter,
                       struct gr_policies *policies)
{
    struct reading reading = {
        .d = {.arena = arena},
        .findings = {.file = source->file},
        .reporter = reporter,
        .place = place,
        .text = source->text,
        .max = GR_POLICIES_MAX - policies->n,
        .hash = policies->hash ? policies->hash : GR_HASH_START,
    };
    struct gr_yaml *yaml = NULL;
    struct gr_arena scratch;
    int r;

    reading.d.findings = &reading.findings;
    reading.items = calloc(GR_POLICIES_MAX, sizeof(*reading.items));
    if (!reading.items || !gr_arena_str(arena, gr_str_from(source->file), &reading.file)) {
        free(reading.items);
        return -ENOMEM;
    }
    gr_arena_init(&scratch, SCRATCH_BLOCK_BYTES, 0);
    r = gr_yaml_new(source->text, &reading.findings, &yaml);
    if (r == 0)
        r = decode_all(&reading, yaml, &scratch);
    if (r == 0 && reading.d.bad)
        r = GR_POLICY_REFUSED;
    if (r == 0)
        r = append(&reading, arena, policies);
    free(reading.items);
    gr_yaml_free(yaml);
    gr_arena_fini(&scratch);
    return r;
}
