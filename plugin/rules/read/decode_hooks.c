/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_hooks: spec.hooks: six stages, each a list of hooks.
 *
 * Layer: rules. What can be said without a host is said here; whether a program is there and may be
 * run is the loader's to check.
 */
#include <errno.h>

#include "base/buf.h"
#include "rules/limits.h"
#include "rules/program.h"
#include "rules/read/decode_parts.h"

static int decode_path(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook *hook = ((struct gr_hook_reading *)target)->hook;
    struct gr_str path = GR_STR_NONE;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &path);

    if (r != 0)
        return r;
    if (memmem(path.p, path.n, "{{", 2))
        return gr_decode_refuse(d, node->at, "unsafe-template",
                                "templates are not allowed in path, so that nobody but the author "
                                "of this file chooses the program; write the path itself");
    r = gr_decode_check_path(d, node->at, path, GR_HOOK_PATH_MAX_BYTES);
    if (r == 0)
        hook->path = path;
    return r;
}

/* The path is that of a store in its usual place, until the loader knows better. Inside a container
 * there is no store. */
static int take_program(struct gr_decoder *d, const struct gr_program_ref *ref,
                        struct gr_hook_reading *reading)
{
    struct gr_buf path;
    int r;

    gr_buf_init(&path, GR_HOOK_PATH_MAX_BYTES);
    r = gr_buf_text(&path, GR_PROGRAMS_DEFAULT "/");
    r = r ? r : gr_buf_str(&path, ref->package);
    r = r ? r : gr_buf_text(&path, "/" GR_PROGRAM_CURRENT "/");
    r = r ? r : gr_buf_str(&path, ref->file);
    if (r == 0 && !gr_arena_str(d->arena, gr_buf_view(&path), &reading->hook->path))
        r = -ENOMEM;
    gr_buf_fini(&path);
    return r;
}

static int decode_program(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook_reading *reading = target;
    struct gr_str text = GR_STR_NONE;
    struct gr_program_ref ref;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &text);

    if (reading->stage == GR_STAGE_START_CONTAINER)
        gr_runner_needs_add(&reading->needs, node->key_at, "program");
    if (r != 0)
        return r;
    if (!gr_program_parse(text, &ref))
        return gr_decode_refuse(d, node->at, "bad-program",
                                "expected NAME/FILE, the name of an installed package (lower-case "
                                "letters, digits and -) and of a file in it (up to 8 names of "
                                "letters, digits and any of ._+-), such as net/bin/setup; found "
                                "\"%s\"",
                                gr_show(text).text);
    reading->hook->program = text;
    return take_program(d, &ref, reading);
}

static int decode_timeout(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook *hook = ((struct gr_hook_reading *)target)->hook;

    hook->timeout_given = true;
    return gr_decode_seconds(d, node, GR_HOOK_TIMEOUT_MIN_S, GR_HOOK_TIMEOUT_MAX_S,
                             &hook->timeout_s);
}

static const struct gr_key hook_keys[] = {
    {"path", decode_path, GR_KEY_REQUIRED, "path: /opt/hooks/program"},
    {"args", gr_decode_args, 0, NULL},
    {"env", gr_decode_env, 0, NULL},
    {"timeout", decode_timeout, 0, NULL},
    {"program", decode_program, 0, NULL},
    {"builtin", gr_decode_runner_key, 0, NULL},
    {"onFailure", gr_decode_runner_key, 0, NULL},
    {"retry", gr_decode_runner_key, 0, NULL},
    {"limits", gr_decode_runner_key, 0, NULL},
    {"verify", gr_decode_runner_key, 0, NULL},
    {"capture", gr_decode_runner_key, 0, NULL},
    {"user", gr_decode_runner_key, 0, NULL},
    {"cwd", gr_decode_runner_key, 0, NULL},
    {"umask", gr_decode_runner_key, 0, NULL},
    {"killGrace", gr_decode_runner_key, 0, NULL},
    {"background", gr_decode_runner_key, 0, NULL},
    {"mountProgram", gr_decode_runner_key, 0, NULL},
};

/* A hook that names its program in another way lacks no path. */
static struct gr_keys keys_for(const struct gr_yaml_node *node, struct gr_key *room)
{
    memcpy(room, hook_keys, sizeof(hook_keys));
    if (gr_yaml_get(node, "program") || gr_yaml_get(node, "builtin"))
        room[0].flags = 0;
    return (struct gr_keys){.items = room, .n = GR_ARRAY_LEN(hook_keys)};
}

/* The program is named once. */
static int check_one_program(struct gr_decoder *d, const struct gr_yaml_node *node)
{
    static const char *const names[] = {"path", "program", "builtin"};
    const struct gr_yaml_node *last = NULL;
    size_t n = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        const struct gr_yaml_node *value = gr_yaml_get(node, names[i]);

        if (value) {
            n++;
            last = value;
        }
    }
    if (n < 2)
        return 0;
    return gr_decode_refuse(d, last->key_at, "bad-form",
                            "expected exactly one of path, program and builtin, found %zu; keep "
                            "the one that is meant",
                            n);
}

static int decode_hook(struct gr_decoder *d, const struct gr_yaml_node *node, enum gr_stage stage,
                       struct gr_hook *hook)
{
    struct gr_key room[GR_ARRAY_LEN(hook_keys)];
    struct gr_hook_reading reading = {.hook = hook, .stage = stage};
    size_t findings = d->findings->count;
    int r;

    *hook = (struct gr_hook){
        .timeout_s = GR_HOOK_TIMEOUT_DEFAULT_S, .line = node->at.line, .column = node->at.column};
    r = gr_decode_mapping(d, node, keys_for(node, room), &reading);
    if (r == 0)
        r = check_one_program(d, node);
    if (r == 0 && d->findings->count == findings)
        r = gr_decode_check_shell(d, hook);
    return r < 0 ? r : gr_runner_needs_check(d, &reading.needs);
}

static int decode_stage(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;
    enum gr_stage stage = GR_STAGE_PRESTART;
    struct gr_hook *hooks;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_HOOKS_PER_STAGE_MAX);

    if (r != 0)
        return r;
    (void)gr_stage_parse(node->key, &stage);
    hooks = gr_arena_array(d->arena, node->n, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    for (const struct gr_yaml_node *hook = node->first; hook; hook = hook->next) {
        size_t before = gr_field_path_index(&d->path, n);

        r = decode_hook(d, hook, stage, &hooks[n++]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    set->hooks[stage] = (struct gr_hook_list){.items = hooks, .n = n};
    return 0;
}

int gr_decode_hooks(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"prestart", decode_stage, 0, NULL},        {"createRuntime", decode_stage, 0, NULL},
        {"createContainer", decode_stage, 0, NULL}, {"startContainer", decode_stage, 0, NULL},
        {"poststart", decode_stage, 0, NULL},       {"poststop", decode_stage, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}
