/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/watch_path: the directories that a path leads through.
 *
 * Layer: app. A change of a path is seen where an entry of one of these directories changes: a link
 * on the way is put elsewhere, a directory above is renamed, what was missing appears.
 */
#ifndef GR_APP_DAEMON_RELOAD_WATCH_PATH_H
#define GR_APP_DAEMON_RELOAD_WATCH_PATH_H

#include "base/str.h"

/*
 * One step: name is looked up in the directory dir (an absolute path, links replaced). name.n == 0:
 * the end was reached, and it is a directory. Both borrowed for the call. Called before name is
 * looked at, so that a change in between is seen by whoever watches dir from here on. Returns 0 to
 * go on, anything else to stop.
 */
typedef int gr_watch_step_fn(void *user, const char *dir, struct gr_str name);

/*
 * Goes from / along the absolute path as the system would, and stops where something is missing:
 * the last step is then the place where it would appear. Never fails: who cannot go on has told all
 * that can be watched.
 */
void gr_watch_walk(const char *path, gr_watch_step_fn *step, void *user);

#endif
