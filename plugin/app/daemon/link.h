/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/link: the life of the connection to the runtime: connecting, registering, the session
 * on it, its end, and the wait before the next one.
 *
 * Layer: app. Loop thread only. Launched by a runtime, the one connection is what it passed, and
 * its end is the end of the process; else it comes back for ever (app/daemon/backoff). What is
 * answered to the runtime is the owner's.
 */
#ifndef GR_APP_DAEMON_LINK_H
#define GR_APP_DAEMON_LINK_H

#include <event2/event.h>

#include "app/log.h"
#include "nri/session.h"

struct gr_link;
struct gr_view_session;

/* The texts are borrowed and must outlive the link. */
struct gr_link_options {
    const char *socket; /* of the runtime; external mode */
    int launched_fd;    /* >= 0: a runtime launched us and this is the connection; taken when the
                         * link begins */
    const char *name;   /* what RegisterPlugin says */
    const char *index;
};

/* Called from the loop; those that are not explained are as in gr_session_ops. */
struct gr_link_ops {
    /* For a session that begins now. */
    struct gr_session_settings (*settings)(void *user);
    bool (*configure)(void *user, const struct gr_nri_runtime *runtime, struct gr_str config);
    /* running: given. */
    void (*synchronized)(void *user, struct gr_nri_running *running);
    int (*decide)(void *user, const struct gr_subject *subject, struct gr_arena *arena,
                  struct gr_decision *out_decision, struct gr_err *err);
    /* The answer has been sent, as far as the socket took it. */
    void (*created)(void *user, const struct gr_session_event *event);
    void (*answered)(void *user, const struct gr_session_answer *answer);
    void (*shutdown)(void *user);
    /* gr_link_view tells it already, and with GR_SESSION_CLOSED also why. */
    void (*state)(void *user, enum gr_session_state to);
    /* The connection is gone: end of file (reason 0) or a negative errno. */
    void (*closed)(void *user, int reason);
    /* There is nothing more to come: the process is to end, with this code. */
    void (*over)(void *user, int exit_code);
};

/*
 * Does nothing before it begins. options, log and ops are borrowed.
 * Returns 0 and an object for gr_link_free; -ENOMEM.
 */
GR_CHECKED int gr_link_new(struct event_base *base, const struct gr_link_options *options,
                           const struct gr_log *log, const struct gr_link_ops *ops, void *user,
                           struct gr_link **out_link);
void gr_link_free(struct gr_link *link); /* NULL is fine; closes the connection */

/* The first connection, now, or when this time has passed. Once it has begun, neither is called
 * again. */
void gr_link_begin(struct gr_link *link);
void gr_link_begin_within(struct gr_link *link, uint32_t wait_ms);
bool gr_link_has_begun(const struct gr_link *link);

/* gr_link_ops.settings would say something else now. */
void gr_link_settings_changed(struct gr_link *link);

/* As gr_session_configured. Nothing where there is no session. */
void gr_link_configured(struct gr_link *link);

/* Borrowed for as long as the link, which changes it. */
const struct gr_view_session *gr_link_view(const struct gr_link *link);

#endif
