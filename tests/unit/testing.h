/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test needs: cmocka with its includes, and groups that are filled at run time, so
 * that each row of a table is a test of its own with its own name.
 *
 *     struct row { const char *name; …; };                  the name comes first
 *     static void parses(void **state) { const struct row *row = *state; … }
 *
 *     int main(void)
 *     {
 *         test_add("empty", test_empty);
 *         TEST_ADD_ROWS(parses, rows);                      "parses: <row's name>" for each
 *         return test_run("mux");
 *     }
 */
#ifndef GR_TESTS_TESTING_H
#define GR_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/str.h"

#define TEST_MAX 1024

static struct CMUnitTest test_list[TEST_MAX];
static size_t test_count;

static inline void test_add_row(const char *name, CMUnitTestFunction fn, const void *row)
{
    union {
        const void *in;
        void *out;
    } state = {.in = row}; /* cmocka's state is not const; the tests take it as such */

    if (test_count == TEST_MAX) {
        (void)fprintf(stderr, "more than %d tests: raise TEST_MAX\n", TEST_MAX);
        exit(1);
    }
    test_list[test_count++] =
        (struct CMUnitTest){.name = name, .test_func = fn, .initial_state = state.out};
}

static inline void test_add(const char *name, CMUnitTestFunction fn)
{
    test_add_row(name, fn, NULL);
}

/* Rows begin with their name. The composed names stay until the program ends. */
static inline void test_add_rows(const char *what, CMUnitTestFunction fn, const void *rows,
                                 size_t row_bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *row = (const char *)rows + i * row_bytes;
        const char *row_name;
        static char names[TEST_MAX][128];
        char *name = names[test_count % TEST_MAX];

        memcpy(&row_name, row, sizeof(row_name));
        (void)snprintf(name, sizeof(names[0]), "%s: %s", what, row_name);
        test_add_row(name, fn, row);
    }
}

/* What this machine cannot do is skipped, which is counted. CI has machines that can do everything:
 * there it has failed, so that no test is lost without anybody's notice. */
static inline void test_skip(const char *why)
{
    const char *ci = getenv("CI");

    if (ci && strcmp(ci, "true") == 0)
        fail_msg("in CI this must be possible: %s", why);
    skip();
}

#define TEST_ADD_ROWS(fn, rows) \
    test_add_rows(#fn, fn, rows, sizeof((rows)[0]), sizeof(rows) / sizeof((rows)[0]))

static inline int test_run(const char *group)
{
    return _cmocka_run_group_tests(group, test_list, test_count, NULL, NULL);
}

/* A text of the table equals what came out; both are shown when they differ. */
static inline void assert_str(struct gr_str found, const char *expected)
{
    if (!gr_str_is(found, expected))
        fail_msg("expected \"%s\", found \"%.*s\"", expected, GR_STR_FMT(found));
}

/* What a test by chance begins with, never 0: another one each time, printed, and repeated with
 * GRAPNEL_SEED. */
static inline uint64_t test_seed(void)
{
    const char *given = getenv("GRAPNEL_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761U;

    seed = seed ? seed : 1;
    print_message("# GRAPNEL_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* Bytes from hexadecimal digits, blanks in between do not count: for test data only. */
static inline size_t test_unhex(const char *hex, uint8_t *out, size_t out_bytes)
{
    size_t n = 0;

    for (; *hex; hex++) {
        char pair[3] = {hex[0], hex[1], '\0'};
        char *end;

        if (*hex == ' ')
            continue;
        if (n == out_bytes)
            fail_msg("%s", "hex text too long for its buffer");
        out[n++] = (uint8_t)strtoul(pair, &end, 16);
        if (end != pair + 2)
            fail_msg("bad hex at \"%s\"", hex);
        hex++;
    }
    return n;
}

/* A buffer of exactly n bytes on the heap, so that sanitizers see a read past its end. */
static inline uint8_t *test_exact(const void *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);

    assert_non_null(copy);
    if (n)
        memcpy(copy, data, n);
    return copy;
}

#endif
