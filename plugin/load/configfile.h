/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/configfile: the settings file, read with the same care as rule files.
 *
 * Layer: load.
 */
#ifndef GR_LOAD_CONFIGFILE_H
#define GR_LOAD_CONFIGFILE_H

#include "load/config.h"
#include "load/fs.h"

/* Apart from GR_CONFIG_REFUSED. */
#define GR_CONFIGFILE_MISSING 10

/* Zeroed at first; in the arena that it was read into. */
struct gr_configfile {
    struct gr_config config;
    struct gr_str text; /* n == 0: it is empty or disabled, and sets nothing */
};

/*
 * Reads and decodes a file. Who may write the file and the directories above it is
 * checked as for rule files (load/trust).
 * Returns 0; GR_CONFIG_REFUSED (reported; *out_file untouched); GR_CONFIGFILE_MISSING (not
 * reported); -ENOMEM.
 */
GR_CHECKED int gr_configfile_read(const struct gr_fs *fs, const char *path, struct gr_arena *arena,
                                  const struct gr_reporter *reporter,
                                  struct gr_configfile *out_file);

#endif
