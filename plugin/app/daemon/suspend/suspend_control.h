/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/suspend/suspend_control: the commands pause and resume of the control socket.
 *
 * Layer: app. Spec: specs/pausing.md.
 */
#ifndef GR_APP_DAEMON_SUSPEND_SUSPEND_CONTROL_H
#define GR_APP_DAEMON_SUSPEND_SUSPEND_CONTROL_H

#include "app/daemon/control/control.h"
#include "app/daemon/suspend/suspend.h"

/* Names of protected sets that a reply lists; the others are counted. */
#define GR_SUSPEND_NAMES_MAX 8

/* Whom the commands are about; borrowed by the control socket. */
struct gr_suspend_source {
    struct gr_suspend *suspend;
    const struct gr_inforce *inforce;
};

void gr_suspend_control_add(struct gr_control *control, struct gr_suspend_source *source);

#endif
