/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/program: by what a file is known as this program, of whatever version.
 *
 * Layer: app. By a note in it (ELF's PT_NOTE: owner "Grapnel", the version as text), which nothing
 * else has: neither its name nor a text that mentions it counts. The file is not run.
 */
#ifndef GR_APP_SETUP_PROGRAM_H
#define GR_APP_SETUP_PROGRAM_H

#include "load/fs.h"

#define GR_PROGRAM_NOTE_OWNER "Grapnel"
#define GR_PROGRAM_NOTE_TYPE 1U

/* Its place among a node's plugins, where nobody names one. */
#define GR_PROGRAM_INDEX_DEFAULT "10"

/* Where the note stands at the latest; the linker puts it into the first page. */
#define GR_PROGRAM_HEAD_BYTES 4096

/* A longer version is cut. */
#define GR_PROGRAM_VERSION_BYTES 32

/*
 * Whether a file that is open for reading, at its beginning, is this program; then out_version is
 * its version. What cannot be read is not.
 */
bool gr_program_is_ours(const struct gr_fs *fs, int node,
                        char out_version[GR_PROGRAM_VERSION_BYTES]);

#endif
