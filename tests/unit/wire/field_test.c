/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>

#include "wire/field.h"

static const struct field_row {
    const char *name;
    const char *hex;
    int result;
    uint32_t number;
    enum gr_wire_type type;
    uint64_t value;
    const char *bytes;
    size_t encoded_bytes;
    size_t rest_bytes;
} field_rows[] = {
    {"nothing", "", 0, 0, 0, 0, "", 0, 0},
    {"varint", "08 07 ff", GR_WIRE_FIELD, 1, GR_WIRE_VARINT, 7, "", 1, 1},
    {"long varint", "78 ffffffffffffffffff01", GR_WIRE_FIELD, 15, GR_WIRE_VARINT, UINT64_MAX, "",
     10, 0},
    {"overlong varint", "08 8780808080808080 8000", GR_WIRE_FIELD, 1, GR_WIRE_VARINT, 7, "", 10, 0},
    {"bytes", "12 03 616263 0801", GR_WIRE_FIELD, 2, GR_WIRE_BYTES, 0, "abc", 4, 2},
    {"no bytes", "12 00", GR_WIRE_FIELD, 2, GR_WIRE_BYTES, 0, "", 1, 0},
    {"fixed32", "1d 01020304 00", GR_WIRE_FIELD, 3, GR_WIRE_FIXED32, 0, "", 4, 1},
    {"fixed64", "19 0102030405060708 00", GR_WIRE_FIELD, 3, GR_WIRE_FIXED64, 0, "", 8, 1},
    {"two-byte tag", "8001 05", GR_WIRE_FIELD, 16, GR_WIRE_VARINT, 5, "", 1, 0},
    {"largest number", "f8ffffff0f 05", GR_WIRE_FIELD, (1U << 29) - 1, GR_WIRE_VARINT, 5, "", 1, 0},
    {"one past the largest number", "8080808010 05", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"number 0", "00 05", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"wire type 3", "0b", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"wire type 4", "0c", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"wire type 6", "0e 01", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"wire type 7", "0f 01", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"no value", "08", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"bytes cut", "12 03 6162", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"length cut", "12 83", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"length of six bytes", "12 838080808000 616263", -EBADMSG, 0, 0, 0, "", 0, 0},
    {"tag of six bytes", "8880808080 00 05", -EBADMSG, 0, 0, 0, "", 0, 0},
};

static void field(void **state)
{
    const struct field_row *row = *state;
    struct gr_wire_field found = {.number = 4711, .value = 4711};
    uint8_t bytes[64];
    size_t n = test_unhex(row->hex, bytes, sizeof(bytes));
    uint8_t *exact = test_exact(bytes, n);
    struct gr_str rest = {.p = (char *)exact, .n = n};

    assert_int_equal(gr_wire_field_next(&rest, &found), row->result);
    if (row->result == GR_WIRE_FIELD) {
        assert_int_equal(found.number, row->number);
        assert_int_equal(found.type, row->type);
        assert_int_equal(found.value, row->value);
        assert_str(found.bytes, row->bytes);
        assert_int_equal(found.encoded_bytes, row->encoded_bytes);
        assert_int_equal(rest.n, row->rest_bytes);
    } else if (row->result == 0) {
        assert_int_equal(found.number, 4711);
    }
    free(exact);
}

static const struct varint_row {
    const char *name;
    uint64_t value;
    size_t bytes;
} varint_rows[] = {
    {"0", 0, 1},
    {"1", 1, 1},
    {"127", 127, 1},
    {"128", 128, 2},
    {"2^14 - 1", (1U << 14) - 1, 2},
    {"2^14", 1U << 14, 3},
    {"2^32", UINT64_C(1) << 32, 5},
    {"2^35 - 1", (UINT64_C(1) << 35) - 1, 5},
    {"2^35", UINT64_C(1) << 35, 6},
    {"2^63 - 1", INT64_MAX, 9},
    {"2^63", UINT64_C(1) << 63, 10},
    {"largest", UINT64_MAX, 10},
};

/* Written, measured and read back; not read when it is cut or longer than allowed. */
static void varint(void **state)
{
    const struct varint_row *row = *state;
    uint64_t value = 0;
    uint8_t out[10];

    assert_int_equal(gr_varint_bytes(row->value), row->bytes);
    assert_ptr_equal(gr_varint_put(out, row->value), out + row->bytes);
    for (size_t n = 0; n <= sizeof(out); n++) {
        struct gr_str s = {.p = (char *)out, .n = n};

        assert_int_equal(gr_varint_get(s, 10, &value), n < row->bytes ? 0 : row->bytes);
        s.n = row->bytes;
        assert_int_equal(gr_varint_get(s, n, &value), n < row->bytes ? 0 : row->bytes);
    }
    assert_int_equal(value, row->value);
}

int main(void)
{
    TEST_ADD_ROWS(field, field_rows);
    TEST_ADD_ROWS(varint, varint_rows);
    return test_run("wire/field");
}
