/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/gobuild: what a Go program says about how it was built.
 *
 * Layer: app. Go puts the modules of a program, with their versions, into its ELF section
 * .go.buildinfo (debug/buildinfo; Go 1.18 and later). So a runtime's version and NRI are known
 * without running it, also when it does not run. Nothing in the file is trusted.
 */
#ifndef GR_APP_DOCTOR_GOBUILD_H
#define GR_APP_DOCTOR_GOBUILD_H

#include "base/arena.h"

struct gr_gobuild {
    struct gr_str module;  /* the runtime's: github.com/containerd/containerd/v2, … */
    struct gr_str version; /* of the runtime; n == 0: the build did not say */
    bool is_program;       /* the runtime is the program, not one of its parts */
    struct gr_str nri;     /* of github.com/containerd/nri; n == 0: there is none in it */
};

/* fd: the program, opened for reading; borrowed. Texts are in the arena. Returns 0; -ENODATA there
 * is no such record; another negative errno. */
GR_CHECKED int gr_gobuild_read(int fd, struct gr_arena *arena, struct gr_gobuild *out_build);

#endif
