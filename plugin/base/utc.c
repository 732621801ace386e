/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utc.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* The first and the last second of years of four digits, as RFC 3339 has them. */
#define YEAR_1000_S INT64_C(-30610224000)
#define YEAR_9999_S INT64_C(253402300799)

const char *gr_utc_text(int64_t seconds, char text[GR_UTC_BYTES])
{
    time_t time = (time_t)seconds;
    struct tm utc;

    if (seconds < YEAR_1000_S || seconds > YEAR_9999_S || !gmtime_r(&time, &utc) ||
        strftime(text, GR_UTC_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        (void)snprintf(text, GR_UTC_BYTES, "%" PRId64, seconds);
    return text;
}
