/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>

#include "accounting.h"
#include "sample.pb-c.h"
#include "wire/pbcheck.h"

#define ALL &sample__all__descriptor
#define LEAF &sample__leaf__descriptor
#define NONE &sample__empty__descriptor
#define WIDE &sample__wide__descriptor

static const struct row {
    const char *name;
    const ProtobufCMessageDescriptor *type;
    const char *hex;
    int result;
    const char *field; /* as the error names it */
    const char *code;
} rows[] = {
    {"empty", ALL, "", 0, NULL, NULL},
    {"text", ALL, "0a03 616263", 0, NULL, NULL},
    {"empty text", ALL, "0a00", 0, NULL, NULL},
    {"text, several bytes a character", ALL, "0a0a c3a9 e282ac f09f9880 21", 0, NULL, NULL},
    {"text with NUL", ALL, "0a03 610062", -EBADMSG, "text", "message-text-not-valid"},
    {"text that ends with NUL", ALL, "0a02 6100", -EBADMSG, "text", "message-text-not-valid"},
    {"text not UTF-8", ALL, "0a01 ff", -EBADMSG, "text", "message-text-not-valid"},
    {"text cut in a character", ALL, "0a02 e282", -EBADMSG, "text", "message-text-not-valid"},
    {"text with a surrogate", ALL, "0a03 eda080", -EBADMSG, "text", "message-text-not-valid"},
    {"text overlong", ALL, "0a02 c080", -EBADMSG, "text", "message-text-not-valid"},
    {"text twice, the first bad", ALL, "0a01 ff 0a01 61", -EBADMSG, "text",
     "message-text-not-valid"},
    {"text as varint", ALL, "0801", -EBADMSG, "text", "message-not-valid"},
    {"text as fixed64", ALL, "09 0102030405060708", -EBADMSG, "text", "message-not-valid"},
    {"text past the end", ALL, "0a05 61", -EBADMSG, "", "message-not-valid"},
    {"bytes of any kind", ALL, "1204 00ff80c0", 0, NULL, NULL},
    {"bytes as fixed32", ALL, "15 01020304", -EBADMSG, "blob", "message-not-valid"},
    {"bool", ALL, "1801", 0, NULL, NULL},
    {"bool, long", ALL, "18 ffffffffffffffffff01", 0, NULL, NULL},
    {"bool as bytes", ALL, "1a01 01", -EBADMSG, "flag", "message-not-valid"},
    {"every number", ALL,
     "2001 2802 3003 3804 4005 4806 55 07000000 59 0800000000000000 65 09000000"
     "69 0a00000000000000 75 0000803f 79 000000000000f03f 800101",
     0, NULL, NULL},
    {"int32 negative", ALL, "20 ffffffffffffffffff01", 0, NULL, NULL},
    {"int32 as fixed32", ALL, "25 01000000", -EBADMSG, "i32", "message-not-valid"},
    {"fixed32 as varint", ALL, "5001", -EBADMSG, "f32", "message-not-valid"},
    {"fixed64 as fixed32", ALL, "5d 01000000", -EBADMSG, "f64", "message-not-valid"},
    {"fixed64 cut", ALL, "59 01000000", -EBADMSG, "", "message-not-valid"},
    {"double as fixed32", ALL, "7d 01000000", -EBADMSG, "d", "message-not-valid"},
    {"enum unknown value", ALL, "800163", 0, NULL, NULL},
    {"varint too long", ALL, "20 8080808080808080808001", -EBADMSG, "", "message-not-valid"},
    {"message", ALL, "8a0105 0a01 61 1005", 0, NULL, NULL},
    {"message, empty", ALL, "8a0100", 0, NULL, NULL},
    {"message with bad text", ALL, "8a0103 0a01 ff", -EBADMSG, "leaf.text",
     "message-text-not-valid"},
    {"message as varint", ALL, "880101", -EBADMSG, "leaf", "message-not-valid"},
    {"message with a field past its end", ALL, "8a0103 0a05 61", -EBADMSG, "leaf",
     "message-not-valid"},
    {"message with half a field, the rest outside", ALL, "8a0101 0a 0101", -EBADMSG, "leaf",
     "message-not-valid"},
    {"message twice is merged", ALL, "8a0103 0a0161 8a0102 1005", 0, NULL, NULL},
    {"lists in merged messages", ALL,
     "e2010d a20103 0a0161 ea0100 920101 61 e2010a a20103 0a0161 aa010101", 0, NULL, NULL},
    {"texts", ALL, "920101 61 920100 920101 62", 0, NULL, NULL},
    {"texts, one bad", ALL, "920101 61 920101 00", -EBADMSG, "texts", "message-text-not-valid"},
    {"blobs", ALL, "9a0101 ff 9a0100", 0, NULL, NULL},
    {"leaves", ALL, "a20100 a20103 0a0161 a20102 1001", 0, NULL, NULL},
    {"leaves, one bad", ALL, "a20100 a20103 0a01 80", -EBADMSG, "leaves.text",
     "message-text-not-valid"},
    {"packed int32", ALL, "aa0105 01 8001 8080 01", -EBADMSG, "packed_i32", "message-not-valid"},
    {"packed int32, whole", ALL, "aa0106 01 8001 808001", 0, NULL, NULL},
    {"packed, empty", ALL, "aa0100", 0, NULL, NULL},
    {"packed, negative", ALL, "aa010a ffffffffffffffffff01", 0, NULL, NULL},
    {"packed, too long", ALL, "aa010b 8080808080808080808000", -EBADMSG, "packed_i32",
     "message-not-valid"},
    {"packed list sent unpacked", ALL, "a80101 a80102", 0, NULL, NULL},
    {"packed and unpacked", ALL, "a80101 aa0102 0203 a80104", 0, NULL, NULL},
    {"packed bool", ALL, "b20103 01 8000", 0, NULL, NULL},
    {"packed bool, cut", ALL, "b20103 01 8080", -EBADMSG, "packed_bool", "message-not-valid"},
    {"packed fixed64", ALL, "ba0110 00000000000000000000000000000000", 0, NULL, NULL},
    {"packed fixed64, cut", ALL, "ba0109 000000000000000000", -EBADMSG, "packed_f64",
     "message-not-valid"},
    {"packed fixed64 sent unpacked", ALL, "b901 0000000000000000", 0, NULL, NULL},
    {"packed fixed64 as varint", ALL, "b80101", -EBADMSG, "packed_f64", "message-not-valid"},
    {"unpacked list", ALL, "c00101 c00102", 0, NULL, NULL},
    {"unpacked list sent packed", ALL, "c20102 0102", 0, NULL, NULL},
    {"unpacked fixed32 sent packed", ALL, "ea0108 0000000000000000", 0, NULL, NULL},
    {"unpacked fixed32 sent packed, cut", ALL, "ea0107 00000000000000", -EBADMSG, "loose_f32",
     "message-not-valid"},
    {"map", ALL, "ca0106 0a016b 120176", 0, NULL, NULL},
    {"map, empty entry", ALL, "ca0100", 0, NULL, NULL},
    {"map, bad key", ALL, "ca0106 0a0100 120176", -EBADMSG, "labels.key", "message-text-not-valid"},
    {"map, bad value", ALL, "ca0106 0a016b 1201ff", -EBADMSG, "labels.value",
     "message-text-not-valid"},
    {"map of messages", ALL, "d20107 0801 1203 0a0161", 0, NULL, NULL},
    {"map of messages, bad inside", ALL, "d20107 0801 1203 0a01fe", -EBADMSG, "tree.value.text",
     "message-text-not-valid"},
    {"unknown fields", NONE, "0801 1102030405060708 09 1a03 00ff00 25 01020304", 0, NULL, NULL},
    {"unknown field with a large number", NONE, "f8ffffff0f 01", 0, NULL, NULL},
    {"unknown group", NONE, "0b 0c", -EBADMSG, "", "message-not-valid"},
    {"unknown field, cut", NONE, "0a02 61", -EBADMSG, "", "message-not-valid"},
    {"field number 0", NONE, "0001", -EBADMSG, "", "message-not-valid"},
    {"field number over 29 bits", NONE, "f8ffffff1f 01", -EBADMSG, "", "message-not-valid"},
    {"many fields in the message's type", WIDE, "0801 9008 01 a808 02", -EBADMSG, "leaf",
     "message-not-valid"},
    {"fields far behind", WIDE, "0801 a008 02 aa0803 0a0161 b20801 78 b20800 aa0802 1001", 0, NULL,
     NULL},
    {"merged far behind", WIDE, "ba0808 aa0800 b20801 61 01 ba0807 b20801 62 aa0800", -EBADMSG,
     "wide", "message-not-valid"},
    {"merged far behind, whole", WIDE, "ba0807 aa0800 b20801 61 ba0807 b20801 62 aa0800", 0, NULL,
     NULL},
    {"overlong tag", LEAF, "8a80808000 01 61", 0, NULL, NULL},
    {"overlong length", LEAF, "0a 8180808000 61", 0, NULL, NULL},
};

static void check(void **state)
{
    const struct row *row = *state;
    static uint8_t bytes[512];
    size_t n = test_unhex(row->hex, bytes, sizeof(bytes)), measured = 4711;
    uint8_t *exact = test_exact(bytes, n);
    struct gr_str data = {.p = (char *)exact, .n = n};
    ProtobufCMessage *message = NULL;
    struct accounting accounting;
    struct gr_arena arena;
    struct gr_err err = {.field = "of an older error"};

    accounting_init(&accounting);
    gr_arena_init(&arena, 1024, 0);
    assert_int_equal(gr_pb_check(row->type, data, NULL), row->result);
    assert_int_equal(gr_pb_measure(row->type, data, &measured, &err), row->result);
    assert_int_equal(gr_pb_unpack(row->type, data, &arena, &message, &err), row->result);
    if (row->result < 0) {
        assert_null(message);
        assert_int_equal(measured, 4711);
        assert_string_equal(err.code, row->code);
        assert_string_equal(err.field, row->field);
        assert_true(strlen(err.text) > 20);
    } else {
        assert_non_null(message);
        assert_null(err.code);
        assert_non_null(protobuf_c_message_unpack(row->type, &accounting.allocator, n, exact));
        assert_true(accounting.bytes <= measured);
    }
    accounting_fini(&accounting);
    gr_arena_fini(&arena);
    free(exact);
}

static const struct depth_row {
    const char *name;
    size_t levels; /* messages, with the outermost */
    int result;
} depth_rows[] = {
    {"one", 1, 0},
    {"two", 2, 0},
    {"at the limit", GR_PB_DEPTH_MAX, 0},
    {"one past", GR_PB_DEPTH_MAX + 1, -E2BIG},
    {"sixty", 60, -E2BIG},
};

static void depth(void **state)
{
    const struct depth_row *row = *state;
    size_t n = 2 * (row->levels - 1);
    struct gr_err err = {0};
    uint8_t bytes[128];

    for (size_t i = 0; i < n; i += 2) {
        bytes[i] = 0x0a;
        bytes[i + 1] = (uint8_t)(n - 2 - i);
    }
    assert_int_equal(
        gr_pb_check(&sample__chain__descriptor, (struct gr_str){.p = (char *)bytes, .n = n}, &err),
        row->result);
    if (row->result < 0)
        assert_string_equal(err.code, "message-too-deep");
}

/* A repeated part of an encoding and how often it must come to be too much. */
static const struct size_row {
    const char *name;
    const char *hex;
} size_rows[] = {
    {"empty messages", "a20100"},
    {"empty map entries", "ca0100"},
    {"empty texts", "920100"},
    {"empty blobs", "9a0100"},
    {"unpacked numbers", "c00100"},
    {"unknown varints", "d82700"},
    {"unknown bytes", "da2700"},
    {"one text again and again", "0a00"},
    {"one message again and again", "8a0100"},
    {"one message with a list again and again", "e20103 920100"},
    {"one message with a packed list again and again", "e2010b aa010801 02030405 060708"},
};

static size_t repeat(const char *hex, size_t count, size_t pad, uint8_t *out)
{
    uint8_t part[64];
    size_t n = test_unhex(hex, part, sizeof(part));

    for (size_t i = 0; i < count; i++)
        memcpy(out + i * n, part, n);
    n *= count;
    out[n++] = 0x12; /* a blob makes room: it costs what it weighs */
    out[n++] = (uint8_t)(pad | 0x80);
    out[n++] = (uint8_t)(pad >> 7 | 0x80);
    out[n++] = (uint8_t)(pad >> 14 & 0x7f);
    memset(out + n, 0, pad);
    return n + pad;
}

/*
 * The limit is kept to the byte: refused exactly when the measured size is over it, and what
 * protobuf-c really takes is no more than was measured.
 */
static void size(void **state)
{
    const struct size_row *row = *state;
    static uint8_t bytes[1U << 20];
    size_t passed = 0, refused = 0;

    for (size_t count = 1; count < 30000; count += 1 + count / 4) {
        for (size_t pad = 0; pad < 2000; pad = 3 * pad + 1) {
            size_t n = repeat(row->hex, count, pad, bytes), measured = 0;
            struct gr_str data = {.p = (char *)bytes, .n = n};
            struct accounting accounting;
            struct gr_err err = {0};
            int r = gr_pb_check(ALL, data, &err);

            assert_int_equal(gr_pb_measure(ALL, data, &measured, NULL), 0);
            if (measured <= GR_PB_UNPACKED_FACTOR * n + GR_PB_UNPACKED_BASE_BYTES) {
                assert_int_equal(r, 0);
                passed++;
                accounting_init(&accounting);
                assert_non_null(protobuf_c_message_unpack(ALL, &accounting.allocator, n, bytes));
                assert_true(accounting.bytes <= measured);
                accounting_fini(&accounting);
            } else {
                assert_int_equal(r, -E2BIG);
                assert_string_equal(err.code, "message-too-large");
                refused++;
            }
        }
    }
    assert_true(passed > 0);
    assert_true(refused > 0);
}

/* Lists of long texts and packed numbers are ordinary, however long. */
static void test_ordinary_is_not_refused(void **state GR_UNUSED)
{
    static uint8_t bytes[4U << 20];
    size_t n = 0;

    for (size_t i = 0; i < 50000; i++) {
        memcpy(bytes + n, "\x92\x01\x1eorg.example.annotation/of-pods", 33);
        n += 33;
        memcpy(bytes + n, "\xca\x01\x16\x0a\x09key.of.it\x12\x09value.too", 25);
        n += 25;
    }
    assert_int_equal(gr_pb_check(ALL, (struct gr_str){.p = (char *)bytes, .n = n}, NULL), 0);
}

/* The exact edge of the size limit is met from both sides. */
static void test_size_edge(void **state GR_UNUSED)
{
    /* From the 1009th field on protobuf-c's notes take more than the empty leaves earn; each byte
     * of the blob earns 15 back. So the difference passes through 0. */
    static uint8_t bytes[1U << 20];
    size_t smallest_left = SIZE_MAX, smallest_over = SIZE_MAX;

    for (size_t count = 1009; count < 1013; count++) {
        for (size_t pad = 0; pad < 1500; pad++) {
            size_t n = repeat("a20100", count, pad, bytes), measured = 0;
            size_t limit = GR_PB_UNPACKED_FACTOR * n + GR_PB_UNPACKED_BASE_BYTES;
            struct gr_str data = {.p = (char *)bytes, .n = n};

            assert_int_equal(gr_pb_measure(ALL, data, &measured, NULL), 0);
            assert_int_equal(gr_pb_check(ALL, data, NULL), measured <= limit ? 0 : -E2BIG);
            if (measured <= limit)
                smallest_left = GR_MIN(smallest_left, limit - measured);
            else
                smallest_over = GR_MIN(smallest_over, measured - limit);
        }
    }
    assert_int_equal(smallest_left, 0);
    assert_true(smallest_over <= 8);
}

static void test_unpacks_into_the_arena(void **state GR_UNUSED)
{
    static const char data[] = "\x0a\x03"
                               "abc\x92\x01\x01x\x92\x01\x01y\x8a\x01\x03\x0a\x01l";
    ProtobufCMessage *message;
    struct gr_arena arena;
    Sample__All *all;

    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(
        gr_pb_unpack(ALL, (struct gr_str){data, sizeof(data) - 1}, &arena, &message, NULL), 0);
    all = (Sample__All *)message;
    assert_string_equal(all->text, "abc");
    assert_int_equal(all->n_texts, 2);
    assert_string_equal(all->texts[1], "y");
    assert_string_equal(all->leaf->text, "l");
    assert_int_equal(arena.taken_bytes, 4096);
    gr_arena_fini(&arena);
}

static void test_arena_too_small(void **state GR_UNUSED)
{
    static const char data[] = "\x0a\x03"
                               "abc\x92\x01\x01x\x92\x01\x01y\x8a\x01\x03\x0a\x01l";
    struct gr_str in = {data, sizeof(data) - 1};
    size_t enough = 0, failures = 0;

    assert_int_equal(gr_pb_measure(ALL, in, &enough, NULL), 0);
    for (size_t limit = 1; limit <= enough; limit += 8) {
        ProtobufCMessage *message = NULL;
        struct gr_arena arena;
        struct gr_err err = {0};
        int r;

        gr_arena_init(&arena, 16, limit);
        r = gr_pb_unpack(ALL, in, &arena, &message, &err);
        if (r < 0) {
            assert_int_equal(r, -ENOMEM);
            assert_string_equal(err.code, "no-memory");
            assert_null(message);
            failures++;
        }
        gr_arena_fini(&arena);
    }
    assert_true(failures > 10);
}

/* A known weakness of protobuf-c 1.4.1, and why gr_pb_unpack can refuse what the check let pass. */
static void test_merged_oneof_is_refused(void **state GR_UNUSED)
{
    struct gr_str twice = GR_STR("\x0a\x00\x0a\x00");
    ProtobufCMessage *message = NULL;
    struct gr_arena arena;
    struct gr_err err = {0};

    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_pb_check(&sample__has_choice__descriptor, twice, NULL), 0);
    assert_int_equal(gr_pb_unpack(&sample__has_choice__descriptor, twice, &arena, &message, &err),
                     -EBADMSG);
    assert_string_equal(err.code, "message-not-valid");
    assert_null(message);
    gr_arena_fini(&arena);
}

static void test_path_of_a_deep_field(void **state GR_UNUSED)
{
    uint8_t bytes[256];
    struct gr_err err = {0};
    size_t n = 0;

    for (size_t i = 0; i < GR_PB_DEPTH_MAX - 1; i++) {
        bytes[n++] = 0xe2;
        bytes[n++] = 0x01;
        bytes[n++] = (uint8_t)(3 * (GR_PB_DEPTH_MAX - 2 - i) + 3);
    }
    memcpy(bytes + n, "\x0a\x01\xff", 3);
    assert_int_equal(gr_pb_check(ALL, (struct gr_str){.p = (char *)bytes, .n = n + 3}, &err),
                     -EBADMSG);
    assert_string_equal(err.field, "self.self.self.self.self.self.self.self.self.self.self.self."
                                   "self.self.self.text");
}

/* A path that is too long for its place is cut, not written past it. */
static void test_long_path(void **state GR_UNUSED)
{
    static const char name[] = "a_field_whose_name_is_rather_long_as_names_of_fields_go";
    struct gr_err err = {0};

    assert_int_equal(gr_pb_check(&sample__long_name__descriptor,
                                 GR_STR("\x0a\x08\x0a\x06\x0a\x04\x0a\x02\x0a\x05"), &err),
                     -EBADMSG);
    assert_int_equal(strlen(err.field), sizeof(err.field) - 1);
    assert_memory_equal(err.field, name, sizeof(name) - 1);
    assert_int_equal(err.field[sizeof(name) - 1], '.');
    assert_memory_equal(err.field + sizeof(name), name, sizeof(name) - 1);
    assert_string_equal(err.code, "message-not-valid");
    assert_string_equal(err.text + strlen(err.text) - 4, err.field + strlen(err.field) - 4);
}

int main(void)
{
    TEST_ADD_ROWS(check, rows);
    TEST_ADD_ROWS(depth, depth_rows);
    TEST_ADD_ROWS(size, size_rows);
    test_add("size edge", test_size_edge);
    test_add("ordinary is not refused", test_ordinary_is_not_refused);
    test_add("unpacks into the arena", test_unpacks_into_the_arena);
    test_add("arena too small", test_arena_too_small);
    test_add("merged oneof is refused", test_merged_oneof_is_refused);
    test_add("path of a deep field", test_path_of_a_deep_field);
    test_add("long path", test_long_path);
    return test_run("wire/pbcheck");
}
