/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/suspend/suspend_status: what status tells of suspended sets.
 *
 * Layer: app. Spec: specs/status.md.
 */
#ifndef GR_APP_DAEMON_SUSPEND_SUSPEND_STATUS_H
#define GR_APP_DAEMON_SUSPEND_SUSPEND_STATUS_H

#include <jansson.h>

#include "app/daemon/view.h"
#include "app/problem.h"

/* Adds "suspended", of which as many are listed as of any list, and "reports". */
void gr_suspend_status(json_t *reply, const struct gr_view *view);

/* Adds to each object of a list of sets, by its "name", why it is out of force: "suspended". */
void gr_suspend_status_sets(json_t *sets, const struct gr_view *view);

/* Adds problems. */
void gr_suspend_status_problems(struct gr_problems *list, const struct gr_view *view);

#endif
