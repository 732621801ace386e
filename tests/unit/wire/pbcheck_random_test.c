/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of the check over random messages, whole and damaged:
 * - what is well-formed passes;
 * - what passes is unpacked by protobuf-c, no text is shorter than it was on the wire, and no more
 *   memory is taken than was measured.
 * The seed is printed and can be given as GRAPNEL_TEST_SEED.
 */
#include "testing.h"

#include <time.h>

#include "base/buf.h"
#include "properties.h"
#include "sample.pb-c.h"
#include "wire/field.h"

#define ROUNDS 20000
#define DAMAGED_PER_ROUND 4
#define LEVELS 5

static uint64_t rng_state;

/* xorshift64*: good enough, and the same everywhere. */
static uint32_t rng(uint32_t below)
{
    rng_state ^= rng_state >> 12;
    rng_state ^= rng_state << 25;
    rng_state ^= rng_state >> 27;
    return (uint32_t)((rng_state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void add_varint(struct gr_buf *out, uint64_t value)
{
    uint8_t bytes[10];

    (void)gr_buf_add(out, bytes, (size_t)(gr_varint_put(bytes, value) - bytes));
}

static uint64_t random_value(void)
{
    uint64_t value = ((uint64_t)rng(UINT32_MAX) << 32 | rng(UINT32_MAX));

    return value >> rng(64);
}

static void add_tag(struct gr_buf *out, uint32_t number, enum gr_wire_type type)
{
    add_varint(out, (uint64_t)number << 3 | type);
}

static void add_text(struct gr_buf *out, bool any_bytes)
{
    static const char *const texts[] = {"",
                                        "a",
                                        "key",
                                        "caf\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80 long enough for two words or more"};
    struct gr_str text = gr_str_from(texts[rng(GR_ARRAY_LEN(texts))]);

    if (any_bytes && rng(2))
        text = GR_STR("\0\xff\x80");
    add_varint(out, text.n);
    (void)gr_buf_str(out, text);
}

static enum gr_wire_type scalar_wire_type(ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_FIXED64 || type == PROTOBUF_C_TYPE_SFIXED64 ||
        type == PROTOBUF_C_TYPE_DOUBLE)
        return GR_WIRE_FIXED64;
    if (type == PROTOBUF_C_TYPE_FIXED32 || type == PROTOBUF_C_TYPE_SFIXED32 ||
        type == PROTOBUF_C_TYPE_FLOAT)
        return GR_WIRE_FIXED32;
    return GR_WIRE_VARINT;
}

static void add_scalar(struct gr_buf *out, enum gr_wire_type type)
{
    uint64_t value = random_value();

    if (type == GR_WIRE_VARINT)
        add_varint(out, value);
    else
        (void)gr_buf_add(out, &value, type == GR_WIRE_FIXED64 ? 8 : 4);
}

static void add_packed(struct gr_buf *out, enum gr_wire_type type)
{
    struct gr_buf list;

    gr_buf_init(&list, 1U << 16);
    for (uint32_t i = rng(6); i > 0; i--)
        add_scalar(&list, type);
    add_varint(out, list.len);
    (void)gr_buf_str(out, gr_buf_view(&list));
    gr_buf_fini(&list);
}

static void add_message(struct gr_buf *out, const ProtobufCMessageDescriptor *type, size_t levels);

static void add_field(struct gr_buf *out, const ProtobufCFieldDescriptor *field, size_t levels)
{
    enum gr_wire_type type = scalar_wire_type(field->type);

    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES) {
        add_tag(out, field->id, GR_WIRE_BYTES);
        add_text(out, field->type == PROTOBUF_C_TYPE_BYTES);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        struct gr_buf part;

        gr_buf_init(&part, 1U << 20);
        if (levels > 1)
            add_message(&part, field->descriptor, levels - 1);
        add_tag(out, field->id, GR_WIRE_BYTES);
        add_varint(out, part.len);
        (void)gr_buf_str(out, gr_buf_view(&part));
        gr_buf_fini(&part);
    } else if (field->label == PROTOBUF_C_LABEL_REPEATED && rng(2)) {
        add_tag(out, field->id, GR_WIRE_BYTES);
        add_packed(out, type);
    } else {
        add_tag(out, field->id, type);
        add_scalar(out, type);
    }
}

static void add_unknown(struct gr_buf *out)
{
    static const enum gr_wire_type types[] = {GR_WIRE_VARINT, GR_WIRE_FIXED64, GR_WIRE_FIXED32};
    uint32_t number = 1000 + rng(1U << 28);
    uint32_t which = rng(4);

    if (which == 3) {
        add_tag(out, number, GR_WIRE_BYTES);
        add_text(out, true);
    } else {
        add_tag(out, number, types[which]);
        add_scalar(out, types[which]);
    }
}

/* Recursion is bounded by levels. */
static void add_message(struct gr_buf *out, const ProtobufCMessageDescriptor *type, size_t levels)
{
    uint32_t fields = rng(3) ? rng(5) : rng(40);

    for (uint32_t i = 0; i < fields; i++) {
        if (out->len > 4000)
            return;
        if (type->n_fields == 0 || rng(10) == 0)
            add_unknown(out);
        else
            add_field(out, &type->fields[rng(type->n_fields)], levels);
    }
}

static void damage(struct gr_buf *data)
{
    for (uint32_t i = 1 + rng(3); i > 0 && data->len > 0; i--) {
        size_t at = rng((uint32_t)data->len);

        switch (rng(5)) {
        case 0: /* cut */
            data->len = at;
            break;
        case 1: /* take a byte out */
            memmove(data->data + at, data->data + at + 1, data->len - at - 1);
            data->len--;
            break;
        case 2: /* double a part */
            (void)gr_buf_add(data, data->data + at,
                             GR_MIN(data->len - at, GR_MIN(data->cap - data->len, 30U)));
            break;
        case 3:
            data->data[at] ^= (uint8_t)(1U << rng(8));
            break;
        default:
            data->data[at] = (uint8_t)rng(256);
        }
    }
}

static void test_random(void **state GR_UNUSED)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &sample__all__descriptor,   &sample__leaf__descriptor,  &sample__hook__descriptor,
        &sample__chain__descriptor, &sample__empty__descriptor, &sample__wide__descriptor};
    const char *given = getenv("GRAPNEL_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    size_t passed = 0, refused = 0;
    struct gr_buf data;

    print_message("# GRAPNEL_TEST_SEED=%llu\n", (unsigned long long)seed);
    rng_state = seed * 2 + 1;
    gr_buf_init(&data, 1U << 20);
    for (size_t i = 0; i < ROUNDS; i++) {
        const ProtobufCMessageDescriptor *type = types[rng(2) ? 0 : rng(GR_ARRAY_LEN(types))];

        gr_buf_reset(&data, SIZE_MAX);
        add_message(&data, type, LEVELS);
        assert_int_equal(data.broken, 0);
        assert_true(properties_hold(type, gr_buf_view(&data)));
        for (size_t k = 0; k < DAMAGED_PER_ROUND; k++) {
            damage(&data);
            if (properties_hold(type, gr_buf_view(&data)))
                passed++;
            else
                refused++;
        }
    }
    gr_buf_fini(&data);
    /* The damage is neither always noticed nor never. */
    assert_true(passed > ROUNDS / 10);
    assert_true(refused > ROUNDS / 10);
}

/* Bytes without any structure. */
static void test_garbage(void **state GR_UNUSED)
{
    uint8_t bytes[64];

    rng_state = 4711;
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t n = rng(sizeof(bytes));

        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)rng(rng(2) ? 256 : 32);
        (void)properties_hold(&sample__all__descriptor,
                              (struct gr_str){.p = (char *)bytes, .n = n});
    }
}

int main(void)
{
    test_add("random messages, whole and damaged", test_random);
    test_add("garbage", test_garbage);
    return test_run("wire/pbcheck_random");
}
