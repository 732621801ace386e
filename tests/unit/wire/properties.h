/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for every encoding that the check lets pass: protobuf-c unpacks it, no text is
 * shorter than it was on the wire, and no more memory is taken than was measured. Used by the
 * random test and the fuzz target: one that has no cmocka defines PROPERTY before.
 */
#ifndef GR_TESTS_WIRE_PROPERTIES_H
#define GR_TESTS_WIRE_PROPERTIES_H

#include <errno.h>

#include "accounting.h"
#include "wire/pbcheck.h"

#ifndef PROPERTY
#define PROPERTY(condition) assert_true(condition)
#endif

static inline void check_text(const char *text, const ProtobufCFieldDescriptor *field)
{
    if (text && text != field->default_value)
        PROPERTY(strlen(text) + 1 == accounting_size(text));
}

static inline void check_texts(const ProtobufCMessage *message);

static inline const void *member(const ProtobufCMessage *message, size_t offset)
{
    return (const char *)message + offset;
}

static inline void check_list(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field)
{
    const void *const *items;
    size_t n;

    memcpy(&n, member(message, field->quantifier_offset), sizeof(n));
    memcpy(&items, member(message, field->offset), sizeof(items));
    for (size_t i = 0; i < n; i++) {
        if (field->type == PROTOBUF_C_TYPE_STRING)
            check_text(items[i], field);
        else
            check_texts(items[i]);
    }
}

/* Every text is as long as the memory that was asked for it: none was cut at a NUL byte. */
static inline void check_texts(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *item;

        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            check_list(message, field);
            continue;
        }
        memcpy(&item, member(message, field->offset), sizeof(item));
        if (field->type == PROTOBUF_C_TYPE_STRING)
            check_text(item, field);
        else if (item)
            check_texts(item);
    }
}

/* True when the encoding passes, whatever its size; all that must hold then is asked for. */
static inline bool properties_hold(const ProtobufCMessageDescriptor *type, struct gr_str data)
{
    uint8_t *exact = malloc(data.n ? data.n : 1); /* sanitizers see a read past its end */
    struct gr_str in = {.p = (char *)exact, .n = data.n};
    struct accounting accounting;
    ProtobufCMessage *message;
    size_t measured = 0;
    int r;

    if (!exact)
        abort();
    if (data.n)
        memcpy(exact, data.p, data.n);
    r = gr_pb_measure(type, in, &measured, NULL);
    if (r == 0) {
        size_t limit = GR_PB_UNPACKED_FACTOR * data.n + GR_PB_UNPACKED_BASE_BYTES;

        PROPERTY(gr_pb_check(type, in, NULL) == (measured <= limit ? 0 : -E2BIG));
        accounting_init(&accounting);
        message = protobuf_c_message_unpack(type, &accounting.allocator, data.n, exact);
        PROPERTY(message);
        PROPERTY(accounting.bytes <= measured);
        check_texts(message);
        accounting_fini(&accounting);
    } else {
        PROPERTY(r == -EBADMSG || r == -E2BIG);
        PROPERTY(gr_pb_check(type, in, NULL) < 0);
    }
    free(exact);
    return r == 0;
}

#endif
