/* SPDX-License-Identifier: Apache-2.0 */
#include "nri/running.h"

#include <errno.h>

#include "base/utf8.h"
#include "nri/translate.h"
#include "wire/field.h"

/* Field numbers: proto/nri.proto. */
enum { REQUEST_PODS = 1, REQUEST_CONTAINERS = 2 };
enum { ID = 1 }; /* of both */
enum { CONTAINER_POD_ID = 2, CONTAINER_CREATED_AT = 14 };

/* One mapping each, which goes back to the kernel with the object. */
#define BLOCK_BYTES (256U << 10)

#define NS_PER_S INT64_C(1000000000)

/* 2001-09-09. What is earlier is no time of a container, or not in nanoseconds. */
#define CREATED_MIN_NS (INT64_C(1000000000) * NS_PER_S)

/* A pod or a container. */
struct kept {
    struct kept *next;    /* newest first */
    struct gr_str fields; /* encoded: what is read of it */
    struct gr_str id;     /* n == 0: there is none, or it is no text */
    struct gr_str pod_id; /* of a container */
    int64_t created_s;    /* of a container; 0: not known */
    bool broken;          /* a container that is no valid encoding */
};

struct kind {
    struct kept *newest;
    struct kept **items; /* when finished: pods by id, containers as they came */
    size_t n;
};

struct gr_nri_running {
    struct gr_arena arena;
    struct gr_nri_origin origin; /* its texts live in the arena */
    enum gr_nri_running_state state;
    size_t bytes; /* kept */
    struct kind pods, containers;
};

int gr_nri_running_new(const struct gr_nri_origin *origin, struct gr_nri_running **out_running)
{
    struct gr_nri_running *running = calloc(1, sizeof(*running));

    if (!running)
        return -ENOMEM;
    gr_arena_init(&running->arena, BLOCK_BYTES, 0);
    running->origin = *origin;
    if (!gr_arena_str(&running->arena, origin->runtime_name, &running->origin.runtime_name) ||
        !gr_arena_str(&running->arena, origin->runtime_version, &running->origin.runtime_version)) {
        gr_nri_running_free(running);
        return -ENOMEM;
    }
    *out_running = running;
    return 0;
}

void gr_nri_running_free(struct gr_nri_running *running)
{
    if (!running)
        return;
    gr_arena_fini(&running->arena);
    free(running);
}

/* Nothing is better than a part of it. */
static void give_up(struct gr_nri_running *running, enum gr_nri_running_state why)
{
    running->state = why;
    running->pods = (struct kind){0};
    running->containers = (struct kind){0};
    gr_arena_fini(&running->arena);
}

/* ---- a part comes in ---- */

static bool is_wanted(const struct gr_nri_running *running, bool is_pod, uint32_t number)
{
    if (is_pod)
        return number == ID || gr_nri_reads_of_pod(number);
    return number == CONTAINER_POD_ID || number == CONTAINER_CREATED_AT ||
           gr_nri_reads_of_container(number, &running->origin);
}

/*
 * The fields of a message that are wanted, as they are encoded, to out, where there is room for the
 * whole message; NULL: they are only counted. Returns how many bytes; *out_broken: what follows
 * them is no field.
 */
static size_t filter(const struct gr_nri_running *running, bool is_pod, struct gr_str message,
                     char *out, bool *out_broken)
{
    struct gr_str rest = message;
    struct gr_wire_field field;
    size_t bytes = 0;
    int more;

    for (;;) {
        const char *from = rest.p;
        size_t n;

        more = gr_wire_field_next(&rest, &field);
        if (more != GR_WIRE_FIELD)
            break;
        n = (size_t)(rest.p - from);
        if (!is_wanted(running, is_pod, field.number))
            continue;
        if (out)
            memcpy(out + bytes, from, n);
        bytes += n;
    }
    *out_broken = more < 0;
    return bytes;
}

/* A field of bytes, where those are a text. */
static struct gr_str read_id(const struct gr_wire_field *field)
{
    bool is_text = field->type == GR_WIRE_BYTES && gr_utf8_is_clean(field->bytes);

    return is_text ? field->bytes : GR_STR_NONE;
}

/* Nanoseconds since 1970. */
static int64_t read_created_s(const struct gr_wire_field *field)
{
    int64_t created_ns = (int64_t)field->value;

    return field->type == GR_WIRE_VARINT && created_ns >= CREATED_MIN_NS ? created_ns / NS_PER_S
                                                                         : 0;
}

/* What is looked at before a subject is made. The fields were walked through before. */
static void find_ids(struct kept *kept, bool is_pod)
{
    struct gr_str rest = kept->fields;
    struct gr_wire_field field;

    while (gr_wire_field_next(&rest, &field) == GR_WIRE_FIELD) {
        if (field.number == ID)
            kept->id = read_id(&field);
        else if (!is_pod && field.number == CONTAINER_POD_ID)
            kept->pod_id = read_id(&field);
        else if (!is_pod && field.number == CONTAINER_CREATED_AT)
            kept->created_s = read_created_s(&field);
    }
}

static void keep(struct gr_nri_running *running, bool is_pod, struct gr_str message)
{
    struct kind *kind = is_pod ? &running->pods : &running->containers;
    bool broken;
    size_t n = filter(running, is_pod, message, NULL, &broken);
    struct kept *kept;
    char *fields;

    running->bytes += n + sizeof(*kept);
    if (running->bytes > GR_NRI_RUNNING_MAX_BYTES ||
        running->pods.n + running->containers.n == GR_NRI_RUNNING_MAX_OBJECTS) {
        give_up(running, GR_NRI_RUNNING_TOO_LARGE);
        return;
    }
    kept = gr_arena_alloc(&running->arena, sizeof(*kept));
    fields = gr_arena_alloc(&running->arena, n);
    if (!kept || !fields) {
        give_up(running, GR_NRI_RUNNING_NO_MEMORY);
        return;
    }
    (void)filter(running, is_pod, message, fields, &broken);
    kept->fields = (struct gr_str){.p = fields, .n = n};
    kept->broken = broken;
    find_ids(kept, is_pod);
    kept->next = kind->newest;
    kind->newest = kept;
    kind->n++;
}

void gr_nri_running_add(struct gr_nri_running *running, struct gr_str payload)
{
    struct gr_wire_field field;

    while (running->state == GR_NRI_RUNNING_WHOLE &&
           gr_wire_field_next(&payload, &field) == GR_WIRE_FIELD) {
        if (field.type == GR_WIRE_BYTES &&
            (field.number == REQUEST_PODS || field.number == REQUEST_CONTAINERS))
            keep(running, field.number == REQUEST_PODS, field.bytes);
    }
}

/* ---- all parts are there ---- */

static bool list(struct gr_nri_running *running, struct kind *kind)
{
    size_t i = kind->n;

    kind->items = gr_arena_array(&running->arena, kind->n, sizeof(struct kept *));
    for (struct kept *at = kind->newest; at && kind->items; at = at->next)
        kind->items[--i] = at;
    return kind->items != NULL;
}

static int by_id(const void *a, const void *b)
{
    return gr_str_cmp((*(struct kept *const *)a)->id, (*(struct kept *const *)b)->id);
}

void gr_nri_running_finish(struct gr_nri_running *running)
{
    if (running->state != GR_NRI_RUNNING_WHOLE)
        return;
    if (!list(running, &running->pods) || !list(running, &running->containers)) {
        give_up(running, GR_NRI_RUNNING_NO_MEMORY);
        return;
    }
    if (running->pods.n > 1)
        qsort(running->pods.items, running->pods.n, sizeof(struct kept *), by_id);
}

enum gr_nri_running_state gr_nri_running_state(const struct gr_nri_running *running)
{
    return running->state;
}

struct gr_str gr_nri_running_runtime(const struct gr_nri_running *running)
{
    return running->origin.runtime_name;
}

size_t gr_nri_running_count(const struct gr_nri_running *running)
{
    return running->containers.n;
}

struct gr_str gr_nri_running_id(const struct gr_nri_running *running, size_t i)
{
    return running->containers.items[i]->id;
}

bool gr_nri_running_ids(const struct gr_nri_running *running, struct gr_arena *arena,
                        struct gr_strs *out_ids)
{
    struct gr_str *ids = gr_arena_array(arena, running->containers.n, sizeof(*ids));
    size_t n = 0;

    if (!ids)
        return false;
    for (size_t i = 0; i < running->containers.n; i++) {
        ids[n] = running->containers.items[i]->id;
        n += ids[n].n > 0;
    }
    *out_ids = (struct gr_strs){.items = ids, .n = n};
    return true;
}

static const struct kept *find_pod(const struct gr_nri_running *running, struct gr_str id)
{
    struct kept key = {.id = id};
    struct kept *at = &key;
    struct kept **found = NULL;

    if (id.n > 0 && running->pods.n > 0)
        found = bsearch(&at, running->pods.items, running->pods.n, sizeof(at), by_id);
    return found ? *found : NULL;
}

int gr_nri_running_at(const struct gr_nri_running *running, size_t i, struct gr_arena *arena,
                      struct gr_nri_container *out_container, struct gr_err *err)
{
    const struct kept *container = running->containers.items[i];
    const struct kept *pod = find_pod(running, container->pod_id);
    struct gr_nri_container read = {.created_s = container->created_s};
    int r;

    if (container->id.n == 0 || container->broken || !pod || pod->broken)
        return gr_fail(err, -EBADMSG, "message-not-valid",
                       "expected a container with an id and its pod in Synchronize, found none, or "
                       "bytes that are no such message");
    r = gr_nri_subject_of(pod->fields, container->fields, &running->origin, arena, &read.subject,
                          err);
    if (r == 0)
        *out_container = read;
    return r;
}
