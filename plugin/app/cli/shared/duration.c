/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/duration.h"

#include <stdio.h>

struct gr_duration gr_duration(long long seconds)
{
    struct gr_duration d;

    if (seconds < 60)
        (void)snprintf(d.text, sizeof(d.text), "%lld s", seconds < 0 ? 0 : seconds);
    else if (seconds < 3600)
        (void)snprintf(d.text, sizeof(d.text), "%lld min", seconds / 60);
    else if (seconds < 48LL * 3600)
        (void)snprintf(d.text, sizeof(d.text), "%lld h %lld min", seconds / 3600,
                       seconds % 3600 / 60);
    else
        (void)snprintf(d.text, sizeof(d.text), "%lld d %lld h", seconds / 86400,
                       seconds % 86400 / 3600);
    return d;
}
