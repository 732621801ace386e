/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/mux: NRI's multiplexing frames, read without IO.
 *
 * Layer: wire. Sans-IO: bytes go in, slices of the same bytes come out.
 *
 *     0       4       8
 *     | id BE | len BE| payload ...
 *
 * A frame boundary means nothing: the payloads of one id form a byte stream (wire/ttrpc), and
 * frames of the two ids interleave freely. Source: NRI pkg/net/multiplex.
 */
#ifndef GR_WIRE_MUX_H
#define GR_WIRE_MUX_H

#include "base/str.h"
#include "wire/limits.h"

/* Logical connections of NRI; 0 is reserved. */
#define GR_MUX_ID_PLUGIN 1U  /* the runtime calls the plugin */
#define GR_MUX_ID_RUNTIME 2U /* the plugin calls the runtime */

struct gr_mux_rx {
    uint8_t header[GR_MUX_HEADER_BYTES];
    size_t have; /* bytes of header that are there */
    uint32_t id;
    size_t left; /* payload bytes of the current frame still to come */
};

#define GR_MUX_DATA 1 /* gr_mux_feed: *out_id and *out_data are set */

static inline void gr_mux_rx_init(struct gr_mux_rx *rx)
{
    *rx = (struct gr_mux_rx){0};
}

/*
 * Reads from in until one slice of payload is found or the input is used up. Call again with the
 * rest (in from *out_used on) until it returns 0.
 *
 * out_data borrows from in.
 * Returns: 0 all of in was used and no payload was found; GR_MUX_DATA a non-empty slice;
 * -EMSGSIZE a frame longer than GR_MUX_FRAME_MAX_BYTES: the connection cannot be read on.
 */
GR_CHECKED int gr_mux_feed(struct gr_mux_rx *rx, struct gr_str in, size_t *out_used,
                           uint32_t *out_id, struct gr_str *out_data);

/* Writes a frame header. */
void gr_mux_put_header(uint8_t out[GR_MUX_HEADER_BYTES], uint32_t id, uint32_t payload_bytes);

#endif
