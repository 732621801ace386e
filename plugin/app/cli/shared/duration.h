/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/duration: a duration in words, as every verb says it.
 *
 * Layer: app. Pure.
 */
#ifndef GR_APP_CLI_SHARED_DURATION_H
#define GR_APP_CLI_SHARED_DURATION_H

struct gr_duration {
    char text[32];
};

/* In its two largest units, such as "3 h 20 min"; less than an hour in one. Below 0 it is "0 s". */
struct gr_duration gr_duration(long long seconds);

#endif
