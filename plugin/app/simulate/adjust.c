/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin asks for beside hooks: kept, and as a line of text. */
#include <errno.h>
#include <inttypes.h>

#include "app/simulate/simulate.h"

#define VALUE_MAX_BYTES 4096

static int keep_mount(struct gr_arena *arena, struct gr_mount *mount)
{
    struct gr_str *options = gr_arena_array(arena, mount->options.n, sizeof(*options));

    if (!options || !gr_arena_str(arena, mount->destination, &mount->destination) ||
        !gr_arena_str(arena, mount->source, &mount->source) ||
        !gr_arena_str(arena, mount->type, &mount->type))
        return -ENOMEM;
    for (size_t i = 0; i < mount->options.n; i++) {
        if (!gr_arena_str(arena, mount->options.items[i], &options[i]))
            return -ENOMEM;
    }
    mount->options.items = options;
    return 0;
}

int gr_sim_keep_adjust(struct gr_arena *arena, const struct gr_adjust_entry *from, size_t n,
                       const struct gr_adjust_entry **out_entries)
{
    struct gr_adjust_entry *entries = gr_arena_array(arena, n, sizeof(*entries));

    if (!entries)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        entries[i] = from[i];
        if (!gr_arena_str(arena, from[i].key, &entries[i].key) ||
            !gr_arena_str(arena, from[i].text, &entries[i].text) ||
            keep_mount(arena, &entries[i].mount) != 0)
            return -ENOMEM;
    }
    *out_entries = entries;
    return 0;
}

static void add_mount(struct gr_buf *text, const struct gr_mount *mount)
{
    (void)gr_buf_str(text, mount->type);
    (void)gr_buf_byte(text, ' ');
    (void)gr_buf_str(text, mount->source);
    for (size_t i = 0; i < mount->options.n; i++) {
        (void)gr_buf_text(text, i ? "," : " (");
        (void)gr_buf_str(text, mount->options.items[i]);
    }
    if (mount->options.n > 0)
        (void)gr_buf_byte(text, ')');
}

static void add_device(struct gr_buf *text, const struct gr_device *device)
{
    (void)gr_buf_printf(text, "%c %" PRId64 ":%" PRId64, device->type ? device->type : '?',
                        device->major, device->minor);
    if (device->has_mode)
        (void)gr_buf_printf(text, " mode %04o", device->mode);
    if (device->has_uid)
        (void)gr_buf_printf(text, " uid %u", device->uid);
    if (device->has_gid)
        (void)gr_buf_printf(text, " gid %u", device->gid);
}

static void add_limit(struct gr_buf *text, const char *name, uint64_t limit)
{
    if (limit == UINT64_MAX)
        (void)gr_buf_printf(text, "%sunlimited", name);
    else
        (void)gr_buf_printf(text, "%s%" PRIu64, name, limit);
}

static void add_value(struct gr_buf *text, const struct gr_adjust_entry *entry)
{
    switch (entry->kind) {
    case GR_ADJUST_MOUNT:
        add_mount(text, &entry->mount);
        return;
    case GR_ADJUST_DEVICE:
        add_device(text, &entry->device);
        return;
    case GR_ADJUST_CDI_DEVICE:
        return;
    case GR_ADJUST_RLIMIT:
        add_limit(text, "soft ", entry->rlimit.soft);
        add_limit(text, ", hard ", entry->rlimit.hard);
        return;
    case GR_ADJUST_HUGEPAGES:
        (void)gr_buf_printf(text, "%" PRId64, entry->number);
        return;
    case GR_ADJUST_RESOURCE:
        if (gr_resource_is_text(entry->resource))
            break;
        (void)gr_buf_printf(text, "%" PRId64, entry->number);
        return;
    case GR_ADJUST_ENV:
    case GR_ADJUST_ANNOTATION:
    case GR_ADJUST_UNIFIED:
        break;
    }
    (void)gr_buf_str(text, entry->text);
}

struct gr_str gr_sim_adjust_text(struct gr_arena *arena, const struct gr_adjust_entry *entry)
{
    struct gr_str kept = GR_STR_NONE;
    struct gr_buf text;

    gr_buf_init(&text, VALUE_MAX_BYTES);
    add_value(&text, entry);
    if (text.broken == -EMSGSIZE)
        (void)!gr_arena_str(arena, GR_STR("(too long to be shown)"), &kept);
    else if (!text.broken)
        (void)!gr_arena_str(arena, gr_buf_view(&text), &kept);
    gr_buf_fini(&text);
    return kept;
}
