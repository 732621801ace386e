/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/pbcheck: is it safe to unpack these bytes with protobuf-c?
 *
 * Layer: wire. protobuf-c accepts NUL bytes and broken UTF-8 in strings (and then forgets the
 * length), and can take a hundred times the memory of its input. This walks the encoding with the
 * message's own descriptor first and refuses what protobuf-c would get wrong, and unpacks into an
 * arena of the caller afterwards.
 */
#ifndef GR_WIRE_PBCHECK_H
#define GR_WIRE_PBCHECK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/limits.h"

/*
 * Checks the wire encoding: well-formed fields of the declared wire types, no groups, strings valid
 * UTF-8 without NUL, nesting at most GR_PB_DEPTH_MAX, and an estimate of the unpacked size within
 * GR_PB_UNPACKED_FACTOR times its length plus GR_PB_UNPACKED_BASE_BYTES. Unknown fields are fine.
 *
 * Returns: 0; -EBADMSG not a valid encoding, or a string that is refused (err names the field);
 * -E2BIG too deep or too large when unpacked. Time is linear in data.
 * Codes in err: message-not-valid, message-text-not-valid, message-too-deep, message-too-large.
 */
GR_CHECKED int gr_pb_check(const ProtobufCMessageDescriptor *type, struct gr_str data,
                           struct gr_err *err);

/*
 * As gr_pb_check without the limit on the size: tells at most how many bytes protobuf-c will ask of
 * an allocator that gives nothing back, each piece rounded up as struct gr_arena does it.
 */
GR_CHECKED int gr_pb_measure(const ProtobufCMessageDescriptor *type, struct gr_str data,
                             size_t *out_bytes, struct gr_err *err);

/*
 * Checks, then unpacks into the arena: nothing of the result is to be freed singly
 * (never call free_unpacked on it). data need not outlive the call.
 * Returns: as gr_pb_check, and -ENOMEM. *out_message is set only on success; what a failure left in
 * the arena goes with its next reset.
 */
GR_CHECKED int gr_pb_unpack(const ProtobufCMessageDescriptor *type, struct gr_str data,
                            struct gr_arena *arena, ProtobufCMessage **out_message,
                            struct gr_err *err);

#endif
