/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/debounce: many events, one deed. Pure: the caller has the clock and the timer.
 *
 * Layer: app. The deed is due when nothing happened for quiet_ns, and at the latest latest_ns after
 * the first event, so that a burst that never ends does not put it off for ever.
 */
#ifndef GR_APP_DAEMON_DEBOUNCE_H
#define GR_APP_DAEMON_DEBOUNCE_H

#include "base/defs.h"

struct gr_debounce {
    uint64_t quiet_ns, latest_ns;
    uint64_t first_ns; /* of the events that wait */
    bool pending;
    bool hurried; /* one of them at least needs no other to follow */
};

/* An event at now_ns. Returns after how many nanoseconds the deed is due now. */
static inline uint64_t gr_debounce_event(struct gr_debounce *d, uint64_t now_ns)
{
    uint64_t age_ns;

    if (!d->pending)
        d->first_ns = now_ns;
    d->pending = true;
    d->hurried = true;
    age_ns = now_ns - d->first_ns;
    return age_ns >= d->latest_ns ? 0 : GR_MIN(d->quiet_ns, d->latest_ns - age_ns);
}

/* An event that another is to follow, which it is better to wait for. Returns as above; UINT64_MAX:
 * when it was due before. */
static inline uint64_t gr_debounce_begun(struct gr_debounce *d, uint64_t now_ns)
{
    if (d->pending)
        return d->hurried ? gr_debounce_event(d, now_ns) : UINT64_MAX;
    d->first_ns = now_ns;
    d->pending = true;
    return d->latest_ns;
}

/* The deed is done, or something else has done it. */
static inline void gr_debounce_done(struct gr_debounce *d)
{
    d->pending = false;
    d->hurried = false;
}

#endif
