/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/backoff: how long to wait before the next connection to the runtime.
 *
 * Layer: app. A runtime registers plugins one at a time and holds container operations meanwhile,
 * so a plugin that reconnects in a tight loop hurts the node (containerd issue #14083).
 */
#ifndef GR_APP_DAEMON_BACKOFF_H
#define GR_APP_DAEMON_BACKOFF_H

#include "base/str.h"

/*
 * How long to wait before the next attempt, in ms: 0.5 to 5 s, doubling, while connect fails; 5 to
 * 60 s, doubling, after sessions that ended before they were 60 s old; 0.5 s after an older one.
 * Each with up to a quarter less at random, so that a cluster's plugins do not come back together.
 */
struct gr_backoff {
    uint32_t connect_ms; /* the next wait after a failed connect */
    uint32_t session_ms; /* the next wait after a young session */
};

void gr_backoff_init(struct gr_backoff *backoff);

/* random: any number; decides the jitter. */
uint32_t gr_backoff_connect_failed(struct gr_backoff *backoff, uint32_t random);
uint32_t gr_backoff_session_ended(struct gr_backoff *backoff, uint64_t age_ms, uint32_t random);

#endif
