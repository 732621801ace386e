/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/utc: times as people and machines read them.
 *
 * Layer: base. Formats a time that the caller has; reads no clock.
 */
#ifndef GR_BASE_UTC_H
#define GR_BASE_UTC_H

#include <stdint.h>

/* Room for every time, with a NUL byte. */
#define GR_UTC_BYTES 32

/*
 * Seconds since 1970 as RFC 3339 has them, in UTC: 2026-03-01T03:30:00Z. Years that are
 * not of four digits are told as the number itself. Returns text.
 */
const char *gr_utc_text(int64_t seconds, char text[GR_UTC_BYTES]);

#endif
