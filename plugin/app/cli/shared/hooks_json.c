/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/hooks_json.h"

#include <stdio.h>

#include "app/cli/shared/document.h"

static json_t *strs_json(struct gr_strs strs)
{
    json_t *array = json_array();

    for (size_t i = 0; i < strs.n; i++)
        (void)json_array_append_new(array, gr_json_str(strs.items[i]));
    return array;
}

static json_t *hook_json(const struct gr_oci_hook *hook)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "path", gr_json_str(hook->path));
    if (hook->args.n > 0)
        (void)json_object_set_new(object, "args", strs_json(hook->args));
    if (hook->env.n > 0)
        (void)json_object_set_new(object, "env", strs_json(hook->env));
    if (hook->has_timeout)
        (void)json_object_set_new(object, "timeout", json_integer(hook->timeout_s));
    return object;
}

json_t *gr_hooks_json(const struct gr_oci_hook *hooks, size_t n)
{
    json_t *object = json_object();

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        json_t *array = json_array();

        for (size_t i = 0; i < n; i++) {
            if ((size_t)hooks[i].stage == stage)
                (void)json_array_append_new(array, hook_json(&hooks[i]));
        }
        if (json_array_size(array) > 0)
            (void)json_object_set_new(object, gr_stage_name((enum gr_stage)stage), array);
        else
            json_decref(array);
    }
    return object;
}

json_t *gr_hook_programs_json(const struct gr_oci_hook *hooks, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *object;

        if (hooks[i].program.n == 0)
            continue;
        object = json_object();
        (void)json_object_set_new(object, "program", gr_json_str(hooks[i].program));
        (void)json_object_set_new(object, "path", gr_json_str(hooks[i].path));
        (void)json_array_append_new(list, object);
    }
    return list;
}

json_t *gr_annotations_json(struct gr_kvs annotations)
{
    json_t *object = json_object();

    for (size_t i = 0; i < annotations.n; i++) {
        const struct gr_kv *a = &annotations.items[i];

        (void)json_object_set_new(object, a->key.p, gr_json_str(a->value));
    }
    return object;
}

struct gr_str gr_hook_set_name(const struct gr_oci_hook *hook)
{
    struct gr_str prefix = GR_STR(GR_MARK_NAME "=");

    for (size_t i = hook->env.n; i-- > 0;) {
        struct gr_str value = gr_str_skip(hook->env.items[i], prefix.n);

        if (gr_str_has_prefix(hook->env.items[i], prefix))
            return gr_str_first(value, gr_str_rfind(value, '@'));
    }
    return GR_STR_NONE;
}

/* The object or array below a key, made when it is not there yet. Borrowed. */
static json_t *below(json_t *object, const char *key, bool array)
{
    json_t *value = json_object_get(object, key);

    if (!value) {
        (void)json_object_set_new(object, key, array ? json_array() : json_object());
        value = json_object_get(object, key);
    }
    return value;
}

/* Keys of JSON objects are terminated; those of adjustments need not be. */
static void set_key(json_t *object, struct gr_str key, json_t *value)
{
    json_t *name = gr_json_str(key);

    if (name)
        (void)json_object_set_new(object, json_string_value(name), value);
    else
        json_decref(value);
    json_decref(name);
}

static json_t *mount_json(const struct gr_mount *mount)
{
    json_t *object = json_object();

    gr_json_set_str(object, "destination", mount->destination);
    gr_json_set_str(object, "source", mount->source);
    gr_json_set_str(object, "type", mount->type);
    if (mount->options.n > 0)
        (void)json_object_set_new(object, "options", strs_json(mount->options));
    return object;
}

static json_t *device_json(const struct gr_adjust_entry *entry)
{
    const struct gr_device *device = &entry->device;
    json_t *object = json_object();

    gr_json_set_str(object, "path", entry->key);
    gr_json_set_str(object, "type", (struct gr_str){.p = &device->type, .n = 1});
    if (device->type != 'p') {
        (void)json_object_set_new(object, "major", json_integer(device->major));
        (void)json_object_set_new(object, "minor", json_integer(device->minor));
    }
    if (device->has_mode)
        (void)json_object_set_new(object, "fileMode", json_integer(device->mode));
    if (device->has_uid)
        (void)json_object_set_new(object, "uid", json_integer(device->uid));
    if (device->has_gid)
        (void)json_object_set_new(object, "gid", json_integer(device->gid));
    return object;
}

/* JSON's numbers are signed here; what is larger means that there is no limit. */
static json_t *limit_json(uint64_t value)
{
    return value > INT64_MAX ? json_string("unlimited") : json_integer((json_int_t)value);
}

static json_t *rlimit_json(const struct gr_adjust_entry *entry)
{
    json_t *object = json_object();

    gr_json_set_str(object, "type", entry->key);
    (void)json_object_set_new(object, "soft", limit_json(entry->rlimit.soft));
    (void)json_object_set_new(object, "hard", limit_json(entry->rlimit.hard));
    return object;
}

/* memory.limit is limit below memory. */
static void add_resource(json_t *resources, const struct gr_adjust_entry *entry)
{
    struct gr_str name = gr_str_from(gr_resource_name(entry->resource));
    size_t dot = gr_str_find(name, '.');
    json_t *value = gr_resource_is_text(entry->resource) ? gr_json_str(entry->text)
                                                         : json_integer(entry->number);
    char group[32];

    if (dot == name.n) {
        (void)json_object_set_new(resources, name.p, value);
        return;
    }
    (void)snprintf(group, sizeof(group), "%.*s", GR_STR_FMT(gr_str_first(name, dot)));
    (void)json_object_set_new(below(resources, group, false), name.p + dot + 1, value);
}

static void add_env(json_t *list, const struct gr_adjust_entry *entry)
{
    json_t *name = gr_json_str(entry->key), *value = gr_json_str(entry->text);

    (void)json_array_append_new(
        list, json_sprintf("%s=%s", json_string_value(name), json_string_value(value)));
    json_decref(name);
    json_decref(value);
}

static void add_entry(json_t *object, const struct gr_adjust_entry *entry)
{
    const char *name = gr_adjust_kind_name(entry->kind);

    switch (entry->kind) {
    case GR_ADJUST_ENV:
        add_env(below(object, name, true), entry);
        break;
    case GR_ADJUST_MOUNT:
        (void)json_array_append_new(below(object, name, true), mount_json(&entry->mount));
        break;
    case GR_ADJUST_ANNOTATION:
        set_key(below(object, name, false), entry->key, gr_json_str(entry->text));
        break;
    case GR_ADJUST_DEVICE:
        (void)json_array_append_new(below(object, name, true), device_json(entry));
        break;
    case GR_ADJUST_CDI_DEVICE:
        (void)json_array_append_new(below(object, name, true), gr_json_str(entry->key));
        break;
    case GR_ADJUST_RLIMIT:
        (void)json_array_append_new(below(object, name, true), rlimit_json(entry));
        break;
    case GR_ADJUST_RESOURCE:
        add_resource(below(object, name, false), entry);
        break;
    case GR_ADJUST_HUGEPAGES:
        set_key(below(below(object, "resources", false), "hugepageLimits", false), entry->key,
                json_integer(entry->number));
        break;
    case GR_ADJUST_UNIFIED:
        set_key(below(below(object, "resources", false), "unified", false), entry->key,
                gr_json_str(entry->text));
        break;
    }
}

json_t *gr_adjust_json(const struct gr_adjusted *adjust, size_t n)
{
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++)
        add_entry(object, adjust[i].entry);
    return object;
}

struct gr_str gr_adjust_describe(const struct gr_adjust_entry *entry, bool with_value, char *room,
                                 size_t bytes)
{
    bool is_resource = entry->kind == GR_ADJUST_RESOURCE;
    struct gr_str key = is_resource ? gr_str_from(gr_resource_name(entry->resource)) : entry->key;
    bool is_number = entry->kind == GR_ADJUST_HUGEPAGES ||
                     (is_resource && !gr_resource_is_text(entry->resource));
    bool is_text = entry->kind == GR_ADJUST_ENV || entry->kind == GR_ADJUST_ANNOTATION ||
                   entry->kind == GR_ADJUST_UNIFIED || (is_resource && !is_number);

    if (with_value && is_number)
        (void)snprintf(room, bytes, "%.*s=%lld", GR_STR_FMT(key), (long long)entry->number);
    else if (with_value && is_text)
        (void)snprintf(room, bytes, "%.*s=%.*s", GR_STR_FMT(key), GR_STR_FMT(entry->text));
    else
        (void)snprintf(room, bytes, "%.*s", GR_STR_FMT(key));
    return gr_str_from(room);
}
