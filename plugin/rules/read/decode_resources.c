/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_resources: spec.adjust.resources to entries.
 *
 * Layer: rules. Numbers are those of the OCI runtime-spec (config-linux.md) within what Linux
 * takes: bytes, microseconds, shares; -1 is no limit.
 */

#include "rules/read/decode_parts.h"
#include "rules/limits.h"

static int add(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_adjust_list *list,
               struct gr_adjust_entry *entry)
{
    entry->kind = GR_ADJUST_RESOURCE;
    entry->key = gr_str_from(gr_resource_name(entry->resource));
    entry->line = node->key_at.line;
    entry->column = node->key_at.column;
    return gr_adjust_list_add(d, list, node->key_at, entry);
}

static int add_quantity(struct gr_decoder *d, const struct gr_yaml_node *node,
                        struct gr_adjust_list *list, enum gr_resource resource,
                        const struct gr_quantity_range *range)
{
    struct gr_adjust_entry entry = {.resource = resource};
    uint64_t value = 0;
    int r = gr_decode_quantity(d, node, range, &value);

    if (r != 0)
        return r;
    entry.number = value == UINT64_MAX ? -1 : (int64_t)value;
    return add(d, node, list, &entry);
}

/* ---- memory ---- */

static const struct gr_quantity_range memory_range = {
    .min = 1, .max = INT64_MAX, .unlimited = true};

static int decode_memory_limit(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_quantity(d, node, target, GR_RESOURCE_MEMORY_LIMIT, &memory_range);
}

static int decode_reservation(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_quantity(d, node, target, GR_RESOURCE_MEMORY_RESERVATION, &memory_range);
}

static int decode_swap(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_quantity(d, node, target, GR_RESOURCE_MEMORY_SWAP, &memory_range);
}

static const struct gr_adjust_entry *find(const struct gr_adjust_list *list,
                                          enum gr_resource resource)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].kind == GR_ADJUST_RESOURCE && list->items[i].resource == resource)
            return &list->items[i];
    }
    return NULL;
}

/* Whether one amount is above another; -1 is above all. */
static bool exceeds(int64_t a, int64_t b)
{
    return (uint64_t)a > (uint64_t)b;
}

static int check_memory(struct gr_decoder *d, const struct gr_yaml_node *node,
                        const struct gr_adjust_list *list)
{
    const struct gr_adjust_entry *limit = find(list, GR_RESOURCE_MEMORY_LIMIT);
    const struct gr_adjust_entry *reservation = find(list, GR_RESOURCE_MEMORY_RESERVATION);
    const struct gr_adjust_entry *swap = find(list, GR_RESOURCE_MEMORY_SWAP);

    if (limit && swap && exceeds(limit->number, swap->number))
        return gr_decode_refuse(d, node->at, "bad-memory",
                                "swap counts memory and swap together, so that it must not be "
                                "below limit; raise swap");
    if (limit && reservation && exceeds(reservation->number, limit->number))
        return gr_decode_refuse(d, node->at, "bad-memory",
                                "reservation must not be above limit; lower it");
    return 0;
}

static int decode_memory(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"limit", decode_memory_limit, 0, NULL},
        {"reservation", decode_reservation, 0, NULL},
        {"swap", decode_swap, 0, NULL},
    };
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), target);

    return r ? r : check_memory(d, node, target);
}

/* ---- cpu ---- */

static int add_integer(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_adjust_list *list, enum gr_resource resource, int64_t min,
                       int64_t max)
{
    struct gr_adjust_entry entry = {.resource = resource};
    int r = gr_decode_integer(d, node, min, max, &entry.number);

    return r ? r : add(d, node, list, &entry);
}

static int decode_shares(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_integer(d, node, target, GR_RESOURCE_CPU_SHARES, GR_CPU_SHARES_MIN,
                       GR_CPU_SHARES_MAX);
}

static int decode_quota(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_quantity_range range = {
        .min = GR_CPU_QUOTA_MIN_US, .max = GR_CPU_QUOTA_MAX_US, .unlimited = true};

    return add_quantity(d, node, target, GR_RESOURCE_CPU_QUOTA, &range);
}

static int decode_period(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_integer(d, node, target, GR_RESOURCE_CPU_PERIOD, GR_CPU_PERIOD_MIN_US,
                       GR_CPU_PERIOD_MAX_US);
}

/* A number at the beginning of *rest, which is cut off. */
static bool take_number(struct gr_str *rest, uint64_t *out)
{
    size_t n = 0;

    while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    if (gr_str_to_u64(gr_str_first(*rest, n), out) != 0 || *out > GR_CPU_NUMBER_MAX)
        return false;
    *rest = gr_str_skip(*rest, n);
    return true;
}

/* 0-3,7 */
static bool is_cpuset(struct gr_str text)
{
    for (;;) {
        uint64_t first = 0;
        uint64_t last = 0;

        if (!take_number(&text, &first))
            return false;
        if (text.n > 0 && text.p[0] == '-') {
            text = gr_str_skip(text, 1);
            if (!take_number(&text, &last) || last < first)
                return false;
        }
        if (text.n == 0)
            return true;
        if (text.p[0] != ',')
            return false;
        text = gr_str_skip(text, 1);
    }
}

static int add_cpuset(struct gr_decoder *d, const struct gr_yaml_node *node,
                      struct gr_adjust_list *list, enum gr_resource resource)
{
    struct gr_adjust_entry entry = {.resource = resource};
    int r = gr_decode_literal(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &entry.text);

    if (r == 0 && !is_cpuset(entry.text))
        r = gr_decode_refuse(d, node->at, "bad-cpuset",
                             "expected numbers and ranges such as \"0-3,7\", found \"%s\"",
                             gr_show(entry.text).text);
    return r ? r : add(d, node, list, &entry);
}

static int decode_cpus(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_cpuset(d, node, target, GR_RESOURCE_CPU_CPUS);
}

static int decode_mems(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_cpuset(d, node, target, GR_RESOURCE_CPU_MEMS);
}

static int decode_cpu(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"shares", decode_shares, 0, NULL}, {"quota", decode_quota, 0, NULL},
        {"period", decode_period, 0, NULL}, {"cpus", decode_cpus, 0, NULL},
        {"mems", decode_mems, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

/* ---- pids and classes ---- */

static int decode_pids_limit(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_quantity_range range = {.min = 1, .max = GR_PIDS_MAX, .unlimited = true};

    return add_quantity(d, node, target, GR_RESOURCE_PIDS_LIMIT, &range);
}

static int decode_pids(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"limit", decode_pids_limit, GR_KEY_REQUIRED, "limit: 1024"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int add_class(struct gr_decoder *d, const struct gr_yaml_node *node,
                     struct gr_adjust_list *list, enum gr_resource resource)
{
    struct gr_adjust_entry entry = {.resource = resource};
    int r = gr_decode_token(d, node, "-_.", "the name of a class", &entry.text);

    return r ? r : add(d, node, list, &entry);
}

static int decode_blockio(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_class(d, node, target, GR_RESOURCE_BLOCKIO_CLASS);
}

static int decode_rdt(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return add_class(d, node, target, GR_RESOURCE_RDT_CLASS);
}

/* ---- hugepages and unified ---- */

/* As the kernel names the files: 64KB, 2MB, 1GB; a power of two below 1024. */
static bool is_page_size(struct gr_str text)
{
    static const char *const units[] = {"KB", "MB", "GB"};
    uint64_t number = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(units); i++) {
        if (gr_str_has_suffix(text, gr_str_from(units[i])))
            return gr_str_to_u64(gr_str_first(text, text.n - 2), &number) == 0 && number > 0 &&
                   number < 1024 && (number & (number - 1)) == 0;
    }
    return false;
}

static int decode_page_size(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_adjust_entry *entry = target;
    int r = gr_decode_literal(d, node, GR_TEXT_LINE, GR_ADJUST_NAME_MAX_BYTES, &entry->key);

    if (r == 0 && !is_page_size(entry->key))
        r = gr_decode_refuse(d, node->at, "bad-adjust",
                             "\"%s\" is not a size of pages: expected it as the kernel writes it, "
                             "such as 64KB, 2MB or 1GB",
                             gr_show(entry->key).text);
    return r;
}

static int decode_page_limit(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_quantity_range range = {.min = 0, .max = INT64_MAX};
    struct gr_adjust_entry *entry = target;
    uint64_t bytes = 0;
    int r = gr_decode_quantity(d, node, &range, &bytes);

    entry->number = (int64_t)bytes;
    return r;
}

static int read_hugepages(struct gr_decoder *d, const struct gr_yaml_node *node,
                          struct gr_adjust_entry *entry)
{
    static const struct gr_key keys[] = {
        {"pageSize", decode_page_size, GR_KEY_REQUIRED, "pageSize: 2MB"},
        {"limit", decode_page_limit, GR_KEY_REQUIRED, "limit: 64Mi"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), entry);
}

static int decode_hugepages(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_elements(d, node, target, GR_ADJUST_HUGEPAGES, read_hugepages);
}

/* controller.file: never a path, and never a file of the tree of cgroups itself. */
static int check_unified(struct gr_decoder *d, struct gr_place at, struct gr_str key)
{
    size_t dot = gr_str_find(key, '.');

    if (key.n > GR_ADJUST_NAME_MAX_BYTES || dot == key.n || key.p[0] < 'a' || key.p[0] > 'z' ||
        !gr_is_token(key, "._") || memmem(key.p, key.n, "..", 2))
        return gr_decode_refuse(d, at, "bad-adjust",
                                "\"%s\" is not a file of cgroup v2: expected CONTROLLER.FILE, such "
                                "as memory.high",
                                gr_show(key).text);
    if (gr_str_has_prefix(key, GR_STR("cgroup.")))
        return gr_decode_refuse(d, at, "bad-adjust",
                                "\"%s\" steers the tree of cgroups, which is the runtime's; only "
                                "files of controllers can be set",
                                gr_show(key).text);
    return 0;
}

static int decode_unified(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return gr_adjust_list_map(d, node, target, GR_ADJUST_UNIFIED, check_unified);
}

/* ---- resources ---- */

size_t gr_decode_resources_room(const struct gr_yaml_node *node)
{
    size_t room = 0;

    for (const struct gr_yaml_node *part = node->first; part; part = part->next)
        room += part->kind == GR_YAML_SCALAR ? 1 : GR_MIN(part->n, (size_t)GR_ADJUST_ENTRIES_MAX);
    return room;
}

int gr_decode_resources(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"memory", decode_memory, 0, NULL},
        {"cpu", decode_cpu, 0, NULL},
        {"pids", decode_pids, 0, NULL},
        {"hugepageLimits", decode_hugepages, 0, NULL},
        {"blockioClass", decode_blockio, 0, NULL},
        {"rdtClass", decode_rdt, 0, NULL},
        {"unified", decode_unified, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}
