/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/status/status_process: the process as the kernel sees it.
 *
 * Layer: app, for app/daemon/status/status.
 */
#ifndef GR_APP_DAEMON_STATUS_STATUS_PROCESS_H
#define GR_APP_DAEMON_STATUS_STATUS_PROCESS_H

#include <jansson.h>

#include "app/daemon/view.h"

/* A new object. The sandbox in it is the one that is in force, not the one that was asked for. */
json_t *gr_status_process(const struct gr_view *view);

/* Adds others: the instances beside this one, as they told of themselves. */
void gr_status_others(json_t *reply, const struct gr_instance_list *others);

#endif
