/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the encoding with a stack of frames, one for each open message. Beside the checks
 * it adds up what protobuf_c_message_unpack (1.4.1) will ask of an allocator that never gives
 * anything back, each piece rounded up as the arena does it. The sum is an upper bound, tested
 * against an accounting allocator in tests/unit/wire/pbcheck_random_test.c.
 */
#include "wire/pbcheck.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>

#include "base/utf8.h"
#include "wire/field.h"

/* protobuf-c notes each field of a message in slabs: 16 notes on the stack, then 32, 64, … */
#define SCANNED_FIELD_BYTES 32
#define FIRST_SLAB_FIELDS 16

/* protobuf-c has room on the stack for this many bits; it allocates a bitmap above. */
#define BITMAP_STACK_FIELDS 128

struct frame {
    const ProtobufCMessageDescriptor *type;
    const ProtobufCFieldDescriptor *field; /* that holds this message; NULL at the top */
    struct gr_str rest;                    /* what is still to be read */
    size_t fields;
    size_t unknown;
    size_t start_bytes; /* content_bytes when this message began */
    bool merged;        /* it is not the first in its place */
    uint64_t seen[2];   /* fields (by index) that have occurred */
};

struct walk {
    size_t bytes;       /* estimate so far */
    size_t merge_bytes; /* part of it that merging takes */
    size_t limit_bytes;
    size_t depth; /* frames in use */
    struct frame frames[GR_PB_DEPTH_MAX];
    struct gr_err *err;
};

static size_t round_up(size_t bytes)
{
    return (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* Names the field by its path, such as "container.hooks.create_runtime", and fails. */
static int fail_at(const struct walk *walk, const ProtobufCFieldDescriptor *field, int result,
                   const char *code, const char *text)
{
    struct gr_err *err = walk->err;
    size_t at = 0;

    if (!err)
        return result;
    err->field[0] = '\0';
    for (size_t i = 1; i <= walk->depth; i++) {
        const ProtobufCFieldDescriptor *step = i < walk->depth ? walk->frames[i].field : field;
        int n = 0;

        if (step)
            n = snprintf(err->field + at, sizeof(err->field) - at, "%s%s", at ? "." : "",
                         step->name);
        at = GR_MIN(at + (size_t)GR_MAX(n, 0), sizeof(err->field) - 1);
    }
    return gr_fail(err, result, code, "%s in message %s, field %s", text,
                   walk->frames[0].type->name, at ? err->field : "(none)");
}

static int add_bytes(struct walk *walk, size_t bytes)
{
    if (!gr_add_overflows(walk->bytes, bytes, &walk->bytes) && walk->bytes <= walk->limit_bytes)
        return 0;
    return fail_at(walk, NULL, -E2BIG, "message-too-large",
                   "expected content of ordinary size, found parts that take many times the memory "
                   "of their encoding");
}

static size_t element_bytes(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
    default:
        return 4;
    }
}

static enum gr_wire_type wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return GR_WIRE_BYTES;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return GR_WIRE_FIXED64;
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return GR_WIRE_FIXED32;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
    default:
        return GR_WIRE_VARINT;
    }
}

/* Notes that the field occurs; true when it has occurred before, as far as the bitmap tells. */
static bool seen_before(struct frame *frame, const ProtobufCFieldDescriptor *field, bool unsure)
{
    size_t index = (size_t)(field - frame->type->fields);
    uint64_t bit = UINT64_C(1) << (index % 64);
    bool seen;

    if (index >= 64 * GR_ARRAY_LEN(frame->seen))
        return unsure;
    seen = (frame->seen[index / 64] & bit) != 0;
    frame->seen[index / 64] |= bit;
    return seen;
}

/* What the parts themselves take, without merging. */
static size_t content_bytes(const struct walk *walk)
{
    return walk->bytes - walk->merge_bytes;
}

static int open_message(struct walk *walk, const ProtobufCMessageDescriptor *type,
                        const ProtobufCFieldDescriptor *field, struct gr_str data)
{
    size_t bytes = round_up(type->sizeof_message);

    if (walk->depth == GR_PB_DEPTH_MAX)
        return fail_at(walk, field, -E2BIG, "message-too-deep",
                       "expected fewer levels of messages within messages, found one too many");
    if (type->n_fields > BITMAP_STACK_FIELDS)
        bytes += round_up((type->n_fields + 7) / 8);
    walk->frames[walk->depth++] = (struct frame){
        .type = type, .field = field, .rest = data, .start_bytes = content_bytes(walk)};
    return add_bytes(walk, bytes);
}

/*
 * A message that comes again in its place is merged with what is there, and lists that both have
 * are allocated anew. They cannot be larger than all that their parent's content takes so far.
 */
static int add_merge(struct walk *walk)
{
    size_t bytes = content_bytes(walk) - walk->frames[walk->depth - 1].start_bytes;

    walk->merge_bytes += bytes;
    return add_bytes(walk, bytes);
}

static int close_message(struct walk *walk)
{
    const struct frame *frame = &walk->frames[walk->depth - 1];
    size_t bytes = round_up(frame->unknown * sizeof(ProtobufCMessageUnknownField));
    bool merged = frame->merged;
    int r;

    for (size_t slab = FIRST_SLAB_FIELDS, room = slab; room < frame->fields; room += slab) {
        slab *= 2;
        bytes += slab * SCANNED_FIELD_BYTES;
    }
    r = add_bytes(walk, bytes);
    walk->depth--;
    return r == 0 && merged ? add_merge(walk) : r;
}

/* The elements of a packed list; each element's encoding is checked. */
static int check_packed(struct walk *walk, const ProtobufCFieldDescriptor *field,
                        struct gr_str data)
{
    enum gr_wire_type type = wire_type_of(field->type);
    size_t bytes = data.n, count = 0;

    if (type != GR_WIRE_VARINT) {
        size_t size = type == GR_WIRE_FIXED64 ? 8 : 4;

        if (data.n % size != 0)
            return fail_at(walk, field, -EBADMSG, "message-not-valid",
                           "expected a packed list of whole numbers, found a cut one");
        return add_bytes(walk, data.n);
    }
    while (data.n > 0) {
        uint64_t value;
        size_t n = gr_varint_get(data, 10, &value);

        if (n == 0)
            return fail_at(walk, field, -EBADMSG, "message-not-valid",
                           "expected a packed list of varints, found a bad one");
        data = gr_str_skip(data, n);
        count++;
    }
    /* protobuf-c takes every byte of a packed list of bools for an element. */
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        count = bytes;
    return add_bytes(walk, count * element_bytes(field->type));
}

/* Opens the message in a field; one that has its place alone may come again and is then merged. */
static int check_message(struct walk *walk, struct frame *frame,
                         const ProtobufCFieldDescriptor *field, struct gr_str data)
{
    bool merged = field->label != PROTOBUF_C_LABEL_REPEATED && seen_before(frame, field, true);
    int r = open_message(walk, field->descriptor, field, data);

    if (r == 0)
        walk->frames[walk->depth - 1].merged = merged;
    return r;
}

/* What a field of this value takes beside its place in the message or list. */
static int check_value(struct walk *walk, struct frame *frame,
                       const ProtobufCFieldDescriptor *field, const struct gr_wire_field *found)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_message(walk, frame, field, found->bytes);
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return add_bytes(walk, round_up(found->bytes.n));
    if (field->type != PROTOBUF_C_TYPE_STRING)
        return 0;
    if (!gr_utf8_is_clean(found->bytes))
        return fail_at(walk, field, -EBADMSG, "message-text-not-valid",
                       "expected UTF-8 without NUL, found something else");
    return add_bytes(walk, round_up(found->bytes.n + 1));
}

static int check_known(struct walk *walk, struct frame *frame,
                       const ProtobufCFieldDescriptor *field, const struct gr_wire_field *found)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    enum gr_wire_type type = wire_type_of(field->type);
    size_t bytes = 0;
    int r;

    /* A list begins on a fresh piece of the arena: allow for the rounding once. */
    if (repeated && !seen_before(frame, field, false))
        bytes = alignof(max_align_t);
    if (repeated && type != GR_WIRE_BYTES && found->type == GR_WIRE_BYTES) {
        r = add_bytes(walk, bytes);
        return r < 0 ? r : check_packed(walk, field, found->bytes);
    }
    if (found->type != type)
        return fail_at(walk, field, -EBADMSG, "message-not-valid",
                       "expected the declared wire type, found another");
    if (repeated)
        bytes += element_bytes(field->type);
    r = add_bytes(walk, bytes);
    return r < 0 ? r : check_value(walk, frame, field, found);
}

static int check_found(struct walk *walk, struct frame *frame, const struct gr_wire_field *found)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(frame->type, found->number);

    frame->fields++;
    if (field)
        return check_known(walk, frame, field, found);
    frame->unknown++; /* protobuf-c keeps a copy */
    return add_bytes(walk, round_up(found->encoded_bytes));
}

static size_t limit_bytes(size_t encoded_bytes)
{
    size_t limit;

    if (gr_mul_overflows(encoded_bytes, (size_t)GR_PB_UNPACKED_FACTOR, &limit) ||
        gr_add_overflows(limit, (size_t)GR_PB_UNPACKED_BASE_BYTES, &limit))
        return SIZE_MAX;
    return limit;
}

static int walk_message(struct walk *walk, const ProtobufCMessageDescriptor *type,
                        struct gr_str data)
{
    int r = open_message(walk, type, NULL, data);

    while (r == 0 && walk->depth > 0) {
        struct frame *frame = &walk->frames[walk->depth - 1];
        struct gr_wire_field found;

        r = gr_wire_field_next(&frame->rest, &found);
        if (r == GR_WIRE_FIELD)
            r = check_found(walk, frame, &found);
        else if (r == 0)
            r = close_message(walk);
        else
            r = fail_at(walk, NULL, r, "message-not-valid",
                        "expected protobuf fields, found something else");
    }
    return r;
}

int gr_pb_check(const ProtobufCMessageDescriptor *type, struct gr_str data, struct gr_err *err)
{
    struct walk walk = {.limit_bytes = limit_bytes(data.n), .err = err};

    return walk_message(&walk, type, data);
}

int gr_pb_measure(const ProtobufCMessageDescriptor *type, struct gr_str data, size_t *out_bytes,
                  struct gr_err *err)
{
    struct walk walk = {.limit_bytes = SIZE_MAX, .err = err};
    int r = walk_message(&walk, type, data);

    if (r == 0)
        *out_bytes = walk.bytes;
    return r;
}

struct unpack_memory {
    struct gr_arena *arena;
    bool used_up;
};

static void *alloc_in_arena(void *user, size_t bytes)
{
    struct unpack_memory *memory = user;
    void *p = gr_arena_alloc(memory->arena, bytes);

    memory->used_up |= !p;
    return p;
}

static void free_in_arena(void *user GR_UNUSED, void *p GR_UNUSED)
{
}

int gr_pb_unpack(const ProtobufCMessageDescriptor *type, struct gr_str data, struct gr_arena *arena,
                 ProtobufCMessage **out_message, struct gr_err *err)
{
    struct unpack_memory memory = {.arena = arena};
    ProtobufCAllocator allocator = {
        .alloc = alloc_in_arena, .free = free_in_arena, .allocator_data = &memory};
    ProtobufCMessage *message;
    int r = gr_pb_check(type, data, err);

    if (r < 0)
        return r;
    message = protobuf_c_message_unpack(type, &allocator, data.n, (const uint8_t *)data.p);
    if (!message && memory.used_up)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to unpack message %s of %zu bytes",
                       type->name, data.n);
    /* Left over for messages with required fields or a merged oneof; NRI has neither. */
    if (!message)
        return gr_fail(err, -EBADMSG, "message-not-valid",
                       "expected a message %s, found one that protobuf-c refuses", type->name);
    *out_message = message;
    return 0;
}
