/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/parts: what the commands of grapnel setup share.
 *
 * Layer: app. One file per command; setup.c reads the options and has the table of commands.
 */
#ifndef GR_APP_CLI_SETUP_PARTS_H
#define GR_APP_CLI_SETUP_PARTS_H

#include "base/err.h"
#include "load/fs.h"
#include "load/store_limits.h"

/* What the command line says; text is borrowed for ever. */
struct gr_setup {
    const char *from, *to; /* NULL: not given */
    const char *owner, *store;
    const char *keep[GR_RETIRE_KEEP_MAX];
    size_t keep_n;
    const char *host_root; /* "/" where it is not given */
    bool has_host_root;
    bool dry_run;
    const char *config_path; /* NULL: the default, as for the next one */
    const char *socket;
    const char *crio_dir;
    const char *wait; /* as it was given; NULL: it was not */
    uint64_t wait_s;
    const char *index;
    bool undo;
    struct gr_fs fs;
};

/* Each does all of it, and returns an exit code. */
int gr_setup_install(const struct gr_setup *setup);
int gr_setup_self(const struct gr_setup *setup);
int gr_setup_autostart(const struct gr_setup *setup);
int gr_setup_retire(const struct gr_setup *setup);
int gr_setup_cleanup(const struct gr_setup *setup);

/* Says on stderr that somebody else is at work in path (app/setup/turn). */
void gr_setup_waits(const char *path, uint64_t wait_s);

/* The exit code of what ended with rc; says err. */
int gr_setup_end(int rc, const struct gr_err *err);

#endif
