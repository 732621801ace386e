/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/onefile: one file by its path, read with the same care as rule files.
 *
 * Layer: load. For settings and policies.
 */
#ifndef GR_LOAD_ONEFILE_H
#define GR_LOAD_ONEFILE_H

#include "base/err.h"
#include "load/fs.h"
#include "load/limits.h"

/* Apart from the conditions of load/source. */
#define GR_ONEFILE_MISSING 10

/* The absolute path into out. Returns 0; GR_SOURCE_REFUSED: err says why. */
GR_CHECKED int gr_onefile_path(const struct gr_fs *fs, const char *path,
                               char out[GR_LOAD_PATH_BYTES], struct gr_err *err);

/*
 * Reads a file; text is emptied first, its max is the limit. A relative path counts from the
 * working directory. Who may write the file and
 * the directories above it is checked as for rule files (load/trust).
 * Returns 0; GR_SOURCE_DISABLED: empty, blank or a link to /dev/null; GR_SOURCE_REFUSED: err says
 * why; GR_ONEFILE_MISSING: there is none, and nobody else can have taken it away; -ENOMEM.
 */
GR_CHECKED int gr_onefile_read(const struct gr_fs *fs, const char *path, struct gr_buf *text,
                               struct gr_err *err);

#endif
