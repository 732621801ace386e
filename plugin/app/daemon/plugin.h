/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/plugin: the NRI plugin process.
 *
 * Layer: app. One loop thread owns the parts, joins them to each other (what the runtime asks to
 * the rules in force, what was answered to journal, log and metrics), and hears signals. The
 * connection is app/daemon/link's.
 */
#ifndef GR_APP_DAEMON_PLUGIN_H
#define GR_APP_DAEMON_PLUGIN_H

#include "app/daemon/link.h"
#include "app/daemon/programs/retirer.h"
#include "app/daemon/view.h"

struct gr_plugin_options {
    struct gr_link_options link;
    struct gr_flags flags;
    struct gr_retirer_options retire;
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
