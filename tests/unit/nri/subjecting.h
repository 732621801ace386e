/* SPDX-License-Identifier: Apache-2.0 */
/* A CreateContainer request that is filled in, encoded and read as a subject. */
#ifndef GR_TESTS_NRI_SUBJECTING_H
#define GR_TESTS_NRI_SUBJECTING_H

#include "testing.h"

#include "nri/translate.h"

struct fixture {
    Nri__CreateContainerRequest request;
    Nri__PodSandbox pod;
    Nri__Container container;
    struct gr_nri_origin origin;
    struct gr_arena arena;
    struct gr_subject subject;
    struct gr_err err;
    uint8_t *packed;
};

static inline void init(struct fixture *f)
{
    *f = (struct fixture){.origin = {.runtime_name = GR_STR("containerd"),
                                     .runtime_version = GR_STR("v2.1.4"),
                                     .adjusts = true}};
    nri__create_container_request__init(&f->request);
    nri__pod_sandbox__init(&f->pod);
    nri__container__init(&f->container);
    f->request.pod = &f->pod;
    f->request.container = &f->container;
    gr_arena_init(&f->arena, 4096, 1U << 20);
}

/* The subject borrows from the encoding, which therefore stays until the test ends. */
static inline int convert(struct fixture *f)
{
    size_t n = nri__create_container_request__get_packed_size(&f->request);
    uint8_t *packed = malloc(n + 1);

    assert_non_null(packed);
    assert_int_equal(nri__create_container_request__pack(&f->request, packed), n);
    free(f->packed);
    f->packed = packed;
    return gr_nri_subject((struct gr_str){.p = (const char *)packed, .n = n}, &f->origin, &f->arena,
                          &f->subject, &f->err);
}

static inline void fini(struct fixture *f)
{
    gr_arena_fini(&f->arena);
    free(f->packed);
    f->packed = NULL;
}

/* ---- what only some rules need ---- */

struct parts {
    Nri__Mount mount, *mounts[1];
    Nri__OptionalInt64 limit, quota;
    Nri__OptionalUInt64 shares, period;
    Nri__OptionalUInt32 mode, uid;
    Nri__OptionalString blockio;
    Nri__LinuxMemory memory;
    Nri__LinuxCpu cpu;
    Nri__LinuxPids pids;
    Nri__HugepageLimit hugepages, *hugepage_list[1];
    Nri__LinuxResources__UnifiedEntry unified, *unified_list[1];
    Nri__LinuxResources resources;
    Nri__LinuxDevice device, plain, *devices[2];
    Nri__LinuxContainer linux_part;
    Nri__Rlimit rlimit, *rlimits[1];
    Nri__CdiDevice cdi, *cdi_devices[1];
};

static inline void add_devices(struct parts *p)
{
    static char path[] = "/dev/x", plain[] = "/dev/y", c[] = "c", odd[] = "cc";

    nri__linux_device__init(&p->device);
    nri__linux_device__init(&p->plain);
    nri__optional_uint32__init(&p->mode);
    nri__optional_uint32__init(&p->uid);
    p->device.path = path;
    p->device.type = c;
    p->device.major = 1;
    p->device.minor = -1;
    p->mode.value = 0640;
    p->uid.value = 7;
    p->device.file_mode = &p->mode;
    p->device.uid = &p->uid;
    p->plain.path = plain;
    p->plain.type = odd;
    p->devices[0] = &p->device;
    p->devices[1] = &p->plain;
    p->linux_part.devices = p->devices;
    p->linux_part.n_devices = 2;
}

static inline void add_resources(struct parts *p)
{
    static char size[] = "2MB", key[] = "memory.high", max[] = "max", cpus[] = "0-1",
                slow[] = "slow";

    nri__linux_resources__init(&p->resources);
    nri__linux_memory__init(&p->memory);
    nri__linux_cpu__init(&p->cpu);
    nri__linux_pids__init(&p->pids);
    nri__optional_int64__init(&p->limit);
    nri__optional_int64__init(&p->quota);
    nri__optional_uint64__init(&p->shares);
    nri__optional_uint64__init(&p->period);
    nri__optional_string__init(&p->blockio);
    nri__hugepage_limit__init(&p->hugepages);
    nri__linux_resources__unified_entry__init(&p->unified);
    p->limit.value = -1;
    p->memory.limit = &p->limit;
    p->memory.swap = &p->quota;
    p->quota.value = 50000;
    p->shares.value = UINT64_MAX;
    p->period.value = 100000;
    p->cpu.shares = &p->shares;
    p->cpu.quota = &p->quota;
    p->cpu.period = &p->period;
    p->cpu.cpus = cpus;
    p->pids.limit = 100;
    p->blockio.value = slow;
    p->hugepages.page_size = size;
    p->hugepages.limit = 1U << 21;
    p->unified.key = key;
    p->unified.value = max;
    p->hugepage_list[0] = &p->hugepages;
    p->unified_list[0] = &p->unified;
    p->resources.memory = &p->memory;
    p->resources.cpu = &p->cpu;
    p->resources.pids = &p->pids;
    p->resources.blockio_class = &p->blockio;
    p->resources.hugepage_limits = p->hugepage_list;
    p->resources.unified = p->unified_list;
    p->resources.n_hugepage_limits = p->resources.n_unified = 1;
    p->linux_part.resources = &p->resources;
}

/* A container that has something of everything. */
static inline void add_parts(struct fixture *f, struct parts *p)
{
    static char where[] = "/data", from[] = "/s", bind[] = "bind", ro[] = "ro", rbind[] = "rbind",
                a[] = "A=1", b[] = "B=", nofile[] = "RLIMIT_NOFILE", name[] = "v.com/c=n";
    static char *options[] = {ro, rbind};
    static char *env[] = {a, b};

    memset(p, 0, sizeof(*p));
    nri__mount__init(&p->mount);
    nri__linux_container__init(&p->linux_part);
    nri__rlimit__init(&p->rlimit);
    nri__cdi_device__init(&p->cdi);
    p->mount.destination = where;
    p->mount.source = from;
    p->mount.type = bind;
    p->mount.options = options;
    p->mount.n_options = 2;
    p->rlimit.type = nofile;
    p->rlimit.hard = UINT64_MAX;
    p->rlimit.soft = 5;
    p->cdi.name = name;
    p->mounts[0] = &p->mount;
    p->rlimits[0] = &p->rlimit;
    p->cdi_devices[0] = &p->cdi;
    add_devices(p);
    add_resources(p);
    f->container.env = env;
    f->container.n_env = 2;
    f->container.mounts = p->mounts;
    f->container.rlimits = p->rlimits;
    f->container.cdi_devices = p->cdi_devices;
    f->container.n_mounts = f->container.n_rlimits = f->container.n_cdi_devices = 1;
    f->container.linux = &p->linux_part;
}

#endif
