/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/steps: spending the step budget of a request.
 *
 * Layer: rules. A step is about one character compared or one condition visited; what is cheaper
 * per byte (a block compare, a scan) is charged less. Once the budget cannot pay, it is empty for
 * good, so that everything after it is an error as well and the answer does not depend on what
 * happens to be cheap enough.
 */
#ifndef GR_RULES_STEPS_H
#define GR_RULES_STEPS_H

#include "base/defs.h"

/* False, and nothing is left, when fewer than n steps are left. */
static inline bool gr_steps_take(uint64_t *steps, uint64_t n)
{
    if (*steps < n) {
        *steps = 0;
        return false;
    }
    *steps -= n;
    return true;
}

/* The price of comparing or searching n bytes in one go. */
static inline uint64_t gr_steps_of_bytes(size_t n)
{
    return 1 + n / 16;
}

/* The price of looking through n entries of a map for a key: one takes about 10 ns (measured). */
static inline uint64_t gr_steps_of_entries(size_t n)
{
    return 1 + (uint64_t)n * 4;
}

#endif
