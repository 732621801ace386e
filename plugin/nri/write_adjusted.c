/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/write_adjusted: what a decision adjusts, as NRI has it.
 *
 * Layer: nri. A decision holds each kind and key once and is sorted by kind, so that one array of
 * pointers serves all lists and no key stands in a message twice.
 */
#include "nri/translate.h"

#include <errno.h>

struct writing {
    struct gr_arena *arena;
    Nri__ContainerAdjustment *adjust;
    bool failed; /* no memory: the adjustment is not to be used */
};

/* An empty message; NULL: no memory. */
static void *make(struct writing *w, const ProtobufCMessageDescriptor *type)
{
    void *message = gr_arena_alloc(w->arena, type->sizeof_message);

    if (message)
        protobuf_c_message_init(type, message);
    else
        w->failed = true;
    return message;
}

static void set_text(struct writing *w, char **to, struct gr_str text)
{
    char *copy = gr_arena_copy(w->arena, text);

    if (copy)
        *to = copy;
    else
        w->failed = true;
}

/* ---- what has a list ---- */

static void *make_env(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__KeyValue *env = make(w, &nri__key_value__descriptor);

    if (!env)
        return NULL;
    set_text(w, &env->key, entry->key);
    set_text(w, &env->value, entry->text);
    return env;
}

static void *make_mount(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__Mount *mount = make(w, &nri__mount__descriptor);

    if (!mount)
        return NULL;
    set_text(w, &mount->destination, entry->key);
    set_text(w, &mount->type, entry->mount.type);
    set_text(w, &mount->source, entry->mount.source);
    if (gr_nri_write_strs(entry->mount.options, w->arena, &mount->n_options, &mount->options))
        w->failed = true;
    return mount;
}

static void *make_annotation(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__ContainerAdjustment__AnnotationsEntry *annotation =
        make(w, &nri__container_adjustment__annotations_entry__descriptor);

    if (!annotation)
        return NULL;
    set_text(w, &annotation->key, entry->key);
    set_text(w, &annotation->value, entry->text);
    return annotation;
}

static void set_uint32(struct writing *w, Nri__OptionalUInt32 **to, bool has, uint32_t value)
{
    if (!has)
        return;
    *to = make(w, &nri__optional_uint32__descriptor);
    if (*to)
        (*to)->value = value;
}

static void *make_device(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__LinuxDevice *device = make(w, &nri__linux_device__descriptor);

    if (!device)
        return NULL;
    set_text(w, &device->path, entry->key);
    set_text(w, &device->type, (struct gr_str){.p = &entry->device.type, .n = 1});
    device->major = entry->device.major;
    device->minor = entry->device.minor;
    set_uint32(w, &device->file_mode, entry->device.has_mode, entry->device.mode);
    set_uint32(w, &device->uid, entry->device.has_uid, entry->device.uid);
    set_uint32(w, &device->gid, entry->device.has_gid, entry->device.gid);
    return device;
}

static void *make_cdi_device(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__CdiDevice *device = make(w, &nri__cdi_device__descriptor);

    if (device)
        set_text(w, &device->name, entry->key);
    return device;
}

static void *make_rlimit(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__Rlimit *rlimit = make(w, &nri__rlimit__descriptor);

    if (!rlimit)
        return NULL;
    set_text(w, &rlimit->type, entry->key);
    rlimit->hard = entry->rlimit.hard;
    rlimit->soft = entry->rlimit.soft;
    return rlimit;
}

static void *make_hugepages(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__HugepageLimit *limit = make(w, &nri__hugepage_limit__descriptor);

    if (!limit)
        return NULL;
    set_text(w, &limit->page_size, entry->key);
    limit->limit = (uint64_t)entry->number;
    return limit;
}

static void *make_unified(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__LinuxResources__UnifiedEntry *unified =
        make(w, &nri__linux_resources__unified_entry__descriptor);

    if (!unified)
        return NULL;
    set_text(w, &unified->key, entry->key);
    set_text(w, &unified->value, entry->text);
    return unified;
}

/* ---- resources ---- */

/* Made when something is in them: an empty message would claim nothing, but say so. NULL: no
 * memory. */
static Nri__LinuxContainerAdjustment *linux_of(struct writing *w)
{
    if (!w->adjust->linux)
        w->adjust->linux = make(w, &nri__linux_container_adjustment__descriptor);
    return w->adjust->linux;
}

static Nri__LinuxResources *resources_of(struct writing *w)
{
    Nri__LinuxContainerAdjustment *parent = linux_of(w);

    if (parent && !parent->resources)
        parent->resources = make(w, &nri__linux_resources__descriptor);
    return parent ? parent->resources : NULL;
}

static void set_int64(struct writing *w, Nri__OptionalInt64 **to, int64_t value)
{
    *to = make(w, &nri__optional_int64__descriptor);
    if (*to)
        (*to)->value = value;
}

static void set_uint64(struct writing *w, Nri__OptionalUInt64 **to, int64_t value)
{
    *to = make(w, &nri__optional_uint64__descriptor);
    if (*to)
        (*to)->value = (uint64_t)value;
}

static void set_string(struct writing *w, Nri__OptionalString **to, struct gr_str text)
{
    *to = make(w, &nri__optional_string__descriptor);
    if (*to)
        set_text(w, &(*to)->value, text);
}

static void set_memory(struct writing *w, Nri__LinuxResources *resources,
                       const struct gr_adjust_entry *entry)
{
    Nri__LinuxMemory *memory = resources->memory;

    if (!memory)
        memory = resources->memory = make(w, &nri__linux_memory__descriptor);
    if (!memory)
        return;
    if (entry->resource == GR_RESOURCE_MEMORY_LIMIT)
        set_int64(w, &memory->limit, entry->number);
    else if (entry->resource == GR_RESOURCE_MEMORY_RESERVATION)
        set_int64(w, &memory->reservation, entry->number);
    else
        set_int64(w, &memory->swap, entry->number);
}

static void set_cpu(struct writing *w, Nri__LinuxResources *resources,
                    const struct gr_adjust_entry *entry)
{
    Nri__LinuxCpu *cpu = resources->cpu;

    if (!cpu)
        cpu = resources->cpu = make(w, &nri__linux_cpu__descriptor);
    if (!cpu)
        return;
    if (entry->resource == GR_RESOURCE_CPU_SHARES)
        set_uint64(w, &cpu->shares, entry->number);
    else if (entry->resource == GR_RESOURCE_CPU_QUOTA)
        set_int64(w, &cpu->quota, entry->number);
    else if (entry->resource == GR_RESOURCE_CPU_PERIOD)
        set_uint64(w, &cpu->period, entry->number);
    else if (entry->resource == GR_RESOURCE_CPU_CPUS)
        set_text(w, &cpu->cpus, entry->text);
    else
        set_text(w, &cpu->mems, entry->text);
}

static void set_resource(struct writing *w, const struct gr_adjust_entry *entry)
{
    Nri__LinuxResources *resources = resources_of(w);

    if (!resources)
        return;
    switch (entry->resource) {
    case GR_RESOURCE_MEMORY_LIMIT:
    case GR_RESOURCE_MEMORY_RESERVATION:
    case GR_RESOURCE_MEMORY_SWAP:
        set_memory(w, resources, entry);
        break;
    case GR_RESOURCE_CPU_SHARES:
    case GR_RESOURCE_CPU_QUOTA:
    case GR_RESOURCE_CPU_PERIOD:
    case GR_RESOURCE_CPU_CPUS:
    case GR_RESOURCE_CPU_MEMS:
        set_cpu(w, resources, entry);
        break;
    case GR_RESOURCE_PIDS_LIMIT:
        resources->pids = make(w, &nri__linux_pids__descriptor);
        if (resources->pids)
            resources->pids->limit = entry->number;
        break;
    case GR_RESOURCE_BLOCKIO_CLASS:
        set_string(w, &resources->blockio_class, entry->text);
        break;
    case GR_RESOURCE_RDT_CLASS:
        set_string(w, &resources->rdt_class, entry->text);
        break;
    }
}

/* ---- all of it ---- */

/* A list of pointers in the adjustment, whose elements stand one behind the other. */
#define APPEND(place, list, count, made) \
    do {                                 \
        *(place) = (made);               \
        if ((count) == 0)                \
            (list) = (void *)(place);    \
        (count)++;                       \
    } while (0)

static void write_linux(struct writing *w, const struct gr_adjust_entry *entry, void **place)
{
    Nri__LinuxContainerAdjustment *parent = linux_of(w);
    Nri__LinuxResources *resources;

    if (!parent)
        return;
    if (entry->kind == GR_ADJUST_DEVICE) {
        APPEND(place, parent->devices, parent->n_devices, make_device(w, entry));
        return;
    }
    resources = resources_of(w);
    if (!resources)
        return;
    if (entry->kind == GR_ADJUST_HUGEPAGES)
        APPEND(place, resources->hugepage_limits, resources->n_hugepage_limits,
               make_hugepages(w, entry));
    else
        APPEND(place, resources->unified, resources->n_unified, make_unified(w, entry));
}

static void write_entry(struct writing *w, const struct gr_adjust_entry *entry, void **place)
{
    Nri__ContainerAdjustment *to = w->adjust;

    switch (entry->kind) {
    case GR_ADJUST_ENV:
        APPEND(place, to->env, to->n_env, make_env(w, entry));
        break;
    case GR_ADJUST_MOUNT:
        APPEND(place, to->mounts, to->n_mounts, make_mount(w, entry));
        break;
    case GR_ADJUST_ANNOTATION:
        APPEND(place, to->annotations, to->n_annotations, make_annotation(w, entry));
        break;
    case GR_ADJUST_CDI_DEVICE:
        APPEND(place, to->cdi_devices, to->n_cdi_devices, make_cdi_device(w, entry));
        break;
    case GR_ADJUST_RLIMIT:
        APPEND(place, to->rlimits, to->n_rlimits, make_rlimit(w, entry));
        break;
    case GR_ADJUST_RESOURCE:
        set_resource(w, entry);
        break;
    case GR_ADJUST_DEVICE:
    case GR_ADJUST_HUGEPAGES:
    case GR_ADJUST_UNIFIED:
        write_linux(w, entry, place);
        break;
    }
}

int gr_nri_write_adjusted(const struct gr_adjusted *adjusted, size_t n, struct gr_arena *arena,
                          Nri__ContainerAdjustment *out_adjust)
{
    struct writing w = {.arena = arena, .adjust = out_adjust};
    void **pointers;

    if (n == 0)
        return 0;
    pointers = gr_arena_array(arena, n, sizeof(*pointers));
    if (!pointers)
        return -ENOMEM;
    for (size_t i = 0; i < n && !w.failed; i++)
        write_entry(&w, adjusted[i].entry, &pointers[i]);
    return w.failed ? -ENOMEM : 0;
}
