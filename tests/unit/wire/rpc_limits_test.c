/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of gr_rpc at its edge and one past it. */
#include "rpc_peer.h"

#include <errno.h>

static char zeros[1U << 16];

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* A message whose packed size is n: an All with a blob (n is 0 or at least 2). */
static size_t blob_for(size_t n)
{
    size_t length_bytes = 1;

    if (n == 0)
        return 0;
    while (n - 1 - length_bytes >= (size_t)1 << (7 * length_bytes))
        length_bytes++;
    return n - 1 - length_bytes;
}

/* The envelope around a payload is its tag and its length. */
static size_t payload_for(size_t data_bytes)
{
    return blob_for(data_bytes);
}

static const struct frame_row {
    const char *name;
    size_t data_bytes; /* of the reply */
    size_t frames;
} frame_rows[] = {
    {"100", 100, 1},     {"4085", 4085, 1},      {"4086", 4086, 1},
    {"4087", 4087, 2},   {"4088", 4088, 2},      {"5000", 5000, 2},
    {"65536", 65536, 2}, {"1 MiB", 1U << 20, 2}, {"4 MiB", GR_TTRPC_SEND_MAX_BYTES, 2},
};

/* Frames of a reply: the first never over 4096 bytes, all that is left in the second. */
static void frames(void **state)
{
    const struct frame_row *row = *state;
    struct peer plugin, runtime;
    struct gr_str pending;
    uint32_t stream, first;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    plugin.blob_bytes = blob_for(payload_for(row->data_bytes));
    assert_int_equal(gr_rpc_call(runtime.rpc, "s", "Blob", NULL, 0, 0, &stream), 0);
    (void)peer_carry(&runtime, &plugin, 0);
    assert_int_equal(plugin.reply_result, 0);
    pending = gr_rpc_pending(plugin.rpc);
    assert_int_equal(be32(pending.p), GR_MUX_ID_PLUGIN);
    first = be32(pending.p + 4);
    assert_true(first <= GR_MUX_FIRST_FRAME_MAX_BYTES);
    assert_int_equal(be32(pending.p + 8), row->data_bytes);
    if (row->frames == 1) {
        assert_int_equal(first, GR_TTRPC_HEADER_BYTES + row->data_bytes);
        assert_int_equal(pending.n, 8 + first);
    } else {
        assert_int_equal(first, GR_TTRPC_HEADER_BYTES);
        assert_int_equal(be32(pending.p + 8 + first), GR_MUX_ID_PLUGIN);
        assert_int_equal(be32(pending.p + 8 + first + 4), row->data_bytes);
        assert_int_equal(pending.n, 8 + first + 8 + row->data_bytes);
    }
    (void)peer_carry(&plugin, &runtime, 0);
    assert_int_equal(runtime.responses, 1);
    assert_int_equal(runtime.response.code, 0);
    peer_fini(&plugin);
    peer_fini(&runtime);
}

/* Calls are framed alike. */
static void test_call_frames(void **state GR_UNUSED)
{
    Sample__All all = SAMPLE__ALL__INIT;
    struct peer plugin, runtime;
    struct gr_str pending;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    all.blob.data = (uint8_t *)zeros;
    all.blob.len = 5000;
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", &all.base, 0, 0, &stream), 0);
    pending = gr_rpc_pending(plugin.rpc);
    assert_int_equal(be32(pending.p), GR_MUX_ID_RUNTIME);
    assert_int_equal(be32(pending.p + 4), GR_TTRPC_HEADER_BYTES);
    assert_int_equal(be32(pending.p + 18), GR_MUX_ID_RUNTIME);
    (void)peer_carry(&plugin, &runtime, 0);
    peer_assert_log(&runtime, "request 1 s/m 5003 bytes until 0\n");
    peer_fini(&plugin);
    peer_fini(&runtime);
}

static void test_reply_too_large(void **state GR_UNUSED)
{
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    plugin.blob_bytes = blob_for(payload_for(GR_TTRPC_SEND_MAX_BYTES)) + 1;
    assert_int_equal(gr_rpc_call(runtime.rpc, "s", "Blob", NULL, 0, 0, &stream), 0);
    (void)peer_carry(&runtime, &plugin, 0);
    assert_int_equal(plugin.reply_result, -EMSGSIZE);
    (void)peer_carry(&plugin, &runtime, 0);
    peer_assert_log(&runtime, "response 1 code 8 "
                              "\"the reply of 4194300 bytes is over the limit of 4194304 bytes\" "
                              "\n");
    /* And goes on. */
    plugin.blob_bytes = 1;
    assert_int_equal(gr_rpc_call(runtime.rpc, "s", "Blob", NULL, 0, 0, &stream), 0);
    (void)peer_carry(&runtime, &plugin, 0);
    (void)peer_carry(&plugin, &runtime, 0);
    peer_assert_log(&runtime, "response 3 code 0 \"\" 120100\n");
    peer_fini(&plugin);
    peer_fini(&runtime);
}

static void test_call_too_large(void **state GR_UNUSED)
{
    Sample__All all = SAMPLE__ALL__INIT;
    struct peer plugin;
    uint32_t stream;

    peer_init_plugin(&plugin);
    /* 6 bytes of names, 5 of the payload's tag and length, 5 of the blob's. */
    all.blob.len = GR_TTRPC_SEND_MAX_BYTES - 6 - 5 - 5 + 1;
    all.blob.data = calloc(1, all.blob.len);
    assert_non_null(all.blob.data);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", &all.base, 0, 0, &stream), -EMSGSIZE);
    assert_int_equal(gr_rpc_pending(plugin.rpc).n, 0);
    all.blob.len--;
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", &all.base, 0, 0, &stream), 0);
    assert_int_equal(stream, 1);
    assert_int_equal(gr_rpc_pending(plugin.rpc).n, 26 + GR_TTRPC_SEND_MAX_BYTES);
    free(all.blob.data);
    peer_fini(&plugin);
}

/* A request of the largest size is taken; one byte more is answered and skipped. */
static const struct recv_row {
    const char *name;
    uint32_t data_bytes;
    const char *log;
    const char *answer;
} recv_rows[] = {
    {"16 MiB", GR_TTRPC_RECV_MAX_BYTES, "request 1 s/m 16777205 bytes until 0\n",
     "response 1 code 0 \"\" \n"},
    {"16 MiB and 1", GR_TTRPC_RECV_MAX_BYTES + 1, "",
     "response 1 code 8 \"the message is over the limit of 16 MiB\" \n"},
};

static void receive(void **state)
{
    static const uint8_t begin[] = {0x0a, 1, 's', 0x12, 1, 'm', 0x1a, 0xf5, 0xff, 0xff, 0x07};
    const struct recv_row *row = *state;
    uint8_t headers[PEER_HEADERS_BYTES];
    size_t left = row->data_bytes - sizeof(begin);
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(gr_rpc_call(runtime.rpc, "s", "m", NULL, 0, 0, &stream), 0);
    /* Both calls' own bytes are thrown away; the first is made by hand. */
    gr_rpc_sent(runtime.rpc, gr_rpc_pending(runtime.rpc).n / 2);
    gr_mux_put_header(headers, GR_MUX_ID_PLUGIN, GR_TTRPC_HEADER_BYTES);
    gr_ttrpc_put_header(headers + GR_MUX_HEADER_BYTES, row->data_bytes, 1, GR_TTRPC_REQUEST);
    assert_int_equal(gr_rpc_feed(plugin.rpc, (struct gr_str){(char *)headers, sizeof(headers)}, 0),
                     0);
    gr_mux_put_header(headers, GR_MUX_ID_PLUGIN, row->data_bytes);
    assert_int_equal(
        gr_rpc_feed(plugin.rpc, (struct gr_str){(char *)headers, GR_MUX_HEADER_BYTES}, 0), 0);
    assert_int_equal(
        gr_rpc_feed(plugin.rpc, (struct gr_str){(const char *)begin, sizeof(begin)}, 0), 0);
    while (left > 0) {
        size_t n = GR_MIN(left, sizeof(zeros));

        assert_int_equal(gr_rpc_feed(plugin.rpc, (struct gr_str){.p = zeros, .n = n}, 0), 0);
        left -= n;
    }
    peer_assert_log(&plugin, row->log);
    (void)peer_carry(&plugin, &runtime, 0);
    peer_assert_log(&runtime, row->answer);
    /* The message behind it works. */
    (void)peer_carry(&runtime, &plugin, 0);
    peer_assert_log(&plugin, "request 3 s/m  until 0\n");
    peer_fini(&plugin);
    peer_fini(&runtime);
}

/* Status text: at the limit whole, beyond it cut, and never within a character. */
static const struct text_row {
    const char *name;
    size_t bytes; /* that many 'x', then the end */
    const char *end;
    size_t sent_bytes;
} text_rows[] = {
    {"empty", 0, "", 0},
    {"at the limit", GR_RPC_STATUS_TEXT_MAX_BYTES, "", GR_RPC_STATUS_TEXT_MAX_BYTES},
    {"one past", GR_RPC_STATUS_TEXT_MAX_BYTES + 1, "", GR_RPC_STATUS_TEXT_MAX_BYTES},
    {"character fits", GR_RPC_STATUS_TEXT_MAX_BYTES - 2, "\xc3\xa9", GR_RPC_STATUS_TEXT_MAX_BYTES},
    {"character cut", GR_RPC_STATUS_TEXT_MAX_BYTES - 1, "\xc3\xa9",
     GR_RPC_STATUS_TEXT_MAX_BYTES - 1},
    {"long character cut", GR_RPC_STATUS_TEXT_MAX_BYTES - 3, "\xf0\x9f\x98\x80",
     GR_RPC_STATUS_TEXT_MAX_BYTES - 3},
};

static void status_text(void **state)
{
    const struct text_row *row = *state;
    size_t end_bytes = strlen(row->end);
    char *text = malloc(row->bytes + end_bytes + (row->bytes + end_bytes == 0));
    struct gr_ttrpc_response response;
    struct gr_str pending;
    struct peer plugin;

    assert_non_null(text);
    peer_init_plugin(&plugin);
    memset(text, 'x', row->bytes);
    memcpy(text + row->bytes, row->end, end_bytes);
    assert_int_equal(gr_rpc_reply_status(plugin.rpc, 1, GR_STATUS_UNKNOWN,
                                         (struct gr_str){.p = text, .n = row->bytes + end_bytes}),
                     0);
    pending = gr_str_skip(gr_rpc_pending(plugin.rpc), PEER_HEADERS_BYTES);
    assert_int_equal(gr_ttrpc_response_decode(pending, &response), 0);
    assert_int_equal(response.code, GR_STATUS_UNKNOWN);
    assert_int_equal(response.text.n, row->sent_bytes);
    peer_fini(&plugin);
    free(text);
}

/* Fills the queue so that just free_bytes are left. */
static void fill_queue(struct peer *plugin, size_t free_bytes)
{
    size_t max = GR_RPC_SEND_QUEUE_MAX_BYTES;

    for (;;) {
        size_t room = max - gr_rpc_pending(plugin->rpc).n - free_bytes;
        size_t data_bytes = GR_MIN(room - 26, (size_t)GR_TTRPC_SEND_MAX_BYTES);

        /* Not so much that a last message of less than the headers is left to be made. */
        if (room - 26 - data_bytes > 0 && room - 26 - data_bytes < 10000)
            data_bytes -= 10000;
        plugin->blob_bytes = blob_for(payload_for(data_bytes));
        assert_int_equal(peer_reply_blob(plugin, 1), 0);
        if (gr_rpc_pending(plugin->rpc).n == max - free_bytes)
            return;
    }
}

static void test_queue_full(void **state GR_UNUSED)
{
    struct peer plugin;
    uint32_t stream;

    peer_init_plugin(&plugin);
    fill_queue(&plugin, 24);
    /* 24 bytes: one small call fits, a second does not, and nothing of it is queued. */
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "mm", NULL, 0, 0, &stream), -ENOBUFS);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 0, 0, &stream), 0);
    assert_int_equal(stream, 1);
    assert_int_equal(gr_rpc_pending(plugin.rpc).n, GR_RPC_SEND_QUEUE_MAX_BYTES);
    assert_int_equal(gr_rpc_call(plugin.rpc, "", "", NULL, 0, 0, &stream), -ENOBUFS);
    /* Writing makes room again, right from the front. */
    gr_rpc_sent(plugin.rpc, 18);
    assert_int_equal(gr_rpc_call(plugin.rpc, "", "", NULL, 0, 0, &stream), 0);
    assert_int_equal(gr_rpc_pending(plugin.rpc).n, GR_RPC_SEND_QUEUE_MAX_BYTES);
    assert_int_equal(gr_rpc_call(plugin.rpc, "", "", NULL, 0, 0, &stream), -ENOBUFS);
    peer_fini(&plugin);
}

/* A reply that has no room becomes a status; when that has none either, the connection is over. */
static void test_queue_full_reply(void **state GR_UNUSED)
{
    struct peer plugin;

    peer_init_plugin(&plugin);
    fill_queue(&plugin, 120);
    plugin.blob_bytes = 300;
    assert_int_equal(peer_reply_blob(&plugin, 1), -EMSGSIZE);
    assert_int_equal(peer_reply_blob(&plugin, 3), -ENOBUFS);
    assert_int_equal(gr_rpc_feed(plugin.rpc, GR_STR_NONE, 0), -ENOBUFS);
    peer_fini(&plugin);
}

/* A peer that only asks and never reads is noticed. */
static void test_peer_does_not_read(void **state GR_UNUSED)
{
    static const char request[] = "\0\0\0\1\0\0\0\x0b\0\0\0\1\0\0\0\2\1\0\xff";
    struct gr_str in = {.p = request, .n = sizeof(request) - 1};
    struct peer plugin;
    size_t n = 0;
    int r;

    peer_init_plugin(&plugin);
    while ((r = gr_rpc_feed(plugin.rpc, in, 0)) == 0)
        assert_true(n++ < GR_RPC_SEND_QUEUE_MAX_BYTES / 40);
    assert_int_equal(r, -ENOBUFS);
    assert_true(gr_rpc_pending(plugin.rpc).n > GR_RPC_SEND_QUEUE_MAX_BYTES - 100);
    peer_fini(&plugin);
}

/* Frame length: one past the limit ends the connection, the limit itself does not. */
static void test_frame_limit(void **state GR_UNUSED)
{
    uint8_t header[GR_MUX_HEADER_BYTES];
    struct gr_str in = {.p = (char *)header, .n = sizeof(header)};
    struct peer plugin;

    peer_init_plugin(&plugin);
    gr_mux_put_header(header, GR_MUX_ID_PLUGIN, GR_MUX_FRAME_MAX_BYTES);
    assert_int_equal(gr_rpc_feed(plugin.rpc, in, 0), 0);
    peer_fini(&plugin);
    peer_init_plugin(&plugin);
    gr_mux_put_header(header, GR_MUX_ID_PLUGIN, GR_MUX_FRAME_MAX_BYTES + 1);
    assert_int_equal(gr_rpc_feed(plugin.rpc, in, 0), -EMSGSIZE);
    assert_int_equal(gr_rpc_feed(plugin.rpc, in, 0), -EMSGSIZE);
    peer_fini(&plugin);
}

int main(void)
{
    TEST_ADD_ROWS(frames, frame_rows);
    TEST_ADD_ROWS(receive, recv_rows);
    TEST_ADD_ROWS(status_text, text_rows);
    test_add("call frames", test_call_frames);
    test_add("reply too large", test_reply_too_large);
    test_add("call too large", test_call_too_large);
    test_add("queue full", test_queue_full);
    test_add("queue full: reply", test_queue_full_reply);
    test_add("peer does not read", test_peer_does_not_read);
    test_add("frame limit", test_frame_limit);
    return test_run("wire/rpc_limits");
}
