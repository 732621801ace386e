/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/adjust.h"

#include <stdlib.h>

static const char *const kind_names[GR_ADJUST_KIND_COUNT] = {
    [GR_ADJUST_ENV] = "env",
    [GR_ADJUST_MOUNT] = "mounts",
    [GR_ADJUST_ANNOTATION] = "annotations",
    [GR_ADJUST_DEVICE] = "devices",
    [GR_ADJUST_CDI_DEVICE] = "cdiDevices",
    [GR_ADJUST_RLIMIT] = "rlimits",
    [GR_ADJUST_RESOURCE] = "resources",
    [GR_ADJUST_HUGEPAGES] = "resources.hugepageLimits",
    [GR_ADJUST_UNIFIED] = "resources.unified",
};

static const char *const resource_names[GR_RESOURCE_COUNT] = {
    [GR_RESOURCE_MEMORY_LIMIT] = "memory.limit",
    [GR_RESOURCE_MEMORY_RESERVATION] = "memory.reservation",
    [GR_RESOURCE_MEMORY_SWAP] = "memory.swap",
    [GR_RESOURCE_CPU_SHARES] = "cpu.shares",
    [GR_RESOURCE_CPU_QUOTA] = "cpu.quota",
    [GR_RESOURCE_CPU_PERIOD] = "cpu.period",
    [GR_RESOURCE_CPU_CPUS] = "cpu.cpus",
    [GR_RESOURCE_CPU_MEMS] = "cpu.mems",
    [GR_RESOURCE_PIDS_LIMIT] = "pids.limit",
    [GR_RESOURCE_BLOCKIO_CLASS] = "blockioClass",
    [GR_RESOURCE_RDT_CLASS] = "rdtClass",
};

const char *gr_adjust_kind_name(enum gr_adjust_kind kind)
{
    return kind_names[kind];
}

const char *gr_resource_name(enum gr_resource resource)
{
    return resource_names[resource];
}

bool gr_resource_is_text(enum gr_resource resource)
{
    return resource == GR_RESOURCE_CPU_CPUS || resource == GR_RESOURCE_CPU_MEMS ||
           resource == GR_RESOURCE_BLOCKIO_CLASS || resource == GR_RESOURCE_RDT_CLASS;
}

struct gr_str gr_adjust_entry_key(const struct gr_adjust_entry *entry)
{
    return entry->kind == GR_ADJUST_RESOURCE ? gr_str_from(gr_resource_name(entry->resource))
                                             : entry->key;
}

int gr_adjust_cmp_key(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == GR_ADJUST_RESOURCE)
        return (a->resource > b->resource) - (a->resource < b->resource);
    return gr_str_cmp(a->key, b->key);
}

bool gr_adjust_same_key(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b)
{
    return gr_adjust_cmp_key(a, b) == 0;
}

static bool same_mount(const struct gr_mount *a, const struct gr_mount *b)
{
    if (!gr_str_eq(a->source, b->source) || !gr_str_eq(a->type, b->type) ||
        a->options.n != b->options.n)
        return false;
    for (size_t i = 0; i < a->options.n; i++) {
        if (!gr_str_eq(a->options.items[i], b->options.items[i]))
            return false;
    }
    return true;
}

static bool same_optional(bool has_a, uint32_t a, bool has_b, uint32_t b)
{
    return has_a == has_b && (!has_a || a == b);
}

static bool same_device(const struct gr_device *a, const struct gr_device *b)
{
    return a->type == b->type && a->major == b->major && a->minor == b->minor &&
           same_optional(a->has_mode, a->mode, b->has_mode, b->mode) &&
           same_optional(a->has_uid, a->uid, b->has_uid, b->uid) &&
           same_optional(a->has_gid, a->gid, b->has_gid, b->gid);
}

bool gr_adjust_same_value(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b)
{
    switch (a->kind) {
    case GR_ADJUST_MOUNT:
        return same_mount(&a->mount, &b->mount);
    case GR_ADJUST_DEVICE:
        return same_device(&a->device, &b->device);
    case GR_ADJUST_CDI_DEVICE:
        return true; /* the key says all */
    case GR_ADJUST_RLIMIT:
        return a->rlimit.soft == b->rlimit.soft && a->rlimit.hard == b->rlimit.hard;
    case GR_ADJUST_HUGEPAGES:
        return a->number == b->number;
    case GR_ADJUST_RESOURCE:
        if (!gr_resource_is_text(a->resource))
            return a->number == b->number;
        break;
    case GR_ADJUST_ENV:
    case GR_ADJUST_ANNOTATION:
    case GR_ADJUST_UNIFIED:
        break;
    }
    return gr_str_eq(a->text, b->text);
}

/* ---- what a container has already ---- */

static int slot_against(const void *entry, const void *slot)
{
    return gr_adjust_cmp_key(entry, ((const struct gr_adjust_slot *)slot)->asked);
}

static void note(struct gr_adjust_slot *slots, size_t n, const struct gr_adjust_entry *has)
{
    struct gr_adjust_slot *slot = bsearch(has, slots, n, sizeof(*slots), slot_against);

    if (!slot)
        return;
    slot->found = true;
    slot->has = *has;
}

static void note_env(struct gr_adjust_slot *slots, size_t n, struct gr_strs env)
{
    for (size_t i = 0; i < env.n; i++) {
        size_t at = gr_str_find(env.items[i], '=');
        const struct gr_adjust_entry has = {.kind = GR_ADJUST_ENV,
                                            .key = gr_str_first(env.items[i], at),
                                            .text = gr_str_skip(env.items[i], at + 1)};

        note(slots, n, &has);
    }
}

static void note_mounts(struct gr_adjust_slot *slots, size_t n, const struct gr_subject *subject)
{
    for (size_t i = 0; i < subject->mounts_n; i++) {
        const struct gr_adjust_entry has = {.kind = GR_ADJUST_MOUNT,
                                            .key = subject->mounts[i].destination,
                                            .mount = subject->mounts[i]};

        note(slots, n, &has);
    }
}

static void note_annotations(struct gr_adjust_slot *slots, size_t n, struct gr_kvs annotations)
{
    for (size_t i = 0; i < annotations.n; i++) {
        const struct gr_adjust_entry has = {.kind = GR_ADJUST_ANNOTATION,
                                            .key = annotations.items[i].key,
                                            .text = annotations.items[i].value};

        note(slots, n, &has);
    }
}

void gr_adjust_look_up(struct gr_adjust_slot *slots, size_t n, const struct gr_subject *subject)
{
    if (n == 0)
        return;
    if (gr_subject_knows(subject, GR_FIELD_ENV))
        note_env(slots, n, subject->env);
    if (gr_subject_knows(subject, GR_FIELD_MOUNTS))
        note_mounts(slots, n, subject);
    if (gr_subject_knows(subject, GR_FIELD_CONTAINER_ANNOTATIONS))
        note_annotations(slots, n, subject->container_annotations);
    for (size_t i = 0; i < subject->present_n; i++)
        note(slots, n, &subject->present[i]);
}

bool gr_adjust_is_present(const struct gr_adjust_entry *entry, const struct gr_subject *subject)
{
    struct gr_adjust_slot slot = {.asked = entry};

    gr_adjust_look_up(&slot, 1, subject);
    return slot.found && gr_adjust_same_value(entry, &slot.has);
}
