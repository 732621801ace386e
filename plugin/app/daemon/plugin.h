/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/plugin: the NRI plugin process.
 *
 * Layer: app. One loop thread owns the connection, the session and the rule set that is in force.
 * Launched by a runtime it ends with its connection; started by anybody else it connects again,
 * with backoff, for ever.
 */
#ifndef GR_APP_DAEMON_PLUGIN_H
#define GR_APP_DAEMON_PLUGIN_H

#include "app/daemon/view.h"

struct gr_plugin_options {
    const char *socket; /* of the runtime; external mode */
    int launched_fd;    /* >= 0: a runtime launched us and this is the connection */
    const char *name;   /* what RegisterPlugin says */
    const char *index;
    struct gr_flags flags;
};

/*
 * Runs until SIGTERM, SIGINT, Shutdown or, launched, the end of the connection. SIGHUP reads
 * settings and rules again, SIGUSR1 logs what the process is. Returns the exit code.
 */
int gr_plugin_run(const struct gr_plugin_options *options, struct gr_log *log);

struct gr_plugin;

/* What the process is now; see app/daemon/view. */
void gr_plugin_view(const struct gr_plugin *plugin, struct gr_view *out_view);

#endif
