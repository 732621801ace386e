/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/status/status_around: what status tells of that by which the plugin hears and is
 * heard: the watch of files, the journal, metrics and the control socket.
 *
 * Layer: app, for app/daemon/status/status.
 */
#ifndef GR_APP_DAEMON_STATUS_STATUS_AROUND_H
#define GR_APP_DAEMON_STATUS_STATUS_AROUND_H

#include <jansson.h>

#include "app/daemon/view.h"

/* Adds "watch", "journal", "metrics" and "control". */
void gr_status_around(json_t *reply, const struct gr_view *view);

#endif
