/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/process/syscalls: the system call filter of the plugin process.
 *
 * Layer: app.
 */
#ifndef GR_APP_DAEMON_PROCESS_SYSCALLS_H
#define GR_APP_DAEMON_PROCESS_SYSCALLS_H

#include "base/err.h"

/* Puts the filter in force, for all threads. no_new_privs must be set. Returns 0; negative errno
 * after filling err: -ENOTSUP this build has none. */
GR_CHECKED int gr_syscalls_filter(struct gr_err *err);

#endif
