/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decode_hooks: spec.hooks: six stages, each a list of hooks.
 *
 * Layer: rules. What can be said without a host is said here; whether a program is there and may be
 * run is the loader's to check.
 */
#include <errno.h>

#include "rules/decode_parts.h"
#include "rules/limits.h"

static int decode_path(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook *hook = target;
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

static int decode_timeout(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook *hook = target;

    hook->timeout_given = true;
    return gr_decode_seconds(d, node, GR_HOOK_TIMEOUT_MIN_S, GR_HOOK_TIMEOUT_MAX_S,
                             &hook->timeout_s);
}

static const struct gr_key hook_keys[] = {
    {"path", decode_path, GR_KEY_REQUIRED, "path: /opt/hooks/program"},
    {"args", gr_decode_args, 0, NULL},
    {"env", gr_decode_env, 0, NULL},
    {"timeout", decode_timeout, 0, NULL},
    {"program", NULL, GR_KEY_LATER, NULL},
    {"builtin", NULL, GR_KEY_LATER, NULL},
    {"onFailure", NULL, GR_KEY_LATER, NULL},
    {"retry", NULL, GR_KEY_LATER, NULL},
    {"limits", NULL, GR_KEY_LATER, NULL},
    {"verify", NULL, GR_KEY_LATER, NULL},
    {"capture", NULL, GR_KEY_LATER, NULL},
    {"user", NULL, GR_KEY_LATER, NULL},
    {"cwd", NULL, GR_KEY_LATER, NULL},
    {"umask", NULL, GR_KEY_LATER, NULL},
    {"killGrace", NULL, GR_KEY_LATER, NULL},
    {"background", NULL, GR_KEY_LATER, NULL},
    {"mountProgram", NULL, GR_KEY_LATER, NULL},
};

/* A hook that names its program in a way of a later version lacks no path. */
static struct gr_keys keys_for(const struct gr_yaml_node *node, struct gr_key *room)
{
    memcpy(room, hook_keys, sizeof(hook_keys));
    if (gr_yaml_get(node, "program") || gr_yaml_get(node, "builtin"))
        room[0].flags = 0;
    return (struct gr_keys){.items = room, .n = GR_ARRAY_LEN(hook_keys)};
}

static int decode_hook(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_hook *hook)
{
    struct gr_key room[GR_ARRAY_LEN(hook_keys)];
    size_t findings = d->findings->count;
    int r;

    *hook = (struct gr_hook){
        .timeout_s = GR_HOOK_TIMEOUT_DEFAULT_S, .line = node->at.line, .column = node->at.column};
    r = gr_decode_mapping(d, node, keys_for(node, room), hook);
    if (r == 0 && d->findings->count == findings)
        r = gr_decode_check_shell(d, hook);
    return r;
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
    hooks = gr_arena_array(d->arena, node->n, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    for (const struct gr_yaml_node *hook = node->first; hook; hook = hook->next) {
        size_t before = gr_field_path_index(&d->path, n);

        r = decode_hook(d, hook, &hooks[n++]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    (void)gr_stage_parse(node->key, &stage);
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
