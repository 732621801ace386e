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

/* Of what the program says on stderr, where that is looked at: what is beyond is lost. */
#define GR_WAIT_RUN_STDERR_BYTES 16384

/* All is borrowed. */
struct gr_wait_run {
    const char *verb; /* for messages */
    /* Asks once. Returns whether it is so; where not, out_why says why, valid until the next call.
     */
    bool (*ask)(void *user, const char **out_why);
    void *user;
    char *const *command; /* NULL-terminated, found along PATH; [0] NULL: there is none */
    const char *accept;   /* a run that fails and says this on stderr has succeeded; NULL: none */
    unsigned again_s;     /* from a run that succeeded to the next question; 0: there is none */
};

/*
 * Asks until it is so, and returns where there is no command. Else runs it until it succeeds, and
 * does all of that again in again_s, or stays until it is told to end. Why it waits, why the
 * command failed, and that it has not, is said on stderr when it changes. What the command says
 * goes to stdout and stderr; with accept, to stderr when it has ended, and not where it was
 * accepted. Blocks SIGTERM, SIGINT and SIGCHLD for the whole process, for good. Returns GR_EXIT_OK;
 * GR_EXIT_FAILED told to end before it was so, or before a run succeeded, for the first time.
 */
int gr_wait_run(const struct gr_wait_run *job);

#endif
