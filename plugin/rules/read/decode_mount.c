/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_mount: an element of spec.adjust.mounts.
 *
 * Layer: rules. A bind mount always has bind or rbind among its options, as the OCI runtime-spec
 * wants it; every path of it is absolute. An option is one option: a comma would begin another.
 */
#include <errno.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"

static int check_path(struct gr_decoder *d, struct gr_place at, struct gr_str path)
{
    if (gr_str_is(path, "/"))
        return 0;
    return gr_decode_check_path(d, at, path, GR_HOOK_PATH_MAX_BYTES);
}

static int decode_destination(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;
    int r = gr_adjust_decode_path(d, node, &entry->mount.destination);

    entry->key = entry->mount.destination;
    return r;
}

static int decode_source(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;
    int r = gr_decode_literal(d, node, GR_TEXT_LINE, GR_HOOK_PATH_MAX_BYTES, &entry->mount.source);

    if (r == 0 && entry->mount.source.n == 0)
        r = gr_decode_refuse(d, node->at, "empty",
                             "an empty source means nothing; write it or remove the key");
    return r;
}

static bool is_file_system(struct gr_str type)
{
    for (size_t i = 0; i < type.n; i++) {
        char c = type.p[i];

        if (c >= 'A' && c <= 'Z')
            return false;
    }
    return gr_is_token(type, "_.-");
}

static int decode_type(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;
    struct gr_str type = GR_STR_NONE;
    int r = gr_decode_literal(d, node, GR_TEXT_LINE, GR_ADJUST_NAME_MAX_BYTES, &type);

    if (r == 0 && !is_file_system(type))
        r = gr_decode_refuse(d, node->at, "bad-mount",
                             "\"%s\" is not a type of mount: expected bind, tmpfs or another type "
                             "of file system as /proc/filesystems has it",
                             gr_show(type).text);
    if (r == 0)
        entry->mount.type = type;
    return r;
}

/* The directories of overlay: path, or path:path…. */
static int check_overlay(struct gr_decoder *d, struct gr_place at, struct gr_str option)
{
    static const char *const keys[] = {"lowerdir", "upperdir", "workdir"};
    size_t equals = gr_str_find(option, '=');
    struct gr_str rest = gr_str_skip(option, equals + 1);
    bool is_path = false;
    int r = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(keys); i++)
        is_path = is_path || gr_str_is(gr_str_first(option, equals), keys[i]);
    while (is_path && r == 0) {
        size_t n = gr_str_find(rest, ':');

        r = gr_decode_check_path(d, at, gr_str_first(rest, n), GR_HOOK_PATH_MAX_BYTES);
        is_path = n < rest.n;
        rest = gr_str_skip(rest, n + 1);
    }
    return r;
}

/* What is wrong with an option; NULL: nothing. */
static const char *option_fault(struct gr_str option)
{
    if (option.n == 0)
        return "it is empty";
    if (option.p[0] == '-')
        return "it begins with -";
    if (gr_str_find(option, ',') < option.n)
        return "it holds a comma; write each option as an element of its own";
    if (gr_str_is(option, "remount") || gr_str_is(option, "move"))
        return "a new mount cannot change one that is there";
    return NULL;
}

static int check_option(struct gr_decoder *d, struct gr_place at, struct gr_strs before,
                        struct gr_str option)
{
    static const char *const exclusive[][2] = {{"bind", "rbind"}, {"ro", "rw"}};
    const char *fault = option_fault(option);

    if (fault)
        return gr_decode_refuse(d, at, "bad-mount", "the option \"%s\" is refused: %s",
                                gr_show(option).text, fault);
    for (size_t i = 0; i < before.n; i++) {
        if (gr_str_eq(before.items[i], option))
            return gr_decode_refuse(d, at, "duplicate-entry",
                                    "the option \"%s\" stands here a second time; keep one",
                                    gr_show(option).text);
        for (size_t k = 0; k < 2 * GR_ARRAY_LEN(exclusive); k++) {
            if (gr_str_is(option, exclusive[k / 2][k % 2]) &&
                gr_str_is(before.items[i], exclusive[k / 2][1 - k % 2]))
                return gr_decode_refuse(d, at, "bad-mount",
                                        "the options %s and %s exclude each other; keep one",
                                        exclusive[k / 2][0], exclusive[k / 2][1]);
        }
    }
    return check_overlay(d, at, option);
}

static int decode_options(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;
    struct gr_str *options;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_MOUNT_OPTIONS_MAX);

    if (r != 0)
        return r;
    options = gr_arena_array(d->arena, node->n, sizeof(*options));
    if (!options)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        size_t before = gr_field_path_index(&d->path, n);
        struct gr_str option = GR_STR_NONE;

        r = gr_decode_literal(d, item, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &option);
        if (r == 0)
            r = check_option(d, item->at, (struct gr_strs){.items = options, .n = n}, option);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
        options[n++] = option;
    }
    entry->mount.options = (struct gr_strs){.items = options, .n = n};
    return 0;
}

static bool has_bind(struct gr_strs options)
{
    for (size_t i = 0; i < options.n; i++) {
        if (gr_str_is(options.items[i], "bind") || gr_str_is(options.items[i], "rbind"))
            return true;
    }
    return false;
}

/* Without bind or rbind a runtime would look for a file system called "bind". */
static int add_rbind(struct gr_decoder *d, struct gr_mount *mount)
{
    struct gr_str *options = gr_arena_array(d->arena, mount->options.n + 1, sizeof(*options));

    if (!options)
        return -ENOMEM;
    options[0] = GR_STR("rbind");
    if (mount->options.n > 0)
        memcpy(options + 1, mount->options.items, mount->options.n * sizeof(*options));
    mount->options = (struct gr_strs){.items = options, .n = mount->options.n + 1};
    return 0;
}

/* What the parts say together. */
static int finish(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_mount *mount)
{
    const struct gr_yaml_node *source = gr_yaml_get(node, "source");
    bool bind;

    if (mount->type.n == 0)
        mount->type = GR_STR("bind");
    bind = gr_str_is(mount->type, "bind") || gr_str_is(mount->type, "none");
    if (!bind && has_bind(mount->options))
        return gr_decode_refuse(d, node->at, "bad-mount",
                                "the option bind belongs to mounts of type bind, not of type %s; "
                                "remove one of the two",
                                gr_show(mount->type).text);
    if (gr_str_is(mount->type, "none") && !has_bind(mount->options))
        return gr_decode_refuse(d, node->at, "bad-mount",
                                "type none says nothing without the option bind or rbind; write "
                                "the type of the file system, or type: bind");
    if (!bind)
        return 0;
    if (!source)
        return gr_decode_refuse(
            d, node->at, "missing-key",
            "the key \"source\" is missing; write the path on the host, such as "
            "source: /var/lib/data, or type: tmpfs");
    if (!has_bind(mount->options) && add_rbind(d, mount))
        return -ENOMEM;
    return check_path(d, source->at, mount->source);
}

int gr_decode_mount(struct gr_decoder *d, const struct gr_yaml_node *node,
                    struct gr_adjust_entry *entry)
{
    static const struct gr_key keys[] = {
        {"destination", decode_destination, GR_KEY_REQUIRED, "destination: /data"},
        {"source", decode_source, 0, NULL},
        {"type", decode_type, 0, NULL},
        {"options", decode_options, 0, NULL},
    };
    size_t findings = d->findings->count;
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), entry);

    if (r == 0 && d->findings->count == findings)
        r = finish(d, node, &entry->mount);
    return r;
}
