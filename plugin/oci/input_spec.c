/* SPDX-License-Identifier: Apache-2.0 */
/* What a config.json tells: a bundle's own, and the one that crictl inspect shows. */
#include <errno.h>

#include "oci/input_parts.h"

/* ---- hooks ---- */

struct hooks {
    struct gr_oci_hook *items;
    size_t n;
    enum gr_stage stage;
};

static int read_hook(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct hooks *hooks = user;
    struct gr_oci_hook hook = {.stage = hooks->stage};
    int result = gr_node_text_at(d, node, "path", &hook.path);

    if (result == 0)
        result = gr_node_texts_at(d, node, "args", &hook.args);
    if (result == 0)
        result = gr_node_texts_at(d, node, "env", &hook.env);
    if (result == 0)
        result = gr_node_number_at(d, node, "timeout", &hook.timeout_s, &hook.has_timeout);
    if (result == 0)
        hooks->items[hooks->n++] = hook;
    return result;
}

static int read_hooks(struct gr_decoder *d, const struct gr_yaml_node *spec, struct gr_facts *facts)
{
    const struct gr_yaml_node *node;
    struct hooks hooks = {0};
    size_t before = gr_field_path_key(&d->path, GR_STR("hooks")), n = 0;
    int result = gr_node_collection(d, spec, "hooks", GR_YAML_MAPPING, &node);

    for (unsigned i = 0; i < GR_STAGE_COUNT; i++)
        n += gr_node_count(node, gr_stage_name((enum gr_stage)i));
    hooks.items = gr_arena_array(d->arena, n, sizeof(*hooks.items));
    if (!hooks.items)
        result = -ENOMEM;
    for (unsigned i = 0; i < GR_STAGE_COUNT && result == 0; i++) {
        hooks.stage = (enum gr_stage)i;
        result = gr_node_each(d, node, gr_stage_name(hooks.stage), read_hook, &hooks);
    }
    gr_field_path_cut(&d->path, before);
    facts->subject.hooks = hooks.items;
    facts->subject.hooks_n = hooks.n;
    return result;
}

/* ---- mounts ---- */

struct mounts {
    struct gr_mount *items;
    size_t n;
};

static int read_mount(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct mounts *mounts = user;
    struct gr_mount mount = {0};
    int result = gr_node_text_at(d, node, "destination", &mount.destination);

    if (result == 0)
        result = gr_node_text_at(d, node, "source", &mount.source);
    if (result == 0)
        result = gr_node_text_at(d, node, "type", &mount.type);
    if (result == 0)
        result = gr_node_texts_at(d, node, "options", &mount.options);
    if (result == 0)
        mounts->items[mounts->n++] = mount;
    return result;
}

static int read_mounts(struct gr_decoder *d, const struct gr_yaml_node *spec,
                       struct gr_facts *facts)
{
    struct mounts mounts = {0};
    int result;

    mounts.items = gr_arena_array(d->arena, gr_node_count(spec, "mounts"), sizeof(*mounts.items));
    if (!mounts.items)
        return -ENOMEM;
    result = gr_node_each(d, spec, "mounts", read_mount, &mounts);
    facts->subject.mounts = mounts.items;
    facts->subject.mounts_n = mounts.n;
    gr_facts_know(facts, GR_FIELD_MOUNTS);
    return result;
}

/* ---- what else a set may adjust ---- */

struct entries {
    struct gr_adjust_entry *items;
    size_t n;
};

static int add_entry(struct entries *entries, enum gr_adjust_kind kind, struct gr_str key)
{
    entries->items[entries->n] = (struct gr_adjust_entry){.kind = kind, .key = key};
    entries->n++;
    return 0;
}

static int read_device(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct entries *entries = user;
    struct gr_adjust_entry e = {.kind = GR_ADJUST_DEVICE};
    struct gr_str type = GR_STR_NONE;
    struct {
        const char *key;
        uint32_t *to;
        bool *has;
    } numbers[] = {{"fileMode", &e.device.mode, &e.device.has_mode},
                   {"uid", &e.device.uid, &e.device.has_uid},
                   {"gid", &e.device.gid, &e.device.has_gid}};
    bool has;
    int result = gr_node_text_at(d, node, "path", &e.key);

    if (result == 0)
        result = gr_node_text_at(d, node, "type", &type);
    if (result == 0)
        result = gr_node_number_at(d, node, "major", &e.device.major, &has);
    if (result == 0)
        result = gr_node_number_at(d, node, "minor", &e.device.minor, &has);
    for (size_t i = 0; i < GR_ARRAY_LEN(numbers) && result == 0; i++) {
        uint64_t number = 0;

        result = gr_node_unsigned_at(d, node, numbers[i].key, &number, numbers[i].has);
        *numbers[i].to = (uint32_t)number; /* wider ones are no modes and ids of Linux */
    }
    if (result)
        return result;
    e.device.type = type.n ? type.p[0] : '\0';
    entries->items[entries->n++] = e;
    return 0;
}

static int read_rlimit(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct entries *entries = user;
    struct gr_adjust_entry e = {.kind = GR_ADJUST_RLIMIT};
    bool has;
    int result = gr_node_text_at(d, node, "type", &e.key);

    if (result == 0)
        result = gr_node_unsigned_at(d, node, "hard", &e.rlimit.hard, &has);
    if (result == 0)
        result = gr_node_unsigned_at(d, node, "soft", &e.rlimit.soft, &has);
    if (result == 0)
        entries->items[entries->n++] = e;
    return result;
}

static int read_hugepages(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct entries *entries = user;
    struct gr_str size = GR_STR_NONE;
    uint64_t limit = 0;
    bool has;
    int result = gr_node_text_at(d, node, "pageSize", &size);

    if (result == 0)
        result = gr_node_unsigned_at(d, node, "limit", &limit, &has);
    if (result || limit > INT64_MAX) /* no set can ask for so much */
        return result;
    result = add_entry(entries, GR_ADJUST_HUGEPAGES, size);
    entries->items[entries->n - 1].number = (int64_t)limit;
    return result;
}

/* The same places as in oci/spec. */
static const struct {
    const char *group, *key;
    enum gr_resource resource;
} resources[] = {
    {"memory", "limit", GR_RESOURCE_MEMORY_LIMIT},
    {"memory", "reservation", GR_RESOURCE_MEMORY_RESERVATION},
    {"memory", "swap", GR_RESOURCE_MEMORY_SWAP},
    {"cpu", "shares", GR_RESOURCE_CPU_SHARES},
    {"cpu", "quota", GR_RESOURCE_CPU_QUOTA},
    {"cpu", "period", GR_RESOURCE_CPU_PERIOD},
    {"cpu", "cpus", GR_RESOURCE_CPU_CPUS},
    {"cpu", "mems", GR_RESOURCE_CPU_MEMS},
    {"pids", "limit", GR_RESOURCE_PIDS_LIMIT},
};

static int read_value(struct gr_decoder *d, const struct gr_yaml_node *group, const char *key,
                      enum gr_resource resource, struct entries *entries)
{
    struct gr_adjust_entry e = {.kind = GR_ADJUST_RESOURCE, .resource = resource};
    bool has = gr_node_get(group, key) != NULL;
    int result;

    if (gr_resource_is_text(resource))
        result = gr_node_text_at(d, group, key, &e.text);
    else
        result = gr_node_number_at(d, group, key, &e.number, &has);
    if (result == 0 && has)
        entries->items[entries->n++] = e;
    return result;
}

static int read_resources(struct gr_decoder *d, const struct gr_yaml_node *node,
                          struct entries *entries)
{
    struct gr_kvs unified = {0};
    int result = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(resources) && result == 0; i++) {
        size_t before = gr_field_path_key(&d->path, gr_str_from(resources[i].group));

        result = read_value(d, gr_node_get(node, resources[i].group), resources[i].key,
                            resources[i].resource, entries);
        gr_field_path_cut(&d->path, before);
    }
    if (result == 0)
        result = gr_node_each(d, node, "hugepageLimits", read_hugepages, entries);
    if (result == 0)
        result = gr_node_map_at(d, node, "unified", &unified);
    for (size_t i = 0; i < unified.n && result == 0; i++) {
        result = add_entry(entries, GR_ADJUST_UNIFIED, unified.items[i].key);
        entries->items[entries->n - 1].text = unified.items[i].value;
    }
    return result;
}

static int read_linux(struct gr_decoder *d, const struct gr_yaml_node *spec,
                      struct entries *entries)
{
    const struct gr_yaml_node *node = gr_node_get(spec, "linux");
    size_t before = gr_field_path_key(&d->path, GR_STR("linux"));
    int result = gr_node_each(d, node, "devices", read_device, entries);
    size_t below;

    below = gr_field_path_key(&d->path, GR_STR("intelRdt"));
    if (result == 0)
        result =
            read_value(d, gr_node_get(node, "intelRdt"), "closID", GR_RESOURCE_RDT_CLASS, entries);
    gr_field_path_cut(&d->path, below);
    below = gr_field_path_key(&d->path, GR_STR("resources"));
    if (result == 0)
        result = read_resources(d, gr_node_get(node, "resources"), entries);
    gr_field_path_cut(&d->path, below);
    gr_field_path_cut(&d->path, before);
    return result;
}

/* Room for everything that can be there. */
static size_t count_present(const struct gr_yaml_node *spec)
{
    const struct gr_yaml_node *linux_part = gr_node_get(spec, "linux");
    const struct gr_yaml_node *node = gr_node_get(linux_part, "resources");

    return gr_node_count(linux_part, "devices") +
           gr_node_count(gr_node_get(spec, "process"), "rlimits") +
           gr_node_count(node, "hugepageLimits") + gr_node_count(node, "unified") +
           GR_RESOURCE_COUNT;
}

/* No runtime looks for hooks there, and none says so. */
static void warn_of_hooks(struct gr_decoder *d, const struct gr_yaml_node *process)
{
    const struct gr_yaml_node *hooks = gr_node_get(process, "hooks");
    struct gr_err err = {0};

    if (!hooks)
        return;
    (void)gr_fail(&err, 0, "misplaced-key",
                  "\"hooks\" stands below \"process\", where no runtime looks for it; it belongs "
                  "beside \"process\"");
    gr_err_at(&err, d->findings->file, hooks->key_at.line, hooks->key_at.column);
    gr_report(d->findings->reporter, GR_LEVEL_WARNING, &err);
}

static int read_process(struct gr_decoder *d, const struct gr_yaml_node *spec,
                        struct entries *entries, struct gr_facts *facts)
{
    const struct gr_yaml_node *process = gr_node_get(spec, "process");
    size_t before;
    int result;

    if (!process)
        return 0;
    warn_of_hooks(d, process);
    before = gr_field_path_key(&d->path, GR_STR("process"));
    result = gr_node_texts_at(d, process, "args", &facts->subject.args);
    if (result == 0)
        result = gr_node_texts_at(d, process, "env", &facts->subject.env);
    if (result == 0)
        result = gr_node_each(d, process, "rlimits", read_rlimit, entries);
    gr_field_path_cut(&d->path, before);
    gr_facts_know(facts, GR_FIELD_ARGS);
    gr_facts_know(facts, GR_FIELD_COMMAND);
    gr_facts_know(facts, GR_FIELD_ENV);
    return result;
}

int gr_facts_of_spec(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_facts *facts)
{
    struct entries entries = {0};
    int result;

    entries.items = gr_arena_array(d->arena, count_present(node), sizeof(*entries.items));
    if (!entries.items)
        return -ENOMEM;
    result = read_process(d, node, &entries, facts);
    if (result == 0)
        result = read_mounts(d, node, facts);
    if (result == 0)
        result = read_hooks(d, node, facts);
    if (result == 0)
        result = read_linux(d, node, &entries);
    if (result == 0)
        result = gr_node_map_at(d, node, "annotations", &facts->subject.container_annotations);
    facts->subject.present = entries.items;
    facts->subject.present_n = entries.n;
    facts->has_spec = true;
    gr_facts_know(facts, GR_FIELD_CONTAINER_ANNOTATIONS);
    return result;
}
