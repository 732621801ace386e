/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/document: output for machines, as JSON or YAML.
 *
 * Layer: app.
 */
#ifndef GR_APP_CLI_DOCUMENT_H
#define GR_APP_CLI_DOCUMENT_H

#include <jansson.h>

#include "app/cli/common.h"

/*
 * Prints document on stdout, indented, with a line feed at its end, and drops the reference. NULL,
 * or what stands for a value that could not be made, is memory that ran out.
 * Returns GR_EXIT_OK; GR_EXIT_FAILED (said on stderr).
 */
int gr_document_print(const char *verb, json_t *document, enum gr_output output);

/* A text that came from outside; bytes that are no UTF-8 become '?'. NULL without memory. */
json_t *gr_json_str(struct gr_str text);

/* Sets key unless text is empty. */
void gr_json_set_str(json_t *object, const char *key, struct gr_str text);

/* A finding: level, code, file, line, column, field, text; what is not known is left out. */
json_t *gr_finding_json(enum gr_level level, const struct gr_err *err);

#endif
