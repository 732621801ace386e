/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/rpc.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "wire/mux.h"

_Static_assert(GR_TTRPC_RECV_MAX_BYTES == 16U << 20, "texts here say 16 MiB");

struct call {
    uint32_t stream; /* 0: this place is free */
    uint64_t deadline_ns;
};

struct gr_rpc {
    const struct gr_rpc_ops *ops; /* borrowed */
    void *user;
    uint32_t server_id;
    uint32_t client_id;
    struct gr_mux_rx mux;
    struct gr_ttrpc_rx server_rx;
    struct gr_ttrpc_rx client_rx;
    struct gr_buf out;
    size_t out_sent;      /* bytes of out that have been written already */
    uint32_t last_stream; /* highest stream that the peer has used */
    uint32_t next_stream; /* of our next call; 0: all are used up */
    struct call calls[GR_RPC_CALLS_MAX];
    int failed; /* 0, or why no answer could be queued: the peer would wait in vain */
    struct gr_rpc_counters counters;
};

int gr_rpc_new(uint32_t server_id, uint32_t client_id, const struct gr_rpc_ops *ops, void *user,
               struct gr_rpc **out_rpc)
{
    struct gr_rpc *rpc = calloc(1, sizeof(*rpc));

    if (!rpc)
        return -ENOMEM;
    rpc->ops = ops;
    rpc->user = user;
    rpc->server_id = server_id;
    rpc->client_id = client_id;
    rpc->next_stream = 1;
    gr_mux_rx_init(&rpc->mux);
    gr_ttrpc_rx_init(&rpc->server_rx);
    gr_ttrpc_rx_init(&rpc->client_rx);
    gr_buf_init(&rpc->out, GR_RPC_SEND_QUEUE_MAX_BYTES);
    *out_rpc = rpc;
    return 0;
}

void gr_rpc_free(struct gr_rpc *rpc)
{
    if (!rpc)
        return;
    gr_ttrpc_rx_fini(&rpc->server_rx);
    gr_ttrpc_rx_fini(&rpc->client_rx);
    gr_buf_fini(&rpc->out);
    free(rpc);
}

/* ---- the send queue ---- */

/* Room for n bytes at the end of the queue. Returns 0, -ENOMEM or -ENOBUFS. */
static int queue_bytes(struct gr_rpc *rpc, size_t n, uint8_t **out_at)
{
    struct gr_buf *out = &rpc->out;
    size_t pending = out->len - rpc->out_sent;

    if (n > GR_RPC_SEND_QUEUE_MAX_BYTES - pending)
        return -ENOBUFS;
    /* Moving no more than has been written keeps the cost in proportion to the bytes sent. */
    if (rpc->out_sent >= pending || n > out->max - out->len) {
        gr_buf_drop_front(out, rpc->out_sent);
        rpc->out_sent = 0;
    }
    *out_at = gr_buf_grow(out, n);
    if (*out_at)
        return 0;
    out->broken = 0; /* a smaller message may still fit */
    return -ENOMEM;
}

/*
 * Queues the headers of a message of data_bytes (at most GR_TTRPC_SEND_MAX_BYTES) and room for its
 * data. A message that is not small goes as two frames, so that the one with the header stays below
 * GR_MUX_FIRST_FRAME_MAX_BYTES and the peer's queue of 256 frames does not fill.
 */
static int queue_message(struct gr_rpc *rpc, uint32_t id, uint32_t stream, uint8_t type,
                         size_t data_bytes, uint8_t **out_data)
{
    bool small = GR_TTRPC_HEADER_BYTES + data_bytes <= GR_MUX_FIRST_FRAME_MAX_BYTES;
    size_t headers_bytes = GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES;
    uint32_t bytes = (uint32_t)data_bytes;
    uint8_t *at;
    int r;

    if (!small)
        headers_bytes += GR_MUX_HEADER_BYTES;
    r = queue_bytes(rpc, headers_bytes + data_bytes, &at);
    if (r < 0)
        return r;
    gr_mux_put_header(at, id, GR_TTRPC_HEADER_BYTES + (small ? bytes : 0));
    at += GR_MUX_HEADER_BYTES;
    gr_ttrpc_put_header(at, bytes, stream, type);
    at += GR_TTRPC_HEADER_BYTES;
    if (!small) {
        gr_mux_put_header(at, id, bytes);
        at += GR_MUX_HEADER_BYTES;
    }
    *out_data = at;
    return 0;
}

static size_t packed_bytes(const ProtobufCMessage *message)
{
    return message ? protobuf_c_message_get_packed_size(message) : 0;
}

static void pack(const ProtobufCMessage *message, uint8_t *out)
{
    if (message)
        (void)protobuf_c_message_pack(message, out);
}

static int queue_response(struct gr_rpc *rpc, uint32_t stream,
                          const struct gr_ttrpc_response *response, const ProtobufCMessage *message)
{
    size_t bytes = gr_ttrpc_response_bytes(response);
    uint8_t *at;
    int r;

    if (bytes > GR_TTRPC_SEND_MAX_BYTES)
        return -EMSGSIZE;
    r = queue_message(rpc, rpc->server_id, stream, GR_TTRPC_RESPONSE, bytes, &at);
    if (r < 0)
        return r;
    pack(message, gr_ttrpc_response_encode(response, at));
    rpc->counters.replies++;
    return 0;
}

/* The text as it may be sent: printable and not too long. Returns its length. */
static size_t make_text(struct gr_str text, char out[GR_RPC_STATUS_TEXT_MAX_BYTES + 1])
{
    size_t n = GR_MIN(text.n, (size_t)GR_RPC_STATUS_TEXT_MAX_BYTES);

    for (size_t i = 0; i < n; i++)
        out[i] = text.p[i] ? text.p[i] : '?';
    out[n] = '\0';
    gr_utf8_make_printable(out);
    return strlen(out);
}

int gr_rpc_reply_status(struct gr_rpc *rpc, uint32_t stream, enum gr_status code,
                        struct gr_str text)
{
    char buffer[GR_RPC_STATUS_TEXT_MAX_BYTES + 1];
    struct gr_ttrpc_response response = {.code = (int32_t)code};
    int r;

    response.text = (struct gr_str){.p = buffer, .n = make_text(text, buffer)};
    r = queue_response(rpc, stream, &response, NULL);
    if (r < 0)
        rpc->failed = r;
    return r;
}

int gr_rpc_reply(struct gr_rpc *rpc, uint32_t stream, const ProtobufCMessage *message)
{
    struct gr_ttrpc_response response = {.payload.n = packed_bytes(message)};
    char text[128];
    int r = queue_response(rpc, stream, &response, message);

    if (r == 0)
        return 0;
    (void)snprintf(text, sizeof(text),
                   r == -EMSGSIZE ? "the reply of %zu bytes is over the limit of %u bytes"
                                  : "no memory for the reply of %zu bytes (limit %u bytes)",
                   response.payload.n, GR_TTRPC_SEND_MAX_BYTES);
    r = gr_rpc_reply_status(rpc, stream, GR_STATUS_RESOURCE_EXHAUSTED, gr_str_from(text));
    return r < 0 ? r : -EMSGSIZE;
}

struct gr_str gr_rpc_pending(const struct gr_rpc *rpc)
{
    return gr_str_skip(gr_buf_view(&rpc->out), rpc->out_sent);
}

void gr_rpc_sent(struct gr_rpc *rpc, size_t n)
{
    n = GR_MIN(n, rpc->out.len - rpc->out_sent);
    rpc->counters.bytes_out += n;
    rpc->out_sent += n;
    if (rpc->out_sent == rpc->out.len) {
        gr_buf_reset(&rpc->out, GR_RPC_KEEP_BYTES);
        rpc->out_sent = 0;
    }
}

/* ---- the server ---- */

/* Answers a message that breaks the rules. A failure to do so is kept in rpc->failed. */
static void refuse(struct gr_rpc *rpc, uint32_t stream, enum gr_status code, struct gr_str text)
{
    rpc->counters.protocol_errors++;
    (void)gr_rpc_reply_status(rpc, stream, code, text);
}

static uint64_t add_time(uint64_t now_ns, uint64_t more_ns)
{
    uint64_t sum;

    return gr_add_overflows(now_ns, more_ns, &sum) ? UINT64_MAX : sum;
}

static void refuse_unknown(struct gr_rpc *rpc, uint32_t stream, struct gr_str method)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "method %.*s", GR_STR_FMT(method));
    refuse(rpc, stream, GR_STATUS_UNIMPLEMENTED, gr_str_from(text));
}

static void take_request(struct gr_rpc *rpc, const struct gr_ttrpc_message *message,
                         uint64_t now_ns)
{
    struct gr_ttrpc_request request;
    uint64_t deadline_ns;

    if (message->stream % 2 == 0) {
        refuse(rpc, message->stream, GR_STATUS_INVALID_ARGUMENT,
               GR_STR("stream id must be odd for client initiated streams"));
        return;
    }
    if (message->stream <= rpc->last_stream) {
        refuse(rpc, message->stream, GR_STATUS_INVALID_ARGUMENT,
               GR_STR("stream id cannot be used again and must rise"));
        return;
    }
    rpc->last_stream = message->stream;
    if (gr_ttrpc_request_decode(message->data, &request) < 0) {
        refuse(rpc, message->stream, GR_STATUS_INVALID_ARGUMENT,
               GR_STR("the data is no ttrpc request"));
        return;
    }
    if (!rpc->ops->knows(rpc->user, request.service, request.method)) {
        refuse_unknown(rpc, message->stream, request.method);
        return;
    }
    deadline_ns = request.timeout_ns > 0 ? add_time(now_ns, (uint64_t)request.timeout_ns) : 0;
    rpc->counters.requests++;
    rpc->ops->request(rpc->user, message->stream, &request, deadline_ns);
}

static void take_server_message(struct gr_rpc *rpc, const struct gr_ttrpc_message *message,
                                bool oversized, uint64_t now_ns)
{
    if (message->type != GR_TTRPC_REQUEST && message->type != GR_TTRPC_DATA)
        rpc->counters.protocol_errors++;
    else if (oversized)
        refuse(rpc, message->stream, GR_STATUS_RESOURCE_EXHAUSTED,
               GR_STR("the message is over the limit of 16 MiB"));
    else if (message->type == GR_TTRPC_DATA)
        refuse(rpc, message->stream, GR_STATUS_INVALID_ARGUMENT,
               GR_STR("no method here takes a stream of data"));
    else
        take_request(rpc, message, now_ns);
}

/* ---- the client ---- */

static struct call *find_call(struct gr_rpc *rpc, uint32_t stream)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(rpc->calls); i++) {
        if (rpc->calls[i].stream == stream)
            return &rpc->calls[i];
    }
    return NULL;
}

/* Hands the outcome to the caller; its place is free before, so that it may call again. */
static void end_call(struct gr_rpc *rpc, struct call *call,
                     const struct gr_ttrpc_response *response)
{
    uint32_t stream = call->stream;

    *call = (struct call){0};
    rpc->ops->response(rpc->user, stream, response);
}

static void end_call_with(struct gr_rpc *rpc, struct call *call, enum gr_status code,
                          struct gr_str text)
{
    struct gr_ttrpc_response response = {.code = (int32_t)code, .text = text};

    end_call(rpc, call, &response);
}

static void take_client_message(struct gr_rpc *rpc, const struct gr_ttrpc_message *message,
                                bool oversized, uint64_t now_ns GR_UNUSED)
{
    struct call *call = message->stream ? find_call(rpc, message->stream) : NULL;
    struct gr_ttrpc_response response;

    if (message->type != GR_TTRPC_RESPONSE || !call) {
        rpc->counters.protocol_errors++;
        return;
    }
    if (oversized) {
        rpc->counters.protocol_errors++;
        end_call_with(rpc, call, GR_STATUS_RESOURCE_EXHAUSTED,
                      GR_STR("the answer is over the limit of 16 MiB"));
        return;
    }
    if (gr_ttrpc_response_decode(message->data, &response) < 0) {
        rpc->counters.protocol_errors++;
        end_call_with(rpc, call, GR_STATUS_INTERNAL, GR_STR("the answer is no ttrpc response"));
        return;
    }
    end_call(rpc, call, &response);
}

int gr_rpc_call(struct gr_rpc *rpc, const char *service, const char *method,
                const ProtobufCMessage *message, uint64_t timeout_ns, uint64_t now_ns,
                uint32_t *out_stream)
{
    struct gr_ttrpc_request request = {
        .service = gr_str_from(service),
        .method = gr_str_from(method),
        .payload.n = packed_bytes(message),
        .timeout_ns = (int64_t)GR_MIN(timeout_ns, (uint64_t)INT64_MAX),
    };
    size_t bytes = gr_ttrpc_request_bytes(&request);
    struct call *call = find_call(rpc, 0);
    uint8_t *at;
    int r;

    if (!call)
        return -EBUSY;
    if (bytes > GR_TTRPC_SEND_MAX_BYTES)
        return -EMSGSIZE;
    if (rpc->next_stream == 0)
        return -ENOBUFS;
    r = queue_message(rpc, rpc->client_id, rpc->next_stream, GR_TTRPC_REQUEST, bytes, &at);
    if (r < 0)
        return r;
    pack(message, gr_ttrpc_request_encode(&request, at));
    rpc->counters.calls++;
    *call = (struct call){
        .stream = rpc->next_stream,
        .deadline_ns = timeout_ns ? add_time(now_ns, timeout_ns) : 0,
    };
    *out_stream = rpc->next_stream;
    /* Stream ids may not be used twice on a connection. */
    rpc->next_stream = rpc->next_stream == UINT32_MAX ? 0 : rpc->next_stream + 2;
    return 0;
}

uint64_t gr_rpc_next_deadline(const struct gr_rpc *rpc)
{
    uint64_t next_ns = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(rpc->calls); i++) {
        uint64_t at_ns = rpc->calls[i].deadline_ns;

        if (at_ns && (next_ns == 0 || at_ns < next_ns))
            next_ns = at_ns;
    }
    return next_ns;
}

void gr_rpc_tick(struct gr_rpc *rpc, uint64_t now_ns)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(rpc->calls); i++) {
        struct call *call = &rpc->calls[i];

        if (call->deadline_ns && call->deadline_ns <= now_ns)
            end_call_with(rpc, call, GR_STATUS_DEADLINE_EXCEEDED, GR_STR("no answer in time"));
    }
}

/* ---- what comes in ---- */

typedef void take_message(struct gr_rpc *rpc, const struct gr_ttrpc_message *message,
                          bool oversized, uint64_t now_ns);

static int feed_stream(struct gr_rpc *rpc, struct gr_ttrpc_rx *rx, struct gr_str data,
                       take_message *take, uint64_t now_ns)
{
    /* Until it returns 0, also when data is used up: the last call gives a large buffer back. */
    for (;;) {
        struct gr_ttrpc_message message;
        size_t used;
        int r = gr_ttrpc_feed(rx, data, &used, &message);

        if (r <= 0)
            return r;
        data = gr_str_skip(data, used);
        take(rpc, &message, r == GR_TTRPC_OVERSIZED, now_ns);
        if (rpc->failed)
            return rpc->failed;
    }
}

int gr_rpc_feed(struct gr_rpc *rpc, struct gr_str bytes, uint64_t now_ns)
{
    rpc->counters.bytes_in += bytes.n;
    while (bytes.n > 0 && !rpc->failed) {
        struct gr_str data;
        size_t used;
        uint32_t id;
        int r = gr_mux_feed(&rpc->mux, bytes, &used, &id, &data);

        if (r < 0)
            rpc->counters.protocol_errors++;
        if (r <= 0)
            return r;
        bytes = gr_str_skip(bytes, used);
        if (id == rpc->server_id)
            r = feed_stream(rpc, &rpc->server_rx, data, take_server_message, now_ns);
        else if (id == rpc->client_id)
            r = feed_stream(rpc, &rpc->client_rx, data, take_client_message, now_ns);
        else if (rpc->mux.left == 0)
            rpc->counters.protocol_errors++; /* once, at the frame's end */
        if (r < 0)
            return r;
    }
    return rpc->failed;
}

const struct gr_rpc_counters *gr_rpc_counters(const struct gr_rpc *rpc)
{
    return &rpc->counters;
}
