/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/status/status_lists: sets, files, findings and containers in replies, as far as there
 * is room.
 *
 * Layer: app, for app/daemon/status/status.
 */
#ifndef GR_APP_DAEMON_STATUS_STATUS_LISTS_H
#define GR_APP_DAEMON_STATUS_STATUS_LISTS_H

#include <jansson.h>

#include "app/daemon/view.h"

/* Of the document that status answers. */
#define GR_STATUS_VERSION 1

/*
 * Adds "sets", "files", "findings", "lacking" and "more", which counts what was left out of each.
 * Where not all fit, only what matters is shown: blocked sets before those that had hits, files
 * that were not simply loaded, errors, and missed containers.
 */
void gr_status_add_lists(json_t *reply, const struct gr_view *view);

/*
 * One page of the list that is called so, from the element of this number: adds the list, "total",
 * "next" unless it is the last page, and "load", which is another number when the list may have
 * changed since. Returns 0; -EINVAL there is no such list.
 */
GR_CHECKED int gr_status_page(const struct gr_view *view, struct gr_str of, uint64_t from,
                              json_t *reply, struct gr_err *err);

#endif
