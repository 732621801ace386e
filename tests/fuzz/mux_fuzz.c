/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: however they are cut, the same payloads come out, and they are the input's own. */
#include "fuzz.h"

#include <errno.h>

#include "wire/mux.h"

static void run(struct gr_str bytes, size_t cut_at, size_t cut_every, struct gr_buf *log)
{
    uint64_t last_id = UINT64_MAX;
    struct gr_mux_rx rx;
    int r = 0;

    gr_mux_rx_init(&rx);
    for (size_t at = 0; at < bytes.n && r >= 0;) {
        struct gr_str piece = fuzz_piece(bytes, at, cut_at, cut_every);
        struct gr_str rest = {.p = fuzz_exact(piece), .n = piece.n}, data;
        char *exact = (char *)rest.p;
        uint32_t id;
        size_t used;

        at += piece.n;
        while ((r = gr_mux_feed(&rx, rest, &used, &id, &data)) > 0) {
            FUZZ_CHECK(r == GR_MUX_DATA && data.n > 0 && used <= rest.n);
            FUZZ_CHECK(data.p + data.n == rest.p + used);
            /* One frame's payload may come in several slices. */
            if (id != last_id) {
                fuzz_log_bytes(log, GR_STR("|"));
                fuzz_log_number(log, id);
            }
            last_id = id;
            fuzz_log_bytes(log, data);
            rest = gr_str_skip(rest, used);
        }
        FUZZ_CHECK(r == -EMSGSIZE || used == rest.n);
        free(exact);
    }
    if (r < 0)
        fuzz_log_bytes(log, GR_STR("!"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    size_t cut_at = fuzz_take(&input, 2);

    fuzz_splits(run, input, cut_at % (input.n + 1));
    return 0;
}
