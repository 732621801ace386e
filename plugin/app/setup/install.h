/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/install: program files into the store (specs/programs.md).
 *
 * Layer: app. A package is locked while something in its directory is changed, so that installers
 * come one after the other. What counts is renamed into place when it is complete; whatever an
 * installer that was killed left behind has a name that never counts, and the next one removes it.
 */
#ifndef GR_APP_SETUP_INSTALL_H
#define GR_APP_SETUP_INSTALL_H

#include "app/setup/turn.h"
#include "base/err.h"
#include "load/owner.h"
#include "load/tree.h"

struct gr_install {
    const struct gr_fs *fs;
    const char *host_root;
    const char *from;  /* a directory of ours */
    const char *to;    /* PROGRAMS/NAME, absolute, below the host root */
    const char *owner; /* as gr_is_owner; NULL: nobody */
    bool dry_run;
    uint64_t wait_s; /* for another installer; 0: not at all */
    gr_turn_waits_fn *waits;
};

/* What was done, or would be. */
struct gr_installed {
    char digest[GR_SHA256_HEX + 1];
    char before[GR_SHA256_HEX + 1]; /* what current named; empty: nothing that counts */
    size_t files;
    uint64_t bytes;
    bool copied;   /* the digest was not there, or was damaged */
    bool damaged;  /* it was there, and was not what its name says */
    bool switched; /* current named another one, or none */
    struct gr_owner owner_before;
};

/* Returns 0; a negative errno with err filled: current is what it was, and so is every digest. */
GR_CHECKED int gr_install(const struct gr_install *install, struct gr_installed *out_installed,
                          struct gr_err *err);

#endif
