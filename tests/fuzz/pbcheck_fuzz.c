/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message: see tests/unit/wire/properties.h. */
#include "fuzz.h"

#define PROPERTY FUZZ_CHECK
#include "properties.h"

#include "sample.pb-c.h"

/* Unpacking for good: into an arena that is large enough by what was measured. */
static void check_unpack(const ProtobufCMessageDescriptor *type, struct gr_str data)
{
    ProtobufCMessage *message = NULL;
    struct gr_arena arena;
    struct gr_err err = {0};
    size_t measured = 0;
    int r;

    gr_arena_init(&arena, 16, 0);
    r = gr_pb_unpack(type, data, &arena, &message, &err);
    if (r == 0) {
        FUZZ_CHECK(message && message->descriptor == type);
        FUZZ_CHECK(gr_pb_measure(type, data, &measured, NULL) == 0);
        FUZZ_CHECK(arena.taken_bytes <= measured);
    } else {
        FUZZ_CHECK(!message && err.code && err.text[0]);
    }
    gr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &sample__all__descriptor,  &sample__leaf__descriptor,  &sample__chain__descriptor,
        &sample__hook__descriptor, &sample__empty__descriptor, &sample__wide__descriptor};
    struct gr_str input = {.p = (const char *)data, .n = size};
    const ProtobufCMessageDescriptor *type;

    type = types[fuzz_take(&input, 1) % GR_ARRAY_LEN(types)];
    (void)properties_hold(type, input);
    check_unpack(type, input);
    return 0;
}
