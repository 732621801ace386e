/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocator that fails on purpose. failing.c replaces malloc, calloc, realloc and free of the
 * whole program (glibc only); between failing_begin and failing_end allocations are counted, and
 * chosen ones fail.
 */
#ifndef GR_TESTS_FAULT_FAILING_H
#define GR_TESTS_FAULT_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* The nth allocation (from 1) fails, and with all_after every later one; 0: none does. */
void failing_begin(size_t nth, bool all_after);

/* Counting stops. Returns how many allocations there were. */
size_t failing_end(void);

/* Blocks that were allocated since failing_begin and have not been freed. */
long failing_live(void);

/* Bytes of the largest single allocation since failing_begin. */
size_t failing_largest(void);

/*
 * Runs the scenario undisturbed, then with each of its allocations failing, alone and with all that
 * follow. The scenario cleans up after itself whatever happens and returns 0 or a negative errno,
 * which must be -ENOMEM or -ENOBUFS. user is handed through.
 */
void failing_run(int (*scenario)(void *user), void *user);

#endif
