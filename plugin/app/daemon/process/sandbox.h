/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/process/sandbox: gives up what the plugin never needs.
 *
 * Layer: app. The plugin stays uid 0, since the runtime's socket and the rule files belong to root,
 * but needs none of root's capabilities and starts no program. What is given up cannot be taken
 * back, and threads that are made later inherit it: to be called before the first one.
 */
#ifndef GR_APP_DAEMON_PROCESS_SANDBOX_H
#define GR_APP_DAEMON_PROCESS_SANDBOX_H

#include "base/err.h"
#include "load/config.h"

/*
 * GR_SANDBOX_CAPABILITIES: empties all capability sets, the bounding set too where that is allowed,
 * and sets no_new_privs. GR_SANDBOX_FULL: also a system call filter: what the plugin uses is
 * allowed, what would start programs or change the system ends the process, anything else is
 * answered with ENOSYS.
 * Returns 0; negative errno after filling err: -ENOTSUP this build has no filter (what could be
 * given up is).
 */
GR_CHECKED int gr_sandbox_enter(enum gr_sandbox sandbox, struct gr_err *err);

#endif
