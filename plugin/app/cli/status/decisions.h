/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/status/decisions: what was decided last, from the journal that the plugin writes.
 *
 * Layer: app, for app/cli/status.
 */
#ifndef GR_APP_CLI_STATUS_DECISIONS_H
#define GR_APP_CLI_STATUS_DECISIONS_H

#include <jansson.h>

/* Decisions that are shown. */
#define GR_STATUS_DECISIONS_MAX 20

/* Adds "decisions" to the answer to status, which says where the journal lies: the last ones, or
 * why they cannot be read. An answer that does not tell of a journal stays as it is. */
void gr_status_add_decisions(json_t *document);

#endif
