/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/turn: one command at a time in a directory (specs/programs.md, specs/autostart.md).
 *
 * Layer: app. A command that has load/lock's lock is waited for, up to a limit.
 */
#ifndef GR_APP_SETUP_TURN_H
#define GR_APP_SETUP_TURN_H

#include "load/lock.h"

/* How long a command waits for another one, in seconds: as long as the largest package may take on
 * a slow disk. An init container that fails is started again. No evidence. */
#define GR_TURN_WAIT_S 120

/* Between two looks whether the other one is done, in ms. */
#define GR_TURN_LOOK_MS 100

/* Told once, when the waiting for a directory begins. */
typedef void gr_turn_waits_fn(const char *path, uint64_t wait_s);

struct gr_turn {
    struct gr_lock lock;
    uint64_t wait_s; /* 0: not at all */
    gr_turn_waits_fn *waits;
    uint64_t looks; /* so far, in all calls; begins with 0 */
};

/*
 * Takes the lock of dir; it is had until *out_lock is closed. May be called again, of a directory
 * that took the place of dir: what was waited counts. Returns as gr_lock_take, but that
 * -EWOULDBLOCK has err filled (setup-busy): somebody has it for longer than wait_s.
 */
GR_CHECKED int gr_turn_take(struct gr_turn *turn, int dir, int *out_lock, struct gr_err *err);

#endif
