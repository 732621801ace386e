/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share: a check that says what failed, and input taken bit by bit. */
#ifndef GR_TESTS_FUZZ_FUZZ_H
#define GR_TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define FUZZ_CHECK(condition)                                                               \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                        \
        }                                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes n bytes off the front of the input, as a number; what is missing counts as zero. */
static inline uint32_t fuzz_take(struct gr_str *input, size_t n)
{
    uint32_t value = 0;

    for (size_t i = 0; i < n; i++) {
        value = value << 8 | (input->n && input->p ? (unsigned char)input->p[0] : 0);
        *input = gr_str_skip(*input, 1);
    }
    return value;
}

/* A copy on the heap of just that size, so that a read past its end is seen. Free its p. */
static inline char *fuzz_exact(struct gr_str s)
{
    char *copy = malloc(s.n ? s.n : 1);

    FUZZ_CHECK(copy);
    if (s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

static inline void fuzz_log_bytes(struct gr_buf *log, struct gr_str bytes)
{
    FUZZ_CHECK(gr_buf_str(log, bytes) == 0);
}

static inline void fuzz_log_number(struct gr_buf *log, uint64_t number)
{
    FUZZ_CHECK(gr_buf_add(log, &number, sizeof(number)) == 0);
}

/*
 * Feeds the bytes to a fresh parser, cut before every offset that cut_every divides (0: not cut at
 * all) and once at cut_at, and writes what came out to log.
 */
typedef void fuzz_run(struct gr_str bytes, size_t cut_at, size_t cut_every, struct gr_buf *log);

/* The next piece of bytes that begins at offset. */
static inline struct gr_str fuzz_piece(struct gr_str bytes, size_t offset, size_t cut_at,
                                       size_t cut_every)
{
    size_t end = bytes.n;

    if (cut_every)
        end = GR_MIN(end, offset + cut_every);
    if (cut_at > offset)
        end = GR_MIN(end, cut_at);
    return gr_str_first(gr_str_skip(bytes, offset), end - offset);
}

/* Whole, cut in two, byte by byte and in small pieces: the same comes out. */
static inline void fuzz_splits(fuzz_run *run, struct gr_str bytes, size_t cut_at)
{
    static const size_t every[] = {0, 1, 7};
    struct gr_buf whole, cut;

    gr_buf_init(&whole, 1U << 28);
    run(bytes, 0, 0, &whole);
    for (size_t i = 0; i < GR_ARRAY_LEN(every); i++) {
        gr_buf_init(&cut, 1U << 28);
        run(bytes, cut_at, every[i], &cut);
        FUZZ_CHECK(gr_str_eq(gr_buf_view(&whole), gr_buf_view(&cut)));
        gr_buf_fini(&cut);
    }
    gr_buf_fini(&whole);
}

#endif
