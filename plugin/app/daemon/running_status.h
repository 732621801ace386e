/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/running_status: running containers that lack a set, in the reply of status.
 *
 * Layer: app.
 */
#ifndef GR_APP_DAEMON_RUNNING_STATUS_H
#define GR_APP_DAEMON_RUNNING_STATUS_H

#include <jansson.h>

#include "app/daemon/view.h"

/* Adds "running" with the figures and, the gravest first, the containers, as far as there is room.
 */
void gr_running_status_add(json_t *reply, const struct gr_view *view);

/* Adds a text where containers were missed. */
void gr_running_status_problems(json_t *list, const struct gr_view *view);

#endif
