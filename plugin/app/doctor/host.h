/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/host: the host that is looked at, below one root.
 *
 * Layer: app. The root may be "/", the host's / as a container has it mounted, or a folder that a
 * test made: every path is the host's and is resolved below the root, links included (load/walk).
 * Nothing is changed and nothing is run.
 */
#ifndef GR_APP_DOCTOR_HOST_H
#define GR_APP_DOCTOR_HOST_H

#include <sys/stat.h>

#include "base/arena.h"
#include "load/walk.h"

struct gr_doctor_host {
    const char *root; /* borrowed */
    struct gr_fs fs;
    struct gr_walk walk;
    struct gr_arena *arena; /* borrowed; what is given lives there */
    bool denied;            /* something could not be looked at for lack of rights */
};

struct gr_doctor_entry {
    const char *name;
    struct stat st; /* of the entry itself, links not followed */
};

struct gr_doctor_entries {
    struct gr_doctor_entry *items; /* by name, bytewise */
    size_t n;
};

/* Large: for the heap. Returns 0; a negative errno: the root cannot be opened. */
GR_CHECKED int gr_doctor_host_open(struct gr_doctor_host *host, const char *root,
                                   struct gr_arena *arena);
void gr_doctor_host_close(struct gr_doctor_host *host);

/* A descriptor that names what lies at path (O_PATH), for the caller to close; a negative errno. */
GR_CHECKED int gr_doctor_open(struct gr_doctor_host *host, const char *path);

/* What path is, links followed. Returns 0; a negative errno. */
GR_CHECKED int gr_doctor_stat(struct gr_doctor_host *host, const char *path, struct stat *out_st);

static inline bool gr_doctor_exists(struct gr_doctor_host *host, const char *path)
{
    struct stat st;

    return gr_doctor_stat(host, path, &st) == 0;
}

/* The content of a regular file, terminated. Returns 0; -EMSGSIZE more than max bytes; -EISDIR,
 * -EINVAL another kind of file; another negative errno. */
GR_CHECKED int gr_doctor_read(struct gr_doctor_host *host, const char *path, size_t max,
                              struct gr_str *out_text);

/* A descriptor for reading a regular file, for the caller to close; a negative errno. */
GR_CHECKED int gr_doctor_open_read(struct gr_doctor_host *host, const char *path);

/* The entries of a directory. Returns 0; -EMSGSIZE too many; another negative errno. */
GR_CHECKED int gr_doctor_list(struct gr_doctor_host *host, const char *path,
                              struct gr_doctor_entries *out_entries);

/* The text of a link; NULL: it is none, or cannot be read. */
const char *gr_doctor_link(struct gr_doctor_host *host, const char *path);

/* Whether both paths lead to the same file. */
bool gr_doctor_same(struct gr_doctor_host *host, const char *a, const char *b);

#endif
