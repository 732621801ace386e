/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/explain/explain_control: the command explain of the control socket.
 *
 * Layer: app. What becomes of a container with the rules that are in force, whatever lies in their
 * files by now, and with what is paused. The loop takes a reference to the rules and a copy of the
 * rest; the words are made on the loader's thread, one container at a time, and sent by the loop.
 * Spec: specs/explain.md, "With the rules in force"; specs/status.md.
 */
#ifndef GR_APP_DAEMON_EXPLAIN_EXPLAIN_CONTROL_H
#define GR_APP_DAEMON_EXPLAIN_EXPLAIN_CONTROL_H

#include "app/daemon/control/control.h"
#include "app/daemon/reload/inforce.h"

/* Zero but for inforce, which is borrowed. Itself borrowed by the control socket, and it ends
 * behind the loader thread. */
struct gr_explain_source {
    struct gr_inforce *inforce;
    size_t answer_max_bytes; /* 0: GR_CONTROL_REPLY_BODY_MAX_BYTES; another one is for tests */
    size_t memory_max_bytes; /* 0: GR_CONTROL_EXPLAIN_MEMORY_BYTES; likewise */
    size_t jobs;             /* that somebody waits for, or whose answer is being taken */
};

void gr_explain_control_add(struct gr_control *control, struct gr_explain_source *source);

#endif
