/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_adjust: spec.adjust to entries; resources are in decode_resources.c.
 *
 * Layer: rules. Each kind and key stands once in a set. All values are literal. Shapes: OCI
 * runtime-spec config.md and config-linux.md, names of CDI's SPEC.md. What NRI would read as
 * another order than to add something (a key that begins with -) is refused.
 */
#include <errno.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"

int gr_adjust_check_mark(struct gr_decoder *d, struct gr_place at, struct gr_str key)
{
    if (key.n == 0 || key.p[0] != '-')
        return 0;
    return gr_decode_refuse(d, at, "removal-mark",
                            "\"%s\" begins with -, which asks the runtime to remove what is there; "
                            "a set only adds: write the name without it",
                            gr_show(key).text);
}

int gr_adjust_list_add(struct gr_decoder *d, struct gr_adjust_list *list, struct gr_place at,
                       const struct gr_adjust_entry *entry)
{
    for (size_t i = 0; i < list->n; i++) {
        if (gr_adjust_same_key(&list->items[i], entry))
            return gr_decode_refuse(d, at, "duplicate-entry",
                                    "\"%s\" stands here a second time, first at line %u; keep one",
                                    gr_show(entry->key).text, list->items[i].line);
    }
    list->items[list->n++] = *entry;
    return 0;
}

int gr_adjust_list_elements(struct gr_decoder *d, const struct gr_yaml_node *node,
                            struct gr_adjust_list *list, enum gr_adjust_kind kind,
                            gr_adjust_element_fn *read)
{
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_ADJUST_ENTRIES_MAX);

    if (r != 0)
        return r;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        struct gr_adjust_entry entry = {
            .kind = kind, .line = item->at.line, .column = item->at.column};
        size_t before = gr_field_path_index(&d->path, n++);
        size_t findings = d->findings->count;

        r = item->kind == GR_YAML_BAD ? GR_DECODE_REFUSED : read(d, item, &entry);
        if (r == 0 && d->findings->count == findings)
            r = gr_adjust_list_add(d, list, item->at, &entry);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_value(struct gr_decoder *d, const struct gr_yaml_node *value,
                     struct gr_adjust_list *list, enum gr_adjust_kind kind, gr_adjust_key_fn *check)
{
    /* A file of a cgroup takes a line; a variable or annotation may hold several. */
    enum gr_text_class allowed = kind == GR_ADJUST_UNIFIED ? GR_TEXT_LINE : GR_TEXT_BLOCK;
    struct gr_adjust_entry entry = {
        .kind = kind, .line = value->key_at.line, .column = value->key_at.column};
    int r = gr_decode_map_key(d, value, &entry.key);

    if (r == 0)
        r = gr_adjust_check_mark(d, value->key_at, entry.key);
    if (r == 0)
        r = check(d, value->key_at, entry.key);
    if (r != 0)
        return r;
    r = gr_decode_literal(d, value, allowed, GR_YAML_SCALAR_MAX_BYTES, &entry.text);
    if (r == 0 && kind == GR_ADJUST_UNIFIED && entry.text.n == 0)
        r = gr_decode_refuse(d, value->at, "empty",
                             "an empty text means nothing here; write what the file is to hold");
    return r ? r : gr_adjust_list_add(d, list, value->key_at, &entry);
}

int gr_adjust_list_map(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_adjust_list *list, enum gr_adjust_kind kind,
                       gr_adjust_key_fn *check)
{
    if (node->kind != GR_YAML_MAPPING)
        return gr_decode_refuse(d, node->at, "wrong-type",
                                "expected a mapping (key: value), found %s",
                                gr_decode_describe(node).text);
    if (node->n == 0)
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty mapping means nothing here; fill it in or remove the "
                                "key");
    if (node->n > GR_ADJUST_ENTRIES_MAX)
        return gr_decode_refuse(d, node->at, "too-many",
                                "this mapping has %zu keys; at most %d are allowed", node->n,
                                GR_ADJUST_ENTRIES_MAX);
    for (const struct gr_yaml_node *value = node->first; value; value = value->next) {
        size_t before = gr_field_path_key(&d->path, value->key);
        int r = add_value(d, value, list, kind, check);

        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- env and annotations ---- */

/* As Kubernetes names variables, without those that begin with -. */
static bool is_variable(struct gr_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool first = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';

        if (!first && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
            return false;
    }
    return name.n > 0;
}

static int check_variable(struct gr_decoder *d, struct gr_place at, struct gr_str key)
{
    if (!is_variable(key))
        return gr_decode_refuse(d, at, "bad-env",
                                "the variable's name \"%s\" is refused: expected letters, digits "
                                "and any of _.-, not beginning with a digit",
                                gr_show(key).text);
    if (gr_is_env_reserved(key))
        return gr_decode_refuse(d, at, "reserved-env",
                                "the variable %s is refused: names that begin with GRAPNEL_ are "
                                "set by Grapnel itself; choose another name",
                                gr_show(key).text);
    return 0;
}

/* As Kubernetes names annotations: name, or domain/name. */
static bool is_annotation(struct gr_str key)
{
    size_t slash = gr_str_find(key, '/');
    struct gr_str name = slash == key.n ? key : gr_str_skip(key, slash + 1);

    if (slash < key.n && !gr_is_dns_subdomain(gr_str_first(key, slash)))
        return false;
    return name.n <= GR_LABEL_MAX_BYTES && gr_is_token(name, "-_.");
}

/* Annotations in which runtimes tell what a container is. Rules believe some of them, so that a
 * container with another one would be taken for something else by whoever looks at it later. */
static bool is_identity(struct gr_str key)
{
    return gr_str_has_prefix(key, GR_STR("io.kubernetes.cri.")) ||
           gr_str_has_prefix(key, GR_STR("io.kubernetes.cri-o.Image"));
}

static int check_annotation(struct gr_decoder *d, struct gr_place at, struct gr_str key)
{
    if (!is_annotation(key))
        return gr_decode_refuse(d, at, "bad-adjust",
                                "\"%s\" is not the name of an annotation: expected NAME or "
                                "DOMAIN/NAME, the name of at most %d letters, digits and any of "
                                "-_., beginning and ending with a letter or digit",
                                gr_show(key).text, GR_LABEL_MAX_BYTES);
    if (is_identity(key))
        return gr_decode_refuse(d, at, "protected-annotation",
                                "the annotation \"%s\" belongs to the runtime, which tells there "
                                "what the container is; choose another name",
                                gr_show(key).text);
    return 0;
}

static int decode_env(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_map(d, node, target, GR_ADJUST_ENV, check_variable);
}

static int decode_annotations(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_map(d, node, target, GR_ADJUST_ANNOTATION, check_annotation);
}

/* ---- devices ---- */

int gr_adjust_decode_path(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_str *out)
{
    struct gr_str path = GR_STR_NONE;
    int r = gr_decode_literal(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &path);

    if (r == 0)
        r = gr_adjust_check_mark(d, node->at, path);
    if (r == 0)
        r = gr_decode_check_path(d, node->at, path, GR_HOOK_PATH_MAX_BYTES);
    if (r == 0)
        *out = path;
    return r;
}

static int decode_key_path(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    return gr_adjust_decode_path(d, node, &entry->key);
}

static int decode_device_type(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {"c", "b", "u", "p"};
    struct gr_adjust_entry *entry = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    if (r == 0)
        entry->device.type = words[index][0];
    return r;
}

static int decode_major(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    return gr_decode_integer(d, node, 0, GR_DEVICE_MAJOR_MAX, &entry->device.major);
}

static int decode_minor(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    return gr_decode_integer(d, node, 0, GR_DEVICE_MINOR_MAX, &entry->device.minor);
}

static int decode_file_mode(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    entry->device.has_mode = true;
    return gr_decode_rights(d, node, &entry->device.mode);
}

static int decode_uid(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    entry->device.has_uid = true;
    return gr_decode_number(d, node, 0, GR_ID_MAX, &entry->device.uid);
}

static int decode_gid(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    entry->device.has_gid = true;
    return gr_decode_number(d, node, 0, GR_ID_MAX, &entry->device.gid);
}

/* Devices have numbers, a fifo has none. */
static int check_numbers(struct gr_decoder *d, const struct gr_yaml_node *node, char type)
{
    static const char *const names[] = {"major", "minor"};

    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        const struct gr_yaml_node *number = gr_yaml_get(node, names[i]);

        if (type == 'p' && number)
            return gr_decode_refuse(d, number->key_at, "bad-form",
                                    "a device of type p (fifo) has no %s number; remove it",
                                    names[i]);
        if (type != 'p' && !number)
            return gr_decode_refuse(d, node->at, "missing-key",
                                    "the key \"%s\" is missing; write major and minor as ls -l "
                                    "shows them for the device",
                                    names[i]);
    }
    return 0;
}

static int read_device(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_adjust_entry *entry)
{
    static const struct gr_key keys[] = {
        {"path", decode_key_path, GR_KEY_REQUIRED, "path: /dev/fuse"},
        {"type", decode_device_type, GR_KEY_REQUIRED, "type: c"},
        {"major", decode_major, 0, NULL},
        {"minor", decode_minor, 0, NULL},
        {"fileMode", decode_file_mode, 0, NULL},
        {"uid", decode_uid, 0, NULL},
        {"gid", decode_gid, 0, NULL},
    };
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), entry);

    if (r == 0 && entry->device.type != '\0')
        r = check_numbers(d, node, entry->device.type);
    return r;
}

static int decode_devices(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_elements(d, node, target, GR_ADJUST_DEVICE, read_device);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* CDI: vendor/class=name; vendor and class begin with a letter. */
static bool is_cdi_name(struct gr_str text)
{
    size_t equals = gr_str_find(text, '=');
    struct gr_str kind = gr_str_first(text, equals);
    size_t slash = gr_str_find(kind, '/');
    struct gr_str class = gr_str_skip(kind, slash + 1);

    return gr_is_token(gr_str_first(kind, slash), "_-.") && is_letter(kind.p[0]) &&
           gr_is_token(class, "_-.") && is_letter(class.p[0]) &&
           gr_is_token(gr_str_skip(text, equals + 1), "_-.:");
}

static int read_cdi_device(struct gr_decoder *d, const struct gr_yaml_node *node,
                           struct gr_adjust_entry *entry)
{
    int r = gr_decode_literal(d, node, GR_TEXT_LINE, GR_ADJUST_NAME_MAX_BYTES, &entry->key);

    if (r == 0)
        r = gr_adjust_check_mark(d, node->at, entry->key);
    if (r == 0 && !is_cdi_name(entry->key))
        r = gr_decode_refuse(d, node->at, "bad-adjust",
                             "\"%s\" is not the qualified name of a CDI device: expected "
                             "vendor/class=name, such as vendor.example.com/gpu=0",
                             gr_show(entry->key).text);
    return r;
}

static int decode_cdi_devices(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_elements(d, node, target, GR_ADJUST_CDI_DEVICE, read_cdi_device);
}

/* ---- rlimits ---- */

static int decode_rlimit_type(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {
        "RLIMIT_AS",     "RLIMIT_CORE",   "RLIMIT_CPU",        "RLIMIT_DATA",
        "RLIMIT_FSIZE",  "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",    "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE",   "RLIMIT_NOFILE", "RLIMIT_NPROC",      "RLIMIT_RSS",
        "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
    };
    struct gr_adjust_entry *entry = target;
    size_t index = 0;
    int r = gr_decode_word(d, node, words, GR_ARRAY_LEN(words), &index);

    if (r == 0)
        entry->key = gr_str_from(words[index]);
    return r;
}

static int decode_rlimit(struct gr_decoder *d, const struct gr_yaml_node *node, uint64_t *out)
{
    static const struct gr_quantity_range range = {.min = 0, .max = UINT64_MAX, .unlimited = true};

    return gr_decode_quantity(d, node, &range, out);
}

static int decode_soft(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    return decode_rlimit(d, node, &entry->rlimit.soft);
}

static int decode_hard(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;

    return decode_rlimit(d, node, &entry->rlimit.hard);
}

static int read_rlimit(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_adjust_entry *entry)
{
    static const struct gr_key keys[] = {
        {"type", decode_rlimit_type, GR_KEY_REQUIRED, "type: RLIMIT_NOFILE"},
        {"soft", decode_soft, GR_KEY_REQUIRED, "soft: 1024"},
        {"hard", decode_hard, GR_KEY_REQUIRED, "hard: 65536"},
    };
    size_t findings = d->findings->count;
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), entry);

    if (r == 0 && d->findings->count == findings && entry->rlimit.soft > entry->rlimit.hard)
        r = gr_decode_refuse(d, node->at, "bad-rlimit",
                             "the soft limit is above the hard one, which the kernel refuses; "
                             "lower soft or raise hard");
    return r;
}

static int decode_rlimits(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_elements(d, node, target, GR_ADJUST_RLIMIT, read_rlimit);
}

/* ---- adjust ---- */

static int decode_mounts(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_elements(d, node, target, GR_ADJUST_MOUNT, gr_decode_mount);
}

/* The most entries that can come of a node: more than the limit are refused before they count. */
static size_t room_for(const struct gr_yaml_node *node)
{
    size_t room = 0;

    for (const struct gr_yaml_node *part = node->first; part; part = part->next)
        room += gr_str_is(part->key, "resources") ? gr_decode_resources_room(part)
                                                  : GR_MIN(part->n, (size_t)GR_ADJUST_ENTRIES_MAX);
    return room;
}

int gr_decode_adjust(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"env", decode_env, 0, NULL},
        {"mounts", decode_mounts, 0, NULL},
        {"annotations", decode_annotations, 0, NULL},
        {"devices", decode_devices, 0, NULL},
        {"cdiDevices", decode_cdi_devices, 0, NULL},
        {"rlimits", decode_rlimits, 0, NULL},
        {"resources", gr_decode_resources, 0, NULL},
    };
    struct gr_hookset *set = target;
    struct gr_adjust_list list = {0};
    int r;

    list.items = gr_arena_array(d->arena, room_for(node), sizeof(*list.items));
    if (!list.items)
        return -ENOMEM;
    r = gr_decode_mapping(d, node, GR_KEYS(keys), &list);
    set->adjust = list.items;
    set->adjust_n = list.n;
    return r;
}
