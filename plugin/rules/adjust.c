/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/adjust.h"

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

bool gr_adjust_same_key(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == GR_ADJUST_RESOURCE ? a->resource == b->resource : gr_str_eq(a->key, b->key);
}
