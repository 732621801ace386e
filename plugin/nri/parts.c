/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/parts: what a message says of env, mounts, annotations, devices, resources and rlimits, as
 * entries.
 *
 * Layer: nri. Numbers that no entry can have become the largest one: they equal no rule's.
 */
#include "nri/translate.h"

#include <errno.h>

static int64_t as_number(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static struct gr_adjust_entry read_device(const Nri__LinuxDevice *from)
{
    const struct gr_str type = gr_str_from(from->type);

    return (struct gr_adjust_entry){
        .kind = GR_ADJUST_DEVICE,
        .key = gr_str_from(from->path),
        .device = {.type = type.n == 1 ? type.p[0] : '\0',
                   .major = from->major,
                   .minor = from->minor,
                   .has_mode = from->file_mode != NULL,
                   .has_uid = from->uid != NULL,
                   .has_gid = from->gid != NULL,
                   .mode = from->file_mode ? from->file_mode->value : 0,
                   .uid = from->uid ? from->uid->value : 0,
                   .gid = from->gid ? from->gid->value : 0},
    };
}

/* Entries as they are found. */
struct filling {
    struct gr_adjust_entry *items;
    size_t n;
};

static void add_number(struct filling *f, enum gr_resource resource, int64_t number)
{
    f->items[f->n++] = (struct gr_adjust_entry){
        .kind = GR_ADJUST_RESOURCE, .resource = resource, .number = number};
}

static void add_int(struct filling *f, enum gr_resource resource, const Nri__OptionalInt64 *value)
{
    if (value)
        add_number(f, resource, value->value);
}

static void add_uint(struct filling *f, enum gr_resource resource, const Nri__OptionalUInt64 *value)
{
    if (value)
        add_number(f, resource, as_number(value->value));
}

static void add_text(struct filling *f, enum gr_resource resource, const char *text)
{
    f->items[f->n++] = (struct gr_adjust_entry){
        .kind = GR_ADJUST_RESOURCE, .resource = resource, .text = gr_str_from(text)};
}

static void read_scalars(struct filling *f, const Nri__LinuxResources *from)
{
    const Nri__LinuxCpu *cpu = from->cpu;

    if (from->memory) {
        add_int(f, GR_RESOURCE_MEMORY_LIMIT, from->memory->limit);
        add_int(f, GR_RESOURCE_MEMORY_RESERVATION, from->memory->reservation);
        add_int(f, GR_RESOURCE_MEMORY_SWAP, from->memory->swap);
    }
    if (cpu) {
        add_uint(f, GR_RESOURCE_CPU_SHARES, cpu->shares);
        add_int(f, GR_RESOURCE_CPU_QUOTA, cpu->quota);
        add_uint(f, GR_RESOURCE_CPU_PERIOD, cpu->period);
    }
    /* An empty text is how "not set" looks. */
    if (cpu && cpu->cpus[0])
        add_text(f, GR_RESOURCE_CPU_CPUS, cpu->cpus);
    if (cpu && cpu->mems[0])
        add_text(f, GR_RESOURCE_CPU_MEMS, cpu->mems);
    if (from->pids)
        add_number(f, GR_RESOURCE_PIDS_LIMIT, from->pids->limit);
    if (from->blockio_class)
        add_text(f, GR_RESOURCE_BLOCKIO_CLASS, from->blockio_class->value);
    if (from->rdt_class)
        add_text(f, GR_RESOURCE_RDT_CLASS, from->rdt_class->value);
}

static void read_resources(struct filling *f, const Nri__LinuxResources *from)
{
    read_scalars(f, from);
    for (size_t i = 0; i < from->n_hugepage_limits; i++)
        f->items[f->n++] =
            (struct gr_adjust_entry){.kind = GR_ADJUST_HUGEPAGES,
                                     .key = gr_str_from(from->hugepage_limits[i]->page_size),
                                     .number = as_number(from->hugepage_limits[i]->limit)};
    for (size_t i = 0; i < from->n_unified; i++)
        f->items[f->n++] = (struct gr_adjust_entry){.kind = GR_ADJUST_UNIFIED,
                                                    .key = gr_str_from(from->unified[i]->key),
                                                    .text = gr_str_from(from->unified[i]->value)};
}

size_t gr_nri_count_parts(const struct gr_nri_parts *parts)
{
    size_t n = parts->devices_n + parts->rlimits_n + parts->cdi_devices_n;

    if (parts->resources)
        n += GR_RESOURCE_COUNT + parts->resources->n_hugepage_limits + parts->resources->n_unified;
    return n;
}

size_t gr_nri_read_parts(const struct gr_nri_parts *parts, struct gr_adjust_entry *out_entries)
{
    struct filling f = {.items = out_entries};

    for (size_t i = 0; i < parts->devices_n; i++)
        f.items[f.n++] = read_device(parts->devices[i]);
    if (parts->resources)
        read_resources(&f, parts->resources);
    for (size_t i = 0; i < parts->rlimits_n; i++) {
        const Nri__Rlimit *from = parts->rlimits[i];

        f.items[f.n++] = (struct gr_adjust_entry){.kind = GR_ADJUST_RLIMIT,
                                                  .key = gr_str_from(from->type),
                                                  .rlimit = {from->soft, from->hard}};
    }
    for (size_t i = 0; i < parts->cdi_devices_n; i++)
        f.items[f.n++] = (struct gr_adjust_entry){.kind = GR_ADJUST_CDI_DEVICE,
                                                  .key = gr_str_from(parts->cdi_devices[i]->name)};
    return f.n;
}

static int read_mounts(struct filling *f, const Nri__ContainerAdjustment *adjust,
                       struct gr_arena *arena)
{
    for (size_t i = 0; i < adjust->n_mounts; i++) {
        const Nri__Mount *from = adjust->mounts[i];
        struct gr_adjust_entry *entry = &f->items[f->n++];

        *entry = (struct gr_adjust_entry){.kind = GR_ADJUST_MOUNT,
                                          .key = gr_str_from(from->destination),
                                          .mount = {.destination = gr_str_from(from->destination),
                                                    .source = gr_str_from(from->source),
                                                    .type = gr_str_from(from->type)}};
        if (gr_nri_read_strs(from->options, from->n_options, arena, &entry->mount.options))
            return -ENOMEM;
    }
    return 0;
}

int gr_nri_read_adjusted(const Nri__ContainerAdjustment *adjust, struct gr_arena *arena,
                         const struct gr_adjust_entry **out_entries, size_t *out_n)
{
    const struct gr_nri_parts parts = {
        .devices = adjust->linux ? adjust->linux->devices : NULL,
        .devices_n = adjust->linux ? adjust->linux->n_devices : 0,
        .resources = adjust->linux ? adjust->linux->resources : NULL,
        .rlimits = adjust->rlimits,
        .rlimits_n = adjust->n_rlimits,
        .cdi_devices = adjust->cdi_devices,
        .cdi_devices_n = adjust->n_cdi_devices,
    };
    size_t n = adjust->n_env + adjust->n_mounts + adjust->n_annotations;
    struct filling f = {
        .items = gr_arena_array(arena, n + gr_nri_count_parts(&parts), sizeof(*f.items))};

    if (!f.items)
        return -ENOMEM;
    for (size_t i = 0; i < adjust->n_env; i++)
        f.items[f.n++] = (struct gr_adjust_entry){.kind = GR_ADJUST_ENV,
                                                  .key = gr_str_from(adjust->env[i]->key),
                                                  .text = gr_str_from(adjust->env[i]->value)};
    if (read_mounts(&f, adjust, arena))
        return -ENOMEM;
    for (size_t i = 0; i < adjust->n_annotations; i++)
        f.items[f.n++] =
            (struct gr_adjust_entry){.kind = GR_ADJUST_ANNOTATION,
                                     .key = gr_str_from(adjust->annotations[i]->key),
                                     .text = gr_str_from(adjust->annotations[i]->value)};
    f.n += gr_nri_read_parts(&parts, f.items + f.n);
    *out_entries = f.items;
    *out_n = f.n;
    return 0;
}
