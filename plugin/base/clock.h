/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/clock: time since some moment in the past, which no setting of the clock changes.
 *
 * Layer: base. For deadlines and for how long something took. Pure layers (rules, wire, nri) get
 * the time from their caller and do not include this.
 */
#ifndef GR_BASE_CLOCK_H
#define GR_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic, in nanoseconds; any thread. */
uint64_t gr_now_ns(void);

/* The same clock in whole milliseconds. */
uint64_t gr_now_ms(void);

#endif
