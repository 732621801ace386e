/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/ttrpc: message framing and the request and response envelopes.
 *
 * Layer: wire. Sans-IO. Sources: ttrpc PROTOCOL.md and request.proto, google.rpc.Status.
 *
 *     0        4           8    9     10
 *     | len BE | stream BE |type|flags| data ...
 *
 * The envelopes are decoded by hand, because protobuf-c would copy the payload (up to 16 MiB).
 */
#ifndef GR_WIRE_TTRPC_H
#define GR_WIRE_TTRPC_H

#include "base/buf.h"
#include "wire/limits.h"

enum gr_ttrpc_type {
    GR_TTRPC_REQUEST = 1,
    GR_TTRPC_RESPONSE = 2,
    GR_TTRPC_DATA = 3,
};

/* gRPC status codes that are sent or told apart; others stay numbers. */
enum gr_status {
    GR_STATUS_OK = 0,
    GR_STATUS_UNKNOWN = 2,
    GR_STATUS_INVALID_ARGUMENT = 3,
    GR_STATUS_DEADLINE_EXCEEDED = 4,
    GR_STATUS_RESOURCE_EXHAUSTED = 8,
    GR_STATUS_FAILED_PRECONDITION = 9,
    GR_STATUS_UNIMPLEMENTED = 12,
    GR_STATUS_INTERNAL = 13,
};

struct gr_ttrpc_message {
    uint32_t stream;
    uint8_t type; /* enum gr_ttrpc_type, or a number that we do not know */
    uint8_t flags;
    struct gr_str data; /* borrowed: from the input or from the reader's buffer */
};

/* Reassembles the messages of one logical connection. */
struct gr_ttrpc_rx {
    uint8_t header[GR_TTRPC_HEADER_BYTES];
    size_t have;        /* bytes of header that are there */
    size_t data_bytes;  /* length of the message that is being read */
    size_t discard;     /* bytes of an oversized message still to be thrown away */
    bool delivered;     /* the buffer was handed out and is to be emptied at the next call */
    struct gr_buf body; /* holds a message that did not come in one slice */
};

#define GR_TTRPC_MESSAGE 1   /* gr_ttrpc_feed: *out_message is whole */
#define GR_TTRPC_OVERSIZED 2 /* its header is in *out_message; the data will be skipped */

void gr_ttrpc_rx_init(struct gr_ttrpc_rx *rx);
void gr_ttrpc_rx_fini(struct gr_ttrpc_rx *rx);

/*
 * Reads from in until one message is whole or the input is used up; call again with the rest until
 * it returns 0. A message that lies whole in the input is not copied. Memory grows with the bytes
 * that arrived, never with the length that a header claims.
 *
 * out_message->data is valid until the next call and as long as in is.
 * Returns: 0 all was used; GR_TTRPC_MESSAGE; GR_TTRPC_OVERSIZED (longer than
 * GR_TTRPC_RECV_MAX_BYTES; reading goes on behind it); -ENOMEM.
 */
GR_CHECKED int gr_ttrpc_feed(struct gr_ttrpc_rx *rx, struct gr_str in, size_t *out_used,
                             struct gr_ttrpc_message *out_message);

/* ttrpc Request: all borrowed from the data that it was decoded from. Metadata is skipped. */
struct gr_ttrpc_request {
    struct gr_str service;
    struct gr_str method;
    struct gr_str payload;
    int64_t timeout_ns; /* 0 or less: none */
};

/* ttrpc Response. */
struct gr_ttrpc_response {
    int32_t code; /* enum gr_status or another gRPC code; 0 is success */
    struct gr_str text;
    struct gr_str payload;
};

/*
 * Return 0, or -EBADMSG when the bytes are no such message (wrong wire type, cut, overlong, text
 * that is not UTF-8); the output is then left alone. Unknown fields are skipped.
 */
GR_CHECKED int gr_ttrpc_request_decode(struct gr_str data, struct gr_ttrpc_request *out_request);
GR_CHECKED int gr_ttrpc_response_decode(struct gr_str data, struct gr_ttrpc_response *out_response);

/* Bytes of data that the encodings below will take. */
size_t gr_ttrpc_request_bytes(const struct gr_ttrpc_request *request);
size_t gr_ttrpc_response_bytes(const struct gr_ttrpc_response *response);

/*
 * Write the envelope at out (of the size given by the functions above), all but the payload's own
 * bytes: returns where those begin, so that a caller can pack them in place. The fields stand in
 * the order of their numbers, as Go writes them, so a request's timeout is behind the payload. Only
 * request->payload.n and response->payload.n are looked at, not the bytes. A response whose code is
 * 0 has no status and its text is left out.
 */
uint8_t *gr_ttrpc_request_encode(const struct gr_ttrpc_request *request, uint8_t *out);
uint8_t *gr_ttrpc_response_encode(const struct gr_ttrpc_response *response, uint8_t *out);

/* Writes a message header. */
void gr_ttrpc_put_header(uint8_t out[GR_TTRPC_HEADER_BYTES], uint32_t data_bytes, uint32_t stream,
                         uint8_t type);

#endif
