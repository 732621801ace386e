/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/store: what program: NAME/FILE of a hook stands for on this host (specs/programs.md).
 *
 * Layer: load. Below the host root, links are followed on the way to the store; in it only the link
 * current counts, and only with a digest for its text. Whether the program may run is load/host's
 * to say.
 */
#ifndef GR_LOAD_STORE_H
#define GR_LOAD_STORE_H

#include "base/err.h"
#include "load/trust.h"
#include "rules/hookset.h"

struct gr_store {
    const char *dir; /* programsDir; NULL: there is none */
    struct gr_walk walk;
    int failed; /* why it cannot be opened, or 0 */
    struct gr_trust_rules rules;
};

/* Opens the store below the host root. dir is borrowed; NULL: none. Returns 0, also where it cannot
 * be opened: then it finds nothing; -ENOMEM. Large: for the heap. */
GR_CHECKED int gr_store_open(struct gr_store *store, const struct gr_fs *fs, const char *root,
                             const char *dir);
void gr_store_close(struct gr_store *store);

/* What cannot be found: err says why. */
#define GR_STORE_NONE 1

/* The path of a program of a hook (NAME/FILE, as decoded), with the digest of now. Returns 0;
 * GR_STORE_NONE; -ENOMEM. */
GR_CHECKED int gr_store_find(struct gr_store *store, struct gr_str program,
                             char out_path[GR_LOAD_PATH_BYTES], struct gr_err *err);

/* The path of such a program in place of one that nobody has looked for: through the link current.
 * dir: NULL: the usual place. */
void gr_store_name(const char *dir, struct gr_str program, char out_path[GR_LOAD_PATH_BYTES]);

/* Gives every hook of a set with a program the path of gr_store_name, in arena. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_store_name_all(const char *dir, struct gr_arena *arena, struct gr_hookset *set);

/* The hooks of one stage, to be changed, in arena: the list is replaced by them. NULL: no memory.
 */
struct gr_hook *gr_store_own_hooks(struct gr_arena *arena, struct gr_hook_list *hooks);

/* Whether one of the hooks has a program of the store. */
bool gr_store_is_asked(const struct gr_hook_list *hooks);

#endif
