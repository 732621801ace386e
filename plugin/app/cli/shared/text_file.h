/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/text_file: a file that a command line names, whole.
 *
 * Layer: app.
 */
#ifndef GR_APP_CLI_SHARED_TEXT_FILE_H
#define GR_APP_CLI_SHARED_TEXT_FILE_H

#include "base/arena.h"

/*
 * The whole text of a file, "-" for stdin; at most max bytes; in the arena, terminated.
 * Returns GR_EXIT_OK; GR_EXIT_HOST (said on stderr).
 */
GR_CHECKED int gr_read_text(const char *verb, const char *path, size_t max, struct gr_arena *arena,
                            struct gr_str *out_text);

#endif
