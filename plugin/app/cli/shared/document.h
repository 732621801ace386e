/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/document: output for machines, as JSON or YAML.
 *
 * Layer: app.
 */
#ifndef GR_APP_CLI_SHARED_DOCUMENT_H
#define GR_APP_CLI_SHARED_DOCUMENT_H

#include "app/cli/shared/common.h"
#include "app/json.h"

/*
 * Prints document on stdout, indented, with a line feed at its end, and drops the reference. NULL,
 * or what stands for a value that could not be made, is memory that ran out.
 * Returns GR_EXIT_OK; GR_EXIT_FAILED (said on stderr).
 */
int gr_document_print(const char *verb, json_t *document, enum gr_output output);

#endif
