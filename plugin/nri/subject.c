/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/subject: a CreateContainer request straight from its encoding to a subject.
 *
 * Layer: nri. The one message on the hot path is not unpacked: its texts are borrowed from the
 * bytes that arrived, with their lengths. Checking and unpacking it with protobuf-c took 8 of the
 * 15 µs that an answer takes (tests/bench/session_bench); tests/unit/nri/subject_test compares
 * both. What is small and rare is unpacked: hooks, the image, devices, resources, rlimits.
 *
 * A text must be UTF-8 without NUL, as everywhere: what is borrowed here ends up in argv and logs.
 * Fields that nothing reads are skipped unseen: env and mounts where no rule looks at them, all
 * that could be adjusted where no rule adjusts.
 */
#include "nri/translate.h"

#include <errno.h>

#include "base/utf8.h"
#include "nri/limits.h"
#include "wire/field.h"
#include "wire/pbcheck.h"

/* Field numbers: proto/nri.proto. */
enum { REQUEST_POD = 1, REQUEST_CONTAINER = 2 };
enum {
    POD_NAME = 2,
    POD_UID = 3,
    POD_NAMESPACE = 4,
    POD_LABELS = 5,
    POD_ANNOTATIONS = 6,
    POD_RUNTIME_HANDLER = 7,
};
enum {
    CONTAINER_ID = 1,
    CONTAINER_NAME = 3,
    CONTAINER_LABELS = 5,
    CONTAINER_ANNOTATIONS = 6,
    CONTAINER_ARGS = 7,
    CONTAINER_ENV = 8,
    CONTAINER_MOUNTS = 9,
    CONTAINER_HOOKS = 10,
    CONTAINER_LINUX = 11,
    CONTAINER_RLIMITS = 13,
    CONTAINER_CDI_DEVICES = 20,
    CONTAINER_IMAGE = 22,
};
enum { MOUNT_DESTINATION = 1, MOUNT_TYPE = 2, MOUNT_SOURCE = 3, MOUNT_OPTIONS = 4 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

/* Room for that many entries is taken first, and doubled when it is used up. */
#define FIRST_ENTRIES 32

/* A list that grows in the arena. */
struct list {
    void *items;
    size_t n, cap;
};

struct reading {
    struct gr_arena *arena;
    struct gr_err *err;
    size_t entries; /* of all lists */
    bool has_pod, has_container;
    bool wants_env, wants_mounts, adjusts;
    struct list pod_labels, pod_annotations, labels, annotations, args, env, mounts;
    struct gr_str hooks, linux_part;  /* encoded; the last one counts */
    struct list rlimits, cdi_devices; /* pointers to messages */
    const Nri__Image *image;
    struct gr_subject subject;
};

static int not_valid(struct reading *r, const char *where)
{
    return gr_fail(r->err, -EBADMSG, "message-not-valid",
                   "expected a CreateContainer request, found bytes in its %s that are no such "
                   "message",
                   where);
}

static int no_memory(struct reading *r)
{
    return gr_fail(r->err, -ENOMEM, "no-memory", "no memory to read the container");
}

static int read_text(struct reading *r, const struct gr_wire_field *field, const char *name,
                     struct gr_str *out)
{
    if (field->type != GR_WIRE_BYTES)
        return not_valid(r, name);
    if (!gr_utf8_is_clean(field->bytes))
        return gr_fail(r->err, -EBADMSG, "message-text-not-valid",
                       "expected UTF-8 without NUL bytes in the %s of a CreateContainer request, "
                       "found other bytes",
                       name);
    *out = field->bytes;
    return 0;
}

/* Counts n more entries. Returns 0; -E2BIG after filling err. */
static int count(struct reading *r, size_t n)
{
    r->entries += n; /* each took bytes of a message of limited size: no overflow */
    if (r->entries <= GR_NRI_ENTRIES_MAX)
        return 0;
    return gr_fail(r->err, -E2BIG, "message-too-large",
                   "expected at most %d labels, annotations, arguments and the like in a "
                   "CreateContainer request, found more",
                   GR_NRI_ENTRIES_MAX);
}

/* Room for one more item, or NULL after filling err. */
static void *grow(struct reading *r, struct list *list, size_t item_bytes)
{
    if (count(r, 1) != 0)
        return NULL;
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : FIRST_ENTRIES;
        void *items = gr_arena_array(r->arena, cap, item_bytes);

        if (!items) {
            (void)no_memory(r);
            return NULL;
        }
        if (list->n > 0)
            memcpy(items, list->items, list->n * item_bytes);
        list->items = items;
        list->cap = cap;
    }
    return (char *)list->items + item_bytes * list->n++;
}

/* What grow said. */
static int failure(const struct reading *r)
{
    return r->entries > GR_NRI_ENTRIES_MAX ? -E2BIG : -ENOMEM;
}

static int read_entry(struct reading *r, const struct gr_wire_field *field, const char *name,
                      struct list *list)
{
    struct gr_kv entry = {.key = GR_STR(""), .value = GR_STR("")};
    struct gr_str rest = field->bytes;
    struct gr_wire_field part;
    struct gr_kv *to;
    int more;

    if (field->type != GR_WIRE_BYTES)
        return not_valid(r, name);
    while ((more = gr_wire_field_next(&rest, &part)) == GR_WIRE_FIELD) {
        int rc = 0;

        if (part.number == ENTRY_KEY)
            rc = read_text(r, &part, name, &entry.key);
        else if (part.number == ENTRY_VALUE)
            rc = read_text(r, &part, name, &entry.value);
        if (rc)
            return rc;
    }
    if (more < 0)
        return not_valid(r, name);
    to = grow(r, list, sizeof(*to));
    if (!to)
        return failure(r);
    *to = entry;
    return 0;
}

static int read_element(struct reading *r, const struct gr_wire_field *field, const char *name,
                        struct list *list)
{
    struct gr_str text;
    struct gr_str *to;
    int rc = read_text(r, field, name, &text);

    if (rc)
        return rc;
    to = grow(r, list, sizeof(*to));
    if (!to)
        return failure(r);
    *to = text;
    return 0;
}

/* The options of a mount, which are counted first: most have few. */
static int read_options(struct reading *r, struct gr_str rest, struct gr_strs *out)
{
    struct gr_str scan = rest;
    struct gr_wire_field part;
    struct gr_str *items;
    size_t n = 0;
    int rc;

    while (gr_wire_field_next(&scan, &part) == GR_WIRE_FIELD)
        n += part.number == MOUNT_OPTIONS;
    rc = count(r, n);
    if (rc || n == 0)
        return rc;
    items = gr_arena_array(r->arena, n, sizeof(*items));
    if (!items)
        return no_memory(r);
    *out = (struct gr_strs){.items = items, .n = n};
    while (rc == 0 && gr_wire_field_next(&rest, &part) == GR_WIRE_FIELD) {
        if (part.number == MOUNT_OPTIONS)
            rc = read_text(r, &part, "mounts", items++);
    }
    return rc;
}

static int read_mount(struct reading *r, const struct gr_wire_field *field)
{
    struct gr_mount mount = {.destination = GR_STR(""), .source = GR_STR(""), .type = GR_STR("")};
    struct gr_str rest = field->bytes;
    struct gr_wire_field part;
    struct gr_mount *to;
    int more;
    int rc = 0;

    if (field->type != GR_WIRE_BYTES)
        return not_valid(r, "mounts");
    while (rc == 0 && (more = gr_wire_field_next(&rest, &part)) != 0) {
        if (more < 0)
            return not_valid(r, "mounts");
        if (part.number == MOUNT_DESTINATION)
            rc = read_text(r, &part, "mounts", &mount.destination);
        else if (part.number == MOUNT_TYPE)
            rc = read_text(r, &part, "mounts", &mount.type);
        else if (part.number == MOUNT_SOURCE)
            rc = read_text(r, &part, "mounts", &mount.source);
    }
    if (rc == 0)
        rc = read_options(r, field->bytes, &mount.options);
    if (rc)
        return rc;
    to = grow(r, &r->mounts, sizeof(*to));
    if (!to)
        return failure(r);
    *to = mount;
    return 0;
}

/* A message that is unpacked, into a list of such. */
static int read_unpacked(struct reading *r, const struct gr_wire_field *field, const char *name,
                         const ProtobufCMessageDescriptor *type, struct list *list)
{
    ProtobufCMessage *message = NULL;
    ProtobufCMessage **to;
    int rc;

    if (field->type != GR_WIRE_BYTES)
        return not_valid(r, name);
    rc = gr_pb_unpack(type, field->bytes, r->arena, &message, r->err);
    if (rc)
        return rc;
    to = grow(r, list, sizeof(*to));
    if (!to)
        return failure(r);
    *to = message;
    return 0;
}

static int read_image(struct reading *r, const struct gr_wire_field *field)
{
    ProtobufCMessage *message = NULL;
    int rc;

    if (field->type != GR_WIRE_BYTES)
        return not_valid(r, "image");
    rc = gr_pb_unpack(&nri__image__descriptor, field->bytes, r->arena, &message, r->err);
    if (rc == 0)
        r->image = (const Nri__Image *)message;
    return rc;
}

static int read_pod_field(struct reading *r, const struct gr_wire_field *field)
{
    switch (field->number) {
    case POD_NAME:
        return read_text(r, field, "pod name", &r->subject.pod_name);
    case POD_UID:
        return read_text(r, field, "pod uid", &r->subject.pod_uid);
    case POD_NAMESPACE:
        return read_text(r, field, "namespace", &r->subject.pod_namespace);
    case POD_LABELS:
        return read_entry(r, field, "pod labels", &r->pod_labels);
    case POD_ANNOTATIONS:
        return read_entry(r, field, "pod annotations", &r->pod_annotations);
    case POD_RUNTIME_HANDLER:
        return read_text(r, field, "runtime handler", &r->subject.runtime_handler);
    default:
        return 0;
    }
}

/* What is unpacked at the end. */
static int read_part(struct reading *r, const struct gr_wire_field *field, const char *name,
                     struct gr_str *out)
{
    if (field->type != GR_WIRE_BYTES)
        return not_valid(r, name);
    *out = field->bytes;
    return 0;
}

/* What only rules that adjust need. */
static int read_adjustable(struct reading *r, const struct gr_wire_field *field)
{
    switch (field->number) {
    case CONTAINER_LINUX:
        return read_part(r, field, "devices and resources", &r->linux_part);
    case CONTAINER_RLIMITS:
        return read_unpacked(r, field, "rlimits", &nri__rlimit__descriptor, &r->rlimits);
    case CONTAINER_CDI_DEVICES:
        return read_unpacked(r, field, "CDI devices", &nri__cdi_device__descriptor,
                             &r->cdi_devices);
    default:
        return 0;
    }
}

static int read_container_field(struct reading *r, const struct gr_wire_field *field)
{
    switch (field->number) {
    case CONTAINER_ID:
        return read_text(r, field, "container id", &r->subject.id);
    case CONTAINER_NAME:
        return read_text(r, field, "container name", &r->subject.name);
    case CONTAINER_LABELS:
        return read_entry(r, field, "container labels", &r->labels);
    case CONTAINER_ANNOTATIONS:
        return read_entry(r, field, "container annotations", &r->annotations);
    case CONTAINER_ARGS:
        return read_element(r, field, "arguments", &r->args);
    case CONTAINER_ENV:
        return r->wants_env ? read_element(r, field, "environment", &r->env) : 0;
    case CONTAINER_MOUNTS:
        return r->wants_mounts ? read_mount(r, field) : 0;
    case CONTAINER_HOOKS:
        return read_part(r, field, "hooks", &r->hooks);
    case CONTAINER_IMAGE:
        return read_image(r, field);
    default:
        return r->adjusts ? read_adjustable(r, field) : 0;
    }
}

typedef int read_field_fn(struct reading *r, const struct gr_wire_field *field);

static int read_message(struct reading *r, struct gr_str rest, const char *name,
                        read_field_fn *read_field)
{
    struct gr_wire_field field;
    int more;

    while ((more = gr_wire_field_next(&rest, &field)) == GR_WIRE_FIELD) {
        int rc = read_field(r, &field);

        if (rc)
            return rc;
    }
    return more < 0 ? not_valid(r, name) : 0;
}

static int read_request_field(struct reading *r, const struct gr_wire_field *field)
{
    bool is_pod = field->number == REQUEST_POD;

    if (!is_pod && field->number != REQUEST_CONTAINER)
        return 0;
    if (field->type != GR_WIRE_BYTES)
        return not_valid(r, is_pod ? "pod" : "container");
    if (is_pod) {
        r->has_pod = true;
        return read_message(r, field->bytes, "pod", read_pod_field);
    }
    r->has_container = true;
    return read_message(r, field->bytes, "container", read_container_field);
}

static int read_present_hooks(struct reading *r)
{
    ProtobufCMessage *message = NULL;
    int rc;

    if (r->hooks.n == 0)
        return 0;
    rc = gr_pb_unpack(&nri__hooks__descriptor, r->hooks, r->arena, &message, r->err);
    if (rc)
        return rc;
    return gr_nri_read_hooks((const Nri__Hooks *)message, r->arena, &r->subject.hooks,
                             &r->subject.hooks_n)
               ? no_memory(r)
               : 0;
}

static int read_present_parts(struct reading *r)
{
    struct gr_nri_parts parts = {.rlimits = r->rlimits.items,
                                 .rlimits_n = r->rlimits.n,
                                 .cdi_devices = r->cdi_devices.items,
                                 .cdi_devices_n = r->cdi_devices.n};
    ProtobufCMessage *message = NULL;
    struct gr_adjust_entry *entries;
    size_t n;
    int rc;

    if (r->linux_part.n > 0) {
        const Nri__LinuxContainer *from;

        rc = gr_pb_unpack(&nri__linux_container__descriptor, r->linux_part, r->arena, &message,
                          r->err);
        if (rc)
            return rc;
        from = (const Nri__LinuxContainer *)message;
        parts.devices = from->devices;
        parts.devices_n = from->n_devices;
        parts.resources = from->resources;
    }
    n = gr_nri_count_parts(&parts);
    if (n == 0)
        return 0;
    rc = count(r, n - parts.rlimits_n - parts.cdi_devices_n); /* those were counted one by one */
    if (rc)
        return rc;
    entries = gr_arena_array(r->arena, n, sizeof(*entries));
    if (!entries)
        return no_memory(r);
    r->subject.present = entries;
    r->subject.present_n = gr_nri_read_parts(&parts, entries);
    return 0;
}

static struct gr_kvs as_map(const struct list *list)
{
    return (struct gr_kvs){.items = list->items, .n = list->n};
}

static struct gr_strs as_texts(const struct list *list)
{
    return (struct gr_strs){.items = list->items, .n = list->n};
}

static bool wants_env(const struct gr_nri_origin *origin)
{
    return origin->adjusts || (origin->fields & 1U << GR_FIELD_ENV);
}

static bool wants_mounts(const struct gr_nri_origin *origin)
{
    return origin->adjusts || (origin->fields & 1U << GR_FIELD_MOUNTS);
}

static struct reading begin(const struct gr_nri_origin *origin, struct gr_arena *arena,
                            struct gr_err *err)
{
    return (struct reading){.arena = arena,
                            .err = err,
                            .wants_env = wants_env(origin),
                            .wants_mounts = wants_mounts(origin),
                            .adjusts = origin->adjusts};
}

/* Everything was read: what it comes to. */
static int conclude(struct reading *r, const struct gr_nri_origin *origin,
                    struct gr_subject *out_subject)
{
    struct gr_subject *subject = &r->subject;
    int rc = read_present_hooks(r);

    if (rc == 0)
        rc = read_present_parts(r);
    if (rc)
        return rc;
    subject->pod_labels = as_map(&r->pod_labels);
    subject->pod_annotations = as_map(&r->pod_annotations);
    subject->container_labels = as_map(&r->labels);
    subject->container_annotations = as_map(&r->annotations);
    subject->args = as_texts(&r->args);
    subject->env = as_texts(&r->env);
    subject->mounts = r->mounts.items;
    subject->mounts_n = r->mounts.n;
    subject->unknown_fields =
        (r->wants_env ? 0 : 1U << GR_FIELD_ENV) | (r->wants_mounts ? 0 : 1U << GR_FIELD_MOUNTS);
    subject->runtime = gr_runtime_is_containerd(origin->runtime_name) ? GR_STR("containerd")
                                                                      : origin->runtime_name;
    gr_nri_image(r->image, subject->pod_annotations, subject->container_annotations, origin,
                 &subject->image);
    *out_subject = *subject;
    return 0;
}

int gr_nri_subject(struct gr_str payload, const struct gr_nri_origin *origin,
                   struct gr_arena *arena, struct gr_subject *out_subject, struct gr_err *err)
{
    struct reading r = begin(origin, arena, err);
    int rc = read_message(&r, payload, "fields", read_request_field);

    if (rc == 0 && !(r.has_pod && r.has_container))
        rc = gr_fail(err, -EBADMSG, "bad-request", "the CreateContainer request has no %s",
                     r.has_pod ? "container" : "pod");
    return rc ? rc : conclude(&r, origin, out_subject);
}

int gr_nri_subject_of(struct gr_str pod, struct gr_str container,
                      const struct gr_nri_origin *origin, struct gr_arena *arena,
                      struct gr_subject *out_subject, struct gr_err *err)
{
    struct reading r = begin(origin, arena, err);
    int rc = read_message(&r, pod, "pod", read_pod_field);

    if (rc == 0)
        rc = read_message(&r, container, "container", read_container_field);
    return rc ? rc : conclude(&r, origin, out_subject);
}

bool gr_nri_reads_of_pod(uint32_t number)
{
    return number >= POD_NAME && number <= POD_RUNTIME_HANDLER;
}

bool gr_nri_reads_of_container(uint32_t number, const struct gr_nri_origin *origin)
{
    switch (number) {
    case CONTAINER_ID:
    case CONTAINER_NAME:
    case CONTAINER_LABELS:
    case CONTAINER_ANNOTATIONS:
    case CONTAINER_ARGS:
    case CONTAINER_HOOKS:
    case CONTAINER_IMAGE:
        return true;
    case CONTAINER_ENV:
        return wants_env(origin);
    case CONTAINER_MOUNTS:
        return wants_mounts(origin);
    case CONTAINER_LINUX:
    case CONTAINER_RLIMITS:
    case CONTAINER_CDI_DEVICES:
        return origin->adjusts;
    default:
        return false;
    }
}
