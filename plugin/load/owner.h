/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/owner: who installs a package of the program store.
 *
 * Layer: load. Spec: specs/programs.md, "Owners". The owner is the text of a link in the package:
 * it comes and goes as a whole, as current does.
 */
#ifndef GR_LOAD_OWNER_H
#define GR_LOAD_OWNER_H

#include "load/fs.h"
#include "load/store_limits.h"

/* For messages: what gr_is_owner wants. */
#define GR_OWNER_EXPECTED "at most 253 letters, digits and ._/- that begin with a letter or digit"

/* Whether a text may be an owner. */
bool gr_is_owner(struct gr_str text);

struct gr_owner {
    char name[GR_OWNER_MAX_BYTES + 1]; /* empty: nobody */
    int64_t installed_s; /* when the package was installed last by it; seconds since 1970 */
};

/*
 * The owner of a package, whose directory is open as dir; something else that bears the name is
 * none. Returns 0; a negative errno.
 */
GR_CHECKED int gr_owner_read(const struct gr_fs *fs, int dir, struct gr_owner *out_owner);

#endif
