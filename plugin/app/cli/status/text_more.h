/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/status/text_more: containers, decisions and the process itself, for people.
 *
 * Layer: app, for app/cli/status_text.
 */
#ifndef GR_APP_CLI_STATUS_TEXT_MORE_H
#define GR_APP_CLI_STATUS_TEXT_MORE_H

#include <jansson.h>
#include <stdbool.h>

/* all: containers of every class, else missed ones. */
void gr_status_put_running(const json_t *document, bool all);
void gr_status_put_decisions(const json_t *document);
void gr_status_put_process(const json_t *document);

#endif
