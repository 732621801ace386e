/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/limits: every limit of the wire, with unit, reason and source.
 *
 * Layer: wire. Each is tested at its edge and one past it (tests/unit/wire).
 */
#ifndef GR_WIRE_LIMITS_H
#define GR_WIRE_LIMITS_H

/* Fixed by the protocols: NRI pkg/net/multiplex, ttrpc PROTOCOL.md. */
#define GR_MUX_HEADER_BYTES 8
#define GR_TTRPC_HEADER_BYTES 10

/*
 * Largest mux frame that is accepted. NRI up to 0.6.1 sends up to 1 << 24 bytes in one frame and
 * such a frame holds a whole ttrpc message (16 MiB of data plus its header).
 */
#define GR_MUX_FRAME_MAX_BYTES ((16U << 20) + GR_TTRPC_HEADER_BYTES)

/*
 * Largest ttrpc message that is accepted. ttrpc's own limit is 4 MiB, but senders before 1.2.6 did
 * not keep to it and NRI up to 0.6.1 sends Synchronize whole.
 */
#define GR_TTRPC_RECV_MAX_BYTES (16U << 20)

/* Largest data of a message that is sent: ttrpc PROTOCOL.md; Go peers throw longer ones away. */
#define GR_TTRPC_SEND_MAX_BYTES (4U << 20)

/*
 * A Go peer reads through a 4096-byte buffer and loses any mux frame larger than that when it looks
 * for a message header (measured with NRI 0.2 to 0.12): the frame that carries the ttrpc header
 * must not be larger.
 */
#define GR_MUX_FIRST_FRAME_MAX_BYTES 4096

/*
 * Most bytes that wait to be sent. Replies only answer requests, so a queue beyond two full replies
 * means a peer that has stopped reading. No evidence for the exact figure.
 */
#define GR_RPC_SEND_QUEUE_MAX_BYTES (12U << 20)

/* Calls of ours that may be outstanding at once; the plugin needs one (RegisterPlugin). */
#define GR_RPC_CALLS_MAX 4

/* Longest text of a status that is sent; it ends up in kubelet's events. No evidence. */
#define GR_RPC_STATUS_TEXT_MAX_BYTES 2048

/* Buffers above this are given back when their message is done, so that one large Synchronize does
 * not stay in resident memory. No evidence for the exact figure. */
#define GR_RPC_KEEP_BYTES (64U << 10)

/* protobuf check: nesting. The deepest NRI message has 7 levels. */
#define GR_PB_DEPTH_MAX 16

/*
 * protobuf check: bytes that the unpacked message may take, as a multiple of its encoding plus a
 * base. protobuf-c turns 2 MiB of empty sub-messages into 210 MB (measured); ordinary NRI requests
 * take three times their encoding.
 */
#define GR_PB_UNPACKED_FACTOR 16
#define GR_PB_UNPACKED_BASE_BYTES (64U << 10)

#endif
