/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/ttrpc.h"

#include <errno.h>

#include "base/utf8.h"
#include "wire/be32.h"
#include "wire/field.h"

/* Field numbers of ttrpc's request.proto and of google.rpc.Status. */
enum { REQUEST_SERVICE = 1, REQUEST_METHOD, REQUEST_PAYLOAD, REQUEST_TIMEOUT, REQUEST_METADATA };
enum { RESPONSE_STATUS = 1, RESPONSE_PAYLOAD };
enum { STATUS_CODE = 1, STATUS_MESSAGE, STATUS_DETAILS };

void gr_ttrpc_rx_init(struct gr_ttrpc_rx *rx)
{
    *rx = (struct gr_ttrpc_rx){0};
    gr_buf_init(&rx->body, GR_TTRPC_RECV_MAX_BYTES);
}

void gr_ttrpc_rx_fini(struct gr_ttrpc_rx *rx)
{
    gr_buf_fini(&rx->body);
    gr_ttrpc_rx_init(rx);
}

/* Takes what the header still lacks from in; returns how much that was. */
static size_t take_header(struct gr_ttrpc_rx *rx, struct gr_str in)
{
    size_t n = GR_MIN(in.n, sizeof(rx->header) - rx->have);

    if (n)
        memcpy(rx->header + rx->have, in.p, n);
    rx->have += n;
    if (rx->have == sizeof(rx->header))
        rx->data_bytes = gr_be32_get(rx->header);
    return n;
}

/* Ends the current message: the next byte belongs to a header. */
static int deliver(struct gr_ttrpc_rx *rx, struct gr_str data, int result,
                   struct gr_ttrpc_message *out_message)
{
    *out_message = (struct gr_ttrpc_message){
        .stream = gr_be32_get(rx->header + 4),
        .type = rx->header[8],
        .flags = rx->header[9],
        .data = data,
    };
    rx->have = 0;
    return result;
}

/* Throws away what is left of an oversized message; returns how much of in that was. */
static size_t discard(struct gr_ttrpc_rx *rx, struct gr_str in)
{
    size_t n = GR_MIN(in.n, rx->discard);

    rx->discard -= n;
    return n;
}

int gr_ttrpc_feed(struct gr_ttrpc_rx *rx, struct gr_str in, size_t *out_used,
                  struct gr_ttrpc_message *out_message)
{
    struct gr_str rest;
    size_t used, n;

    if (rx->delivered) {
        gr_buf_reset(&rx->body, GR_RPC_KEEP_BYTES);
        rx->delivered = false;
    }
    used = discard(rx, in);
    used += take_header(rx, gr_str_skip(in, used));
    rest = gr_str_skip(in, used);
    *out_used = used;
    if (rx->have < sizeof(rx->header))
        return 0;
    if (rx->data_bytes > GR_TTRPC_RECV_MAX_BYTES) {
        rx->discard = rx->data_bytes;
        return deliver(rx, GR_STR_NONE, GR_TTRPC_OVERSIZED, out_message);
    }
    if (rx->body.len == 0 && rest.n >= rx->data_bytes) {
        *out_used = used + rx->data_bytes;
        return deliver(rx, gr_str_first(rest, rx->data_bytes), GR_TTRPC_MESSAGE, out_message);
    }
    n = GR_MIN(rest.n, rx->data_bytes - rx->body.len);
    if (gr_buf_str(&rx->body, gr_str_first(rest, n)) < 0)
        return -ENOMEM;
    *out_used = used + n;
    if (rx->body.len < rx->data_bytes)
        return 0;
    rx->delivered = true;
    return deliver(rx, gr_buf_view(&rx->body), GR_TTRPC_MESSAGE, out_message);
}

/* proto3 strings are valid UTF-8, and the Go peers refuse a message where one is not. */
static int text_of(const struct gr_wire_field *field, struct gr_str *out)
{
    if (field->type != GR_WIRE_BYTES || !gr_utf8_is_valid(field->bytes))
        return -EBADMSG;
    *out = field->bytes;
    return 0;
}

static int bytes_of(const struct gr_wire_field *field, struct gr_str *out)
{
    if (field->type != GR_WIRE_BYTES)
        return -EBADMSG;
    *out = field->bytes;
    return 0;
}

static int number_of(const struct gr_wire_field *field, int64_t *out)
{
    if (field->type != GR_WIRE_VARINT)
        return -EBADMSG;
    *out = (int64_t)field->value;
    return 0;
}

static int request_field(const struct gr_wire_field *field, struct gr_ttrpc_request *request)
{
    struct gr_str metadata;

    switch (field->number) {
    case REQUEST_SERVICE:
        return text_of(field, &request->service);
    case REQUEST_METHOD:
        return text_of(field, &request->method);
    case REQUEST_PAYLOAD:
        return bytes_of(field, &request->payload);
    case REQUEST_TIMEOUT:
        return number_of(field, &request->timeout_ns);
    case REQUEST_METADATA:
        return bytes_of(field, &metadata);
    default:
        return 0;
    }
}

int gr_ttrpc_request_decode(struct gr_str data, struct gr_ttrpc_request *out_request)
{
    struct gr_ttrpc_request request = {0};
    struct gr_wire_field field;
    int r;

    while ((r = gr_wire_field_next(&data, &field)) > 0) {
        r = request_field(&field, &request);
        if (r < 0)
            return r;
    }
    if (r == 0)
        *out_request = request;
    return r;
}

/* A status that comes twice is merged, as protobuf has it: later fields win, others stay. */
static int status_decode(struct gr_str data, struct gr_ttrpc_response *response)
{
    struct gr_wire_field field;
    struct gr_str details;
    int64_t code;
    int r;

    while ((r = gr_wire_field_next(&data, &field)) > 0) {
        switch (field.number) {
        case STATUS_CODE:
            r = number_of(&field, &code);
            if (r == 0)
                response->code = (int32_t)(uint32_t)(uint64_t)code;
            break;
        case STATUS_MESSAGE:
            r = text_of(&field, &response->text);
            break;
        case STATUS_DETAILS:
            r = bytes_of(&field, &details);
            break;
        default:
            break;
        }
        if (r < 0)
            return r;
    }
    return r;
}

static int response_field(const struct gr_wire_field *field, struct gr_ttrpc_response *response)
{
    struct gr_str status;
    int r;

    switch (field->number) {
    case RESPONSE_STATUS:
        r = bytes_of(field, &status);
        return r < 0 ? r : status_decode(status, response);
    case RESPONSE_PAYLOAD:
        return bytes_of(field, &response->payload);
    default:
        return 0;
    }
}

int gr_ttrpc_response_decode(struct gr_str data, struct gr_ttrpc_response *out_response)
{
    struct gr_ttrpc_response response = {0};
    struct gr_wire_field field;
    int r;

    while ((r = gr_wire_field_next(&data, &field)) > 0) {
        r = response_field(&field, &response);
        if (r < 0)
            return r;
    }
    if (r == 0)
        *out_response = response;
    return r;
}

/* Bytes of a field with a length prefix; proto3 leaves empty ones out. All tags are one byte. */
static size_t bytes_field_bytes(size_t n)
{
    return n ? 1 + gr_varint_bytes(n) + n : 0;
}

static uint8_t *put_bytes_header(uint8_t *out, uint32_t number, size_t n)
{
    *out++ = (uint8_t)(number << 3 | GR_WIRE_BYTES);
    return gr_varint_put(out, n);
}

static uint8_t *put_text(uint8_t *out, uint32_t number, struct gr_str text)
{
    if (text.n == 0)
        return out;
    out = put_bytes_header(out, number, text.n);
    memcpy(out, text.p, text.n);
    return out + text.n;
}

static uint8_t *put_number(uint8_t *out, uint32_t number, uint64_t value)
{
    *out++ = (uint8_t)(number << 3 | GR_WIRE_VARINT);
    return gr_varint_put(out, value);
}

size_t gr_ttrpc_request_bytes(const struct gr_ttrpc_request *request)
{
    size_t timeout =
        request->timeout_ns > 0 ? 1 + gr_varint_bytes((uint64_t)request->timeout_ns) : 0;

    return bytes_field_bytes(request->service.n) + bytes_field_bytes(request->method.n) +
           bytes_field_bytes(request->payload.n) + timeout;
}

uint8_t *gr_ttrpc_request_encode(const struct gr_ttrpc_request *request, uint8_t *out)
{
    uint8_t *payload;

    out = put_text(out, REQUEST_SERVICE, request->service);
    out = put_text(out, REQUEST_METHOD, request->method);
    if (request->payload.n)
        out = put_bytes_header(out, REQUEST_PAYLOAD, request->payload.n);
    payload = out;
    if (request->timeout_ns > 0)
        (void)put_number(out + request->payload.n, REQUEST_TIMEOUT, (uint64_t)request->timeout_ns);
    return payload;
}

/* Bytes of the embedded google.rpc.Status, without its own tag and length. */
static size_t status_bytes(const struct gr_ttrpc_response *response)
{
    return 1 + gr_varint_bytes((uint64_t)(int64_t)response->code) +
           bytes_field_bytes(response->text.n);
}

size_t gr_ttrpc_response_bytes(const struct gr_ttrpc_response *response)
{
    size_t status = response->code ? bytes_field_bytes(status_bytes(response)) : 0;

    return status + bytes_field_bytes(response->payload.n);
}

uint8_t *gr_ttrpc_response_encode(const struct gr_ttrpc_response *response, uint8_t *out)
{
    if (response->code) {
        out = put_bytes_header(out, RESPONSE_STATUS, status_bytes(response));
        /* int32 is sign-extended to 64 bits on the wire. */
        out = put_number(out, STATUS_CODE, (uint64_t)(int64_t)response->code);
        out = put_text(out, STATUS_MESSAGE, response->text);
    }
    if (response->payload.n)
        out = put_bytes_header(out, RESPONSE_PAYLOAD, response->payload.n);
    return out;
}

void gr_ttrpc_put_header(uint8_t out[GR_TTRPC_HEADER_BYTES], uint32_t data_bytes, uint32_t stream,
                         uint8_t type)
{
    gr_be32_put(out, data_bytes);
    gr_be32_put(out + 4, stream);
    out[8] = type;
    out[9] = 0; /* no flags: unary */
}
