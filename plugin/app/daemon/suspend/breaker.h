/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/suspend/breaker: counts failed runs of each set's hooks, and says when they are too
 * many.
 *
 * Layer: app. Pure: the time is given. That a set was tripped is kept elsewhere (app/daemon/
 * suspend); here are only the times of the last failures, which a restart forgets.
 */
#ifndef GR_APP_DAEMON_SUSPEND_BREAKER_H
#define GR_APP_DAEMON_SUSPEND_BREAKER_H

#include "rules/hookset.h"

/* Sets whose failures are remembered at one time; for one more the longest silent is forgotten.
 * With the most failures that a set may ask for each: 8 MiB. No evidence. */
#define GR_BREAKER_SETS_MAX 1024

struct gr_breaker;

/* NULL without memory. */
struct gr_breaker *gr_breaker_new(void);
void gr_breaker_free(struct gr_breaker *breaker); /* NULL is fine */

#define GR_BREAKER_TRIPS 1

/*
 * A run of a hook of set failed at now_ms. A set without spec.breaker counts nothing. One whose
 * text changed (hash) or that has other numbers begins anew.
 * Returns 0; GR_BREAKER_TRIPS: it is the last of spec.breaker.failures runs that failed within
 * spec.breaker.window_s, first and last included; asked again, it says so again until the first of
 * them is too old, or gr_breaker_reset; -ENOMEM.
 */
GR_CHECKED int gr_breaker_failed(struct gr_breaker *breaker, const struct gr_hookset *set,
                                 uint64_t now_ms);

/* Forgets the failures of the set: it was tripped, or resumed. */
void gr_breaker_reset(struct gr_breaker *breaker, struct gr_str set);

/* The same for all. */
void gr_breaker_reset_all(struct gr_breaker *breaker);

#endif
