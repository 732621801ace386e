/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side of a connection for tests: a gr_rpc that logs what it is told and answers by the name of
 * the method (see peer_request).
 */
#ifndef GR_TESTS_WIRE_RPC_PEER_H
#define GR_TESTS_WIRE_RPC_PEER_H

#include "splits.h"

#include "sample.pb-c.h"
#include "wire/mux.h"
#include "wire/rpc.h"

struct peer {
    struct gr_rpc *rpc;
    struct gr_buf log;
    size_t blob_bytes;                 /* what "Blob" answers with */
    const ProtobufCMessage *answer;    /* what "Answer" answers with */
    const char *call_on_response;      /* a method to call from within ops->response, once */
    uint32_t last_stream;              /* of the last request or response */
    struct gr_ttrpc_response response; /* the last: code only, texts are borrowed */
    size_t responses;
    int reply_result; /* what the last gr_rpc_reply* of peer_request returned */
};

/* Answers with an All whose blob is as long as asked for. */
static inline int peer_reply_blob(struct peer *peer, uint32_t stream)
{
    Sample__All all = SAMPLE__ALL__INIT;
    int r;

    all.blob.len = peer->blob_bytes;
    all.blob.data = calloc(1, peer->blob_bytes + 1);
    assert_non_null(all.blob.data);
    r = gr_rpc_reply(peer->rpc, stream, &all.base);
    free(all.blob.data);
    return r;
}

static inline void peer_request(void *user, uint32_t stream, const struct gr_ttrpc_request *request,
                                uint64_t deadline_ns)
{
    struct peer *peer = user;

    (void)gr_buf_printf(&peer->log, "request %u %.*s/%.*s ", stream, GR_STR_FMT(request->service),
                        GR_STR_FMT(request->method));
    if (request->payload.n > 1024)
        (void)gr_buf_printf(&peer->log, "%zu bytes", request->payload.n);
    else
        log_hex(&peer->log, request->payload);
    (void)gr_buf_printf(&peer->log, " until %llu\n", (unsigned long long)deadline_ns);
    peer->last_stream = stream;
    if (gr_str_is(request->method, "Later"))
        return;
    if (gr_str_is(request->method, "Fail"))
        peer->reply_result = gr_rpc_reply_status(peer->rpc, stream, GR_STATUS_FAILED_PRECONDITION,
                                                 GR_STR("not now"));
    else if (gr_str_is(request->method, "Blob"))
        peer->reply_result = peer_reply_blob(peer, stream);
    else if (gr_str_is(request->method, "Answer"))
        peer->reply_result = gr_rpc_reply(peer->rpc, stream, peer->answer);
    else
        peer->reply_result = gr_rpc_reply(peer->rpc, stream, NULL);
}

static inline void peer_response(void *user, uint32_t stream,
                                 const struct gr_ttrpc_response *response)
{
    struct peer *peer = user;

    (void)gr_buf_printf(&peer->log, "response %u code %d \"%.*s\" ", stream, response->code,
                        GR_STR_FMT(response->text));
    if (response->payload.n > 1024)
        (void)gr_buf_printf(&peer->log, "%zu bytes", response->payload.n);
    else
        log_hex(&peer->log, response->payload);
    (void)gr_buf_text(&peer->log, "\n");
    peer->last_stream = stream;
    peer->response = (struct gr_ttrpc_response){.code = response->code};
    peer->responses++;
    if (peer->call_on_response) {
        const char *method = peer->call_on_response;

        peer->call_on_response = NULL;
        assert_int_equal(gr_rpc_call(peer->rpc, "s", method, NULL, 0, 0, &stream), 0);
    }
}

/* All methods but those that begin with "No". */
static inline bool peer_knows(void *user GR_UNUSED, struct gr_str service GR_UNUSED,
                              struct gr_str method)
{
    return !gr_str_has_prefix(method, GR_STR("No")) && !gr_str_is(method, "X");
}

static const struct gr_rpc_ops peer_ops = {
    .request = peer_request,
    .response = peer_response,
    .knows = peer_knows,
};

static inline void peer_init(struct peer *peer, uint32_t server_id, uint32_t client_id)
{
    *peer = (struct peer){0};
    gr_buf_init(&peer->log, 1U << 24);
    assert_int_equal(gr_rpc_new(server_id, client_id, &peer_ops, peer, &peer->rpc), 0);
}

/* As the plugin has it: it answers on id 1 and calls on id 2. */
static inline void peer_init_plugin(struct peer *peer)
{
    peer_init(peer, GR_MUX_ID_PLUGIN, GR_MUX_ID_RUNTIME);
}

static inline void peer_init_runtime(struct peer *peer)
{
    peer_init(peer, GR_MUX_ID_RUNTIME, GR_MUX_ID_PLUGIN);
}

static inline void peer_fini(struct peer *peer)
{
    assert_int_equal(peer->log.broken, 0);
    gr_buf_fini(&peer->log);
    gr_rpc_free(peer->rpc);
}

/* What was logged since the last time. */
static inline void peer_assert_log(struct peer *peer, const char *expected)
{
    assert_str(gr_buf_view(&peer->log), expected);
    gr_buf_reset(&peer->log, 0);
}

/* The pending bytes, as hexadecimal digits; they count as sent afterwards. */
static inline void peer_assert_sent(struct peer *peer, const char *expected_hex)
{
    static uint8_t expected[8192];
    struct gr_str pending = gr_rpc_pending(peer->rpc);
    size_t n = test_unhex(expected_hex, expected, sizeof(expected));
    struct gr_buf found;

    gr_buf_init(&found, 1U << 20);
    log_hex(&found, gr_str_first(pending, 4096));
    if (!gr_str_eq(pending, (struct gr_str){.p = (char *)expected, .n = n}))
        fail_msg("expected %s\nfound %.*s", expected_hex, GR_STR_FMT(gr_buf_view(&found)));
    gr_buf_fini(&found);
    gr_rpc_sent(peer->rpc, pending.n);
}

/* Feeds bytes that are written in hexadecimal. */
static inline int peer_feed_hex(struct peer *peer, const char *hex)
{
    static uint8_t bytes[8192];
    size_t n = test_unhex(hex, bytes, sizeof(bytes));
    uint8_t *exact = test_exact(bytes, n);
    int r = gr_rpc_feed(peer->rpc, (struct gr_str){.p = (char *)exact, .n = n}, 0);

    free(exact);
    return r;
}

/* Moves everything that waits from one side to the other; returns how much that was. */
static inline size_t peer_carry(struct peer *from, struct peer *to, uint64_t now_ns)
{
    struct gr_str pending = gr_rpc_pending(from->rpc);
    size_t n = pending.n;

    assert_int_equal(gr_rpc_feed(to->rpc, pending, now_ns), 0);
    gr_rpc_sent(from->rpc, n);
    return n;
}

/* Header of a mux frame and of a ttrpc message in one buffer, for messages made by hand. */
#define PEER_HEADERS_BYTES (GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES)

static inline void peer_put_headers(uint8_t out[PEER_HEADERS_BYTES], uint32_t id,
                                    uint32_t data_bytes, uint32_t stream, uint8_t type)
{
    gr_mux_put_header(out, id, data_bytes + GR_TTRPC_HEADER_BYTES);
    gr_ttrpc_put_header(out + GR_MUX_HEADER_BYTES, data_bytes, stream, type);
}

/* Feeds one whole message with data (in one frame). */
static inline int peer_feed_message(struct peer *peer, uint32_t id, uint32_t stream, uint8_t type,
                                    struct gr_str data)
{
    uint8_t headers[PEER_HEADERS_BYTES];
    int r;

    peer_put_headers(headers, id, (uint32_t)data.n, stream, type);
    r = gr_rpc_feed(peer->rpc, (struct gr_str){.p = (char *)headers, .n = sizeof(headers)}, 0);
    return r < 0 ? r : gr_rpc_feed(peer->rpc, data, 0);
}

#endif
