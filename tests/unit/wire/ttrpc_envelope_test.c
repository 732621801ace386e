/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>

#include "base/buf.h"
#include "wire/ttrpc.h"

/* The encoding in a block of exactly its size. */
static struct gr_str exact_hex(const char *hex)
{
    static uint8_t bytes[4096];
    size_t n = test_unhex(hex, bytes, sizeof(bytes));

    return (struct gr_str){.p = (char *)test_exact(bytes, n), .n = n};
}

static void drop(struct gr_str s)
{
    union {
        const char *in;
        void *out;
    } p = {.in = s.p};

    free(p.out);
}

static const struct request_row {
    const char *name;
    const char *hex;
    int result;
    const char *service;
    const char *method;
    const char *payload;
    int64_t timeout_ns;
} request_rows[] = {
    {"empty", "", 0, "", "", "", 0},
    {"all fields", "0a0173 12026d6d 1a03 706179 2007", 0, "s", "mm", "pay", 7},
    {"any order", "2007 1a03 706179 12026d6d 0a0173", 0, "s", "mm", "pay", 7},
    {"last one wins", "0a0173 0a0174 12016d 1206 6f746865726d 2001 2002", 0, "t", "otherm", "", 2},
    {"negative timeout", "20 ffffffffffffffffff01", 0, "", "", "", -1},
    {"longest timeout", "20 ffffffffffffffff7f", 0, "", "", "", INT64_MAX},
    {"metadata", "0a0173 2a06 0a016b 120176 2a00 2a02 ffff", 0, "s", "", "", 0},
    {"unknown fields", "0a0173 3001 39 0102030405060708 42 02 aabb 4d 01020304 12016d", 0, "s", "m",
     "", 0},
    {"overlong tag", "8a8080800001 73", 0, "s", "", "", 0},
    {"overlong length", "0a8180808000 73", 0, "s", "", "", 0},
    {"payload of any bytes", "1a04 00ff8001", 0, "", "", NULL, 0},
    {"NUL in a name", "1203 610062", 0, "", NULL, "", 0},
    {"field number 0", "0200", -EBADMSG, NULL, NULL, NULL, 0},
    {"field number 0, overlong", "828000", -EBADMSG, NULL, NULL, NULL, 0},
    {"field number too large", "fa ff ff ff 10 00", -EBADMSG, NULL, NULL, NULL, 0},
    {"tag of six bytes", "8a 80 80 80 80 00 00", -EBADMSG, NULL, NULL, NULL, 0},
    {"tag cut", "8a", -EBADMSG, NULL, NULL, NULL, 0},
    {"tag without value", "0a", -EBADMSG, NULL, NULL, NULL, 0},
    {"length past the end", "0a0273", -EBADMSG, NULL, NULL, NULL, 0},
    {"length of 2^35", "0a 8080808080 01", -EBADMSG, NULL, NULL, NULL, 0},
    {"length near 2^32", "0a ffffffff0f 73", -EBADMSG, NULL, NULL, NULL, 0},
    {"varint cut", "20ff", -EBADMSG, NULL, NULL, NULL, 0},
    {"varint of eleven bytes", "20 8080808080808080808000", -EBADMSG, NULL, NULL, NULL, 0},
    {"varint over 64 bits", "20 ffffffffffffffffff02", -EBADMSG, NULL, NULL, NULL, 0},
    {"fixed64 cut", "39 01020304050607", -EBADMSG, NULL, NULL, NULL, 0},
    {"fixed32 cut", "4d 010203", -EBADMSG, NULL, NULL, NULL, 0},
    {"group", "0b 0c", -EBADMSG, NULL, NULL, NULL, 0},
    {"wire type 6", "0e 00", -EBADMSG, NULL, NULL, NULL, 0},
    {"wire type 7", "0f 00", -EBADMSG, NULL, NULL, NULL, 0},
    {"service as varint", "0801", -EBADMSG, NULL, NULL, NULL, 0},
    {"method as fixed32", "15 01020304", -EBADMSG, NULL, NULL, NULL, 0},
    {"payload as varint", "1801", -EBADMSG, NULL, NULL, NULL, 0},
    {"timeout as bytes", "220101", -EBADMSG, NULL, NULL, NULL, 0},
    {"metadata as varint", "2801", -EBADMSG, NULL, NULL, NULL, 0},
    {"service not UTF-8", "0a02 c328", -EBADMSG, NULL, NULL, NULL, 0},
    {"method not UTF-8", "1201 ff", -EBADMSG, NULL, NULL, NULL, 0},
};

static void request_decode(void **state)
{
    const struct request_row *row = *state;
    struct gr_ttrpc_request request = {.timeout_ns = 4711};
    struct gr_str data = exact_hex(row->hex);

    assert_int_equal(gr_ttrpc_request_decode(data, &request), row->result);
    if (row->result < 0) {
        assert_int_equal(request.timeout_ns, 4711);
    } else {
        if (row->service)
            assert_str(request.service, row->service);
        if (row->method)
            assert_str(request.method, row->method);
        else
            assert_int_equal(request.method.n, 3);
        if (row->payload)
            assert_str(request.payload, row->payload);
        else
            assert_int_equal(request.payload.n, 4);
        assert_int_equal(request.timeout_ns, row->timeout_ns);
    }
    drop(data);
}

static const struct response_row {
    const char *name;
    const char *hex;
    int result;
    int32_t code;
    const char *text;
    const char *payload;
} response_rows[] = {
    {"empty", "", 0, 0, "", ""},
    {"payload", "1203 706179", 0, 0, "", "pay"},
    {"status ok", "0a00 1201 70", 0, 0, "", "p"},
    {"status 0 spelled out", "0a02 0800", 0, 0, "", ""},
    {"error", "0a06 0805 12026e6f", 0, 5, "no", ""},
    {"error and payload", "1201 70 0a02 0805", 0, 5, "", "p"},
    {"negative code", "0a0b 08 ffffffffffffffffff01", 0, -1, "", ""},
    {"code over 32 bits is cut", "0a06 08 8380808010", 0, 3, "", ""},
    {"details", "0a09 0805 1a05 0a03 747970", 0, 5, "", ""},
    {"unknown field cut", "0a05 0805 2801 20 1801", -EBADMSG, 0, NULL, NULL},
    {"unknown fields", "0a04 0805 2801 1801 1201 70", 0, 5, "", "p"},
    {"status twice is merged", "0a04 1202 6e6f 0a02 0805", 0, 5, "no", ""},
    {"status as varint", "0801", -EBADMSG, 0, NULL, NULL},
    {"payload as varint", "1001", -EBADMSG, 0, NULL, NULL},
    {"code as bytes", "0a03 0a01 61", -EBADMSG, 0, NULL, NULL},
    {"text as varint", "0a02 1001", -EBADMSG, 0, NULL, NULL},
    {"details as varint", "0a02 1801", -EBADMSG, 0, NULL, NULL},
    {"text not UTF-8", "0a04 1202 c0af", -EBADMSG, 0, NULL, NULL},
    {"status cut", "0a05 0805 1203 61", -EBADMSG, 0, NULL, NULL},
    {"broken inside the status", "0a02 08ff", -EBADMSG, 0, NULL, NULL},
    {"group", "0b0c", -EBADMSG, 0, NULL, NULL},
};

static void response_decode(void **state)
{
    const struct response_row *row = *state;
    struct gr_ttrpc_response response = {.code = 4711};
    struct gr_str data = exact_hex(row->hex);

    assert_int_equal(gr_ttrpc_response_decode(data, &response), row->result);
    if (row->result < 0) {
        assert_int_equal(response.code, 4711);
    } else {
        assert_int_equal(response.code, row->code);
        assert_str(response.text, row->text);
        assert_str(response.payload, row->payload);
    }
    drop(data);
}

/* Every proper prefix of a valid message is refused or is a shorter message: never read past. */
static void prefixes(void **state)
{
    const struct request_row *row = *state;
    struct gr_str whole = exact_hex(row->hex);

    for (size_t n = 0; n < whole.n; n++) {
        struct gr_ttrpc_response response;
        struct gr_ttrpc_request request;
        char *cut = (char *)test_exact(whole.p, n);
        int r = gr_ttrpc_request_decode((struct gr_str){.p = cut, .n = n}, &request);

        assert_true(r == 0 || r == -EBADMSG);
        r = gr_ttrpc_response_decode((struct gr_str){.p = cut, .n = n}, &response);
        assert_true(r == 0 || r == -EBADMSG);
        free(cut);
    }
    drop(whole);
}

static char filler[1U << 17];

static const struct encode_row {
    const char *name;
    size_t service_bytes;
    size_t method_bytes;
    size_t payload_bytes;
    int64_t timeout_ns;
    int32_t code;
    size_t text_bytes;
} encode_rows[] = {
    {"empty", 0, 0, 0, 0, 0, 0},
    {"small", 1, 2, 3, 4, 5, 6},
    {"no payload", 10, 10, 0, INT64_MAX, 12, 10},
    {"no timeout", 10, 10, 10, 0, 1, 0},
    {"negative timeout is none", 10, 10, 10, -5, 16, 0},
    {"timeout 127", 1, 1, 1, 127, 127, 1},
    {"timeout 128", 1, 1, 1, 128, 128, 1},
    {"lengths 127", 127, 127, 127, 1, 1, 127},
    {"lengths 128", 128, 128, 128, 1, 1, 128},
    {"lengths 16383", 16383, 16383, 16383, 1, 1, 16383},
    {"lengths 16384", 16384, 16384, 16384, 1, 1, 16384},
    {"status at 127", 0, 0, 0, 0, 2, 123},
    {"status at 128", 0, 0, 0, 0, 2, 124},
    {"negative code", 0, 0, 5, 0, -3, 3},
    {"text without a code is left out", 0, 0, 5, 0, 0, 30},
};

/* Encoding takes just what was foretold, and decoding it gives the same again. */
static void encode_request(void **state)
{
    const struct encode_row *row = *state;
    struct gr_ttrpc_request request = {
        .service = {.p = filler, .n = row->service_bytes},
        .method = {.p = filler, .n = row->method_bytes},
        .payload = {.p = NULL, .n = row->payload_bytes},
        .timeout_ns = row->timeout_ns,
    };
    size_t n = gr_ttrpc_request_bytes(&request);
    uint8_t *out = malloc(n + 1);
    struct gr_ttrpc_request found;
    uint8_t *payload;

    assert_non_null(out);
    out[n] = 0xa5;
    payload = gr_ttrpc_request_encode(&request, out);
    assert_true(payload >= out && payload + row->payload_bytes <= out + n);
    memset(payload, 'p', row->payload_bytes);
    assert_int_equal(out[n], 0xa5);
    assert_int_equal(gr_ttrpc_request_decode((struct gr_str){.p = (char *)out, .n = n}, &found), 0);
    assert_int_equal(found.service.n, row->service_bytes);
    assert_int_equal(found.method.n, row->method_bytes);
    assert_int_equal(found.payload.n, row->payload_bytes);
    if (row->payload_bytes)
        assert_ptr_equal(found.payload.p, payload);
    assert_int_equal(found.timeout_ns, GR_MAX(row->timeout_ns, 0));
    free(out);
}

static void encode_response(void **state)
{
    const struct encode_row *row = *state;
    struct gr_ttrpc_response response = {
        .code = row->code,
        .text = {.p = filler, .n = row->text_bytes},
        .payload = {.p = NULL, .n = row->payload_bytes},
    };
    size_t n = gr_ttrpc_response_bytes(&response);
    uint8_t *out = malloc(n + 1);
    struct gr_ttrpc_response found;
    uint8_t *payload;

    assert_non_null(out);
    out[n] = 0xa5;
    payload = gr_ttrpc_response_encode(&response, out);
    assert_ptr_equal(payload + row->payload_bytes, out + n);
    memset(payload, 'p', row->payload_bytes);
    assert_int_equal(out[n], 0xa5);
    assert_int_equal(gr_ttrpc_response_decode((struct gr_str){.p = (char *)out, .n = n}, &found),
                     0);
    assert_int_equal(found.code, row->code);
    assert_int_equal(found.text.n, row->code ? row->text_bytes : 0);
    assert_int_equal(found.payload.n, row->payload_bytes);
    free(out);
}

static void test_put_header(void **state GR_UNUSED)
{
    static const uint8_t expected[] = {0x00, 0x40, 0x00, 0x00, 0x01, 0x02, 0x03, 0x05, 2, 0};
    uint8_t out[GR_TTRPC_HEADER_BYTES];

    gr_ttrpc_put_header(out, 4U << 20, 0x01020305, GR_TTRPC_RESPONSE);
    assert_memory_equal(out, expected, sizeof(expected));
}

int main(void)
{
    memset(filler, 'f', sizeof(filler));
    TEST_ADD_ROWS(request_decode, request_rows);
    TEST_ADD_ROWS(prefixes, request_rows);
    TEST_ADD_ROWS(response_decode, response_rows);
    TEST_ADD_ROWS(encode_request, encode_rows);
    TEST_ADD_ROWS(encode_response, encode_rows);
    test_add("put header", test_put_header);
    return test_run("wire/ttrpc_envelope");
}
