/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/status/status: the commands status, page and probe of the control socket.
 *
 * Layer: app. Shapes: specs/status.md. What a reply has of sets, files and findings is bounded; the
 * rest is read in pages.
 */
#ifndef GR_APP_DAEMON_STATUS_STATUS_H
#define GR_APP_DAEMON_STATUS_STATUS_H

#include "app/daemon/control/control.h"
#include "app/daemon/view.h"

/* What the commands tell of. */
struct gr_status_source {
    void (*view)(void *user, struct gr_view *out_view);
    void *user;
};

/* Adds the commands. source is borrowed for the object. */
void gr_status_add(struct gr_control *control, const struct gr_status_source *source);

#endif
