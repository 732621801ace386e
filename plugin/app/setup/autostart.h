/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/autostart: this program into the directory of plugins that a runtime launches
 * (specs/autostart.md).
 *
 * Layer: app. Of every file there with an executable bit NRI starts a process, or, when it is not
 * called NN-NAME, does not start itself and leaves the node without its runtime. So a program is
 * written in a directory of its own in there, which NRI passes over, and renamed when it is whole:
 * whenever it is interrupted, what would be launched is what was launched before, or this program.
 */
#ifndef GR_APP_SETUP_AUTOSTART_H
#define GR_APP_SETUP_AUTOSTART_H

#include "app/setup/program.h"
#include "app/setup/turn.h"
#include "base/err.h"
#include "load/limits.h"

/* Programs of ours in one directory that are dealt with at once. No evidence. */
#define GR_AUTOSTART_FOUND_MAX 16

struct gr_autostart {
    const struct gr_fs *fs;
    const char *host_root;
    const char *to;    /* the directory of plugins, absolute, below the host root */
    const char *index; /* two digits; NULL: that of the one that is there, else the default */
    bool dry_run;
    uint64_t wait_s; /* for another command that works there */
    gr_turn_waits_fn *waits;
};

/* An entry of the directory that is this program, of whatever version. */
struct gr_autostart_entry {
    char name[GR_LOAD_PATH_BYTES / 16]; /* NAME_MAX and its NUL byte */
    char version[GR_PROGRAM_VERSION_BYTES];
    bool is_link;
    bool launched; /* a runtime would: a link, or executable */
};

/* What was done, or would be. */
struct gr_autostarted {
    char name[16];                    /* NN-grapnel */
    bool same;                        /* it was there, and is what it should be */
    struct gr_autostart_entry before; /* what it took the place of; no name: nothing */
    uint64_t bytes;
};

/* Returns 0; a negative errno with err filled: the directory is what it was. */
GR_CHECKED int gr_autostart_put(const struct gr_autostart *autostart,
                                struct gr_autostarted *out_done, struct gr_err *err);

struct gr_autostart_list {
    size_t n;
    struct gr_autostart_entry items[GR_AUTOSTART_FOUND_MAX]; /* by name */
};

/* Removes every program of ours, and what an interrupted put left. Returns 0 and those that are, or
 * would be, gone; a negative errno with err filled: those before it are gone. */
GR_CHECKED int gr_autostart_undo(const struct gr_autostart *autostart,
                                 struct gr_autostart_list *out_gone, struct gr_err *err);

#endif
