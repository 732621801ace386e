/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/backoff.h"

#define CONNECT_FIRST_MS 500
#define CONNECT_LAST_MS 5000
#define SESSION_FIRST_MS 5000
#define SESSION_LAST_MS 60000
#define SESSION_OLD_MS 60000

void gr_backoff_init(struct gr_backoff *backoff)
{
    *backoff = (struct gr_backoff){.connect_ms = CONNECT_FIRST_MS, .session_ms = SESSION_FIRST_MS};
}

static uint32_t with_jitter(uint32_t wait_ms, uint32_t random)
{
    return wait_ms - random % (wait_ms / 4 + 1);
}

uint32_t gr_backoff_connect_failed(struct gr_backoff *backoff, uint32_t random)
{
    uint32_t wait_ms = backoff->connect_ms;

    backoff->connect_ms = GR_MIN(wait_ms * 2, (uint32_t)CONNECT_LAST_MS);
    return with_jitter(wait_ms, random);
}

uint32_t gr_backoff_session_ended(struct gr_backoff *backoff, uint64_t age_ms, uint32_t random)
{
    uint32_t wait_ms = backoff->session_ms;

    backoff->connect_ms = CONNECT_FIRST_MS;
    if (age_ms >= SESSION_OLD_MS) {
        backoff->session_ms = SESSION_FIRST_MS;
        return with_jitter(CONNECT_FIRST_MS, random);
    }
    backoff->session_ms = GR_MIN(wait_ms * 2, (uint32_t)SESSION_LAST_MS);
    return with_jitter(wait_ms, random);
}
