/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin adjusts, in the config.json of the bundle: environment, mounts, annotations and
 * rlimits, as a runtime does it. Devices, CDI devices and resources are shown only: they need the
 * machine's own devices and cgroups.
 */
#include <jansson.h>
#include <string.h>

#include "app/simulate/simulate.h"

static json_t *text(struct gr_str s)
{
    return json_stringn(s.p ? s.p : "", s.n);
}

/* Texts of entries are terminated: gr_sim_keep_adjust. Takes value; in the place of the element for
 * which is_it holds, else at the end. */
static void put(json_t *list, json_t *value, struct gr_str key,
                bool (*is_it)(const json_t *element, struct gr_str key))
{
    json_t *element;
    size_t i;

    json_array_foreach(list, i, element)
    {
        if (is_it(element, key)) {
            (void)json_array_set_new(list, i, value);
            return;
        }
    }
    (void)json_array_append_new(list, value);
}

static bool is_variable(const json_t *element, struct gr_str key)
{
    struct gr_str entry = gr_str_from(json_string_value(element));

    return entry.n > key.n && gr_str_has_prefix(entry, key) && entry.p[key.n] == '=';
}

static bool is_mount(const json_t *element, struct gr_str key)
{
    return gr_str_is(key, json_string_value(json_object_get(element, "destination")));
}

static bool is_rlimit(const json_t *element, struct gr_str key)
{
    return gr_str_is(key, json_string_value(json_object_get(element, "type")));
}

static json_t *make_mount(const struct gr_adjust_entry *entry)
{
    json_t *mount = json_object();
    json_t *options = json_array();

    for (size_t i = 0; i < entry->mount.options.n; i++)
        (void)json_array_append_new(options, text(entry->mount.options.items[i]));
    (void)json_object_set_new(mount, "destination", text(entry->key));
    (void)json_object_set_new(mount, "type", text(entry->mount.type));
    (void)json_object_set_new(mount, "source", text(entry->mount.source));
    (void)json_object_set_new(mount, "options", options);
    return mount;
}

static json_t *make_variable(const struct gr_adjust_entry *entry)
{
    json_t *variable;
    struct gr_buf both;

    gr_buf_init(&both, SIZE_MAX);
    (void)gr_buf_str(&both, entry->key);
    (void)gr_buf_byte(&both, '=');
    (void)gr_buf_str(&both, entry->text);
    variable = both.broken ? NULL : text(gr_buf_view(&both));
    gr_buf_fini(&both);
    return variable;
}

/* The numbers of the JSON library have a sign: "no limit" is the largest of them. */
static json_t *make_rlimit(const struct gr_adjust_entry *entry)
{
    const uint64_t most = INT64_MAX;

    return json_pack("{s:o, s:I, s:I}", "type", text(entry->key), "soft",
                     (json_int_t)GR_MIN(entry->rlimit.soft, most), "hard",
                     (json_int_t)GR_MIN(entry->rlimit.hard, most));
}

static json_t *member(json_t *parent, const char *name)
{
    json_t *list = json_object_get(parent, name);

    if (list)
        return list;
    (void)json_object_set_new(parent, name, json_array());
    return json_object_get(parent, name);
}

static void apply_entry(json_t *config, const struct gr_adjust_entry *entry)
{
    json_t *process = json_object_get(config, "process");

    switch (entry->kind) {
    case GR_ADJUST_ENV:
        put(json_object_get(process, "env"), make_variable(entry), entry->key, is_variable);
        break;
    case GR_ADJUST_MOUNT:
        put(json_object_get(config, "mounts"), make_mount(entry), entry->key, is_mount);
        break;
    case GR_ADJUST_ANNOTATION:
        (void)json_object_set_new(json_object_get(config, "annotations"), entry->key.p,
                                  text(entry->text));
        break;
    case GR_ADJUST_RLIMIT:
        put(member(process, "rlimits"), make_rlimit(entry), entry->key, is_rlimit);
        break;
    case GR_ADJUST_DEVICE:
    case GR_ADJUST_CDI_DEVICE:
    case GR_ADJUST_RESOURCE:
    case GR_ADJUST_HUGEPAGES:
    case GR_ADJUST_UNIFIED:
        break;
    }
}

bool gr_sim_can_apply(enum gr_adjust_kind kind)
{
    return kind == GR_ADJUST_ENV || kind == GR_ADJUST_MOUNT || kind == GR_ADJUST_ANNOTATION ||
           kind == GR_ADJUST_RLIMIT;
}

void gr_sim_apply_adjust(const struct gr_sim_container *container, json_t *config)
{
    for (size_t i = 0; i < container->adjust_n; i++)
        apply_entry(config, &container->adjust[i]);
}
