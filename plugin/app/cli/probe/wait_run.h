/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/probe/wait_run: waits until something is so, and then runs a program.
 *
 * Layer: app. Made for a container beside the plugin, whose first process it may be: it ends at
 * SIGTERM and SIGINT although the kernel gives such a process no default for them, hands them on to
 * the program, and takes in orphans.
 */
#ifndef GR_APP_CLI_PROBE_WAIT_RUN_H
#define GR_APP_CLI_PROBE_WAIT_RUN_H

#include "base/defs.h"

/* Seconds between two questions, and after the first run that failed; each further wait is twice
 * as long, up to the second. */
#define GR_WAIT_RUN_S 1
#define GR_WAIT_RUN_MAX_S 60

/* Asks once. Returns whether it is so; where not, out_why says why, valid until the next call. */
typedef bool gr_wait_run_ask_fn(void *user, const char **out_why);

/*
 * Asks until it is so. Then runs command (NULL-terminated, found along PATH) until it succeeds
 * once, and stays until it is told to end. command[0] NULL: there is none, and it returns at once.
 * Why it waits, why the command failed, and that it has not, is said on stderr when it changes.
 * Blocks the two signals and SIGCHLD for the whole process, for good. Returns GR_EXIT_OK;
 * GR_EXIT_FAILED told to end before it was so, or before a run succeeded.
 */
int gr_wait_run(const char *verb, gr_wait_run_ask_fn *ask, void *user, char *const command[]);

#endif
