/* SPDX-License-Identifier: Apache-2.0 */
#include "failing.h"
#include "testing.h"

#include <errno.h>

#include "sample.pb-c.h"
#include "wire/mux.h"
#include "wire/pbcheck.h"
#include "wire/rpc.h"

static uint8_t large[200000];

/* ---- a conversation of two sides ---- */

struct side {
    struct gr_rpc *rpc;
    size_t requests;
    size_t responses;
    int32_t codes[8];
    int failed; /* the first failure of a reply */
};

static void answer(void *user, uint32_t stream, const struct gr_ttrpc_request *request,
                   uint64_t deadline_ns GR_UNUSED)
{
    Sample__All all = SAMPLE__ALL__INIT;
    struct side *side = user;
    int r;

    all.blob.data = large;
    all.blob.len = gr_str_is(request->method, "Large") ? sizeof(large) : 10;
    side->requests++;
    if (gr_str_is(request->method, "Fail"))
        r = gr_rpc_reply_status(side->rpc, stream, GR_STATUS_UNKNOWN, GR_STR("no"));
    else
        r = gr_rpc_reply(side->rpc, stream, &all.base);
    /* -EMSGSIZE: an error went out in its place, which is an answer too. */
    if (r < 0 && r != -EMSGSIZE && side->failed == 0)
        side->failed = r;
}

static void take(void *user, uint32_t stream GR_UNUSED, const struct gr_ttrpc_response *response)
{
    struct side *side = user;

    side->codes[side->responses++ % GR_ARRAY_LEN(side->codes)] = response->code;
}

static bool knows(void *user GR_UNUSED, struct gr_str service GR_UNUSED, struct gr_str method)
{
    return !gr_str_is(method, "Unknown");
}

static const struct gr_rpc_ops ops = {.request = answer, .response = take, .knows = knows};

/* In pieces, so that messages are put together in buffers. */
static int carry(struct side *from, struct side *to)
{
    while (gr_rpc_pending(from->rpc).n > 0) {
        struct gr_str piece = gr_str_first(gr_rpc_pending(from->rpc), 7001);
        int r = gr_rpc_feed(to->rpc, piece, 0);

        if (r < 0)
            return r;
        gr_rpc_sent(from->rpc, piece.n);
    }
    return 0;
}

static int talk(struct side *plugin, struct side *runtime)
{
    static const char *const methods[] = {"Small", "Large", "Fail", "Unknown", "Large"};
    Sample__All all = SAMPLE__ALL__INIT;
    uint32_t stream;
    int r = 0;

    all.blob.data = large;
    all.blob.len = sizeof(large) / 2;
    for (size_t i = 0; i < GR_ARRAY_LEN(methods) && r == 0; i++) {
        r = gr_rpc_call(runtime->rpc, "service", methods[i], i % 2 ? &all.base : NULL, 0, 0,
                        &stream);
        if (r == 0)
            r = gr_rpc_call(plugin->rpc, "service", methods[i], NULL, 0, 0, &stream);
        if (r == 0)
            r = carry(runtime, plugin);
        if (r == 0)
            r = carry(plugin, runtime);
        if (r == 0)
            r = carry(runtime, plugin);
        /* Whatever failed and was got over: nobody is left without an answer. */
        if (r == 0 && (plugin->responses != i + 1 || runtime->responses != i + 1))
            r = -EPROTO;
    }
    return r;
}

static int conversation(void *user GR_UNUSED)
{
    struct side plugin = {0}, runtime = {0};
    int r;

    r = gr_rpc_new(GR_MUX_ID_PLUGIN, GR_MUX_ID_RUNTIME, &ops, &plugin, &plugin.rpc);
    if (r == 0)
        r = gr_rpc_new(GR_MUX_ID_RUNTIME, GR_MUX_ID_PLUGIN, &ops, &runtime, &runtime.rpc);
    if (r == 0)
        r = talk(&plugin, &runtime);
    /* A reply that could not be queued at all ends the connection. */
    if (r == 0 && (plugin.failed || runtime.failed))
        r = -EPROTO;
    gr_rpc_free(plugin.rpc);
    gr_rpc_free(runtime.rpc);
    return r;
}

static void test_conversation(void **state GR_UNUSED)
{
    failing_run(conversation, NULL);
}

/* ---- single functions ---- */

static int new_rpc(void *user GR_UNUSED)
{
    struct gr_rpc *rpc = NULL;
    int r = gr_rpc_new(1, 2, &ops, NULL, &rpc);

    /* The output is left alone on failure. */
    if (r < 0 && rpc)
        return -EPROTO;
    gr_rpc_free(rpc);
    return r;
}

static void test_new(void **state GR_UNUSED)
{
    failing_run(new_rpc, NULL);
}

/* A call that fails leaves no trace, and a later one works. */
static int call_again(void *user GR_UNUSED)
{
    Sample__All all = SAMPLE__ALL__INIT;
    struct side side = {0};
    uint32_t stream = 0;
    size_t pending;
    int first, r;

    all.blob.data = large;
    all.blob.len = sizeof(large);
    r = gr_rpc_new(1, 2, &ops, &side, &side.rpc);
    if (r < 0)
        return r;
    first = gr_rpc_call(side.rpc, "s", "m", &all.base, 5, 0, &stream);
    pending = gr_rpc_pending(side.rpc).n;
    if (first < 0 && (stream != 0 || pending != 0 || gr_rpc_next_deadline(side.rpc) != 0))
        r = -EPROTO;
    if (first < 0 && r == 0) {
        r = gr_rpc_call(side.rpc, "s", "m", NULL, 0, 0, &stream);
        if (r == 0 && stream != 1)
            r = -EPROTO;
    }
    gr_rpc_free(side.rpc);
    return r;
}

static void test_call_again(void **state GR_UNUSED)
{
    failing_run(call_again, NULL);
}

/* Memory for the reply is gone but a status fits in what is there already: the peer gets that. */
static void test_status_in_place_of_reply(void **state GR_UNUSED)
{
    Sample__All all = SAMPLE__ALL__INIT;
    struct gr_ttrpc_response response = {0};
    struct side side = {0};
    int r;

    all.blob.data = large;
    all.blob.len = 10;
    assert_int_equal(gr_rpc_new(1, 2, &ops, &side, &side.rpc), 0);
    assert_int_equal(gr_rpc_reply(side.rpc, 1, &all.base), 0);
    gr_rpc_sent(side.rpc, gr_rpc_pending(side.rpc).n);
    all.blob.len = sizeof(large);
    failing_begin(1, true);
    r = gr_rpc_reply(side.rpc, 3, &all.base);
    (void)failing_end();
    assert_int_equal(r, -EMSGSIZE);
    assert_int_equal(gr_ttrpc_response_decode(gr_str_skip(gr_rpc_pending(side.rpc), 18), &response),
                     0);
    assert_int_equal(response.code, GR_STATUS_RESOURCE_EXHAUSTED);
    assert_str(response.text, "no memory for the reply of 200004 bytes (limit 4194304 bytes)");
    /* The connection is not over: feeding goes on. */
    assert_int_equal(gr_rpc_feed(side.rpc, GR_STR("\0\0"), 0), 0);
    gr_rpc_free(side.rpc);
}

static int unpack(void *user GR_UNUSED)
{
    static const char data[] = "\x0a\x03"
                               "abc\x92\x01\x01x\x92\x01\x01y\x8a\x01\x03\x0a\x01l\xe2\x01\x03"
                               "\x8a\x01\x00\xe2\x01\x04\x92\x01\x01z\xc8\x3e\x01";
    ProtobufCMessage *message = NULL;
    struct gr_arena arena;
    struct gr_err err = {0};
    int r;

    /* Small blocks: many allocations, each of which can fail. */
    gr_arena_init(&arena, 16, 0);
    r = gr_pb_unpack(&sample__all__descriptor, (struct gr_str){data, sizeof(data) - 1}, &arena,
                     &message, &err);
    if ((r < 0) != (message == NULL))
        r = -EPROTO;
    gr_arena_fini(&arena);
    return r;
}

static void test_unpack(void **state GR_UNUSED)
{
    failing_run(unpack, NULL);
}

static int feed_ttrpc(void *user GR_UNUSED)
{
    struct gr_ttrpc_message message;
    uint8_t header[GR_TTRPC_HEADER_BYTES];
    struct gr_ttrpc_rx rx;
    size_t used;
    int r;

    gr_ttrpc_rx_init(&rx);
    gr_ttrpc_put_header(header, sizeof(large), 1, GR_TTRPC_REQUEST);
    r = gr_ttrpc_feed(&rx, (struct gr_str){(char *)header, sizeof(header)}, &used, &message);
    for (size_t at = 0; at < sizeof(large) && r == 0; at += 1000)
        r = gr_ttrpc_feed(&rx, (struct gr_str){(char *)large + at, 1000}, &used, &message);
    if (r >= 0)
        r = r == GR_TTRPC_MESSAGE ? 0 : -EPROTO;
    gr_ttrpc_rx_fini(&rx);
    return r;
}

static void test_feed_ttrpc(void **state GR_UNUSED)
{
    failing_run(feed_ttrpc, NULL);
}

/* ---- claims ---- */

/* Headers that claim much allocate little, on either id and for whatever type. */
static void test_claims_allocate_little(void **state GR_UNUSED)
{
    uint8_t headers[GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES];
    struct side side = {0};

    assert_int_equal(gr_rpc_new(1, 2, &ops, &side, &side.rpc), 0);
    for (uint32_t id = 1; id <= 2; id++) {
        gr_mux_put_header(headers, id, GR_MUX_FRAME_MAX_BYTES);
        gr_ttrpc_put_header(headers + GR_MUX_HEADER_BYTES, GR_TTRPC_RECV_MAX_BYTES, 1, (uint8_t)id);
        failing_begin(0, false);
        for (size_t i = 0; i < sizeof(headers); i++)
            assert_int_equal(gr_rpc_feed(side.rpc, (struct gr_str){(char *)headers + i, 1}, 0), 0);
        assert_int_equal(gr_rpc_feed(side.rpc, (struct gr_str){(char *)large, 100}, 0), 0);
        (void)failing_end();
        assert_true(failing_largest() <= 1024);
        gr_rpc_free(side.rpc);
        side = (struct side){0};
        assert_int_equal(gr_rpc_new(1, 2, &ops, &side, &side.rpc), 0);
    }
    gr_rpc_free(side.rpc);
}

int main(void)
{
    test_add("new", test_new);
    test_add("conversation", test_conversation);
    test_add("call again", test_call_again);
    test_add("status in place of a reply", test_status_in_place_of_reply);
    test_add("unpack", test_unpack);
    test_add("feed ttrpc", test_feed_ttrpc);
    test_add("claims allocate little", test_claims_allocate_little);
    return test_run("wire/fault");
}
