/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_parts: what app/setup/cleanup is made of.
 *
 * Layer: app; internal to it, and for its tests.
 */
#ifndef GR_APP_SETUP_CLEANUP_PARTS_H
#define GR_APP_SETUP_CLEANUP_PARTS_H

#include "app/setup/cleanup.h"
#include "load/trust.h"
#include "nri/running.h"

/* Things of one directory that are not ours and are named one by one; the rest is counted. */
#define GR_CLEANUP_SAID_MAX 20

/* How often is looked whether a plugin has ended. */
#define GR_CLEANUP_LOOK_MS 500

/* ---- a directory (cleanup_place) ---- */

/* Large: for the heap. */
struct gr_cleanup_place {
    const struct gr_cleanup *cleanup;
    const char *path; /* as it is told */
    struct gr_walk walk;
    struct gr_trust_way way;
    size_t left;  /* entries that are not ours, or stay for containers */
    size_t named; /* of those that are not ours */
    bool failed;  /* something could not be removed, which was told */
};

/*
 * Opens the directory at path below root, of a zeroed place with cleanup and path given. It and
 * what is above it must be in nobody's hands but root's. Returns 0; -ENOENT there is none; another
 * negative errno with err filled. To be closed in any case.
 */
GR_CHECKED int gr_cleanup_enter(struct gr_cleanup_place *place, const char *root,
                                struct gr_err *err);
void gr_cleanup_leave(struct gr_cleanup_place *place);

/* The directory's node. */
int gr_cleanup_node(const struct gr_cleanup_place *place);

/* Tells what became of an entry; below may be NULL: of the directory itself. */
void gr_cleanup_say(struct gr_cleanup_place *place, enum gr_cleanup_fate fate, const char *name,
                    const char *below, const char *why);
void gr_cleanup_fail(struct gr_cleanup_place *place, const char *name, const char *below, int rc);
void gr_cleanup_fail_why(struct gr_cleanup_place *place, const char *name, const char *below,
                         const char *why);

/* An entry that is not ours: named, or only counted. */
void gr_cleanup_foreign(struct gr_cleanup_place *place, const char *name, const char *below,
                        const char *why);

/* The end: removes the directory itself where nothing stays in it, and tells. files: how many were
 * removed in it. */
void gr_cleanup_finish(struct gr_cleanup_place *place, size_t files);

/* ---- what containers name (cleanup_holders) ---- */

struct gr_holder {
    struct gr_str key; /* a digest, or NAME/current */
    struct gr_str who; /* the first container, for people */
    size_t n;          /* containers */
    size_t last;       /* the last of them, from 1 */
};

/* Zeroed memory is an object without any. */
struct gr_holders {
    struct gr_arena arena;
    struct gr_holder *items;
    size_t n;
    struct gr_str *known; /* keys that count; NULL: any does */
    size_t known_n, known_cap;
};

/* Digests that are told apart. As GR_NAMED_MAX. */
#define GR_HOLDERS_MAX 1024

/* From now on only keys count that were given here: a config.json is full of other digests, ids of
 * containers and images, and whoever makes a pod may write more. Returns 0; -ENOMEM. */
GR_CHECKED int gr_holders_know(struct gr_holders *holders, struct gr_str key);

/* Returns 0; -EBADMSG: one of the containers cannot be read; -E2BIG: more containers or digests
 * than are kept; -ENOMEM; with err filled. */
GR_CHECKED int gr_holders_read(struct gr_holders *holders, const struct gr_nri_running *running,
                               struct gr_err *err);
void gr_holders_fini(struct gr_holders *holders);

/* The same of the containers that CRI-O has, running or ended (load/bundles). Returns 0; a negative
 * errno with err filled. */
GR_CHECKED int gr_holders_read_bundles(struct gr_holders *holders, const struct gr_cleanup *cleanup,
                                       const struct gr_nri_running *running, struct gr_err *err);

/* What one container's hooks name. Returns 0; -E2BIG; -ENOMEM. */
GR_CHECKED int gr_holders_add(struct gr_holders *holders, const struct gr_subject *subject,
                              size_t number);

/* What a text names that belongs to a container of which only the id is known. Returns as above. */
GR_CHECKED int gr_holders_add_text(struct gr_holders *holders, struct gr_str text, const char *id);

/* NULL: no container names it. */
const struct gr_holder *gr_holders_find(const struct gr_holders *holders, struct gr_str key);

/* ---- the rest ---- */

/* Whether the store holds anything at all. */
GR_CHECKED int gr_cleanup_store_is_empty(struct gr_cleanup_place *place, bool *out_empty);

/* Lets only that count which the store, the place, holds. To be called when the runtime has told:
 * what a container names was there before it. Returns 0; a negative errno: it cannot be seen. */
GR_CHECKED int gr_cleanup_store_know(struct gr_cleanup_place *place, struct gr_holders *holders);

/* The place is the store. What goes wrong is told, but for -ENOMEM, which is returned. */
GR_CHECKED int gr_cleanup_store(struct gr_cleanup_place *place, const struct gr_holders *holders);

/* Files of a directory whose names are ours, and the directory. Returns as above. */
GR_CHECKED int gr_cleanup_files(struct gr_cleanup_place *place,
                                bool (*is_ours)(struct gr_str name));

/* Whether it is one that only root could write; links are none of ours, whatever they are called.
 */
bool gr_cleanup_is_file(const struct gr_cleanup_place *place, const struct gr_fs_meta *meta);

/* Of an entry. Returns 0; -ENOENT; another negative errno, which was told. */
GR_CHECKED int gr_cleanup_meta(struct gr_cleanup_place *place, const char *name,
                               struct gr_fs_meta *out_meta);

/* True: it is gone, or would be; else it was told why not. */
bool gr_cleanup_remove(struct gr_cleanup_place *place, const char *name);

/* The metrics in a directory that is somebody else's, and what lies beside them under their name.
 * What goes wrong is told. Returns 0; -ENOMEM. */
GR_CHECKED int gr_cleanup_textfile(struct gr_cleanup_place *place, const char *name);

/* A socket of ours in a directory that is somebody else's. */
void gr_cleanup_socket(struct gr_cleanup_place *place, const char *name);

/* Whether a plugin runs here; *out_who says which, for people, up to bytes. */
bool gr_cleanup_sees_plugin(const struct gr_config *config, char *out_who, size_t bytes);

/* What the runtime told. */
struct gr_cleanup_told {
    struct gr_nri_running *running; /* to be freed */
    /* It is CRI-O, which runs the poststop of a container that has ended only when that is removed,
     * and does not tell it until then. */
    bool hides_ended;
};

/*
 * Asks the runtime for its containers, as a plugin that adjusts nothing. Returns 0; a negative
 * errno with err filled: -ETIMEDOUT there was no answer within wait_ms, -ENOMEM.
 */
GR_CHECKED int gr_cleanup_ask(const struct gr_cleanup *cleanup, struct gr_cleanup_told *out_told,
                              struct gr_err *err);

#endif
