/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/log_created: what is logged about an answered CreateContainer.
 *
 * Layer: app. One line per container that was given hooks, adjusted or refused, at info and
 * warning; one at warning for each request that was denied, each required set that is missing, each
 * thing that two sets adjust otherwise; one per set that came into question, and all other
 * containers, at debug.
 */
#ifndef GR_APP_DAEMON_LOG_CREATED_H
#define GR_APP_DAEMON_LOG_CREATED_H

#include "app/log.h"
#include "nri/session.h"

void gr_log_created(const struct gr_log *log, const struct gr_session_event *event);

#endif
