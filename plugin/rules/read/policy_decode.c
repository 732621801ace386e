/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/policy_decode: texts to policies; what stands in one is read by policy_fields.c.
 *
 * Layer: rules. A text gives all of its policies or none: half a guard rail is none.
 */
#include <errno.h>

#include "base/hash.h"
#include "rules/limits.h"
#include "rules/policy_parts.h"

#define SCRATCH_BLOCK_BYTES (4U << 10)

static const char *const kinds[] = {"Config", "HookSet", "Policy"};

static int decode_document(struct gr_decoder *d, const struct gr_yaml_node *root,
                           struct gr_policy *policy)
{
    static const struct gr_key keys[] = {
        {"apiVersion", gr_decode_seen, GR_KEY_REQUIRED, "apiVersion: " GR_API_VERSION},
        {"kind", gr_decode_seen, GR_KEY_REQUIRED, "kind: Policy"},
        {"spec", gr_policy_decode_spec, GR_KEY_REQUIRED, "spec: with the guard rails in it"},
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
    int r = 0;

    policy->line = root->at.line;
    policy->stages = GR_STAGES_ALL;
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
