/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/mux.h"

#include <errno.h>

#include "wire/be32.h"

/* Takes what the header still lacks from in; returns how much that was. */
static size_t take_header(struct gr_mux_rx *rx, struct gr_str in)
{
    size_t n = GR_MIN(in.n, sizeof(rx->header) - rx->have);

    if (n)
        memcpy(rx->header + rx->have, in.p, n);
    rx->have += n;
    return n;
}

int gr_mux_feed(struct gr_mux_rx *rx, struct gr_str in, size_t *out_used, uint32_t *out_id,
                struct gr_str *out_data)
{
    size_t used = 0;

    while (used < in.n) {
        struct gr_str rest = gr_str_skip(in, used);
        uint32_t bytes;

        if (rx->left > 0) {
            *out_data = gr_str_first(rest, rx->left);
            *out_id = rx->id;
            *out_used = used + out_data->n;
            rx->left -= out_data->n;
            return GR_MUX_DATA;
        }
        used += take_header(rx, rest);
        if (rx->have < sizeof(rx->header))
            break;
        bytes = gr_be32_get(rx->header + 4);
        /* The header stays, so that every later call fails too. */
        if (bytes > GR_MUX_FRAME_MAX_BYTES) {
            *out_used = used;
            return -EMSGSIZE;
        }
        rx->id = gr_be32_get(rx->header);
        rx->left = bytes;
        rx->have = 0;
    }
    *out_used = used;
    return 0;
}

void gr_mux_put_header(uint8_t out[GR_MUX_HEADER_BYTES], uint32_t id, uint32_t payload_bytes)
{
    gr_be32_put(out, id);
    gr_be32_put(out + 4, payload_bytes);
}
