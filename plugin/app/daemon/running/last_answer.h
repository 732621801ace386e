/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/running/last_answer: which sets the last answer of a session had.
 *
 * Layer: app, for app/daemon/running/running. Where that answer came too late the runtime has
 * dropped us, and created the container without hooks.
 */
#ifndef GR_APP_DAEMON_RUNNING_LAST_ANSWER_H
#define GR_APP_DAEMON_RUNNING_LAST_ANSWER_H

#include "base/arena.h"
#include "nri/session.h"

struct gr_last_answer {
    struct gr_arena arena;
    struct gr_str id;    /* of the container; n == 0: none, or nothing was injected */
    struct gr_str *sets; /* sorted */
    size_t sets_n;
};

void gr_last_answer_init(struct gr_last_answer *last);
void gr_last_answer_fini(struct gr_last_answer *last);

/* An answer was sent, which now is the last one. Without memory for it nothing is remembered. */
void gr_last_answer_take(struct gr_last_answer *last, const struct gr_session_event *event);

/* Whether the last answer was about this container and injected this set. */
bool gr_last_answer_had(const struct gr_last_answer *last, struct gr_str id, struct gr_str set);

#endif
