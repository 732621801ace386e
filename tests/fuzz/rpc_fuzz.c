/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes on the trunk, or messages made from the input. However they are cut:
 * - the same requests, responses, counters and outgoing bytes come out;
 * - each request and data message gets just one answer;
 * - what is sent is understood by the other side.
 */
#include "fuzz.h"

#include "wire/mux.h"
#include "wire/rpc.h"

struct side {
    struct gr_rpc *rpc;
    struct gr_buf *log; /* NULL: not logged */
    size_t replies;
    size_t later; /* streams that are answered at the end */
    uint32_t later_streams[16];
};

static void take_request(void *user, uint32_t stream, const struct gr_ttrpc_request *request,
                         uint64_t deadline_ns)
{
    struct side *side = user;
    int r;

    fuzz_log_number(side->log, stream);
    fuzz_log_bytes(side->log, request->service);
    fuzz_log_bytes(side->log, request->method);
    fuzz_log_bytes(side->log, request->payload);
    fuzz_log_number(side->log, deadline_ns);
    if (request->method.n == 1 && side->later < GR_ARRAY_LEN(side->later_streams)) {
        side->later_streams[side->later++] = stream;
        return;
    }
    if (request->method.n % 2)
        r = gr_rpc_reply_status(side->rpc, stream, GR_STATUS_INTERNAL, request->payload);
    else
        r = gr_rpc_reply(side->rpc, stream, NULL);
    FUZZ_CHECK(r == 0);
}

static void take_response(void *user, uint32_t stream, const struct gr_ttrpc_response *response)
{
    struct side *side = user;

    side->replies++;
    if (!side->log)
        return;
    fuzz_log_number(side->log, stream);
    fuzz_log_number(side->log, (uint64_t)(int64_t)response->code);
    fuzz_log_bytes(side->log, response->text);
    fuzz_log_bytes(side->log, response->payload);
    /* A place is free again: use it from within. */
    if (response->payload.n == 1) {
        uint32_t again;

        FUZZ_CHECK(gr_rpc_call(side->rpc, "s", "again", NULL, 10, 50, &again) == 0);
    }
}

static bool knows(void *user GR_UNUSED, struct gr_str service, struct gr_str method GR_UNUSED)
{
    return service.n != 3;
}

static const struct gr_rpc_ops ops = {
    .request = take_request, .response = take_response, .knows = knows};

/* What was sent is read as frames and messages, each of them well-formed. Returns how many. */
static size_t count_sent(struct gr_str sent)
{
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx server, client;
    struct gr_mux_rx mux;
    size_t used, replies = 0;
    struct gr_str data;
    uint32_t id;

    gr_mux_rx_init(&mux);
    gr_ttrpc_rx_init(&server);
    gr_ttrpc_rx_init(&client);
    while (gr_mux_feed(&mux, sent, &used, &id, &data) == GR_MUX_DATA) {
        struct gr_ttrpc_rx *rx = id == GR_MUX_ID_PLUGIN ? &server : &client;
        int r;

        FUZZ_CHECK(id == GR_MUX_ID_PLUGIN || id == GR_MUX_ID_RUNTIME);
        sent = gr_str_skip(sent, used);
        while ((r = gr_ttrpc_feed(rx, data, &used, &message)) > 0) {
            struct gr_ttrpc_response response;

            FUZZ_CHECK(r == GR_TTRPC_MESSAGE);
            FUZZ_CHECK(message.type == (rx == &server ? GR_TTRPC_RESPONSE : GR_TTRPC_REQUEST));
            if (rx == &server) {
                FUZZ_CHECK(gr_ttrpc_response_decode(message.data, &response) == 0);
                replies++;
            }
            data = gr_str_skip(data, used);
        }
        FUZZ_CHECK(r == 0);
    }
    FUZZ_CHECK(mux.have == 0 && mux.left == 0 && server.have == 0 && client.have == 0);
    gr_ttrpc_rx_fini(&server);
    gr_ttrpc_rx_fini(&client);
    return replies;
}

static void log_counters(const struct side *side, struct gr_buf *log)
{
    const struct gr_rpc_counters *counters = gr_rpc_counters(side->rpc);

    fuzz_log_number(log, counters->requests);
    fuzz_log_number(log, counters->replies);
    fuzz_log_number(log, counters->calls);
    fuzz_log_number(log, counters->protocol_errors);
    fuzz_log_number(log, gr_rpc_next_deadline(side->rpc));
}

static void run(struct gr_str bytes, size_t cut_at, size_t cut_every, struct gr_buf *log)
{
    struct side plugin = {.log = log};
    uint32_t stream;
    int r = 0;

    FUZZ_CHECK(gr_rpc_new(GR_MUX_ID_PLUGIN, GR_MUX_ID_RUNTIME, &ops, &plugin, &plugin.rpc) == 0);
    for (uint64_t i = 0; i < GR_RPC_CALLS_MAX; i++)
        FUZZ_CHECK(gr_rpc_call(plugin.rpc, "s", "m", NULL, 100 * i, 0, &stream) == 0);
    for (size_t at = 0; at < bytes.n && r == 0;) {
        struct gr_str piece = fuzz_piece(bytes, at, cut_at, cut_every);
        char *exact = fuzz_exact(piece);

        at += piece.n;
        r = gr_rpc_feed(plugin.rpc, (struct gr_str){.p = exact, .n = piece.n}, 50);
        free(exact);
    }
    fuzz_log_number(log, (uint64_t)(int64_t)r);
    for (size_t i = plugin.later; i > 0; i--)
        FUZZ_CHECK(gr_rpc_reply(plugin.rpc, plugin.later_streams[i - 1], NULL) == 0);
    gr_rpc_tick(plugin.rpc, 150);
    log_counters(&plugin, log);
    fuzz_log_bytes(log, gr_rpc_pending(plugin.rpc));
    FUZZ_CHECK(count_sent(gr_rpc_pending(plugin.rpc)) == gr_rpc_counters(plugin.rpc)->replies);
    gr_rpc_free(plugin.rpc);
}

/* Messages from the input: one or two frames each, sometimes with a frame of the other id between,
 * so that the rules behind the framing are reached soon. Returns how many ask for an answer. */
static size_t make_messages(struct gr_str input, struct gr_buf *out)
{
    size_t asking = 0;

    while (input.n > 0) {
        uint32_t what = fuzz_take(&input, 1);
        uint32_t id = what & 1 ? GR_MUX_ID_PLUGIN : GR_MUX_ID_RUNTIME;
        uint8_t type = (uint8_t)(what >> 1 & 3);
        uint32_t stream = fuzz_take(&input, 1);
        size_t data_bytes = fuzz_take(&input, 1);
        struct gr_str data = gr_str_first(input, data_bytes);
        uint8_t headers[GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES];

        input = gr_str_skip(input, data.n);
        gr_ttrpc_put_header(headers + GR_MUX_HEADER_BYTES, (uint32_t)data.n, stream, type);
        if (what & 8) { /* header and data in frames of their own */
            gr_mux_put_header(headers, id, GR_TTRPC_HEADER_BYTES);
            FUZZ_CHECK(gr_buf_add(out, headers, sizeof(headers)) == 0);
            if (what & 16)
                FUZZ_CHECK(gr_buf_add(out, "\0\0\0\3\0\0\0\1x", 9) == 0);
            gr_mux_put_header(headers, id, (uint32_t)data.n);
            FUZZ_CHECK(gr_buf_add(out, headers, GR_MUX_HEADER_BYTES) == 0);
        } else {
            gr_mux_put_header(headers, id, GR_TTRPC_HEADER_BYTES + (uint32_t)data.n);
            FUZZ_CHECK(gr_buf_add(out, headers, sizeof(headers)) == 0);
        }
        FUZZ_CHECK(gr_buf_str(out, data) == 0);
        asking += id == GR_MUX_ID_PLUGIN && (type == GR_TTRPC_REQUEST || type == GR_TTRPC_DATA);
    }
    return asking;
}

/* Each request and data message is answered once. */
static void check_answers(struct gr_str bytes, size_t asking)
{
    struct side plugin = {0};
    struct gr_buf log;

    gr_buf_init(&log, 1U << 28);
    plugin.log = &log;
    FUZZ_CHECK(gr_rpc_new(GR_MUX_ID_PLUGIN, GR_MUX_ID_RUNTIME, &ops, &plugin, &plugin.rpc) == 0);
    FUZZ_CHECK(gr_rpc_feed(plugin.rpc, bytes, 0) == 0);
    FUZZ_CHECK(gr_rpc_counters(plugin.rpc)->replies + plugin.later == asking);
    gr_rpc_free(plugin.rpc);
    gr_buf_fini(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    size_t cut_at = fuzz_take(&input, 2);
    struct gr_buf made;

    gr_buf_init(&made, 1U << 28);
    if (cut_at & 1) {
        size_t asking = make_messages(input, &made);

        input = gr_buf_view(&made);
        check_answers(input, asking);
    }
    fuzz_splits(run, input, cut_at % (input.n + 1));
    gr_buf_fini(&made);
    return 0;
}
