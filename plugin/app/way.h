/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/way: how a plugin process came to the node: launched by the runtime, from a unit, in a pod.
 *
 * Layer: app. Of others by their control group, as the host's /proc shows it. A process in a pod
 * sees no more of its own than its root, and knows by what kubelet puts into its environment.
 */
#ifndef GR_APP_WAY_H
#define GR_APP_WAY_H

#include "state/instances.h"

/* Bytes of /proc/PID/cgroup that matter: a line for each of some dozen hierarchies. */
#define GR_WAY_CGROUP_MAX_BYTES 8192

/* text: /proc/PID/cgroup. out_unit: the unit's name where it is one, borrowed from text; else
 * empty. A process that a runtime launched is in the runtime's group: that is for the caller. */
enum gr_way gr_way_of_cgroup(struct gr_str text, struct gr_str *out_unit);

/* What this process tells of itself: way, pid, started_s, version and unit; the rest is empty. */
struct gr_instance gr_way_own(bool launched, int64_t started_s);

/* "launched by the runtime", "from the unit grapnel.service", "in a pod", "by hand". */
struct gr_way_words {
    char text[GR_INSTANCE_TEXT_BYTES + 32];
};
struct gr_way_words gr_way_words(enum gr_way way, const char *unit);

#endif
