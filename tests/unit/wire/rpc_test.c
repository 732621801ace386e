/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the server and the client, each as bytes in and log and bytes out. */
#include "rpc_peer.h"

#include <errno.h>

#define SECOND_NS UINT64_C(1000000000)

/* Messages on the server's id: frame header, message header, data. */
#define REQ(frame, data_bytes, stream, data) \
    "00000001 " frame " " data_bytes " " stream " 01 00 " data " "
/* service "s", method "m" */
#define SM "0a0173 12016d"
#define OK_REPLY(stream) "00000001 0000000a 00000000 " stream " 02 00 "

/* Text of the statuses, as hexadecimal with their lengths. */
#define ODD_TEXT                                                                                   \
    "73747265616d206964206d757374206265206f646420666f7220636c69656e7420696e6974696174656420737472" \
    "65616d73"
#define RISE_TEXT \
    "73747265616d2069642063616e6e6f74206265207573656420616761696e20616e64206d7573742072697365"
#define PARSE_TEXT "7468652064617461206973206e6f2074747270632072657175657374"
#define DATA_TEXT "6e6f206d6574686f6420686572652074616b657320612073747265616d206f662064617461"
#define SIZE_TEXT "746865206d657373616765206973206f76657220746865206c696d6974206f66203136204d6942"

static const struct row {
    const char *name;
    const char *hex;
    const char *log;
    const char *sent;
    uint64_t protocol_errors;
    int result;
} rows[] = {
    {"nothing", "", "", "", 0, 0},
    {"request", REQ("00000010", "00000006", "00000001", SM), "request 1 s/m  until 0\n",
     OK_REPLY("00000001"), 0, 0},
    {"request with time-out", REQ("00000012", "00000008", "00000001", SM "2005"),
     "request 1 s/m  until 1005\n", OK_REPLY("00000001"), 0, 0},
    {"time-out that ends after all time",
     REQ("0000001a", "00000010", "00000001", SM "20 ffffffffffffffff7f"),
     "request 1 s/m  until 9223372036854776807\n", OK_REPLY("00000001"), 0, 0},
    {"negative time-out is none",
     REQ("0000001b", "00000011", "00000001", SM "20 ffffffffffffffffff01"),
     "request 1 s/m  until 0\n", OK_REPLY("00000001"), 0, 0},
    {"empty request", REQ("0000000a", "00000000", "00000001", ""), "request 1 /  until 0\n",
     OK_REPLY("00000001"), 0, 0},
    {"streams rise, with gaps",
     REQ("00000010", "00000006", "00000001", SM) REQ("00000010", "00000006", "00000009", SM)
         REQ("00000010", "00000006", "ffffffff", SM),
     "request 1 s/m  until 0\nrequest 9 s/m  until 0\nrequest 4294967295 s/m  until 0\n",
     OK_REPLY("00000001") OK_REPLY("00000009") OK_REPLY("ffffffff"), 0, 0},
    {"status", REQ("00000013", "00000009", "00000003", "0a0173 1204 4661696c"),
     "request 3 s/Fail  until 0\n",
     "00000001 00000017 0000000d 00000003 02 00 0a0b 0809 12 07 6e6f74206e6f77", 0, 0},
    {"even stream", REQ("00000010", "00000006", "00000002", SM), "",
     "00000001 00000042 00000038 00000002 02 00 0a36 0803 1232 " ODD_TEXT, 1, 0},
    {"stream 0", REQ("00000010", "00000006", "00000000", SM), "",
     "00000001 00000042 00000038 00000000 02 00 0a36 0803 1232 " ODD_TEXT, 1, 0},
    {"stream again",
     REQ("00000010", "00000006", "00000003", SM) REQ("00000010", "00000006", "00000003", SM),
     "request 3 s/m  until 0\n",
     OK_REPLY("00000003") "00000001 0000003c 00000032 00000003 02 00 0a30 0803 122c " RISE_TEXT, 1,
     0},
    {"stream falls, the next is fine",
     REQ("00000010", "00000006", "00000003", SM) REQ("00000010", "00000006", "00000001", SM)
         REQ("00000010", "00000006", "00000005", SM),
     "request 3 s/m  until 0\nrequest 5 s/m  until 0\n",
     OK_REPLY("00000003") "00000001 0000003c 00000032 00000001 02 00 0a30 0803 122c " RISE_TEXT
         OK_REPLY("00000005"),
     1, 0},
    {"an even stream does not count as the last",
     REQ("00000010", "00000006", "00000008", SM) REQ("00000010", "00000006", "00000001", SM),
     "request 1 s/m  until 0\n",
     "00000001 00000042 00000038 00000008 02 00 0a36 0803 1232 " ODD_TEXT OK_REPLY("00000001"), 1,
     0},
    {"no request",
     REQ("0000000b", "00000001", "00000001", "ff") REQ("00000010", "00000006", "00000001", SM), "",
     "00000001 0000002c 00000022 00000001 02 00 0a20 0803 121c " PARSE_TEXT
     "00000001 0000003c 00000032 00000001 02 00 0a30 0803 122c " RISE_TEXT,
     2, 0},
    {"unknown method", REQ("00000011", "00000007", "00000001", "0a0173 12024e6f"), "",
     "00000001 00000019 0000000f 00000001 02 00 0a0d 080c 12 09 6d6574686f64204e6f", 1, 0},
    {"unknown method with a control character",
     REQ("00000012", "00000008", "00000001", "0a0173 12034e6f0a"), "",
     "00000001 0000001a 00000010 00000001 02 00 0a0e 080c 12 0a 6d6574686f64204e6f3f", 1, 0},
    {"data message", "00000001 0000000b 00000001 00000001 03 00 00", "",
     "00000001 00000035 0000002b 00000001 02 00 0a29 0803 1225 " DATA_TEXT, 1, 0},
    {"response on the server's id", "00000001 0000000a 00000000 00000001 02 00", "", "", 1, 0},
    {"unknown types are ignored",
     "00000001 0000000a 00000000 00000001 00 00 00000001 0000000b 00000001 00000001 04 00 aa"
     "00000001 0000000a 00000000 00000001 ff ff" REQ("00000010", "00000006", "00000001", SM),
     "request 1 s/m  until 0\n", OK_REPLY("00000001"), 3, 0},
    {"oversized request", "00000001 0000000a 01000001 00000001 01 00", "",
     "00000001 00000037 0000002d 00000001 02 00 0a2b 0808 1227 " SIZE_TEXT, 1, 0},
    {"oversized data message", "00000001 0000000a ffffffff 00000001 03 00", "",
     "00000001 00000037 0000002d 00000001 02 00 0a2b 0808 1227 " SIZE_TEXT, 1, 0},
    {"oversized response on the server's id", "00000001 0000000a 01000001 00000001 02 00", "", "",
     1, 0},
    {"response to no call", "00000002 0000000a 00000000 00000063 02 00", "", "", 1, 0},
    {"response to stream 0", "00000002 0000000a 00000000 00000000 02 00", "", "", 1, 0},
    {"response", "00000002 0000000d 00000003 00000001 02 00 120161", "response 1 code 0 \"\" 61\n",
     "", 0, 0},
    {"response twice",
     "00000002 0000000a 00000000 00000001 02 00 00000002 0000000a 00000000 00000001 02 00",
     "response 1 code 0 \"\" \n", "", 1, 0},
    {"responses in any order",
     "00000002 0000000a 00000000 00000005 02 00 00000002 0000000a 00000000 00000001 02 00"
     "00000002 0000000a 00000000 00000003 02 00",
     "response 5 code 0 \"\" \nresponse 1 code 0 \"\" \nresponse 3 code 0 \"\" \n", "", 0, 0},
    {"response with status", "00000002 00000012 00000008 00000003 02 00 0a06 0805 12026e6f",
     "response 3 code 5 \"no\" \n", "", 0, 0},
    {"response that does not parse", "00000002 0000000b 00000001 00000001 02 00 ff",
     "response 1 code 13 \"the answer is no ttrpc response\" \n", "", 1, 0},
    {"oversized response", "00000002 0000000a 01000001 00000003 02 00",
     "response 3 code 8 \"the answer is over the limit of 16 MiB\" \n", "", 1, 0},
    {"oversized response to no call", "00000002 0000000a 01000001 00000063 02 00", "", "", 1, 0},
    {"request on the client's id", "00000002 00000010 00000006 00000001 01 00 " SM, "", "", 1, 0},
    {"data message on the client's id", "00000002 0000000a 00000000 00000001 03 00", "", "", 1, 0},
    {"unknown type on the client's id", "00000002 0000000a 00000000 00000001 09 00", "", "", 1, 0},
    {"frames of both ids cut each other's messages",
     "00000001 00000003 000000 00000002 00000005 0000000300 00000001 00000001 06"
     "00000001 0000000a 00000001 01 00 0a0173 12 00000002 00000007 000003 02 00 1201"
     "00000002 00000001 62 00000001 00000001 01 00000001 00000000 00000001 00000001 6d",
     "response 3 code 0 \"\" 62\nrequest 1 s/m  until 0\n", OK_REPLY("00000001"), 0, 0},
    {"a frame with two messages",
     "00000001 0000001a 00000000 00000001 01 00"
     "00000006 00000003 01 00 " SM,
     "request 1 /  until 0\nrequest 3 s/m  until 0\n", OK_REPLY("00000001") OK_REPLY("00000003"), 0,
     0},
    {"frames of other ids are dropped",
     "00000000 00000003 010203 00000003 0000000a 00000006 00000001 01 00"
     "00000001 0000000a 00000000 00000001 01 00 ffffffff 00000000",
     "request 1 /  until 0\n", OK_REPLY("00000001"), 2, 0},
    {"frame too long", "00000001 0000000a 00000000 00000001 01 00 00000003 0100000b 00",
     "request 1 /  until 0\n", OK_REPLY("00000001"), 1, -EMSGSIZE},
};

static const struct row *current; /* splits_run has no room for it */

/* Three calls are outstanding: streams 1, 3, 5. The clock stands at 1000. */
static void run(const struct gr_str *pieces, size_t count, struct gr_buf *log)
{
    const struct gr_rpc_counters *counters;
    struct peer peer;
    uint32_t stream;
    size_t bytes = 0;
    int r = 0;

    peer_init_plugin(&peer);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(gr_rpc_call(peer.rpc, "s", "m", NULL, 0, 0, &stream), 0);
    gr_rpc_sent(peer.rpc, gr_rpc_pending(peer.rpc).n);
    for (size_t i = 0; i < count && r == 0; i++) {
        r = gr_rpc_feed(peer.rpc, pieces[i], 1000);
        bytes += pieces[i].n;
    }
    assert_int_equal(r, current->result);
    (void)gr_buf_str(log, gr_buf_view(&peer.log));
    log_hex(log, gr_rpc_pending(peer.rpc));
    counters = gr_rpc_counters(peer.rpc);
    assert_int_equal(counters->protocol_errors, current->protocol_errors);
    assert_int_equal(counters->bytes_in, bytes);
    assert_int_equal(counters->calls, 3);
    peer_fini(&peer);
}

static void splits(void **state)
{
    const struct row *row = *state;
    struct gr_buf expected;

    current = row;
    gr_buf_init(&expected, 1U << 16);
    (void)gr_buf_text(&expected, row->log);
    for (const char *c = row->sent; *c; c++) {
        if (*c != ' ')
            (void)gr_buf_byte(&expected, (uint8_t)*c);
    }
    (void)gr_buf_byte(&expected, 0);
    splits_assert_hex(run, row->hex, (char *)expected.data);
    gr_buf_fini(&expected);
}

/* ---- calls ---- */

static void test_streams_are_odd_and_rise(void **state GR_UNUSED)
{
    struct peer plugin;
    uint32_t stream;

    peer_init_plugin(&plugin);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 0, 0, &stream), 0);
        assert_int_equal(stream, 2 * i + 1);
    }
    peer_assert_sent(&plugin, "00000002 00000010 00000006 00000001 01 00" SM
                              "00000002 00000010 00000006 00000003 01 00" SM
                              "00000002 00000010 00000006 00000005 01 00" SM);
    peer_fini(&plugin);
}

static void test_calls_max(void **state GR_UNUSED)
{
    struct peer plugin;
    uint32_t stream;
    size_t pending;

    peer_init_plugin(&plugin);
    for (size_t i = 0; i < GR_RPC_CALLS_MAX; i++)
        assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 0, 0, &stream), 0);
    pending = gr_rpc_pending(plugin.rpc).n;
    stream = 4711;
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 0, 0, &stream), -EBUSY);
    assert_int_equal(stream, 4711);
    assert_int_equal(gr_rpc_pending(plugin.rpc).n, pending);
    /* An answer makes room; the refused call has used up no stream. */
    assert_int_equal(peer_feed_hex(&plugin, "00000002 0000000a 00000000 00000003 02 00"), 0);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 0, 0, &stream), 0);
    assert_int_equal(stream, 2 * GR_RPC_CALLS_MAX + 1);
    peer_fini(&plugin);
}

static void test_call_from_response(void **state GR_UNUSED)
{
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    plugin.call_on_response = "second";
    for (size_t i = 0; i < GR_RPC_CALLS_MAX; i++)
        assert_int_equal(gr_rpc_call(plugin.rpc, "s", i ? "Later" : "first", NULL, 0, 0, &stream),
                         0);
    (void)peer_carry(&plugin, &runtime, 0);
    (void)peer_carry(&runtime, &plugin, 0);
    (void)peer_carry(&plugin, &runtime, 0);
    (void)peer_carry(&runtime, &plugin, 0);
    peer_assert_log(&plugin, "response 1 code 0 \"\" \nresponse 9 code 0 \"\" \n");
    peer_fini(&plugin);
    peer_fini(&runtime);
}

/* ---- time ---- */

static void test_deadlines(void **state GR_UNUSED)
{
    struct peer plugin;
    uint32_t stream;

    peer_init_plugin(&plugin);
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), 0);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 0, 100, &stream), 0);
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), 0);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 3 * SECOND_NS, 100, &stream), 0);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 2 * SECOND_NS, 100, &stream), 0);
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), 2 * SECOND_NS + 100);

    gr_rpc_tick(plugin.rpc, 2 * SECOND_NS + 99);
    peer_assert_log(&plugin, "");
    gr_rpc_tick(plugin.rpc, 2 * SECOND_NS + 100);
    peer_assert_log(&plugin, "response 5 code 4 \"no answer in time\" \n");
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), 3 * SECOND_NS + 100);
    /* The answer comes late and is dropped. */
    assert_int_equal(peer_feed_hex(&plugin, "00000002 0000000a 00000000 00000005 02 00"), 0);
    peer_assert_log(&plugin, "");
    assert_int_equal(gr_rpc_counters(plugin.rpc)->protocol_errors, 1);

    gr_rpc_tick(plugin.rpc, 100 * SECOND_NS);
    peer_assert_log(&plugin, "response 3 code 4 \"no answer in time\" \n");
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), 0);
    /* The call without one waits for ever. */
    gr_rpc_tick(plugin.rpc, UINT64_MAX);
    peer_assert_log(&plugin, "");
    assert_int_equal(peer_feed_hex(&plugin, "00000002 0000000a 00000000 00000001 02 00"), 0);
    peer_assert_log(&plugin, "response 1 code 0 \"\" \n");
    peer_fini(&plugin);
}

static void test_deadline_at_the_end_of_time(void **state GR_UNUSED)
{
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, UINT64_MAX, 100, &stream), 0);
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), UINT64_MAX);
    (void)peer_carry(&plugin, &runtime, UINT64_MAX - 5);
    peer_assert_log(&runtime, "request 1 s/m  until 18446744073709551615\n");
    peer_fini(&plugin);
    peer_fini(&runtime);
}

static void test_call_from_tick(void **state GR_UNUSED)
{
    struct peer plugin;
    uint32_t stream;

    peer_init_plugin(&plugin);
    plugin.call_on_response = "again";
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 5, 0, &stream), 0);
    assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 5, 0, &stream), 0);
    gr_rpc_tick(plugin.rpc, 5);
    peer_assert_log(&plugin, "response 1 code 4 \"no answer in time\" \n"
                             "response 3 code 4 \"no answer in time\" \n");
    assert_int_equal(peer_feed_hex(&plugin, "00000002 0000000a 00000000 00000005 02 00"), 0);
    peer_assert_log(&plugin, "response 5 code 0 \"\" \n");
    peer_fini(&plugin);
}

/* ---- replies and the queue ---- */

static void test_late_replies_in_any_order(void **state GR_UNUSED)
{
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    assert_int_equal(gr_rpc_call(runtime.rpc, "s", "Later", NULL, 0, 0, &stream), 0);
    assert_int_equal(gr_rpc_call(runtime.rpc, "s", "Later", NULL, 0, 0, &stream), 0);
    (void)peer_carry(&runtime, &plugin, 0);
    assert_int_equal(gr_rpc_pending(plugin.rpc).n, 0);
    assert_int_equal(gr_rpc_reply(plugin.rpc, 3, NULL), 0);
    assert_int_equal(
        gr_rpc_reply_status(plugin.rpc, 1, GR_STATUS_UNKNOWN, GR_STR("no \0 \x01 luck")), 0);
    (void)peer_carry(&plugin, &runtime, 0);
    peer_assert_log(&runtime, "response 3 code 0 \"\" \nresponse 1 code 2 \"no ? ? luck\" \n");
    peer_fini(&plugin);
    peer_fini(&runtime);
}

/* Whatever is written at a time, the bytes come out in order and once. */
static void test_sent_in_parts(void **state GR_UNUSED)
{
    struct peer plugin, runtime;
    size_t sent = 0, calls = 0;
    uint64_t total;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    plugin.blob_bytes = 5000;
    for (unsigned seed = 1; calls < 200; seed = seed * 1103515245U + 12345U) {
        struct gr_str pending = gr_rpc_pending(plugin.rpc);
        size_t n = GR_MIN((seed >> 16) % 3000, pending.n);
        uint32_t stream;

        assert_int_equal(gr_rpc_feed(runtime.rpc, gr_str_first(pending, n), 0), 0);
        gr_rpc_sent(plugin.rpc, n);
        sent += n;
        if (gr_rpc_call(runtime.rpc, "s", (seed >> 20) % 2 ? "Blob" : "m", NULL, 0, 0, &stream) ==
            0)
            calls++;
        (void)peer_carry(&runtime, &plugin, 0);
    }
    sent += peer_carry(&plugin, &runtime, 0);
    assert_int_equal(runtime.responses, calls);
    assert_int_equal(gr_rpc_counters(runtime.rpc)->protocol_errors, 0);
    total = gr_rpc_counters(plugin.rpc)->bytes_out;
    assert_int_equal(total, sent);
    assert_int_equal(gr_rpc_counters(runtime.rpc)->bytes_in, sent);
    assert_int_equal(gr_rpc_counters(plugin.rpc)->requests, calls);
    assert_int_equal(gr_rpc_counters(plugin.rpc)->replies, calls);
    assert_int_equal(gr_rpc_counters(runtime.rpc)->calls, calls);
    /* More than is there does no harm, neither with nothing waiting nor with a part written. */
    gr_rpc_sent(plugin.rpc, 1000);
    assert_int_equal(gr_rpc_counters(plugin.rpc)->bytes_out, total);
    assert_int_equal(gr_rpc_reply(plugin.rpc, 1, NULL), 0);
    total += gr_rpc_pending(plugin.rpc).n;
    gr_rpc_sent(plugin.rpc, 15);
    gr_rpc_sent(plugin.rpc, 1000);
    assert_int_equal(gr_rpc_counters(plugin.rpc)->bytes_out, total);
    assert_int_equal(gr_rpc_pending(plugin.rpc).n, 0);
    peer_fini(&plugin);
    peer_fini(&runtime);
}

static void test_free_null(void **state GR_UNUSED)
{
    gr_rpc_free(NULL);
}

int main(void)
{
    TEST_ADD_ROWS(splits, rows);
    test_add("streams are odd and rise", test_streams_are_odd_and_rise);
    test_add("calls max", test_calls_max);
    test_add("call from response", test_call_from_response);
    test_add("deadlines", test_deadlines);
    test_add("deadline at the end of time", test_deadline_at_the_end_of_time);
    test_add("call from tick", test_call_from_tick);
    test_add("late replies in any order", test_late_replies_in_any_order);
    test_add("sent in parts", test_sent_in_parts);
    test_add("free NULL", test_free_null);
    return test_run("wire/rpc");
}
