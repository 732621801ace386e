/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/splits.h"

#include <errno.h>

#include "wire/mux.h"

/* Slices of one frame may be cut anywhere, so neighbours with the same id are written as one. */
static void run(const struct gr_str *pieces, size_t count, struct gr_buf *log)
{
    uint64_t last_id = UINT64_MAX;
    struct gr_mux_rx rx;

    gr_mux_rx_init(&rx);
    for (size_t i = 0; i < count; i++) {
        struct gr_str rest = pieces[i];
        struct gr_str data;
        uint32_t id;
        size_t used;
        int r;

        while ((r = gr_mux_feed(&rx, rest, &used, &id, &data)) > 0) {
            assert_int_equal(r, GR_MUX_DATA);
            assert_true(data.n > 0 && used >= data.n && used <= rest.n);
            assert_ptr_equal(data.p + data.n, rest.p + used);
            if (id != last_id)
                (void)gr_buf_printf(log, " %u:", id);
            last_id = id;
            log_hex(log, data);
            rest = gr_str_skip(rest, used);
        }
        if (r < 0) {
            (void)gr_buf_printf(log, " error %d", -r);
            return;
        }
        assert_int_equal(used, rest.n);
    }
}

static const struct split_row {
    const char *name;
    const char *hex;
    const char *expected;
} split_rows[] = {
    {"nothing", "", ""},
    {"half a header", "00000001", ""},
    {"header only", "00000001 00000004", ""},
    {"one frame", "00000001 00000004 61626364", " 1:61626364"},
    {"cut frame", "00000001 00000004 6162", " 1:6162"},
    {"empty frame", "00000001 00000000", ""},
    {"empty frames between", "00000001 00000000 00000002 00000001 aa 00000001 00000000", " 2:aa"},
    {"two of one id", "00000001 00000002 0102 00000001 00000001 03", " 1:010203"},
    {"interleaved ids",
     "00000001 00000002 0102 00000002 00000003 a1a2a3 00000001 00000002 0304 00000002 00000001 a4",
     " 1:0102 2:a1a2a3 1:0304 2:a4"},
    {"unknown ids", "00000000 00000001 0a ffffffff 00000001 0b 00000003 00000001 0c",
     " 0:0a 4294967295:0b 3:0c"},
    {"largest frame begins", "00000001 0100000a 01", " 1:01"},
    {"one byte too long", "00000001 00000001 07 00000001 0100000b 01 02 03", " 1:07 error 90"},
    {"all ones", "ffffffff ffffffff ff", " error 90"},
};

static void splits(void **state)
{
    const struct split_row *row = *state;

    splits_assert_hex(run, row->hex, row->expected);
}

/* A connection that cannot be read on stays so. */
static void test_error_stays(void **state GR_UNUSED)
{
    static const char bad[] = "\0\0\0\1\1\0\0\x0b rest";
    struct gr_str data, in = {.p = bad, .n = sizeof(bad) - 1};
    struct gr_mux_rx rx;
    uint32_t id;
    size_t used;

    gr_mux_rx_init(&rx);
    assert_int_equal(gr_mux_feed(&rx, in, &used, &id, &data), -EMSGSIZE);
    assert_int_equal(used, 8);
    assert_int_equal(gr_mux_feed(&rx, gr_str_skip(in, used), &used, &id, &data), -EMSGSIZE);
    assert_int_equal(gr_mux_feed(&rx, in, &used, &id, &data), -EMSGSIZE);
}

/* The longest frame is read to its end and the next one is found. */
static void test_longest_frame(void **state GR_UNUSED)
{
    static char block[1U << 16];
    size_t left = GR_MUX_FRAME_MAX_BYTES;
    uint8_t header[GR_MUX_HEADER_BYTES];
    struct gr_str data;
    struct gr_mux_rx rx;
    uint32_t id = 0;
    size_t used;

    gr_mux_rx_init(&rx);
    gr_mux_put_header(header, 1, GR_MUX_FRAME_MAX_BYTES);
    assert_int_equal(
        gr_mux_feed(&rx, (struct gr_str){(char *)header, sizeof(header)}, &used, &id, &data), 0);
    while (left > 0) {
        struct gr_str in = {.p = block, .n = GR_MIN(left, sizeof(block))};

        assert_int_equal(gr_mux_feed(&rx, in, &used, &id, &data), GR_MUX_DATA);
        assert_int_equal(data.n, in.n);
        left -= data.n;
    }
    assert_int_equal(gr_mux_feed(&rx, GR_STR("\0\0\0\2\0\0\0\1x"), &used, &id, &data), GR_MUX_DATA);
    assert_int_equal(id, 2);
    assert_str(data, "x");
}

static const struct header_row {
    const char *name;
    uint32_t id;
    uint32_t bytes;
    const char *expected;
} header_rows[] = {
    {"plugin", GR_MUX_ID_PLUGIN, 75, "000000010000004b"},
    {"runtime", GR_MUX_ID_RUNTIME, 4194314, "000000020040000a"},
    {"byte order", 0x01020304, 0xa0b0c0d0, "01020304a0b0c0d0"},
};

static void put_header(void **state)
{
    const struct header_row *row = *state;
    uint8_t out[GR_MUX_HEADER_BYTES];
    struct gr_buf log;

    gr_buf_init(&log, 64);
    gr_mux_put_header(out, row->id, row->bytes);
    log_hex(&log, (struct gr_str){.p = (char *)out, .n = sizeof(out)});
    assert_str(gr_buf_view(&log), row->expected);
    gr_buf_fini(&log);
}

int main(void)
{
    TEST_ADD_ROWS(splits, split_rows);
    TEST_ADD_ROWS(put_header, header_rows);
    test_add("an error stays", test_error_stays);
    test_add("longest frame", test_longest_frame);
    return test_run("wire/mux");
}
