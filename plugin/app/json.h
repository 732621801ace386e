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

/* The same with text that ends with a NUL byte; NULL is empty. */
void gr_json_set_text(json_t *object, const char *key, const char *text);

/* Sets key to a number. */
void gr_json_set_count(json_t *object, const char *key, uint64_t n);

/* Sets key to seconds since 1970 as RFC 3339 in UTC, unless they are 0. */
void gr_json_set_time(json_t *object, const char *key, int64_t seconds);

/* Which directory a path leads to, from here: "DEVICE:INODE". False: to none. */
#define GR_JSON_DIRECTORY_BYTES 48
bool gr_json_directory(const char *path, char text[GR_JSON_DIRECTORY_BYTES]);

/* A finding: level, code, file, line, column, field, text; what is not known is left out. */
json_t *gr_finding_json(enum gr_level level, const struct gr_err *err);

#endif
