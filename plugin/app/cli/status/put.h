/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/status/put: how status is printed for people: 80 columns, and colours on a terminal.
 *
 * Layer: app, for app/cli/status. All print on stdout, whatever bytes a text holds.
 */
#ifndef GR_APP_CLI_STATUS_PUT_H
#define GR_APP_CLI_STATUS_PUT_H

#include <jansson.h>
#include <stdbool.h>

#include "app/cli/shared/duration.h"
#include "base/defs.h"

#define GR_STATUS_COLUMNS 80
#define GR_STATUS_LINE_BYTES 8192

#define GR_BOLD "1"
#define GR_RED "31"
#define GR_GREEN "32"
#define GR_YELLOW "33"

/* ---- what the document says; "", 0 and false where it says nothing ---- */

const char *gr_text_of(const json_t *object, const char *key);
long long gr_number_of(const json_t *object, const char *key);
bool gr_truth_of(const json_t *object, const char *key);
bool gr_is(const char *text, const char *word);

/* ---- text ---- */

void gr_put(const char *text);

/* colour: NULL is none. */
void gr_put_coloured(const char *colour, const char *text);
void gr_put_heading(const char *text);

/* Characters of n bytes of text. */
size_t gr_columns_of(const char *text, size_t n);

/* Words from this column on; further lines begin at indent. Then a line feed. */
void gr_put_wrapped(size_t column, size_t indent, const char *text);

/* "  name      text", wrapped. */
GR_PRINTF(2, 3) void gr_put_line(const char *name, const char *format, ...);

/* "" or "s". */
const char *gr_plural(long long n);

/* Since a time of the document until now. */
struct gr_duration gr_since_text(const char *text);

#endif
