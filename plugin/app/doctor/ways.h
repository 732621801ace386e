/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/ways: in which ways Grapnel comes to this node, for doctor and for setup autostart.
 *
 * Layer: app. From what can be seen here: the runtime's directory of plugins, what systemd starts,
 * processes of the host, and what instances tell of themselves in the run directory. In a pod
 * without the host's / that is the last one alone (specs/doctor.md).
 */
#ifndef GR_APP_DOCTOR_WAYS_H
#define GR_APP_DOCTOR_WAYS_H

#include "app/doctor/doctor.h"

struct gr_doctor_way {
    enum gr_way way;
    const char *found; /* such as "the unit grapnel.service runs" */
    const char *fix;   /* what ends it */
};

/* Each way once. Returns how many there are. */
size_t gr_doctor_ways(struct gr_doctor *d, struct gr_doctor_way out_ways[GR_WAY_COUNT]);

#endif
