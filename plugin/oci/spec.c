/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision becomes a tree of patches with a fixed shape, the config.json's own; oci/patch lays it
 * over the text.
 */
#include "oci/spec.h"

#include <errno.h>
#include <inttypes.h>

#include "oci/limits.h"
#include "oci/patch.h"

/* Texts of a decision are far below this; it only keeps a mistake from taking all memory. */
#define JSON_MAX_BYTES (64U << 20)

struct shape {
    struct gr_patch root;
    struct gr_patch process, env, rlimits;
    struct gr_patch hooks, stages[GR_STAGE_COUNT];
    struct gr_patch mounts, annotations;
    struct gr_patch linux_part, devices, rdt;
    struct gr_patch resources, rules, memory, cpu, pids, hugepages, unified;
};

struct writer {
    struct gr_arena *arena;
    const struct gr_decision *decision;
    struct shape shape;
    struct gr_buf buf;
    size_t left_out;
    struct gr_err *err;
};

/* ---- values as JSON ---- */

static int no_memory(const struct writer *w)
{
    return gr_fail(w->err, -ENOMEM, "no-memory", "no memory to change the document");
}

static void put_text(struct writer *w, struct gr_str text, int *inout_result)
{
    if (gr_json_quote(&w->buf, text) == -EINVAL)
        *inout_result =
            gr_fail(w->err, -EINVAL, "bad-utf8", "expected UTF-8 in what is added to the document");
}

static void put_member(struct writer *w, const char *before, struct gr_str text, int *inout_result)
{
    (void)gr_buf_text(&w->buf, before);
    put_text(w, text, inout_result);
}

static void put_texts(struct writer *w, const char *before, struct gr_strs texts, int *inout_result)
{
    (void)gr_buf_text(&w->buf, before);
    for (size_t i = 0; i < texts.n; i++)
        put_member(w, i ? "," : "[", texts.items[i], inout_result);
    (void)gr_buf_text(&w->buf, texts.n ? "]" : "[]");
}

static int put_hook(struct writer *w, const struct gr_oci_hook *hook)
{
    int result = 0;

    put_member(w, "{\"path\":", hook->path, &result);
    if (hook->args.n)
        put_texts(w, ",\"args\":", hook->args, &result);
    if (hook->env.n)
        put_texts(w, ",\"env\":", hook->env, &result);
    if (hook->has_timeout)
        (void)gr_buf_printf(&w->buf, ",\"timeout\":%" PRId64, hook->timeout_s);
    (void)gr_buf_byte(&w->buf, '}');
    return result;
}

static int put_mount(struct writer *w, const struct gr_adjust_entry *e)
{
    int result = 0;

    put_member(w, "{\"destination\":", e->key, &result);
    if (e->mount.type.n)
        put_member(w, ",\"type\":", e->mount.type, &result);
    if (e->mount.source.n)
        put_member(w, ",\"source\":", e->mount.source, &result);
    if (e->mount.options.n)
        put_texts(w, ",\"options\":", e->mount.options, &result);
    (void)gr_buf_byte(&w->buf, '}');
    return result;
}

static int put_device(struct writer *w, const struct gr_adjust_entry *e)
{
    const struct gr_device *d = &e->device;
    int result = 0;

    put_member(w, "{\"path\":", e->key, &result);
    (void)gr_buf_printf(&w->buf, ",\"type\":\"%c\",\"major\":%" PRId64 ",\"minor\":%" PRId64,
                        d->type, d->major, d->minor);
    if (d->has_mode)
        (void)gr_buf_printf(&w->buf, ",\"fileMode\":%" PRIu32, d->mode);
    if (d->has_uid)
        (void)gr_buf_printf(&w->buf, ",\"uid\":%" PRIu32, d->uid);
    if (d->has_gid)
        (void)gr_buf_printf(&w->buf, ",\"gid\":%" PRIu32, d->gid);
    (void)gr_buf_byte(&w->buf, '}');
    return result;
}

/* As NRI's runtimes allow it: containerd/nri, LinuxDevice.AccessString. */
static void put_rule(struct writer *w, const struct gr_device *d)
{
    (void)gr_buf_printf(&w->buf,
                        "{\"allow\":true,\"type\":\"%c\",\"major\":%" PRId64 ",\"minor\":%" PRId64
                        ",\"access\":\"%s\"}",
                        d->type == 'b' ? 'b' : 'c', d->major, d->minor,
                        d->type == 'b' ? "rwm" : "rw");
}

static int put_variable(struct writer *w, const struct gr_adjust_entry *e)
{
    struct gr_buf joined;
    int result = 0;

    gr_buf_init(&joined, JSON_MAX_BYTES);
    (void)gr_buf_str(&joined, e->key);
    (void)gr_buf_byte(&joined, '=');
    if (gr_buf_str(&joined, e->text))
        w->buf.broken = joined.broken;
    else
        put_text(w, gr_buf_view(&joined), &result);
    gr_buf_fini(&joined);
    return result;
}

static int put_entry(struct writer *w, const struct gr_adjust_entry *e)
{
    int result = 0;

    switch (e->kind) {
    case GR_ADJUST_ENV:
        return put_variable(w, e);
    case GR_ADJUST_MOUNT:
        return put_mount(w, e);
    case GR_ADJUST_DEVICE:
        return put_device(w, e);
    case GR_ADJUST_RLIMIT:
        put_member(w, "{\"type\":", e->key, &result);
        (void)gr_buf_printf(&w->buf, ",\"hard\":%" PRIu64 ",\"soft\":%" PRIu64 "}", e->rlimit.hard,
                            e->rlimit.soft);
        return result;
    case GR_ADJUST_HUGEPAGES:
        put_member(w, "{\"pageSize\":", e->key, &result);
        (void)gr_buf_printf(&w->buf, ",\"limit\":%" PRId64 "}", e->number);
        return result;
    case GR_ADJUST_RESOURCE:
        if (!gr_resource_is_text(e->resource)) {
            (void)gr_buf_printf(&w->buf, "%" PRId64, e->number);
            return 0;
        }
        put_text(w, e->text, &result);
        return result;
    case GR_ADJUST_ANNOTATION:
    case GR_ADJUST_UNIFIED:
    case GR_ADJUST_CDI_DEVICE:
        break;
    }
    put_text(w, e->text, &result);
    return result;
}

/* What was put, for good. */
static int take(struct writer *w, int result, struct gr_str *out)
{
    if (result)
        return result;
    if (w->buf.broken || !gr_arena_str(w->arena, gr_buf_view(&w->buf), out))
        return no_memory(w);
    gr_buf_reset(&w->buf, SIZE_MAX);
    return 0;
}

/* ---- the shape of config.json ---- */

static void add_child(struct gr_patch *parent, struct gr_patch *child, const char *key,
                      enum gr_patch_kind kind)
{
    struct gr_patch **tail = &parent->first;

    while (*tail)
        tail = &(*tail)->next;
    *tail = child;
    child->key = key;
    child->kind = kind;
}

static void add_list(struct gr_patch *parent, struct gr_patch *child, const char *key,
                     enum gr_patch_identity identity, const char *id_member)
{
    add_child(parent, child, key, GR_PATCH_LIST);
    child->identity = identity;
    child->id_member = id_member;
}

static void make_shape(struct shape *s)
{
    s->root.kind = GR_PATCH_OBJECT;
    add_child(&s->root, &s->process, "process", GR_PATCH_OBJECT);
    s->process.needed = true; /* what has no process cannot get one with nothing but variables */
    add_list(&s->process, &s->env, "env", GR_PATCH_VARIABLE, NULL);
    add_list(&s->process, &s->rlimits, "rlimits", GR_PATCH_MEMBER, "type");
    add_list(&s->root, &s->mounts, "mounts", GR_PATCH_PATH, "destination");
    add_child(&s->root, &s->hooks, "hooks", GR_PATCH_OBJECT);
    for (unsigned i = 0; i < GR_STAGE_COUNT; i++)
        add_list(&s->hooks, &s->stages[i], gr_stage_name((enum gr_stage)i), GR_PATCH_APPEND, NULL);
    add_child(&s->root, &s->annotations, "annotations", GR_PATCH_MEMBERS);
    add_child(&s->root, &s->linux_part, "linux", GR_PATCH_OBJECT);
    add_list(&s->linux_part, &s->devices, "devices", GR_PATCH_MEMBER, "path");
    add_child(&s->linux_part, &s->resources, "resources", GR_PATCH_OBJECT);
    add_list(&s->resources, &s->rules, "devices", GR_PATCH_APPEND, NULL);
    add_child(&s->resources, &s->memory, "memory", GR_PATCH_OBJECT);
    add_child(&s->resources, &s->cpu, "cpu", GR_PATCH_OBJECT);
    add_child(&s->resources, &s->pids, "pids", GR_PATCH_OBJECT);
    add_list(&s->resources, &s->hugepages, "hugepageLimits", GR_PATCH_MEMBER, "pageSize");
    add_child(&s->resources, &s->unified, "unified", GR_PATCH_MEMBERS);
    add_child(&s->linux_part, &s->rdt, "intelRdt", GR_PATCH_OBJECT);
}

/* Where a value of resources stands; NULL: not in config.json. */
static struct gr_patch *place_of(struct shape *s, enum gr_resource resource, const char **out_key)
{
    static const char *const keys[GR_RESOURCE_COUNT] = {
        [GR_RESOURCE_MEMORY_LIMIT] = "limit", [GR_RESOURCE_MEMORY_RESERVATION] = "reservation",
        [GR_RESOURCE_MEMORY_SWAP] = "swap",   [GR_RESOURCE_CPU_SHARES] = "shares",
        [GR_RESOURCE_CPU_QUOTA] = "quota",    [GR_RESOURCE_CPU_PERIOD] = "period",
        [GR_RESOURCE_CPU_CPUS] = "cpus",      [GR_RESOURCE_CPU_MEMS] = "mems",
        [GR_RESOURCE_PIDS_LIMIT] = "limit",   [GR_RESOURCE_RDT_CLASS] = "closID",
    };

    *out_key = keys[resource];
    switch (resource) {
    case GR_RESOURCE_MEMORY_LIMIT:
    case GR_RESOURCE_MEMORY_RESERVATION:
    case GR_RESOURCE_MEMORY_SWAP:
        return &s->memory;
    case GR_RESOURCE_CPU_SHARES:
    case GR_RESOURCE_CPU_QUOTA:
    case GR_RESOURCE_CPU_PERIOD:
    case GR_RESOURCE_CPU_CPUS:
    case GR_RESOURCE_CPU_MEMS:
        return &s->cpu;
    case GR_RESOURCE_PIDS_LIMIT:
        return &s->pids;
    case GR_RESOURCE_RDT_CLASS:
        return &s->rdt;
    case GR_RESOURCE_BLOCKIO_CLASS:
        break;
    }
    return NULL;
}

/* ---- filling it ---- */

static struct gr_patch *list_of(struct shape *s, enum gr_adjust_kind kind)
{
    switch (kind) {
    case GR_ADJUST_ENV:
        return &s->env;
    case GR_ADJUST_MOUNT:
        return &s->mounts;
    case GR_ADJUST_ANNOTATION:
        return &s->annotations;
    case GR_ADJUST_DEVICE:
        return &s->devices;
    case GR_ADJUST_RLIMIT:
        return &s->rlimits;
    case GR_ADJUST_HUGEPAGES:
        return &s->hugepages;
    case GR_ADJUST_UNIFIED:
        return &s->unified;
    case GR_ADJUST_CDI_DEVICE:
    case GR_ADJUST_RESOURCE:
        break;
    }
    return NULL;
}

/* Room for as many items as there can be. */
static int make_room(struct writer *w, struct gr_patch *patch, size_t n)
{
    patch->items = gr_arena_array(w->arena, n, sizeof(*patch->items));
    return patch->items ? 0 : no_memory(w);
}

static int make_rooms(struct writer *w)
{
    struct shape *s = &w->shape;
    size_t counts[GR_ADJUST_KIND_COUNT] = {0};
    size_t stages[GR_STAGE_COUNT] = {0};
    int result;

    for (size_t i = 0; i < w->decision->adjust_n; i++)
        counts[w->decision->adjust[i].entry->kind]++;
    for (size_t i = 0; i < w->decision->hooks_n; i++)
        stages[w->decision->hooks[i].stage]++;
    result = make_room(w, &s->rules, counts[GR_ADJUST_DEVICE]);
    for (unsigned i = 0; i < GR_ADJUST_KIND_COUNT && result == 0; i++) {
        struct gr_patch *list = list_of(s, (enum gr_adjust_kind)i);

        if (list)
            result = make_room(w, list, counts[i]);
    }
    for (unsigned i = 0; i < GR_STAGE_COUNT && result == 0; i++)
        result = make_room(w, &s->stages[i], stages[i]);
    return result;
}

static int add_item(struct writer *w, struct gr_patch *list, struct gr_str id, int result)
{
    struct gr_patch_item *item = &list->items[list->items_n];

    item->id = id;
    result = take(w, result, &item->json);
    if (result == 0)
        list->items_n++;
    return result;
}

static int add_resource(struct writer *w, const struct gr_adjust_entry *e)
{
    const char *key;
    struct gr_patch *parent = place_of(&w->shape, e->resource, &key);
    struct gr_patch *value;

    if (!parent) {
        w->left_out++;
        return 0;
    }
    value = gr_arena_alloc(w->arena, sizeof(*value));
    if (!value)
        return no_memory(w);
    add_child(parent, value, key, GR_PATCH_VALUE);
    return take(w, put_entry(w, e), &value->json);
}

static int add_entry(struct writer *w, const struct gr_adjust_entry *e)
{
    struct gr_patch *list = list_of(&w->shape, e->kind);
    int result;

    if (e->kind == GR_ADJUST_RESOURCE)
        return add_resource(w, e);
    if (!list) {
        w->left_out++;
        return 0;
    }
    result = add_item(w, list, e->key, put_entry(w, e));
    if (result || e->kind != GR_ADJUST_DEVICE || e->device.type == 'p')
        return result; /* a pipe needs no leave */
    put_rule(w, &e->device);
    return add_item(w, &w->shape.rules, GR_STR_NONE, 0);
}

/* Where something goes: parents before what lies below them, else in the decision's order. */
struct position {
    size_t depth, number;
};

static int compare_positions(const void *a, const void *b)
{
    const struct position *x = a, *y = b;

    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static size_t depth_of(struct gr_str path)
{
    size_t depth = 0;

    for (size_t i = 0; i < path.n; i++)
        depth += path.p[i] == '/';
    return depth;
}

static int sort_mounts(struct writer *w)
{
    struct gr_patch *mounts = &w->shape.mounts;
    size_t n = mounts->items_n;
    struct position *order = gr_arena_array(w->arena, n, sizeof(*order));
    struct gr_patch_item *sorted = gr_arena_array(w->arena, n, sizeof(*sorted));

    if (!order || !sorted)
        return no_memory(w);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct position){.depth = depth_of(mounts->items[i].id), .number = i};
    if (n)
        qsort(order, n, sizeof(*order), compare_positions);
    for (size_t i = 0; i < n; i++)
        sorted[i] = mounts->items[order[i].number];
    mounts->items = sorted;
    return 0;
}

static int fill(struct writer *w)
{
    int result = make_rooms(w);

    for (size_t i = 0; i < w->decision->hooks_n && result == 0; i++) {
        const struct gr_oci_hook *hook = &w->decision->hooks[i];

        result = add_item(w, &w->shape.stages[hook->stage], GR_STR_NONE, put_hook(w, hook));
    }
    for (size_t i = 0; i < w->decision->adjust_n && result == 0; i++)
        result = add_entry(w, w->decision->adjust[i].entry);
    return result ? result : sort_mounts(w);
}

int gr_oci_spec_apply(struct gr_arena *arena, struct gr_str text,
                      const struct gr_decision *decision, struct gr_buf *out, size_t *out_left_out,
                      struct gr_err *err)
{
    struct writer w = {.arena = arena, .decision = decision, .err = err};
    int result;

    if (text.n > GR_OCI_SPEC_MAX_BYTES)
        return gr_fail(err, -E2BIG, "file-too-big", "expected a config.json of at most %u bytes",
                       GR_OCI_SPEC_MAX_BYTES);
    make_shape(&w.shape);
    gr_buf_init(&w.buf, JSON_MAX_BYTES);
    result = fill(&w);
    gr_buf_fini(&w.buf);
    if (result == 0)
        result = gr_patch_apply(arena, text, &w.shape.root, out, err);
    if (result == 0)
        *out_left_out = w.left_out;
    return result;
}
