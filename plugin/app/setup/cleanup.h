/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup: takes away what Grapnel left on a host, when the plugin is gone for good.
 *
 * Layer: app. Spec: specs/programs.md, "Cleaning up". Hook programs that a container names stay:
 * its poststop needs them. Which ones it names the runtime tells, and nobody else knows: without
 * its answer the store is not touched. Everything is reached by descriptor, no link is followed
 * where something is removed, and what is not ours stays and is named.
 */
#ifndef GR_APP_SETUP_CLEANUP_H
#define GR_APP_SETUP_CLEANUP_H

#include "base/err.h"
#include "load/config.h"
#include "load/fs.h"

enum gr_cleanup_fate {
    GR_CLEANUP_REMOVED,
    GR_CLEANUP_KEPT, /* containers name it in their hooks */
    GR_CLEANUP_LEFT, /* it is not ours, or somebody is at work there */
    GR_CLEANUP_FAILED,
};

/* What became of something, or would. Borrowed for the call. */
struct gr_cleanup_item {
    enum gr_cleanup_fate fate;
    const char *path;
    const char *why; /* NULL: it was simply removed */
    size_t files;    /* of a directory, that were removed with it or in it; 0: nothing to count */
    bool stays;      /* the directory itself, without them */
};

struct gr_cleanup {
    const struct gr_fs *fs;
    const struct gr_config *config; /* hostRoot, programsDir, crioDir, lastGoodDir, runDir,
                                     * controlSocket, metricsTextfile */
    const char *socket;             /* of the runtime */
    uint32_t wait_ms;               /* for a plugin to end, and then for the runtime's answer */
    bool dry_run;                   /* the runtime is asked, and nothing is removed */
    void (*say)(void *user, const struct gr_cleanup_item *item);
    void (*waiting)(void *user, const char *why);
    void *user;
};

/* A plugin runs on this node; nothing was removed. */
#define GR_CLEANUP_RUNS 1

/*
 * Returns 0: nothing of ours is left but what was told. Else err is filled: GR_CLEANUP_RUNS; a
 * negative errno: the runtime did not tell its containers, so that the store is as it was (the rest
 * was removed), or something could not be removed, which was told.
 */
GR_CHECKED int gr_cleanup(const struct gr_cleanup *cleanup, struct gr_err *err);

#endif
