/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/status/status_running: what status tells of containers that lack a set.
 *
 * Layer: app, for app/daemon/status/status. Spec: specs/missed.md.
 */
#ifndef GR_APP_DAEMON_STATUS_STATUS_RUNNING_H
#define GR_APP_DAEMON_STATUS_STATUS_RUNNING_H

#include <jansson.h>

#include "app/daemon/running/running.h"
#include "app/problem.h"

/* A new object: figures, or that they are not known. */
json_t *gr_status_running(const struct gr_running_status *running);

/* One container and one set. */
json_t *gr_status_running_item(const struct gr_running_item *item);

/* Adds a problem each where containers were missed, where some cannot be read,
 * and where nothing is known of them though the runtime has told. */
void gr_status_running_problems(struct gr_problems *list, const struct gr_running_status *running);

#endif
