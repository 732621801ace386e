/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/source: one rule file from its directory to its text.
 *
 * Layer: load. Opens the entry below the directory that was checked, follows links from "/" with
 * every directory on the way checked, looks at owner and mode on the descriptor that is read, and
 * reads again (once) what changed meanwhile.
 */
#ifndef GR_LOAD_SOURCE_H
#define GR_LOAD_SOURCE_H

#include "load/dirs.h"

/* Conditions of gr_source_read. */
#define GR_SOURCE_GONE 1     /* it is not there any more, or it is a directory */
#define GR_SOURCE_DISABLED 2 /* empty or blank, or a link to /dev/null */
#define GR_SOURCE_REFUSED 3  /* err says why */

struct gr_source_reader {
    const struct gr_fs *fs;
    struct gr_trust_rules rules;
    struct gr_walk links; /* from "/", for entries that are links */
    struct gr_trust_way way;
};

/* fs is borrowed. Returns 0 or a negative errno. Large: for the heap. */
GR_CHECKED int gr_source_open(struct gr_source_reader *reader, const struct gr_fs *fs);
void gr_source_close(struct gr_source_reader *reader);

/*
 * Reads a file of a directory that is not broken; text is emptied first, its max is the limit.
 * Returns 0, a GR_SOURCE_ condition, -ENOMEM.
 */
GR_CHECKED int gr_source_read(struct gr_source_reader *reader, const struct gr_walk *dir,
                              const struct gr_rule_file *file, struct gr_buf *text,
                              struct gr_err *err);

#endif
