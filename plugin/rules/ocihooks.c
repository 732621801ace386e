/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/ocihooks: a file of oci-hooks(5) to a HookSet.
 *
 * Layer: rules. The file is read as the Go library reads it (ocihooks_bind.c), its conditions
 * become an ordinary tree: ANDed in version 1.0.0, ORed in 0.1.0. Whatever is accepted can be
 * written as YAML and read again.
 */
#include "rules/ocihooks.h"

#include <errno.h>

#include "base/hash.h"
#include "rules/limits.h"
#include "rules/ocihooks_parts.h"

#define NEVER_CODE "never-matches"
#define NO_STAGES_CODE "no-stages"

/* What an expression that is empty, and so fits everything, is written as. */
#define ANYTHING ".*"

struct when {
    struct gr_oci_bool always, has_bind_mounts;
    struct gr_oci_pairs annotations;
    struct gr_oci_texts commands;
    bool any; /* version 0.1.0: one condition suffices */
    struct gr_place at;
};

/* Both versions, as the library makes them alike. */
struct file {
    struct gr_oci_raw_hook hook;
    struct when when;
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
        {"always", gr_oci_take_bool, offsetof(struct when, always)},
        {"annotations", gr_oci_take_pairs, offsetof(struct when, annotations)},
        {"commands", gr_oci_take_texts, offsetof(struct when, commands)},
        {"hasBindMounts", gr_oci_take_bool, offsetof(struct when, has_bind_mounts)},
    };
    struct when *when = target;

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
                                  .key = GR_STR(ANYTHING),
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
    file->when = (struct when){.has_bind_mounts = old.has_bind_mounts,
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

/* ---- conditions ---- */

/* An expression that is searched for: any part of the text may match. */
static int build_regex(struct gr_oci_reader *r, struct gr_str text, struct gr_place at,
                       struct gr_test *test)
{
    struct gr_yaml_node node = {.kind = GR_YAML_SCALAR, .text = text, .at = at};
    struct gr_err err = {0};
    int result;

    if (text.n == 0)
        node.text = GR_STR(ANYTHING);
    *test = (struct gr_test){.kind = GR_TEST_REGEX, .line = at.line, .column = at.column};
    result = gr_decode_text_copy(&r->d, &node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &test->text);
    if (result != 0)
        return result;
    result = gr_regex_compile(r->d.arena, test->text, true, &test->regex, &err);
    return result == -EINVAL ? gr_decode_refuse_err(&r->d, at, &err) : result;
}

static struct gr_cond leaf(enum gr_field field, struct gr_place at)
{
    return (struct gr_cond){
        .kind = GR_COND_LEAF, .field = field, .line = at.line, .column = at.column};
}

static struct gr_cond always(bool value, struct gr_place at)
{
    return (struct gr_cond){
        .kind = GR_COND_ALWAYS, .always = value, .line = at.line, .column = at.column};
}

static int build_mounts(struct gr_oci_reader *r, struct gr_place at, struct gr_cond *cond)
{
    struct gr_pattern *pattern = gr_arena_alloc(r->d.arena, sizeof(*pattern));
    struct gr_test *type = gr_arena_alloc(r->d.arena, sizeof(*type));

    if (!pattern || !type)
        return -ENOMEM;
    *type = (struct gr_test){.kind = GR_TEST_EXACT, .line = at.line, .column = at.column};
    if (!gr_arena_str(r->d.arena, GR_STR("bind"), &type->text))
        return -ENOMEM;
    *pattern = (struct gr_pattern){.line = at.line, .column = at.column};
    pattern->parts[GR_MOUNT_TYPE] = (struct gr_tests){.items = type, .n = 1};
    *cond = leaf(GR_FIELD_MOUNTS, at);
    cond->patterns = pattern;
    cond->patterns_n = 1;
    return 0;
}

/* One pair: some annotation's key and value match. */
static int build_pair(struct gr_oci_reader *r, const struct gr_yaml_node *pair,
                      struct gr_cond *cond)
{
    struct gr_pattern *pattern = gr_arena_alloc(r->d.arena, sizeof(*pattern));
    struct gr_test *tests = gr_arena_array(r->d.arena, 2, sizeof(*tests));
    int result;

    if (!pattern || !tests)
        return -ENOMEM;
    result = build_regex(r, pair->key, pair->key_at, &tests[0]);
    if (result >= 0)
        result = build_regex(r, pair->text, pair->at, &tests[1]);
    *pattern = (struct gr_pattern){.line = pair->key_at.line, .column = pair->key_at.column};
    pattern->parts[GR_ENTRY_KEY] = (struct gr_tests){.items = &tests[0], .n = 1};
    pattern->parts[GR_ENTRY_VALUE] = (struct gr_tests){.items = &tests[1], .n = 1};
    *cond = leaf(GR_FIELD_ANY_ANNOTATION, pair->key_at);
    cond->patterns = pattern;
    cond->patterns_n = 1;
    return result;
}

/* Every pair must be met. */
static int build_annotations(struct gr_oci_reader *r, const struct gr_oci_pairs *pairs,
                             struct gr_cond *cond)
{
    struct gr_cond *leaves = gr_arena_array(r->d.arena, pairs->n, sizeof(*leaves));
    size_t before = gr_field_path_key(&r->d.path, GR_STR("annotations"));

    if (!leaves)
        return -ENOMEM;
    for (size_t i = 0; i < pairs->n; i++) {
        int result = build_pair(r, &pairs->items[i], &leaves[i]);

        if (result < 0)
            return result;
    }
    gr_field_path_cut(&r->d.path, before);
    *cond = (struct gr_cond){.kind = GR_COND_ALL,
                             .children = leaves,
                             .children_n = pairs->n,
                             .line = pairs->at.line,
                             .column = pairs->at.column};
    if (pairs->n == 1)
        *cond = leaves[0];
    return 0;
}

/* Any of them is found in args[0]. A container without args does not match: no runtime runs it. */
static int build_commands(struct gr_oci_reader *r, const struct when *when, struct gr_cond *cond)
{
    const struct gr_oci_texts *commands = &when->commands;
    struct gr_test *tests;
    size_t before;

    if (commands->n > GR_VALUES_MAX)
        return gr_decode_refuse(&r->d, commands->at, "too-many",
                                "this list has %zu elements; at most %d are allowed", commands->n,
                                GR_VALUES_MAX);
    tests = gr_arena_array(r->d.arena, commands->n, sizeof(*tests));
    if (!tests)
        return -ENOMEM;
    before = gr_field_path_key(&r->d.path, when->any ? GR_STR("cmds") : GR_STR("commands"));
    for (size_t i = 0; i < commands->n; i++) {
        size_t outer = gr_field_path_index(&r->d.path, i);
        int result = build_regex(r, commands->items[i].text, commands->items[i].at, &tests[i]);

        gr_field_path_cut(&r->d.path, outer);
        if (result < 0)
            return result;
    }
    gr_field_path_cut(&r->d.path, before);
    *cond = leaf(GR_FIELD_COMMAND, commands->at);
    cond->tests = (struct gr_tests){.items = tests, .n = commands->n};
    return 0;
}

/* A condition that is given and false: a veto where all must hold, nothing where one suffices. */
static bool has_veto(const struct when *when)
{
    bool never = (when->always.given && !when->always.value) ||
                 (when->has_bind_mounts.given && !when->has_bind_mounts.value);

    return never && !when->any;
}

#define CONDITIONS_MAX 4

static int build_conditions(struct gr_oci_reader *r, const struct when *when, struct gr_cond *conds,
                            size_t *out_n)
{
    size_t n = 0;
    int result = 0;

    if (has_veto(when))
        conds[n++] = always(false, when->at);
    if (when->has_bind_mounts.value)
        result = build_mounts(r, when->has_bind_mounts.at, &conds[n++]);
    if (result >= 0 && when->annotations.n > 0)
        result = build_annotations(r, &when->annotations, &conds[n++]);
    if (result >= 0 && when->commands.n > 0)
        result = build_commands(r, when, &conds[n++]);
    *out_n = n;
    return GR_MIN(result, 0);
}

static int build_match(struct gr_oci_reader *r, const struct when *when, struct gr_hookset *set)
{
    struct gr_cond *conds = gr_arena_array(r->d.arena, CONDITIONS_MAX, sizeof(*conds));
    struct gr_cond *match = gr_arena_alloc(r->d.arena, sizeof(*match));
    size_t before = when->any ? r->d.path.n : gr_field_path_key(&r->d.path, GR_STR("when"));
    size_t n = 0;
    int result;

    if (!conds || !match)
        return -ENOMEM;
    result = build_conditions(r, when, conds, &n);
    if (result < 0)
        return result;
    if (has_veto(when))
        gr_oci_say(r, GR_LEVEL_WARNING, when->at, NEVER_CODE,
                   "always and hasBindMounts that are false mean \"never\": this file injects "
                   "nothing");
    else if (n == 0 && !when->always.value)
        gr_oci_say(r, GR_LEVEL_WARNING, when->at, NEVER_CODE,
                   "there is no condition, which means \"never\": this file injects nothing; for "
                   "every container write \"when\": {\"always\": true} in version 1.0.0");
    *match = (struct gr_cond){.kind = when->any ? GR_COND_ANY : GR_COND_ALL,
                              .children = conds,
                              .children_n = n,
                              .line = when->at.line,
                              .column = when->at.column};
    if (n == 0)
        *match = always(when->always.value, when->at);
    else if (n == 1)
        *match = conds[0];
    set->match = match;
    gr_field_path_cut(&r->d.path, before);
    return 0;
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
        result = build_match(r, &file->when, set);
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
