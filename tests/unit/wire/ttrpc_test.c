/* SPDX-License-Identifier: Apache-2.0 */
#include "splits.h"

#include <errno.h>

#include "wire/ttrpc.h"

#define TOO_LONG "01000001" /* GR_TTRPC_RECV_MAX_BYTES + 1 */

static void log_message(struct gr_buf *log, int r, const struct gr_ttrpc_message *message)
{
    (void)gr_buf_printf(log, "%s stream %u type %u flags %u ",
                        r == GR_TTRPC_OVERSIZED ? "oversized" : "message", message->stream,
                        message->type, message->flags);
    log_hex(log, message->data);
    (void)gr_buf_text(log, "\n");
}

static void run(const struct gr_str *pieces, size_t count, struct gr_buf *log)
{
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx rx;

    gr_ttrpc_rx_init(&rx);
    for (size_t i = 0; i < count; i++) {
        struct gr_str rest = pieces[i];
        size_t used;
        int r;

        while ((r = gr_ttrpc_feed(&rx, rest, &used, &message)) > 0) {
            assert_true(used <= rest.n);
            log_message(log, r, &message);
            rest = gr_str_skip(rest, used);
        }
        assert_int_equal(r, 0);
        assert_int_equal(used, rest.n);
    }
    gr_ttrpc_rx_fini(&rx);
}

static const struct split_row {
    const char *name;
    const char *hex;
    const char *expected;
} split_rows[] = {
    {"nothing", "", ""},
    {"half a header", "00000000 00", ""},
    {"header of a message with data", "00000002 00000001 01 00", ""},
    {"cut data", "00000002 00000001 01 00 aa", ""},
    {"empty message", "00000000 00000001 02 00", "message stream 1 type 2 flags 0 \n"},
    {"data", "00000003 00000005 01 00 aabbcc", "message stream 5 type 1 flags 0 aabbcc\n"},
    {"all fields", "00000001 a1b2c3d4 7f 80 01",
     "message stream 2712847316 type 127 flags 128 01\n"},
    {"three in a row",
     "00000002 00000001 01 00 0102  00000000 00000003 02 00  00000001 00000005 03 04 ff",
     "message stream 1 type 1 flags 0 0102\n"
     "message stream 3 type 2 flags 0 \n"
     "message stream 5 type 3 flags 4 ff\n"},
    {"oversized begins", TOO_LONG " 00000007 01 00", "oversized stream 7 type 1 flags 0 \n"},
    {"oversized data is skipped", TOO_LONG " 00000007 01 00 000000000000000000000000",
     "oversized stream 7 type 1 flags 0 \n"},
    {"longest claim", "ffffffff 00000009 02 00 00", "oversized stream 9 type 2 flags 0 \n"},
};

static void splits(void **state)
{
    const struct split_row *row = *state;

    splits_assert_hex(run, row->hex, row->expected);
}

static void put_header(struct gr_ttrpc_rx *rx, uint32_t data_bytes, uint32_t stream, int expected)
{
    uint8_t header[GR_TTRPC_HEADER_BYTES];
    struct gr_ttrpc_message message;
    size_t used;

    gr_ttrpc_put_header(header, data_bytes, stream, GR_TTRPC_REQUEST);
    assert_int_equal(
        gr_ttrpc_feed(rx, (struct gr_str){(char *)header, sizeof(header)}, &used, &message),
        expected);
    assert_int_equal(used, sizeof(header));
    if (expected > 0)
        assert_int_equal(message.stream, stream);
}

/* A message that lies whole in the input is handed out as it is. */
static void test_borrows(void **state GR_UNUSED)
{
    static const char in[] = "\0\0\0\3\0\0\0\1\1\0abc rest";
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx rx;
    size_t used;

    gr_ttrpc_rx_init(&rx);
    assert_int_equal(gr_ttrpc_feed(&rx, (struct gr_str){in, sizeof(in) - 1}, &used, &message),
                     GR_TTRPC_MESSAGE);
    assert_int_equal(used, 13);
    assert_ptr_equal(message.data.p, in + 10);
    assert_int_equal(message.data.n, 3);
    assert_null(rx.body.data);
    /* Also when it is just what is there. */
    assert_int_equal(gr_ttrpc_feed(&rx, (struct gr_str){in, 13}, &used, &message),
                     GR_TTRPC_MESSAGE);
    assert_ptr_equal(message.data.p, in + 10);
    assert_null(rx.body.data);
    gr_ttrpc_rx_fini(&rx);
}

struct limit_row {
    const char *name;
    uint32_t data_bytes;
    int expected; /* GR_TTRPC_MESSAGE or GR_TTRPC_OVERSIZED */
    size_t piece_bytes;
};

static const struct limit_row limit_rows[] = {
    {"64 KiB", 1U << 16, GR_TTRPC_MESSAGE, 4096},
    {"just under", GR_TTRPC_RECV_MAX_BYTES - 1, GR_TTRPC_MESSAGE, 65536},
    {"at the limit", GR_TTRPC_RECV_MAX_BYTES, GR_TTRPC_MESSAGE, 65536},
    {"at the limit, odd pieces", GR_TTRPC_RECV_MAX_BYTES, GR_TTRPC_MESSAGE, 99991},
    {"one past", GR_TTRPC_RECV_MAX_BYTES + 1, GR_TTRPC_OVERSIZED, 65536},
    {"one past, odd pieces", GR_TTRPC_RECV_MAX_BYTES + 1, GR_TTRPC_OVERSIZED, 99991},
};

/* Whatever the length, the message behind is found. */
static void limit(void **state)
{
    const struct limit_row *row = *state;
    char *piece = calloc(1, row->piece_bytes);
    size_t left = row->data_bytes, messages = 0;
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx rx;
    size_t used;

    assert_non_null(piece);
    memset(piece, 'z', row->piece_bytes);
    gr_ttrpc_rx_init(&rx);
    put_header(&rx, row->data_bytes, 1, row->expected == GR_TTRPC_OVERSIZED ? row->expected : 0);
    while (left > 0) {
        struct gr_str in = {.p = piece, .n = GR_MIN(left, row->piece_bytes)};
        int r = gr_ttrpc_feed(&rx, in, &used, &message);

        assert_int_equal(used, in.n);
        left -= used;
        /* Memory follows what has arrived: never more than twice that. */
        assert_true(rx.body.cap <= 2 * (row->data_bytes - left) + 512);
        if (r == 0)
            continue;
        assert_int_equal(r, GR_TTRPC_MESSAGE);
        assert_int_equal(left, 0);
        assert_int_equal(message.data.n, row->data_bytes);
        assert_int_equal(message.data.p[0], 'z');
        assert_int_equal(message.data.p[row->data_bytes - 1], 'z');
        messages++;
    }
    assert_int_equal(messages, row->expected == GR_TTRPC_MESSAGE);
    put_header(&rx, 0, 3, GR_TTRPC_MESSAGE);
    assert_true(rx.body.cap <= GR_RPC_KEEP_BYTES);
    gr_ttrpc_rx_fini(&rx);
    free(piece);
}

/* A header allocates nothing, whatever it claims. */
static void test_claims_cost_nothing(void **state GR_UNUSED)
{
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx rx;
    size_t used;

    gr_ttrpc_rx_init(&rx);
    put_header(&rx, GR_TTRPC_RECV_MAX_BYTES, 1, 0);
    assert_int_equal(rx.body.cap, 0);
    assert_int_equal(gr_ttrpc_feed(&rx, GR_STR("abc"), &used, &message), 0);
    assert_true(rx.body.cap <= 1024);
    gr_ttrpc_rx_fini(&rx);
}

/* Small buffers are kept for the next message, large ones are given back at the next call. */
static void test_keeps_small_buffers(void **state GR_UNUSED)
{
    static char data[GR_RPC_KEEP_BYTES + 1];
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx rx;
    size_t used;

    gr_ttrpc_rx_init(&rx);
    put_header(&rx, 3, 1, 0);
    assert_int_equal(gr_ttrpc_feed(&rx, GR_STR("a"), &used, &message), 0);
    assert_int_equal(gr_ttrpc_feed(&rx, GR_STR("bc"), &used, &message), GR_TTRPC_MESSAGE);
    assert_str(message.data, "abc");
    assert_int_equal(gr_ttrpc_feed(&rx, GR_STR_NONE, &used, &message), 0);
    assert_non_null(rx.body.data);

    put_header(&rx, sizeof(data), 3, 0);
    assert_int_equal(gr_ttrpc_feed(&rx, (struct gr_str){data, sizeof(data) - 1}, &used, &message),
                     0);
    assert_int_equal(gr_ttrpc_feed(&rx, GR_STR("x"), &used, &message), GR_TTRPC_MESSAGE);
    assert_int_equal(message.data.n, sizeof(data));
    assert_int_equal(gr_ttrpc_feed(&rx, GR_STR_NONE, &used, &message), 0);
    assert_null(rx.body.data);
    gr_ttrpc_rx_fini(&rx);
}

static void test_fini_in_the_middle(void **state GR_UNUSED)
{
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx rx;
    size_t used;

    gr_ttrpc_rx_init(&rx);
    put_header(&rx, 3, 1, 0);
    assert_int_equal(gr_ttrpc_feed(&rx, GR_STR("a"), &used, &message), 0);
    gr_ttrpc_rx_fini(&rx);
    /* It is as new. */
    put_header(&rx, 0, 1, GR_TTRPC_MESSAGE);
    gr_ttrpc_rx_fini(&rx);
}

int main(void)
{
    TEST_ADD_ROWS(splits, split_rows);
    TEST_ADD_ROWS(limit, limit_rows);
    test_add("borrows from the input", test_borrows);
    test_add("claims cost nothing", test_claims_cost_nothing);
    test_add("keeps small buffers", test_keeps_small_buffers);
    test_add("fini in the middle", test_fini_in_the_middle);
    return test_run("wire/ttrpc");
}
