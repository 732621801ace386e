/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/status/text: the answer to status, for people.
 *
 * Layer: app, not for other verbs. Shape of the document: specs/status.md.
 */
#ifndef GR_APP_CLI_STATUS_TEXT_H
#define GR_APP_CLI_STATUS_TEXT_H

#include <jansson.h>
#include <stdbool.h>

/* Prints on stdout. What the document does not have is left out. all: settings that nobody set, and
 * files that are as they should be, too. */
void gr_status_text(const json_t *document, bool all);

#endif
