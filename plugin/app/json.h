/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/json: parts of documents for machines that several of them have.
 *
 * Layer: app.
 */
#ifndef GR_APP_JSON_H
#define GR_APP_JSON_H

#include <jansson.h>

#include "base/err.h"

/* A text that came from outside; bytes that are no UTF-8 become '?'. NULL without memory. */
json_t *gr_json_str(struct gr_str text);

/* Sets key unless text is empty. */
void gr_json_set_str(json_t *object, const char *key, struct gr_str text);

/* Sets key to seconds since 1970 as RFC 3339 in UTC, unless they are 0. */
void gr_json_set_time(json_t *object, const char *key, int64_t seconds);

/* A finding: level, code, file, line, column, field, text; what is not known is left out. */
json_t *gr_finding_json(enum gr_level level, const struct gr_err *err);

#endif
