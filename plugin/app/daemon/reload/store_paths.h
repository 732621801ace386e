/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/store_paths: where a change of the program store would be seen.
 *
 * Layer: app.
 */
#ifndef GR_APP_DAEMON_RELOAD_STORE_PATHS_H
#define GR_APP_DAEMON_RELOAD_STORE_PATHS_H

#include "base/arena.h"
#include "load/config.h"
#include "rules/match/ruleset.h"

/* Packages of the store whose changes are noticed at once; those of more are found by the rescan.
 * No evidence. */
#define GR_STORE_PATHS_MAX 64

/*
 * The store and the link current of each package that hooks name, below the host root, to
 * out_paths, in arena; at most GR_STORE_PATHS_MAX + 1. ruleset: NULL: none yet. Returns how many:
 * none without a store, fewer without memory.
 */
size_t gr_store_paths(const struct gr_config *config, const struct gr_ruleset *ruleset,
                      struct gr_arena *arena, const char **out_paths);

/* Of the packages that hooks name: another one when they are others. */
uint64_t gr_store_packages_hash(const struct gr_ruleset *ruleset);

#endif
