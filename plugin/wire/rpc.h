/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/rpc: one trunk connection with a unary server and a unary client on it.
 *
 * Layer: wire. Sans-IO: the owner reads the socket and feeds the bytes, and writes what is pending;
 * time is passed in. Serves both sides of NRI: the plugin (server on id 1, client on id 2) and a
 * runtime (the other way round).
 *
 * As server it keeps the rules of ttrpc's Go server: even or not rising stream ids and requests
 * that do not parse are answered InvalidArgument, oversized ones ResourceExhausted; unknown message
 * types are ignored; data messages (type 3) are answered InvalidArgument. As client it numbers
 * streams 1, 3, 5, … and drops answers to streams that are not outstanding. Frames of ids other
 * than the two are dropped.
 */
#ifndef GR_WIRE_RPC_H
#define GR_WIRE_RPC_H

#include <protobuf-c/protobuf-c.h>

#include "wire/ttrpc.h"

struct gr_rpc;

struct gr_rpc_ops {
    /*
     * A request came in. It must be answered, now or later, with exactly one gr_rpc_reply* for its
     * stream. request is borrowed for the call. deadline_ns: when the caller gives up (from the
     * request's own timeout), or 0.
     */
    void (*request)(void *user, uint32_t stream, const struct gr_ttrpc_request *request,
                    uint64_t deadline_ns);
    /* The answer to our call: borrowed for the call. Timed-out calls end with code
     * GR_STATUS_DEADLINE_EXCEEDED and an empty payload. */
    void (*response)(void *user, uint32_t stream, const struct gr_ttrpc_response *response);
    /* A method with this name exists: consulted before request, so that unknown ones are answered
     * Unimplemented here. */
    bool (*knows)(void *user, struct gr_str service, struct gr_str method);
};

struct gr_rpc_counters {
    uint64_t bytes_in, bytes_out;
    uint64_t requests, replies, calls;
    uint64_t protocol_errors; /* what the rules above answered or dropped */
};

/*
 * server_id, client_id: mux ids (GR_MUX_ID_*). ops is borrowed and must outlive the object.
 * Returns 0 and a heap object for gr_rpc_free, or -ENOMEM.
 */
GR_CHECKED int gr_rpc_new(uint32_t server_id, uint32_t client_id, const struct gr_rpc_ops *ops,
                          void *user, struct gr_rpc **out_rpc);
void gr_rpc_free(struct gr_rpc *rpc); /* NULL is fine */

/*
 * Takes bytes that were read from the trunk, all of them, and calls ops as messages get whole.
 * ops may call gr_rpc_reply* and gr_rpc_call, but not feed or free.
 * Returns: 0; -EMSGSIZE a mux frame that is too long; -ENOMEM; -ENOBUFS the send queue is full
 * (the peer does not read). After an error the connection is to be closed.
 */
GR_CHECKED int gr_rpc_feed(struct gr_rpc *rpc, struct gr_str bytes, uint64_t now_ns);

/*
 * Queue the one answer to a request. A message that is too large to be sent
 * (GR_TTRPC_SEND_MAX_BYTES) or cannot be stored is replaced by an error status, so that the peer
 * always gets an answer; the return value tells. text: cut at GR_RPC_STATUS_TEXT_MAX_BYTES, made
 * printable.
 * Return: 0; -EMSGSIZE replaced by ResourceExhausted; -ENOMEM or -ENOBUFS nothing could be queued
 * and the connection is to be closed.
 */
int gr_rpc_reply(struct gr_rpc *rpc, uint32_t stream, const ProtobufCMessage *message);
int gr_rpc_reply_status(struct gr_rpc *rpc, uint32_t stream, enum gr_status code,
                        struct gr_str text);

/*
 * Queues a call. timeout_ns: 0 waits for ever; it is also told to the server. service and method
 * are borrowed for the call only.
 * Returns: 0 and the stream; -EMSGSIZE, -ENOMEM, -ENOBUFS nothing was queued; -EBUSY
 * GR_RPC_CALLS_MAX calls are outstanding.
 */
GR_CHECKED int gr_rpc_call(struct gr_rpc *rpc, const char *service, const char *method,
                           const ProtobufCMessage *message, uint64_t timeout_ns, uint64_t now_ns,
                           uint32_t *out_stream);

/* Bytes that wait to be written to the trunk: borrowed until the next call on rpc. */
struct gr_str gr_rpc_pending(const struct gr_rpc *rpc);

/* The first n pending bytes have been written. */
void gr_rpc_sent(struct gr_rpc *rpc, size_t n);

/* When gr_rpc_tick is next due, in the time of now_ns, or 0: never. */
uint64_t gr_rpc_next_deadline(const struct gr_rpc *rpc);

/* Ends calls whose time is over. */
void gr_rpc_tick(struct gr_rpc *rpc, uint64_t now_ns);

const struct gr_rpc_counters *gr_rpc_counters(const struct gr_rpc *rpc);

#endif
