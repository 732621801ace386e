/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode: documents of a file to HookSets; the parts are in decode_*.c.
 *
 * Layer: rules. Nodes live in a scratch arena that is reset for each document; what a set keeps is
 * copied into the caller's arena.
 */
#include "rules/read/decode.h"

#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "rules/read/decode_parts.h"
#include "rules/limits.h"

#define SCRATCH_BLOCK_BYTES (16U << 10)

/* Sets of one file while it is read. */
struct sets {
    struct gr_hookset *items; /* owned, from malloc */
    uint64_t *names;          /* owned: a hash of each one's name, to be gone through quickly */
    size_t n, cap;
};

static int decode_name(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;
    struct gr_str name = GR_STR_NONE;
    bool lenient = d->lenient;
    int r;

    d->lenient = false; /* without a name nothing can be said of a set */
    r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &name);
    if (r == 0 && !gr_is_dns_subdomain(name))
        r = gr_decode_refuse(d, node->at, "bad-name",
                             "the name \"%s\" is refused: expected at most %d lower-case "
                             "letters, digits, - and ., beginning and ending with a letter or "
                             "digit",
                             gr_show(name).text, GR_NAME_MAX_BYTES);
    d->lenient = lenient;
    if (r == 0)
        set->name = name;
    return r;
}

static int decode_metadata(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"name", decode_name, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_top(struct gr_decoder *d, const struct gr_yaml_node *root, struct gr_hookset *set)
{
    static const struct gr_key keys[] = {
        {"apiVersion", gr_decode_seen, GR_KEY_REQUIRED, "apiVersion: " GR_API_VERSION},
        {"kind", gr_decode_seen, GR_KEY_REQUIRED, "kind: HookSet"},
        {"metadata", decode_metadata, 0, NULL},
        {"spec", gr_decode_spec, GR_KEY_REQUIRED, "spec: with match and hooks in it"},
        {"name", NULL, GR_KEY_ELSEWHERE, "metadata"},
        {"mode", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"nodes", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"order", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"match", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"failurePolicy", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"onUnknown", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"hooks", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"adjust", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"minVersion", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"requestable", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"environments", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"breaker", NULL, GR_KEY_ELSEWHERE, "spec"},
    };

    return gr_decode_mapping(d, root, GR_KEYS(keys), set);
}

static void warn_later(struct gr_decoder *d, const struct gr_yaml_node *root,
                       const struct gr_hookset *set)
{
    const struct gr_yaml_node *node = gr_yaml_get(gr_yaml_get(root, "spec"), "minVersion");

    gr_findings_warn(d->findings, node->at, "too-new", "spec.minVersion",
                     "this set is blocked: %.*s; a container that matches it is an error under its "
                     "failurePolicy",
                     GR_STR_FMT(set->blocked));
}

/* No match at all: every container is one that cannot be told. */
static int make_unreadable(struct gr_decoder *d, const struct gr_yaml_node *root,
                           struct gr_hookset *set)
{
    struct gr_cond *cond = gr_arena_alloc(d->arena, sizeof(*cond));

    if (!cond)
        return -ENOMEM;
    *cond = (struct gr_cond){
        .kind = GR_COND_UNREADABLE, .line = root->at.line, .column = root->at.column};
    set->match = cond;
    return 0;
}

/* A set for a later version: who it is for and what a failure of it means. It is blocked. */
static int decode_later(struct gr_decoder *d, const struct gr_source *source,
                        const struct gr_yaml_node *root, struct gr_str needed,
                        struct gr_hookset *set)
{
    static const struct gr_key keys[] = {
        {"metadata", decode_metadata, 0, NULL},
        {"spec", gr_decode_later_spec, 0, NULL},
    };
    struct gr_str version = source->version.n > 0 ? source->version : GR_STR("of unknown version");
    char text[160];
    int r;

    (void)snprintf(text, sizeof(text), "it needs Grapnel %.*s or later, this is %.*s",
                   GR_STR_FMT(needed), GR_STR_FMT(gr_str_first(version, 64)));
    if (!gr_arena_str(d->arena, gr_str_from(text), &set->blocked))
        return -ENOMEM;
    d->lenient = true;
    r = gr_decode_mapping(d, root, GR_KEYS(keys), set);
    d->lenient = false;
    if (r < 0)
        return r;
    warn_later(d, root, set);
    return set->match ? 0 : make_unreadable(d, root, set);
}

/* The file's stem stands in for a name that is not given. */
static int default_name(struct gr_decoder *d, const struct gr_source *source,
                        const struct gr_yaml_node *root, struct gr_hookset *set)
{
    if (set->name.n > 0 || gr_yaml_get(gr_yaml_get(root, "metadata"), "name"))
        return 0;
    if (!gr_is_dns_subdomain(source->stem))
        return gr_decode_refuse(d, root->at, "bad-name",
                                "the file's name gives \"%s\", which is no name for a set (lower-"
                                "case letters, digits, - and .); write metadata: {name: …}",
                                gr_show(source->stem).text);
    return gr_arena_str(d->arena, source->stem, &set->name) ? 0 : -ENOMEM;
}

static int check_name_is_new(struct gr_decoder *d, const struct sets *sets,
                             const struct gr_yaml_node *root, const struct gr_hookset *set)
{
    const struct gr_yaml_node *node = gr_yaml_get(gr_yaml_get(root, "metadata"), "name");
    uint64_t hash = gr_hash(set->name);

    for (size_t i = 0; i < sets->n; i++) {
        if (sets->names[i] != hash || !gr_str_eq(sets->items[i].name, set->name))
            continue;
        return gr_decode_refuse(d, node ? node->at : root->at, "duplicate-name",
                                "the name \"%s\" was given already to the document at line %u; "
                                "give each document its own metadata.name",
                                gr_show(set->name).text, sets->items[i].line);
    }
    return 0;
}

/* A file of oci-hooks(5) where rules are expected: one error instead of one for each of its keys.
 */
static int check_format(struct gr_decoder *d, const struct gr_yaml_node *root)
{
    const struct gr_yaml_node *hook = gr_yaml_get(root, "hook");

    if (!hook || gr_yaml_get(root, "apiVersion") || gr_yaml_get(root, "kind"))
        return 0;
    return gr_decode_refuse(d, root->at, "oci-hooks-file",
                            "expected a HookSet, found a hook in the format of oci-hooks(5); name "
                            "its directory with --oci-hooks-dir (ociHooksDirs of the settings), or "
                            "write it as a HookSet with grapnel convert");
}

static int decode_document(struct gr_decoder *d, const struct gr_source *source,
                           const struct sets *sets, const struct gr_yaml_document *document,
                           struct gr_hookset *set)
{
    const struct gr_yaml_node *root = document->root;
    struct gr_str needed = GR_STR_NONE;
    int r = 0;

    set->document = document->number;
    set->line = root->at.line;
    set->hash = gr_hash(document->text);
    set->order = GR_ORDER_DEFAULT;
    if (root->kind == GR_YAML_MAPPING)
        r = check_format(d, root);
    if (r == 0 && root->kind == GR_YAML_MAPPING)
        r = gr_decode_check_kind(d, root, "HookSet");
    if (r == 0 && gr_needs_later_version(root, source->version, &needed))
        r = decode_later(d, source, root, needed, set);
    else if (r == 0)
        r = decode_top(d, root, set);
    if (r == 0)
        r = default_name(d, source, root, set);
    if (r == 0 && set->name.n > 0)
        r = check_name_is_new(d, sets, root, set);
    gr_decode_match_end(root, set);
    return r < 0 ? r : 0;
}

/* Room for one more set. Cannot overflow: a file has at most GR_YAML_DOCUMENTS_MAX. */
static int reserve(struct sets *sets)
{
    size_t cap = sets->cap ? 2 * sets->cap : 4;
    struct gr_hookset *items;
    uint64_t *names;

    if (sets->n < sets->cap)
        return 0;
    items = realloc(sets->items, cap * sizeof(*items));
    if (!items)
        return -ENOMEM;
    sets->items = items;
    names = realloc(sets->names, cap * sizeof(*names));
    if (!names)
        return -ENOMEM;
    sets->names = names;
    sets->cap = cap;
    return 0;
}

static int keep(struct sets *sets, const struct gr_hookset *set)
{
    int r = reserve(sets);

    if (r < 0)
        return r;
    sets->names[sets->n] = gr_hash(set->name);
    sets->items[sets->n++] = *set;
    return 0;
}

/* What all sets of a file share. */
static int name_file(struct gr_arena *arena, const struct gr_source *source,
                     struct gr_hookset *base)
{
    size_t slash;

    if (!gr_arena_str(arena, gr_str_from(source->file), &base->file))
        return -ENOMEM;
    slash = gr_str_rfind(base->file, '/');
    base->file_name = slash == base->file.n ? base->file : gr_str_skip(base->file, slash + 1);
    return 0;
}

/* Decodes one document and keeps it when nothing is wrong with it. */
static int add_document(struct gr_decoder *d, const struct gr_source *source,
                        const struct gr_yaml_document *document, const struct gr_hookset *base,
                        struct sets *sets, size_t *rejected)
{
    struct gr_hookset set = *base;
    int r;

    d->bad = document->bad;
    d->path = (struct gr_field_path){0};
    if (document->root) {
        r = decode_document(d, source, sets, document, &set);
        if (r < 0)
            return r;
    }
    if (d->bad) {
        (*rejected)++;
        return 0;
    }
    return document->root ? keep(sets, &set) : 0;
}

static int decode_all(struct gr_decoder *d, const struct gr_source *source, struct gr_yaml *yaml,
                      struct gr_arena *scratch, struct sets *sets, size_t *rejected)
{
    struct gr_hookset base = {0};
    int r = name_file(d->arena, source, &base);

    while (r == 0) {
        struct gr_yaml_document document;

        gr_arena_reset(scratch);
        r = gr_yaml_next(yaml, scratch, &document);
        if (r == 0)
            r = add_document(d, source, &document, &base, sets, rejected);
    }
    return r == GR_YAML_END ? 0 : r;
}

int gr_hooksets_decode(struct gr_arena *arena, const struct gr_source *source,
                       const struct gr_reporter *reporter, struct gr_hooksets *out_sets)
{
    struct gr_findings findings = {.reporter = reporter, .file = source->file};
    struct gr_decoder d = {.arena = arena, .findings = &findings};
    struct gr_hookset *items;
    struct gr_arena scratch;
    struct gr_yaml *yaml = NULL;
    struct sets sets = {0};
    size_t rejected = 0;
    int r;

    gr_arena_init(&scratch, SCRATCH_BLOCK_BYTES, 0);
    r = gr_yaml_new(source->text, &findings, &yaml);
    if (r == 0)
        r = decode_all(&d, source, yaml, &scratch, &sets, &rejected);
    if (r == 0) {
        items = gr_arena_array(arena, sets.n, sizeof(*items));
        if (items && sets.n > 0)
            memcpy(items, sets.items, sets.n * sizeof(*items));
        if (items)
            *out_sets = (struct gr_hooksets){.items = items, .n = sets.n, .rejected = rejected};
        else
            r = -ENOMEM;
    }
    free(sets.items);
    free(sets.names);
    gr_yaml_free(yaml);
    gr_arena_fini(&scratch);
    return r;
}
