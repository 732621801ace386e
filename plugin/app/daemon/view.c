/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/view.h"

bool gr_view_is_registered(const struct gr_view *view)
{
    const struct gr_view_session *session = &view->session;

    /* A launched plugin is asked about containers from Configure on. */
    if (session->launched && session->state == GR_SESSION_CONFIGURED)
        return true;
    return session->state == GR_SESSION_READY && session->synchronized;
}

const char *gr_view_not_ready(const struct gr_view *view)
{
    const struct gr_view_session *session = &view->session;
    const struct gr_inforce_status *rules = &view->rules;

    if (session->state == GR_SESSION_CLOSED || session->state == GR_SESSION_NEW)
        return "not connected to the runtime";
    if (session->state == GR_SESSION_REGISTERING)
        return "connected, but not registered by the runtime";
    if (!gr_view_is_registered(view))
        return "registered, but not synchronized by the runtime";
    if (!rules->ruleset)
        return "the rules are not loaded yet";
    if (!rules->sound)
        return "a source of settings has an error";
    if (!rules->ready)
        return "rules have errors, or were rejected";
    return NULL;
}
