/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/adjust: what a set changes of a container beside its hooks.
 *
 * Layer: rules. Entries: a kind, a key, a value. Two entries of one kind and key exclude each other
 * unless their values are equal. Spec: specs/hookset.md, "Adjust"; NRI ContainerAdjustment; OCI
 * runtime-spec config.md and config-linux.md for the names.
 */
#ifndef GR_RULES_ADJUST_H
#define GR_RULES_ADJUST_H

#include "rules/subject.h"

enum gr_adjust_kind {
    GR_ADJUST_ENV,        /* key: name; text: value */
    GR_ADJUST_MOUNT,      /* key: destination; mount */
    GR_ADJUST_ANNOTATION, /* key; text */
    GR_ADJUST_DEVICE,     /* key: path in the container; device */
    GR_ADJUST_CDI_DEVICE, /* key: qualified name vendor.com/class=name */
    GR_ADJUST_RLIMIT,     /* key: RLIMIT_NOFILE; rlimit */
    GR_ADJUST_RESOURCE,   /* key: gr_resource_name; resource, and number or text */
    GR_ADJUST_HUGEPAGES,  /* key: page size such as 2MB; number: bytes */
    GR_ADJUST_UNIFIED,    /* key: file of cgroup v2 such as memory.high; text */
};
#define GR_ADJUST_KIND_COUNT 9

/* "env", "mounts", "annotations", "devices", "cdiDevices", "rlimits", "resources",
 * "resources.hugepageLimits", "resources.unified": as in the format. */
const char *gr_adjust_kind_name(enum gr_adjust_kind kind);

/* One value of resources. */
enum gr_resource {
    GR_RESOURCE_MEMORY_LIMIT,       /* bytes; -1: no limit, as for the next two */
    GR_RESOURCE_MEMORY_RESERVATION, /* bytes */
    GR_RESOURCE_MEMORY_SWAP,        /* bytes, memory and swap together */
    GR_RESOURCE_CPU_SHARES,
    GR_RESOURCE_CPU_QUOTA,  /* microseconds per period */
    GR_RESOURCE_CPU_PERIOD, /* microseconds */
    GR_RESOURCE_CPU_CPUS,   /* text: 0-3,7 */
    GR_RESOURCE_CPU_MEMS,   /* text */
    GR_RESOURCE_PIDS_LIMIT, /* processes and threads; -1: no limit */
    GR_RESOURCE_BLOCKIO_CLASS,
    GR_RESOURCE_RDT_CLASS,
};
#define GR_RESOURCE_COUNT 11

/* "memory.limit", "cpu.shares", "pids.limit", "blockioClass", …: as in the format. */
const char *gr_resource_name(enum gr_resource resource);
/* Whether its value is a text and not a number. */
bool gr_resource_is_text(enum gr_resource resource);

struct gr_device {
    char type; /* c, b, u, p */
    int64_t major, minor;
    bool has_mode, has_uid, has_gid;
    uint32_t mode, uid, gid;
};

struct gr_rlimit {
    uint64_t soft, hard;
};

struct gr_adjust_entry {
    enum gr_adjust_kind kind;
    enum gr_resource resource;
    struct gr_str key;
    struct gr_str text;
    int64_t number;
    struct gr_mount mount;
    struct gr_device device;
    struct gr_rlimit rlimit;
    uint32_t line, column;
};

/* Its key for messages: of a value of resources the name. */
struct gr_str gr_adjust_entry_key(const struct gr_adjust_entry *entry);

/* Whether both are of one kind and key. */
bool gr_adjust_same_key(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b);

/* The same as an order: by kind, then by key; <0, 0, >0. */
int gr_adjust_cmp_key(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b);

/* Whether two of one kind and key say the same. */
bool gr_adjust_same_value(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b);

/* A key that is asked about, and what the container has under it. */
struct gr_adjust_slot {
    const struct gr_adjust_entry *asked; /* its kind and key */
    bool found;
    struct gr_adjust_entry has; /* found; borrows from the subject */
};

/*
 * Looks the keys of all slots up, which are sorted by gr_adjust_cmp_key and hold each key once. Of
 * a list that has a key twice the last entry counts. What the subject does not know is not found.
 * One look-up for each entry of the subject, so that a long environment costs no more than once.
 */
void gr_adjust_look_up(struct gr_adjust_slot *slots, size_t n, const struct gr_subject *subject);

/* Whether the container has exactly this already: the same for one entry. */
bool gr_adjust_is_present(const struct gr_adjust_entry *entry, const struct gr_subject *subject);

#endif
