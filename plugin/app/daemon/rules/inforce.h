/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/rules/inforce: is app/daemon/reload/inforce now.
 *
 * Layer: app. For app/daemon/running alone, until it includes that; then this file goes.
 */
#ifndef GR_APP_DAEMON_RULES_INFORCE_H
#define GR_APP_DAEMON_RULES_INFORCE_H

#include "app/daemon/reload/inforce.h"

#endif
