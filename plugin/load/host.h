/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/host: whether the hook programs of a set are there and safe to run.
 *
 * Layer: load. Paths are the host's: they are resolved below the host root, links included. A
 * program must exist, be a regular file that root can run, and be root's with every directory up to
 * "/" (load/trust; a read-only mount is no excuse here, since it may be writable on the host). The
 * way to it does not lead through a proc file system. With its links resolved it lies in the
 * directories that the policies allow, theirs resolved as well.
 * What cannot be seen from here is told apart from what is wrong:
 *   - a directory that is only the container's own stand-in above a mounted one is *unverified*, a
 *     warning;
 *   - a program below such a stand-in may be there, but that is not known: it blocks.
 * A program of the store is looked up there first (load/store); its path is then the hook's.
 * Answers are kept per path, and per program of the store, for one load.
 */
#ifndef GR_LOAD_HOST_H
#define GR_LOAD_HOST_H

#include "load/table.h"
#include "load/store.h"
#include "load/trust.h"
#include "rules/policy.h"

struct gr_host {
    const struct gr_fs *fs;
    const char *root;
    const struct gr_reporter *reporter;
    struct gr_policies policies; /* their directories resolved */
    struct gr_arena *arena;      /* texts of blocked sets: lives as long as the sets */
    struct gr_table answers;     /* path, or program of the store, to struct gr_host_answer */
    struct gr_store store;
    struct gr_trust_rules rules;
    struct gr_walk walk;
    char shown[GR_TRUST_QUOTED_BYTES]; /* the program that is looked at, for messages */
    struct gr_trust_way all;           /* over every directory of one walk */
    struct gr_trust_way seen;          /* over those that cannot be stand-ins */
    bool stand_ins;                    /* there were such directories */
    bool through_proc;                 /* the walk was ended since it got to a proc */
    bool partial_possible;             /* the host root is not our own "/" */
    uint64_t own_mount;                /* of our own "/" */
    int broken;                        /* why the host root cannot be opened, or 0 */
    size_t findings;
};

/*
 * programs_dir: the program store, on the host; NULL: none. Everything is borrowed until the close;
 * scratch may go before the sets. policies may be NULL. Returns 0 (also when the host root cannot
 * be opened: then every set is blocked), -ENOMEM. Large: for the heap.
 */
GR_CHECKED int gr_host_open(struct gr_host *host, const struct gr_fs *fs, const char *root,
                            const char *programs_dir, const struct gr_policies *policies,
                            struct gr_arena *arena, struct gr_arena *scratch,
                            const struct gr_reporter *reporter);
void gr_host_close(struct gr_host *host);

/*
 * Fills in the paths of hooks with a program of the store; set->blocked and set->no_program where a
 * program fails, reports each failure with the place
 * in the file, and each unverified program once. Hooks of startContainer are left out: their paths
 * are inside the container. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_host_check(struct gr_host *host, struct gr_hookset *set);

#endif
