/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a parser over the same bytes whole, byte by byte, and cut at every offset: what comes out,
 * written as a log, must be the same each time.
 */
#ifndef GR_TESTS_WIRE_SPLITS_H
#define GR_TESTS_WIRE_SPLITS_H

#include "testing.h"

#include "base/buf.h"

/* Feeds the pieces to a fresh parser and writes what came out to log, cut-independently. */
typedef void splits_run(const struct gr_str *pieces, size_t count, struct gr_buf *log);

/* Every piece is in a block of its own, so that sanitizers see a read past its end. */
static inline void splits_check(splits_run *run, struct gr_str *pieces, size_t count,
                                const char *what, size_t at, const char *expected)
{
    struct gr_buf log;

    gr_buf_init(&log, 1U << 24);
    for (size_t i = 0; i < count; i++)
        pieces[i].p = (char *)test_exact(pieces[i].p, pieces[i].n);
    run(pieces, count, &log);
    for (size_t i = 0; i < count; i++) {
        union {
            const char *in;
            void *out;
        } p = {.in = pieces[i].p};

        free(p.out);
    }
    assert_int_equal(log.broken, 0);
    if (!gr_str_is(gr_buf_view(&log), expected))
        fail_msg("%s %zu: expected\n%s\nfound\n%.*s", what, at, expected,
                 GR_STR_FMT(gr_buf_view(&log)));
    gr_buf_fini(&log);
}

static inline void splits_assert(splits_run *run, struct gr_str bytes, const char *expected)
{
    struct gr_str *pieces = calloc(bytes.n + 2, sizeof(*pieces));

    assert_non_null(pieces);
    pieces[0] = bytes;
    splits_check(run, pieces, 1, "whole", 0, expected);
    for (size_t i = 0; i < bytes.n; i++)
        pieces[i] = gr_str_first(gr_str_skip(bytes, i), 1);
    splits_check(run, pieces, bytes.n, "byte by byte", 0, expected);
    for (size_t at = 0; at <= bytes.n; at++) {
        pieces[0] = gr_str_first(bytes, at);
        pieces[1] = gr_str_skip(bytes, at);
        splits_check(run, pieces, 2, "cut at", at, expected);
    }
    free(pieces);
}

/* As splits_assert for bytes that are written in hexadecimal. */
static inline void splits_assert_hex(splits_run *run, const char *hex, const char *expected)
{
    static uint8_t bytes[8192];
    size_t n = test_unhex(hex, bytes, sizeof(bytes));

    splits_assert(run, (struct gr_str){.p = (const char *)bytes, .n = n}, expected);
}

static inline void log_hex(struct gr_buf *log, struct gr_str bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        (void)gr_buf_printf(log, "%02x", (unsigned)(unsigned char)bytes.p[i]);
}

#endif
