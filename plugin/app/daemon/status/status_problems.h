/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/status/status_problems: what somebody should look at, in words.
 *
 * Layer: app, for app/daemon/status/status.
 */
#ifndef GR_APP_DAEMON_STATUS_STATUS_PROBLEMS_H
#define GR_APP_DAEMON_STATUS_STATUS_PROBLEMS_H

#include <jansson.h>

#include "app/daemon/view.h"

/* Adds "problems", texts with the gravest first, and "problemCodes" of app/problem. */
void gr_status_problems(json_t *reply, const struct gr_view *view);

#endif
