/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/running: the running containers that Synchronize tells of, kept until somebody looks at them.
 *
 * Layer: nri. A runtime sends up to 16 MiB, in parts, and a container may come before its pod. Of
 * each only the fields are kept, still encoded, that a subject is made from; the texts are checked
 * when one is made, as those of CreateContainer are. What cannot be kept whole is given up as a
 * whole: figures about a part of the containers would be wrong.
 */
#ifndef GR_NRI_RUNNING_H
#define GR_NRI_RUNNING_H

#include "base/err.h"
#include "nri/limits.h"
#include "rules/subject.h"

struct gr_nri_running;
struct gr_nri_origin;

enum gr_nri_running_state {
    GR_NRI_RUNNING_WHOLE,
    GR_NRI_RUNNING_TOO_LARGE, /* more than GR_NRI_RUNNING_MAX_BYTES or …_OBJECTS: nothing is kept */
    GR_NRI_RUNNING_NO_MEMORY, /* the same */
};

/* A running container. Everything is borrowed from what it was read from, lists live in the arena.
 */
struct gr_nri_container {
    struct gr_subject subject;
    int64_t created_s; /* seconds since 1970; 0: the runtime does not say */
};

/*
 * origin: what the session knows of the runtime, and the fields that rules need; copied. Returns 0
 * and an object for gr_nri_running_free; -ENOMEM.
 */
GR_CHECKED int gr_nri_running_new(const struct gr_nri_origin *origin,
                                  struct gr_nri_running **out_running);
void gr_nri_running_free(struct gr_nri_running *running); /* NULL is fine */

/* Takes one part: an encoded SynchronizeRequest that gr_nri_sync_scan accepts. */
void gr_nri_running_add(struct gr_nri_running *running, struct gr_str payload);

/* The last part was added: pods can be found now. Nothing may be added afterwards. */
void gr_nri_running_finish(struct gr_nri_running *running);

enum gr_nri_running_state gr_nri_running_state(const struct gr_nri_running *running);

/* What the runtime that told it calls itself; borrowed. Only of what is whole. */
struct gr_str gr_nri_running_runtime(const struct gr_nri_running *running);

/* How many containers there are, in the order in which they came; 0 where nothing is kept. */
size_t gr_nri_running_count(const struct gr_nri_running *running);

/* The id of one; n == 0: it has none that can be read. Borrowed from running. */
struct gr_str gr_nri_running_id(const struct gr_nri_running *running, size_t i);

/* The ids of all of them that have one, borrowed as above, in an arena. False without memory. */
GR_CHECKED bool gr_nri_running_ids(const struct gr_nri_running *running, struct gr_arena *arena,
                                   struct gr_strs *out_ids);

/*
 * Reads one, with the pod that it belongs to. Returns 0; -EBADMSG, -E2BIG, -ENOMEM as
 * gr_nri_subject, -EBADMSG also where its pod was not told (err says what).
 */
GR_CHECKED int gr_nri_running_at(const struct gr_nri_running *running, size_t i,
                                 struct gr_arena *arena, struct gr_nri_container *out_container,
                                 struct gr_err *err);

#endif
