/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over everything that a subject has, which writes or reads: the two cannot differ.
 */
#include "oci/packed.h"

#include <errno.h>

#include "base/utf8.h"
#include "rules/adjust.h"

#define NUMBER_BYTES 8

struct walk {
    struct gr_buf *out;     /* NULL: it reads */
    struct gr_str in;       /* what is left to be read */
    struct gr_arena *arena; /* of what is read */
    int failed;             /* the first failure; then everything read is 0 or empty */
};

static void fail(struct walk *w, int result)
{
    if (w->failed == 0)
        w->failed = result;
    w->in = GR_STR_NONE;
}

/* ---- numbers and texts ---- */

static void write_number(struct walk *w, uint64_t number)
{
    uint8_t bytes[NUMBER_BYTES];

    for (size_t i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
    if (gr_buf_add(w->out, bytes, sizeof(bytes)) != 0)
        fail(w, w->out->broken);
}

static uint64_t read_number(struct walk *w)
{
    uint64_t number = 0;

    if (w->in.n < NUMBER_BYTES) {
        fail(w, GR_PACKED_DAMAGED);
        return 0;
    }
    for (size_t i = 0; i < NUMBER_BYTES; i++)
        number |= (uint64_t)(uint8_t)w->in.p[i] << 8 * i;
    w->in = gr_str_skip(w->in, NUMBER_BYTES);
    return number;
}

/* Returns what is written, or was read: up to max. */
static uint64_t walk_number(struct walk *w, uint64_t number, uint64_t max)
{
    if (w->out)
        write_number(w, number);
    else
        number = read_number(w);
    if (number > max)
        fail(w, GR_PACKED_DAMAGED);
    return number > max ? 0 : number;
}

static bool walk_bool(struct walk *w, bool truth)
{
    return walk_number(w, truth, 1) == 1;
}

static int64_t walk_signed(struct walk *w, int64_t number)
{
    return (int64_t)walk_number(w, (uint64_t)number, UINT64_MAX);
}

static void walk_text(struct walk *w, struct gr_str *text)
{
    size_t n = (size_t)walk_number(w, text->n, SIZE_MAX);

    if (!w->out && n > w->in.n)
        fail(w, GR_PACKED_DAMAGED);
    if (!w->out)
        *text = gr_str_first(w->in, n);
    if (!gr_utf8_is_clean(*text))
        fail(w, GR_PACKED_DAMAGED);
    if (!w->out)
        w->in = gr_str_skip(w->in, n);
    else if (gr_buf_str(w->out, *text) != 0)
        fail(w, w->out->broken);
}

/* ---- lists ---- */

/* Of a list that is read: room for its elements, of bytes each; packed they have so many numbers
 * and lengths at least. NULL: it is written, or it cannot be. *n: how many there are. */
static void *walk_list(struct walk *w, size_t *n, size_t numbers, size_t bytes)
{
    void *items = NULL;

    *n = (size_t)walk_number(w, *n, SIZE_MAX);
    if (w->out)
        return NULL;
    if (*n > w->in.n / (numbers * NUMBER_BYTES))
        fail(w, GR_PACKED_DAMAGED);
    else
        items = gr_arena_array(w->arena, *n, bytes);
    if (!items) {
        fail(w, -ENOMEM);
        *n = 0;
    }
    return items;
}

static void walk_texts(struct walk *w, struct gr_strs *list)
{
    struct gr_str *fresh = walk_list(w, &list->n, 1, sizeof(*fresh));

    for (size_t i = 0; i < list->n && w->failed == 0; i++) {
        struct gr_str text = w->out ? list->items[i] : GR_STR_NONE;

        walk_text(w, &text);
        if (fresh)
            fresh[i] = text;
    }
    if (!w->out)
        list->items = fresh;
}

static void walk_pairs(struct walk *w, struct gr_kvs *map)
{
    struct gr_kv *fresh = walk_list(w, &map->n, 2, sizeof(*fresh));

    for (size_t i = 0; i < map->n && w->failed == 0; i++) {
        struct gr_kv pair = w->out ? map->items[i] : (struct gr_kv){0};

        walk_text(w, &pair.key);
        walk_text(w, &pair.value);
        if (fresh)
            fresh[i] = pair;
    }
    if (!w->out)
        map->items = fresh;
}

static void walk_mount(struct walk *w, struct gr_mount *mount)
{
    walk_text(w, &mount->destination);
    walk_text(w, &mount->source);
    walk_text(w, &mount->type);
    walk_texts(w, &mount->options);
}

static void walk_mounts(struct walk *w, struct gr_subject *s)
{
    struct gr_mount *fresh = walk_list(w, &s->mounts_n, 4, sizeof(*fresh));

    for (size_t i = 0; i < s->mounts_n && w->failed == 0; i++) {
        struct gr_mount mount = w->out ? s->mounts[i] : (struct gr_mount){0};

        walk_mount(w, &mount);
        if (fresh)
            fresh[i] = mount;
    }
    if (!w->out)
        s->mounts = fresh;
}

/* ---- what it has already ---- */

static void walk_hooks(struct walk *w, struct gr_subject *s)
{
    struct gr_oci_hook *fresh = walk_list(w, &s->hooks_n, 6, sizeof(*fresh));

    for (size_t i = 0; i < s->hooks_n && w->failed == 0; i++) {
        struct gr_oci_hook hook = w->out ? s->hooks[i] : (struct gr_oci_hook){0};

        hook.stage = (enum gr_stage)walk_number(w, hook.stage, GR_STAGE_COUNT - 1);
        walk_text(w, &hook.path);
        walk_texts(w, &hook.args);
        walk_texts(w, &hook.env);
        hook.has_timeout = walk_bool(w, hook.has_timeout);
        hook.timeout_s = walk_signed(w, hook.timeout_s);
        if (fresh)
            fresh[i] = hook;
    }
    if (!w->out)
        s->hooks = fresh;
}

static void walk_device(struct walk *w, struct gr_device *device)
{
    device->type = (char)walk_number(w, (uint8_t)device->type, INT8_MAX);
    if (device->type && !strchr("bcup", device->type))
        fail(w, GR_PACKED_DAMAGED);
    device->major = walk_signed(w, device->major);
    device->minor = walk_signed(w, device->minor);
    device->has_mode = walk_bool(w, device->has_mode);
    device->has_uid = walk_bool(w, device->has_uid);
    device->has_gid = walk_bool(w, device->has_gid);
    device->mode = (uint32_t)walk_number(w, device->mode, UINT32_MAX);
    device->uid = (uint32_t)walk_number(w, device->uid, UINT32_MAX);
    device->gid = (uint32_t)walk_number(w, device->gid, UINT32_MAX);
}

static void walk_entry(struct walk *w, struct gr_adjust_entry *entry)
{
    entry->kind = (enum gr_adjust_kind)walk_number(w, entry->kind, GR_ADJUST_KIND_COUNT - 1);
    entry->resource = (enum gr_resource)walk_number(w, entry->resource, GR_RESOURCE_COUNT - 1);
    walk_text(w, &entry->key);
    walk_text(w, &entry->text);
    entry->number = walk_signed(w, entry->number);
    walk_mount(w, &entry->mount);
    walk_device(w, &entry->device);
    entry->rlimit.soft = walk_number(w, entry->rlimit.soft, UINT64_MAX);
    entry->rlimit.hard = walk_number(w, entry->rlimit.hard, UINT64_MAX);
}

static void walk_present(struct walk *w, struct gr_subject *s)
{
    struct gr_adjust_entry *fresh = walk_list(w, &s->present_n, 20, sizeof(*fresh));

    for (size_t i = 0; i < s->present_n && w->failed == 0; i++) {
        struct gr_adjust_entry entry = w->out ? s->present[i] : (struct gr_adjust_entry){0};

        walk_entry(w, &entry);
        if (fresh)
            fresh[i] = entry;
    }
    if (!w->out)
        s->present = fresh;
}

/* ---- the subject ---- */

/* Its parts follow from its name, but for a digest that was told beside it. */
static void walk_image(struct walk *w, struct gr_image *image)
{
    struct gr_image walked = *image;

    walked.known = walk_bool(w, image->known);
    walk_text(w, &walked.name);
    walk_text(w, &walked.digest);
    if (w->out)
        return;
    if (gr_image_parse(walked.name, image) != 0 || !walked.known)
        *image = (struct gr_image){.name = walked.name};
    else
        image->digest = walked.digest;
}

static void walk_subject(struct walk *w, struct gr_subject *s)
{
    struct gr_str *const texts[] = {
        &s->id,     &s->name, &s->pod_name, &s->pod_namespace, &s->pod_uid, &s->runtime_handler,
        &s->runtime};
    struct gr_kvs *const maps[] = {&s->pod_labels, &s->container_labels, &s->pod_annotations,
                                   &s->container_annotations};

    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++)
        walk_text(w, texts[i]);
    walk_image(w, &s->image);
    for (size_t i = 0; i < GR_ARRAY_LEN(maps); i++)
        walk_pairs(w, maps[i]);
    walk_texts(w, &s->args);
    walk_texts(w, &s->env);
    walk_mounts(w, s);
    s->unknown_fields =
        (uint32_t)walk_number(w, s->unknown_fields, (UINT32_C(1) << GR_FIELD_COUNT) - 1);
    s->recorded = walk_bool(w, s->recorded);
    walk_hooks(w, s);
    walk_present(w, s);
}

int gr_packed_write(const struct gr_subject *subject, struct gr_buf *out)
{
    struct gr_subject copy = *subject;
    struct walk w = {.out = out};

    write_number(&w, GR_PACKED_FORM);
    walk_subject(&w, &copy);
    return w.failed;
}

int gr_packed_read(struct gr_arena *arena, struct gr_str bytes, struct gr_subject *out_subject)
{
    struct walk w = {.in = bytes, .arena = arena};
    struct gr_subject subject = {0};
    uint64_t form = read_number(&w);

    if (w.failed == 0 && form != GR_PACKED_FORM)
        return GR_PACKED_OTHER_FORM;
    walk_subject(&w, &subject);
    if (w.failed == 0 && w.in.n > 0)
        w.failed = GR_PACKED_DAMAGED;
    if (w.failed == 0)
        *out_subject = subject;
    return w.failed;
}
