/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/write/write_adjust: spec.adjust. Entries stand in the order of the set, those of one kind
 * together.
 *
 * Layer: rules.
 */
#include <stdio.h>

#include "rules/adjust.h"
#include "rules/write/write_parts.h"

/* The list or mapping under a key, made when it is not there yet. */
static struct gr_out *under(struct gr_out_tree *tree, struct gr_out *parent, struct gr_str key,
                            enum gr_out_kind kind)
{
    struct gr_out *child = parent ? parent->first : NULL;
    struct gr_out *made;

    while (child && !gr_str_eq(child->key, key))
        child = child->next;
    if (child)
        return child;
    made = gr_out_add_keyed(tree, parent, key, kind);
    if (made && kind == GR_OUT_MAP)
        made->open = gr_str_is(key, "resources");
    return made;
}

static void add_pair(struct gr_out_tree *tree, struct gr_out *map, struct gr_str key,
                     struct gr_str text)
{
    struct gr_out *node = gr_out_add_keyed(tree, map, key, GR_OUT_TEXT);

    if (node)
        node->text = text;
}

static void add_mount(struct gr_out_tree *tree, struct gr_out *list, const struct gr_mount *mount)
{
    struct gr_out *map = gr_out_add(tree, list, NULL, GR_OUT_MAP);
    struct gr_out *options;

    gr_out_text(tree, map, "destination", mount->destination);
    if (mount->source.n > 0)
        gr_out_text(tree, map, "source", mount->source);
    if (mount->type.n > 0)
        gr_out_text(tree, map, "type", mount->type);
    if (mount->options.n == 0)
        return;
    options = gr_out_add(tree, map, "options", GR_OUT_LIST);
    for (size_t i = 0; i < mount->options.n; i++)
        gr_out_text(tree, options, NULL, mount->options.items[i]);
}

static void add_device(struct gr_out_tree *tree, struct gr_out *list,
                       const struct gr_adjust_entry *entry)
{
    const struct gr_device *device = &entry->device;
    struct gr_out *map = gr_out_add(tree, list, NULL, GR_OUT_MAP);
    char rights[16];
    char *copy;

    gr_out_text(tree, map, "path", entry->key);
    gr_out_text(tree, map, "type", (struct gr_str){.p = &device->type, .n = 1});
    if (device->type != 'p') { /* a fifo has no numbers */
        gr_out_integer(tree, map, "major", device->major);
        gr_out_integer(tree, map, "minor", device->minor);
    }
    if (device->has_mode) {
        (void)snprintf(rights, sizeof(rights), "0%03o", device->mode);
        copy = gr_arena_copy(&tree->arena, gr_str_from(rights));
        tree->failed |= copy == NULL;
        gr_out_text(tree, map, "fileMode", gr_str_from(copy));
    }
    if (device->has_uid)
        gr_out_number(tree, map, "uid", device->uid);
    if (device->has_gid)
        gr_out_number(tree, map, "gid", device->gid);
}

static void add_limit(struct gr_out_tree *tree, struct gr_out *map, const char *key, uint64_t limit)
{
    if (limit == UINT64_MAX)
        gr_out_word(tree, map, key, "unlimited");
    else
        gr_out_number(tree, map, key, limit);
}

static void add_rlimit(struct gr_out_tree *tree, struct gr_out *list,
                       const struct gr_adjust_entry *entry)
{
    struct gr_out *map = gr_out_add(tree, list, NULL, GR_OUT_MAP);

    gr_out_text(tree, map, "type", entry->key);
    add_limit(tree, map, "soft", entry->rlimit.soft);
    add_limit(tree, map, "hard", entry->rlimit.hard);
}

/* memory.limit: the key limit in the mapping memory. */
static void add_resource(struct gr_out_tree *tree, struct gr_out *resources,
                         const struct gr_adjust_entry *entry)
{
    const char *name = gr_resource_name(entry->resource);
    struct gr_str whole = gr_str_from(name);
    size_t dot = gr_str_find(whole, '.');
    struct gr_out *map = resources;

    if (dot < whole.n) {
        map = under(tree, resources, gr_str_first(whole, dot), GR_OUT_MAP);
        name += dot + 1;
    }
    if (gr_resource_is_text(entry->resource))
        gr_out_text(tree, map, name, entry->text);
    else
        gr_out_integer(tree, map, name, entry->number);
}

static void add_in_resources(struct gr_out_tree *tree, struct gr_out *resources,
                             const struct gr_adjust_entry *entry)
{
    struct gr_out *map;

    if (entry->kind == GR_ADJUST_RESOURCE) {
        add_resource(tree, resources, entry);
    } else if (entry->kind == GR_ADJUST_UNIFIED) {
        add_pair(tree, under(tree, resources, GR_STR("unified"), GR_OUT_MAP), entry->key,
                 entry->text);
    } else {
        map = gr_out_add(tree, under(tree, resources, GR_STR("hugepageLimits"), GR_OUT_LIST), NULL,
                         GR_OUT_MAP);
        gr_out_text(tree, map, "pageSize", entry->key);
        gr_out_integer(tree, map, "limit", entry->number);
    }
}

static void add_adjust(struct gr_out_tree *tree, struct gr_out *adjust,
                       const struct gr_adjust_entry *entry)
{
    struct gr_str name = gr_str_from(gr_adjust_kind_name(entry->kind));

    switch (entry->kind) {
    case GR_ADJUST_ENV:
    case GR_ADJUST_ANNOTATION:
        add_pair(tree, under(tree, adjust, name, GR_OUT_MAP), entry->key, entry->text);
        break;
    case GR_ADJUST_MOUNT:
        add_mount(tree, under(tree, adjust, name, GR_OUT_LIST), &entry->mount);
        break;
    case GR_ADJUST_DEVICE:
        add_device(tree, under(tree, adjust, name, GR_OUT_LIST), entry);
        break;
    case GR_ADJUST_CDI_DEVICE:
        gr_out_text(tree, under(tree, adjust, name, GR_OUT_LIST), NULL, entry->key);
        break;
    case GR_ADJUST_RLIMIT:
        add_rlimit(tree, under(tree, adjust, name, GR_OUT_LIST), entry);
        break;
    case GR_ADJUST_RESOURCE:
    case GR_ADJUST_HUGEPAGES:
    case GR_ADJUST_UNIFIED:
        add_in_resources(tree, under(tree, adjust, GR_STR("resources"), GR_OUT_MAP), entry);
        break;
    }
}

void gr_write_adjust(struct gr_out_tree *tree, struct gr_out *spec, const struct gr_hookset *set)
{
    struct gr_out *adjust;

    if (set->adjust_n == 0)
        return;
    adjust = gr_out_add(tree, spec, "adjust", GR_OUT_MAP);
    if (adjust)
        adjust->open = true;
    for (size_t i = 0; i < set->adjust_n; i++)
        add_adjust(tree, adjust, &set->adjust[i]);
}
