/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/lastsettings: the last accepted text of the settings file, kept on disk.
 *
 * Layer: load. It lies beside the last good texts of rules and in their format (load/lastgood),
 * found by the settings file's path. A process that starts beside a settings file with an error
 * goes on with it. Spec: specs/config.md.
 */
#ifndef GR_LOAD_LASTSETTINGS_H
#define GR_LOAD_LASTSETTINGS_H

#include "load/lastgood.h"

/* Borrowed for the calls. */
struct gr_lastsettings {
    const struct gr_fs *fs;
    const char *dir;  /* NULL: nothing is kept */
    const char *path; /* of the settings file; a relative one counts from the working directory */
    bool dir_is_told; /* what is wrong with the directory was reported already */
};

/*
 * Appends the text to out; when it was kept goes to *out_kept_s, in seconds since 1970. Nothing on
 * disk is changed. Returns 0; GR_LASTGOOD_NONE: there is none, or it is not to be trusted or
 * damaged (reported); -ENOMEM.
 */
GR_CHECKED int gr_lastsettings_read(const struct gr_lastsettings *where,
                                    const struct gr_reporter *reporter, struct gr_buf *out,
                                    int64_t *out_kept_s);

/* Condition of gr_lastsettings_keep. */
#define GR_LASTSETTINGS_UNKEPT 1

/*
 * This text was accepted: kept from now on. n == 0: what is kept goes. What goes wrong is reported
 * as a warning. Returns 0; GR_LASTSETTINGS_UNKEPT: it could not be written; -ENOMEM.
 */
GR_CHECKED int gr_lastsettings_keep(const struct gr_lastsettings *where, struct gr_str text,
                                    const struct gr_reporter *reporter);

#endif
