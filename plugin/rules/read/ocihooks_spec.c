/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/ocihooks_spec: bare OCI hooks to one HookSet that matches always: --hook-spec files of
 * docker and iSulad, hooks.json of the Container Hooks Toolkit, a config.json.
 *
 * Layer: rules. Several files are laid one behind the other, stage by stage. What they hold beside
 * hooks is passed over, but never a hook.
 */
#include <errno.h>

#include "base/hash.h"
#include "rules/limits.h"
#include "rules/read/ocihooks_parts.h"

#define NO_HOOKS_CODE "no-hooks"
#define IGNORED_CODE "ignored-key"
#define MARKER_CODE "marker-hook"

/* The program by which the toolkit knows its own hooks again. */
#define MARKER "container-hooks"

/* A stage of one file: every hook object, as it was bound. */
struct raw_stage {
    struct gr_oci_raw_hook *items;
    size_t n;
};

struct raw_stages {
    struct raw_stage items[GR_STAGE_COUNT];
};

struct merge {
    struct gr_oci_reader *r;
    struct gr_hookset *set;
    bool skip_marker;
};

/* As Go decodes into a list of structs: the elements that are there are written over. */
static int take_stage(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    struct raw_stage *stage = target;
    struct gr_oci_raw_hook *items;
    size_t n = 0;

    if (gr_oci_is_null(node)) {
        *stage = (struct raw_stage){0};
        return 0;
    }
    if (node->kind != GR_YAML_LIST)
        return gr_decode_refuse(&r->d, node->at, "wrong-type",
                                "expected a list […] of hooks, "
                                "found %s",
                                gr_decode_describe(node).text);
    items = gr_arena_array(&r->nodes, node->n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < GR_MIN(node->n, stage->n); i++)
        items[i] = stage->items[i];
    for (const struct gr_yaml_node *hook = node->first; hook; hook = hook->next) {
        size_t before = gr_field_path_index(&r->d.path, n);
        int result;

        if (!items[n].path.given)
            items[n].at = hook->at;
        result = gr_oci_take_hook(r, hook, &items[n++]);
        gr_field_path_cut(&r->d.path, before);
        if (result < 0)
            return result;
    }
    *stage = (struct raw_stage){.items = items, .n = n};
    return 0;
}

static const struct gr_oci_field stage_fields[GR_STAGE_COUNT] = {
    {"prestart", take_stage, GR_STAGE_PRESTART * sizeof(struct raw_stage)},
    {"createRuntime", take_stage, GR_STAGE_CREATE_RUNTIME * sizeof(struct raw_stage)},
    {"createContainer", take_stage, GR_STAGE_CREATE_CONTAINER * sizeof(struct raw_stage)},
    {"startContainer", take_stage, GR_STAGE_START_CONTAINER * sizeof(struct raw_stage)},
    {"poststart", take_stage, GR_STAGE_POSTSTART * sizeof(struct raw_stage)},
    {"poststop", take_stage, GR_STAGE_POSTSTOP * sizeof(struct raw_stage)},
};

static int take_stages(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    return gr_oci_take_object(r, node, stage_fields, GR_STAGE_COUNT, target);
}

static bool is_stage(struct gr_str key)
{
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        if (gr_oci_key_is(key, stage_fields[i].name))
            return true;
    }
    return false;
}

/* The entry "hooks", and whether stages stand beside it. */
static const struct gr_yaml_node *find_hooks(const struct gr_yaml_node *root, bool *out_stages)
{
    const struct gr_yaml_node *hooks = NULL;

    for (const struct gr_yaml_node *entry = root->first; entry; entry = entry->next) {
        if (gr_oci_key_is(entry->key, "hooks"))
            hooks = entry;
        *out_stages |= is_stage(entry->key);
    }
    return hooks;
}

/* In a file of bare hooks a key that is no stage may be a stage that was misspelt. */
static void say_ignored(struct gr_oci_reader *r, const struct gr_yaml_node *root)
{
    for (const struct gr_yaml_node *entry = root->first; entry; entry = entry->next) {
        const char *names[GR_STAGE_COUNT];
        const char *nearest;

        if (is_stage(entry->key))
            continue;
        for (size_t i = 0; i < GR_STAGE_COUNT; i++)
            names[i] = stage_fields[i].name;
        nearest = gr_nearest(entry->key, names, GR_STAGE_COUNT);
        gr_oci_say(r, GR_LEVEL_WARNING, entry->key_at, IGNORED_CODE,
                   "the key \"%s\" is no stage and is passed over, as everything behind it that "
                   "is none%s%s%s",
                   gr_show(entry->key).text, nearest ? "; did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?" : "");
        return;
    }
}

/* The key "hooks" below "process", where no runtime looks for any; NULL: there is none. */
static const struct gr_yaml_node *find_process_hooks(const struct gr_yaml_node *root)
{
    for (const struct gr_yaml_node *entry = root->first; entry; entry = entry->next) {
        if (entry->kind != GR_YAML_MAPPING || !gr_oci_key_is(entry->key, "process"))
            continue;
        for (const struct gr_yaml_node *key = entry->first; key; key = key->next) {
            if (gr_oci_key_is(key->key, "hooks"))
                return key;
        }
    }
    return NULL;
}

static int bind_root(struct gr_oci_reader *r, const struct gr_yaml_node *root,
                     struct raw_stages *stages)
{
    static const struct gr_oci_field fields[] = {{"hooks", take_stages, 0}};
    bool has_stages = false;
    const struct gr_yaml_node *hooks, *misplaced;

    if (root->kind != GR_YAML_MAPPING)
        return gr_decode_refuse(&r->d, root->at, "wrong-type",
                                "expected a JSON object with \"prestart\", \"poststop\" and so on, "
                                "or with \"hooks\", found %s",
                                gr_decode_describe(root).text);
    misplaced = find_process_hooks(root);
    if (misplaced)
        return gr_decode_refuse(
            &r->d, misplaced->key_at, "misplaced-key",
            "\"hooks\" stands below \"process\", where no runtime looks for it; "
            "it belongs beside \"process\"");
    hooks = find_hooks(root, &has_stages);
    if (hooks && has_stages)
        return gr_decode_refuse(&r->d, hooks->key_at, "wrong-type",
                                "\"hooks\" and stages stand side by side, so that it is not clear "
                                "which are meant; keep one of the two");
    if (hooks)
        return gr_oci_take_object(r, root, fields, GR_ARRAY_LEN(fields), stages);
    say_ignored(r, root);
    return take_stages(r, root, stages);
}

static bool is_marker(const struct gr_oci_raw_hook *hook)
{
    size_t slash = gr_str_rfind(hook->path.text, '/');

    return gr_str_is(slash == hook->path.text.n ? hook->path.text
                                                : gr_str_skip(hook->path.text, slash + 1),
                     MARKER);
}

/* Leaves the marker out; returns how many are left. */
static size_t drop_markers(struct gr_oci_reader *r, struct gr_oci_raw_hook *hooks, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_marker(&hooks[i]))
            gr_oci_say(r, GR_LEVEL_WARNING, hooks[i].at, MARKER_CODE,
                       "the hook " MARKER " is the mark of the Container Hooks Toolkit and is left "
                       "out: Grapnel marks its hooks itself");
        else
            hooks[kept++] = hooks[i];
    }
    return kept;
}

/* Lays hooks behind those of the files before. */
static int append(struct merge *m, enum gr_stage stage, const struct gr_hook_list *more,
                  struct gr_place at)
{
    struct gr_hook_list *list = &m->set->hooks[stage];
    struct gr_hook *hooks;

    if (list->n + more->n > GR_HOOKS_PER_STAGE_MAX)
        return gr_decode_refuse(&m->r->d, at, "too-many",
                                "all files together have %zu hooks of the stage %s; at most %d are "
                                "allowed",
                                list->n + more->n, gr_stage_name(stage), GR_HOOKS_PER_STAGE_MAX);
    hooks = gr_arena_array(m->r->d.arena, list->n + more->n, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    if (list->n > 0)
        memcpy(hooks, list->items, list->n * sizeof(*hooks));
    if (more->n > 0)
        memcpy(hooks + list->n, more->items, more->n * sizeof(*hooks));
    *list = (struct gr_hook_list){.items = hooks, .n = list->n + more->n};
    return 0;
}

static int add_stage(struct merge *m, enum gr_stage stage, const struct raw_stage *raw)
{
    bool markers = m->skip_marker && stage == GR_STAGE_PRESTART;
    size_t n = markers ? drop_markers(m->r, raw->items, raw->n) : raw->n;
    struct gr_hook_list hooks = {0};
    int result;

    if (n == 0)
        return 0;
    result = gr_oci_hooks_build(m->r, raw->items, n, stage, &hooks);
    return result ? result : append(m, stage, &hooks, raw->items[0].at);
}

static int add_stages(struct merge *m, const struct raw_stages *stages)
{
    int result = 0;

    for (size_t i = 0; i < GR_STAGE_COUNT && result >= 0; i++)
        result = add_stage(m, (enum gr_stage)i, &stages->items[i]);
    return result;
}

/* A file with a value of another type is not looked at further. */
static int add_source(struct merge *m, const struct gr_source *source)
{
    struct gr_findings *outer = m->r->d.findings;
    struct gr_findings findings = {.reporter = outer->reporter, .file = source->file};
    const struct gr_yaml_node *root = NULL;
    struct raw_stages stages = {0};
    bool bad = m->r->d.bad; /* a file before */
    int result;

    m->r->no_timeout = 0;
    m->r->d.findings = &findings;
    m->r->d.bad = false;
    result = gr_ocihooks_json(m->r, source->text, &root);
    if (result == 0)
        result = bind_root(m->r, root, &stages);
    if (result == 0 && !m->r->d.bad)
        result = add_stages(m, &stages);
    if (result >= 0 && !m->r->d.bad)
        gr_oci_say_no_timeout(m->r, root->at);
    m->r->d.bad |= bad;
    m->r->d.path = (struct gr_field_path){0};
    m->r->d.findings = outer;
    return GR_MIN(result, 0);
}

static bool has_hooks(const struct gr_hookset *set)
{
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        if (set->hooks[i].n > 0)
            return true;
    }
    return false;
}

static int match_always(struct gr_arena *arena, struct gr_hookset *set)
{
    struct gr_cond *match = gr_arena_alloc(arena, sizeof(*match));

    if (!match)
        return -ENOMEM;
    *match = (struct gr_cond){.kind = GR_COND_ALWAYS, .always = true, .line = 1, .column = 1};
    set->match = match;
    return 0;
}

static int name_set(struct gr_arena *arena, const struct gr_source *source, struct gr_str name,
                    struct gr_hookset *set)
{
    size_t slash;

    if (!gr_arena_str(arena, name, &set->name) ||
        !gr_arena_str(arena, gr_str_from(source->file), &set->file))
        return -ENOMEM;
    slash = gr_str_rfind(set->file, '/');
    set->file_name = slash == set->file.n ? set->file : gr_str_skip(set->file, slash + 1);
    return match_always(arena, set);
}

static int merge_all(struct merge *m, const struct gr_source *sources, size_t sources_n,
                     struct gr_str name)
{
    struct gr_oci_reader *r = m->r;
    uint64_t hash = GR_HASH_START;
    int result;

    for (size_t i = 0; i < sources_n; i++)
        hash = gr_hash_more(hash, sources[i].text);
    *m->set = gr_oci_new_set(GR_FORMAT_HOOK_SPEC, 1, hash);
    result = name_set(r->d.arena, &sources[0], name, m->set);
    if (result == 0 && !gr_is_dns_subdomain(name))
        (void)gr_decode_refuse(&r->d, (struct gr_place){.line = 1, .column = 1}, "bad-name",
                               "the name \"%s\" is refused: expected at most %d lower-case "
                               "letters, digits, - and ., beginning and ending with a letter or "
                               "digit",
                               gr_show(name).text, GR_NAME_MAX_BYTES);
    for (size_t i = 0; i < sources_n && result == 0; i++)
        result = add_source(m, &sources[i]);
    return result;
}

static enum gr_foreign kind_of(const struct gr_yaml_node *root)
{
    static const char *const keys[] = {"hook", "when", "stages", "stage"};
    enum gr_foreign kind = GR_FOREIGN_UNKNOWN;

    for (const struct gr_yaml_node *entry = root->first; entry; entry = entry->next) {
        for (size_t i = 0; i < GR_ARRAY_LEN(keys) && root->kind == GR_YAML_MAPPING; i++) {
            if (gr_oci_key_is(entry->key, keys[i]))
                return GR_FOREIGN_OCI_HOOKS;
        }
        if (root->kind == GR_YAML_MAPPING &&
            (is_stage(entry->key) || gr_oci_key_is(entry->key, "hooks")))
            kind = GR_FOREIGN_HOOK_SPEC;
    }
    if (kind == GR_FOREIGN_UNKNOWN && root->kind == GR_YAML_MAPPING && find_process_hooks(root))
        kind = GR_FOREIGN_HOOK_SPEC;
    return kind;
}

int gr_foreign_detect(const struct gr_source *source, const struct gr_reporter *reporter,
                      enum gr_foreign *out_kind)
{
    struct gr_findings findings = {.reporter = reporter, .file = source->file};
    const struct gr_yaml_node *root = NULL;
    struct gr_oci_reader r;
    int result;

    gr_oci_reader_init(&r, NULL, &findings);
    result = gr_ocihooks_json(&r, source->text, &root);
    if (result == 0)
        *out_kind = kind_of(root);
    gr_oci_reader_fini(&r);
    return result;
}

int gr_hookspecs_decode(struct gr_arena *arena, const struct gr_source *sources, size_t sources_n,
                        struct gr_str name, bool skip_marker, const struct gr_reporter *reporter,
                        struct gr_hooksets *out_sets)
{
    struct gr_findings findings = {.reporter = reporter};
    struct gr_hookset set = {0};
    struct gr_oci_reader r;
    struct merge m = {.r = &r, .set = &set, .skip_marker = skip_marker};
    int result = 0;

    gr_oci_reader_init(&r, arena, &findings);
    if (sources_n > 0) {
        findings.file = sources[0].file;
        result = merge_all(&m, sources, sources_n, name);
    }
    if (result == 0 && sources_n > 0 && !r.d.bad && !has_hooks(&set))
        gr_oci_say(&r, GR_LEVEL_WARNING, (struct gr_place){.line = 1, .column = 1}, NO_HOOKS_CODE,
                   "there is no hook here, so that there is nothing to say");
    if (result == 0)
        result = gr_oci_give(arena, has_hooks(&set) ? &set : NULL, r.d.bad, out_sets);
    gr_oci_reader_fini(&r);
    return result;
}
