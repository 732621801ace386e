/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/debounce: many events, one deed. Pure: the caller has the clock and the timer.
 *
 * Layer: app. The deed is due when nothing happened for quiet_ns, and at the latest latest_ns after
 * the first event, so that a burst that never ends does not put it off for ever. What was begun and
 * not ended is waited for as long once more.
 */
#ifndef GR_APP_DAEMON_RELOAD_DEBOUNCE_H
#define GR_APP_DAEMON_RELOAD_DEBOUNCE_H

#include "base/defs.h"

struct gr_debounce {
    uint64_t quiet_ns, latest_ns;
    uint64_t first_ns; /* of the events that wait */
    uint64_t begun_ns;
    bool pending;
    bool begun; /* something, at begun_ns; its end is an event */
};

static inline void gr_debounce_note(struct gr_debounce *d, uint64_t now_ns)
{
    if (!d->pending)
        d->first_ns = now_ns;
    d->pending = true;
}

/* An event at now_ns. Returns after how many nanoseconds the deed is due now. */
static inline uint64_t gr_debounce_event(struct gr_debounce *d, uint64_t now_ns)
{
    uint64_t age_ns;

    gr_debounce_note(d, now_ns);
    d->begun = false;
    age_ns = now_ns - d->first_ns;
    return age_ns >= d->latest_ns ? 0 : GR_MIN(d->quiet_ns, d->latest_ns - age_ns);
}

/* An event that another is to follow: the deed in between would see half of it. Returns as above.
 */
static inline uint64_t gr_debounce_begun(struct gr_debounce *d, uint64_t now_ns)
{
    uint64_t age_ns;

    gr_debounce_note(d, now_ns);
    if (!d->begun)
        d->begun_ns = now_ns;
    d->begun = true;
    age_ns = now_ns - d->begun_ns;
    return age_ns >= d->latest_ns ? 0 : d->latest_ns - age_ns;
}

/* The deed is done, or something else has done it. */
static inline void gr_debounce_done(struct gr_debounce *d)
{
    d->pending = false;
    d->begun = false;
}

#endif
