/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/bundles: the containers that CRI-O has, running or ended, as they lie on the host.
 *
 * Layer: load. Spec: specs/programs.md, "Collecting". CRI-O tells a plugin of containers that run,
 * and runs the poststop of one that has ended only when it is removed, which for an init container
 * is as late as the end of its pod. Until then its config.json lies at
 * RUNROOT/DRIVER-containers/ID/userdata. It is not taken apart: whoever searches it sees too much
 * rather than too little.
 */
#ifndef GR_LOAD_BUNDLES_H
#define GR_LOAD_BUNDLES_H

#include "base/err.h"
#include "load/fs.h"
#include "load/store_limits.h"

/* One container's config.json, in which escapes have been undone. Borrowed for the call. Returns 0,
 * or what ends the reading and is passed up, with err untouched. */
typedef int gr_bundle_fn(void *user, const char *id, struct gr_str text);

struct gr_bundles {
    const struct gr_fs *fs;
    const char *root; /* where the host's / is seen */
    const char *dir;  /* CRI-O's runroot, below it; empty: none */
    /* Ids of containers that run. Where there are any, one of them must lie there: else it is the
     * directory of somebody else, Podman's for instance. */
    struct gr_strs running;
    gr_bundle_fn *each;
    void *user;
};

/*
 * Reads them all. Each is read whole and on its own, and one that comes or goes meanwhile may be
 * seen or not. Returns 0; what each returned; a negative errno with err filled: -ENOENT there is no
 * such directory here.
 */
GR_CHECKED int gr_bundles_read(const struct gr_bundles *bundles, struct gr_err *err);

#endif
