/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/ocihooks: a file of oci-hooks(5) to a HookSet.
 *
 * Layer: rules. The file is read as the Go library reads it (ocihooks_bind.c). Whatever is accepted
 * can be written as YAML and read again.
 */
#include "rules/read/ocihooks.h"

#include <errno.h>

#include "base/hash.h"
#include "rules/limits.h"
#include "rules/read/ocihooks_parts.h"

#define NO_STAGES_CODE "no-stages"

/* Both versions, as the library makes them alike. */
struct file {
    struct gr_oci_raw_hook hook;
    struct gr_oci_when when;
    struct gr_oci_texts stages;
    struct gr_place at;
};

struct file_0_1_0 {
    struct gr_oci_text hook;
    struct gr_oci_texts arguments, stages, stage, cmds, cmd, annotations, annotation;
    struct gr_oci_bool has_bind_mounts;
};

/* ---- the two versions ---- */

static int take_when(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_oci_field fields[] = {
        {"always", gr_oci_take_bool, offsetof(struct gr_oci_when, always)},
        {"annotations", gr_oci_take_pairs, offsetof(struct gr_oci_when, annotations)},
        {"commands", gr_oci_take_texts, offsetof(struct gr_oci_when, commands)},
        {"hasBindMounts", gr_oci_take_bool, offsetof(struct gr_oci_when, has_bind_mounts)},
    };
    struct gr_oci_when *when = target;

    when->at = node->at;
    return gr_oci_take_object(r, node, fields, GR_ARRAY_LEN(fields), when);
}

static int read_1_0_0(struct gr_oci_reader *r, const struct gr_yaml_node *root, struct file *file)
{
    static const struct gr_oci_field fields[] = {
        {"hook", gr_oci_take_hook, offsetof(struct file, hook)},
        {"when", take_when, offsetof(struct file, when)},
        {"stages", gr_oci_take_texts, offsetof(struct file, stages)},
    };

    file->hook.at = file->when.at = root->at;
    return gr_oci_take_object(r, root, fields, GR_ARRAY_LEN(fields), file);
}

static int check_not_both(struct gr_oci_reader *r, const struct gr_oci_texts *one,
                          const struct gr_oci_texts *other, const char *name, const char *short_)
{
    if (!one->given || !other->given)
        return 0;
    return gr_decode_refuse(&r->d, other->at, "duplicate-key",
                            "\"%s\" and \"%s\" mean the same; keep one of the two", name, short_);
}

/* hook itself is args[0]. Without it (which is refused later) there is no argv. */
static int prepend(struct gr_oci_reader *r, const struct gr_oci_text *hook,
                   struct gr_oci_texts *args)
{
    struct gr_yaml_node *items;

    if (hook->text.n == 0)
        *args = (struct gr_oci_texts){0};
    if (!args->given)
        return 0;
    items = gr_arena_array(&r->nodes, args->n + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    items[0] = (struct gr_yaml_node){.kind = GR_YAML_SCALAR, .text = hook->text, .at = hook->at};
    if (args->n > 0)
        memcpy(items + 1, args->items, args->n * sizeof(*items));
    args->items = items;
    args->n++;
    return 0;
}

/* a|b|…: one expression for the value, whatever the key. */
static int join(struct gr_oci_reader *r, const struct gr_oci_texts *texts,
                struct gr_oci_pairs *out_pairs)
{
    struct gr_yaml_node *pair = gr_arena_alloc(&r->nodes, sizeof(*pair));
    size_t bytes = 1;
    size_t n = 0;
    char *joined;

    if (!texts->given)
        return 0;
    for (size_t i = 0; i < texts->n; i++)
        bytes += texts->items[i].text.n + 1;
    joined = gr_arena_alloc(&r->nodes, bytes);
    if (!pair || !joined)
        return -ENOMEM;
    for (size_t i = 0; i < texts->n; i++) {
        struct gr_str text = texts->items[i].text;

        if (i > 0)
            joined[n++] = '|';
        if (text.n > 0)
            memcpy(joined + n, text.p, text.n);
        n += text.n;
    }
    *pair = (struct gr_yaml_node){.kind = GR_YAML_SCALAR,
                                  .text = {.p = joined, .n = n},
                                  .at = texts->at,
                                  .key = GR_STR(GR_OCI_ANYTHING),
                                  .key_at = texts->at};
    *out_pairs = (struct gr_oci_pairs){.items = pair, .n = 1, .room = 1, .at = texts->at};
    return 0;
}

static int read_0_1_0(struct gr_oci_reader *r, const struct gr_yaml_node *root, struct file *file)
{
    static const struct gr_oci_field fields[] = {
        {"hook", gr_oci_take_optional, offsetof(struct file_0_1_0, hook)},
        {"arguments", gr_oci_take_texts, offsetof(struct file_0_1_0, arguments)},
        {"stages", gr_oci_take_texts, offsetof(struct file_0_1_0, stages)},
        {"stage", gr_oci_take_texts, offsetof(struct file_0_1_0, stage)},
        {"cmds", gr_oci_take_texts, offsetof(struct file_0_1_0, cmds)},
        {"cmd", gr_oci_take_texts, offsetof(struct file_0_1_0, cmd)},
        {"annotations", gr_oci_take_texts, offsetof(struct file_0_1_0, annotations)},
        {"annotation", gr_oci_take_texts, offsetof(struct file_0_1_0, annotation)},
        {"hasbindmounts", gr_oci_take_bool, offsetof(struct file_0_1_0, has_bind_mounts)},
    };
    struct file_0_1_0 old = {0};
    int result = gr_oci_take_object(r, root, fields, GR_ARRAY_LEN(fields), &old);

    if (result != 0)
        return result;
    (void)check_not_both(r, &old.stages, &old.stage, "stages", "stage");
    (void)check_not_both(r, &old.cmds, &old.cmd, "cmds", "cmd");
    (void)check_not_both(r, &old.annotations, &old.annotation, "annotations", "annotation");
    file->hook = (struct gr_oci_raw_hook){
        .path = old.hook, .args = old.arguments, .at = old.hook.given ? old.hook.at : root->at};
    file->stages = old.stages.given ? old.stages : old.stage;
    file->when = (struct gr_oci_when){.has_bind_mounts = old.has_bind_mounts,
                                      .commands = old.cmds.given ? old.cmds : old.cmd,
                                      .any = true,
                                      .at = root->at};
    result = prepend(r, &old.hook, &file->hook.args);
    if (result == 0)
        result = join(r, old.annotations.given ? &old.annotations : &old.annotation,
                      &file->when.annotations);
    return result;
}

static int read_file(struct gr_oci_reader *r, const struct gr_yaml_node *root, struct file *file)
{
    static const struct gr_oci_field fields[] = {{"version", gr_oci_take_text, 0}};
    struct gr_oci_text version = {0};
    int result;

    file->at = root->at;
    if (root->kind != GR_YAML_MAPPING)
        return gr_decode_refuse(&r->d, root->at, "wrong-type",
                                "expected a JSON object with \"version\", \"hook\", \"when\" and "
                                "\"stages\", found %s",
                                gr_decode_describe(root).text);
    result = gr_oci_take_object(r, root, fields, GR_ARRAY_LEN(fields), &version);
    if (result != 0)
        return result;
    if (gr_str_is(version.text, "1.0.0"))
        return read_1_0_0(r, root, file);
    if (version.text.n == 0 || gr_str_is(version.text, "0.1.0"))
        return read_0_1_0(r, root, file);
    return gr_decode_refuse(&r->d, version.at, "bad-version",
                            "expected version \"1.0.0\" or \"0.1.0\" of oci-hooks(5), found \"%s\"",
                            gr_show(version.text).text);
}

/* ---- stages ---- */

static int read_stage(struct gr_oci_reader *r, const struct gr_yaml_node *node,
                      enum gr_stage *out_stage)
{
    static const char *const names[] = {"prestart",       "createRuntime", "createContainer",
                                        "startContainer", "poststart",     "poststop"};
    const char *nearest;

    if (gr_stage_parse(node->text, out_stage)) {
        if (*out_stage == GR_STAGE_PRESTART)
            *out_stage = GR_STAGE_CREATE_RUNTIME;
        return 0;
    }
    nearest = gr_nearest(node->text, names, GR_ARRAY_LEN(names));
    return gr_decode_refuse(&r->d, node->at, "bad-word",
                            "\"%s\" is no stage of the OCI runtime-spec; %s%s%s",
                            gr_show(node->text).text, nearest ? "did you mean " : "known are ",
                            nearest ? nearest
                                    : "prestart, createRuntime, createContainer, startContainer, "
                                      "poststart and poststop",
                            nearest ? "?" : "");
}

/* The hook once for each time that its stage is named. */
static int build_stages(struct gr_oci_reader *r, const struct gr_oci_texts *stages,
                        const struct gr_hook *hook, struct gr_hookset *set)
{
    struct gr_hook *hooks = gr_arena_array(
        r->d.arena, GR_MIN(stages->n, (size_t)GR_HOOKS_PER_STAGE_MAX), sizeof(*hooks));
    size_t before = gr_field_path_key(&r->d.path, GR_STR("stages"));

    if (!hooks)
        return -ENOMEM;
    for (size_t i = 0; i < GR_MIN(stages->n, (size_t)GR_HOOKS_PER_STAGE_MAX); i++)
        hooks[i] = *hook;
    for (size_t i = 0; i < stages->n; i++) {
        size_t outer = gr_field_path_index(&r->d.path, i);
        enum gr_stage stage = GR_STAGE_PRESTART;
        int result = read_stage(r, &stages->items[i], &stage);

        if (result == 0 && set->hooks[stage].n == GR_HOOKS_PER_STAGE_MAX)
            result = gr_decode_refuse(&r->d, stages->items[i].at, "too-many",
                                      "one stage stands here more than %d times",
                                      GR_HOOKS_PER_STAGE_MAX);
        gr_field_path_cut(&r->d.path, outer);
        if (result == 0)
            set->hooks[stage] = (struct gr_hook_list){.items = hooks, .n = set->hooks[stage].n + 1};
    }
    gr_field_path_cut(&r->d.path, before);
    return 0;
}

/* ---- the set ---- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What stands for the characters from i up to the next letter or digit. */
static size_t separate(struct gr_str stem, size_t i, size_t end, char *out)
{
    size_t n = end - i;
    size_t hyphens = 0;

    while (hyphens < n && stem.p[i + hyphens] == '-')
        hyphens++;
    if (hyphens == n) {
        memset(out, '-', n);
        return n;
    }
    out[0] = n == 1 && stem.p[i] == '.' ? '.' : '-';
    return 1;
}

int gr_ocihooks_name(struct gr_arena *arena, struct gr_str stem, struct gr_str *out_name)
{
    char *name = gr_arena_alloc(arena, stem.n + 1);
    size_t n = 0;

    if (!name)
        return -ENOMEM;
    for (size_t i = 0; i < stem.n;) {
        size_t end = i;

        while (end < stem.n && !is_alnum(lower(stem.p[end])))
            end++;
        if (end > i && end < stem.n && n > 0)
            n += separate(stem, i, end, name + n);
        if (end < stem.n)
            name[n++] = lower(stem.p[end]);
        i = end + 1;
    }
    *out_name = (struct gr_str){.p = name, .n = n};
    return gr_is_dns_subdomain(*out_name) ? 0 : GR_DECODE_REFUSED;
}

/* name, file and file_name. */
static int name_set(struct gr_oci_reader *r, const struct gr_source *source, struct gr_hookset *set)
{
    struct gr_arena *arena = r->d.arena;
    size_t slash;
    char *copy;
    int result = gr_ocihooks_name(arena, source->stem, &set->name);

    if (result < 0 || !gr_arena_str(arena, gr_str_from(source->file), &set->file))
        return -ENOMEM;
    slash = gr_str_rfind(set->file, '/');
    copy =
        gr_arena_copy(arena, slash == set->file.n ? set->file : gr_str_skip(set->file, slash + 1));
    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; copy[i]; i++)
        copy[i] = lower(copy[i]);
    set->file_name = gr_str_from(copy);
    if (result == 0)
        return 0;
    return gr_decode_refuse(&r->d, (struct gr_place){.line = 1, .column = 1}, "bad-name",
                            "the file's name \"%s\" gives no name for a set; rename the file so "
                            "that it holds a letter or digit and has at most %d characters",
                            gr_show(source->stem).text, GR_NAME_MAX_BYTES);
}

static int build_set(struct gr_oci_reader *r, const struct file *file, struct gr_hookset *set)
{
    struct gr_hook_list hook = {0};
    int result = gr_oci_hooks_build(r, &file->hook, 1, GR_STAGE_CREATE_RUNTIME, &hook);

    if (result == 0)
        result = gr_oci_match_build(r, &file->when, set);
    if (result == 0 && !file->stages.given)
        (void)gr_decode_refuse(&r->d, file->at, "missing-key",
                               "the key \"stages\" is missing; write \"stages\": "
                               "[\"createRuntime\"]");
    else if (result == 0 && hook.n > 0)
        result = build_stages(r, &file->stages, &hook.items[0], set);
    return result;
}

/* Nothing to inject is fine to the library, and nothing that a HookSet could say. */
static bool is_empty(const struct gr_oci_reader *r, const struct file *file)
{
    if (r->d.bad || file->stages.n > 0)
        return false;
    gr_oci_say(r, GR_LEVEL_WARNING, file->stages.at, NO_STAGES_CODE,
               "\"stages\" is empty: this file injects nothing");
    return true;
}

static int decode(struct gr_oci_reader *r, const struct gr_source *source, struct gr_hookset *set,
                  bool *out_empty)
{
    const struct gr_yaml_node *root = NULL;
    struct file file = {0};
    int result = gr_ocihooks_json(r, source->text, &root);

    if (result == 0)
        result = read_file(r, root, &file);
    if (result == 0 && !r->d.bad) {
        *set = gr_oci_new_set(GR_FORMAT_OCI_HOOKS, root->at.line, gr_hash(source->text));
        result = name_set(r, source, set);
        if (result >= 0)
            result = build_set(r, &file, set);
        if (result >= 0)
            *out_empty = is_empty(r, &file);
        if (result >= 0 && !r->d.bad && !*out_empty)
            gr_oci_say_no_timeout(r, file.hook.at);
    }
    return GR_MIN(result, 0);
}

int gr_ocihooks_decode(struct gr_arena *arena, const struct gr_source *source,
                       const struct gr_reporter *reporter, struct gr_hooksets *out_sets)
{
    struct gr_findings findings = {.reporter = reporter, .file = source->file};
    struct gr_hookset set = {0};
    struct gr_oci_reader r;
    bool empty = false;
    int result;

    gr_oci_reader_init(&r, arena, &findings);
    result = decode(&r, source, &set, &empty);
    if (result == 0)
        result = gr_oci_give(arena, empty ? NULL : &set, r.d.bad, out_sets);
    gr_oci_reader_fini(&r);
    return result;
}
