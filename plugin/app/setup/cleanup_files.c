/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_files: a directory of small files of ours: last good texts, the run directory.
 *
 * Layer: app. Only root may put something there (gr_cleanup_enter), so that what was looked at is
 * what is removed.
 */
#include <errno.h>

#include "app/setup/cleanup_parts.h"

struct files {
    struct gr_cleanup_place *place;
    bool (*is_ours)(struct gr_str name);
    size_t removed;
};

bool gr_cleanup_is_file(const struct gr_cleanup_place *place, const struct gr_fs_meta *meta)
{
    return (meta->type == GR_FS_REGULAR || meta->type == GR_FS_SOCKET) &&
           gr_trust_file(&place->way.rules, meta) == GR_TRUST_FINE;
}

int gr_cleanup_meta(struct gr_cleanup_place *place, const char *name, struct gr_fs_meta *out_meta)
{
    const struct gr_fs *fs = place->cleanup->fs;
    int node;
    int rc = gr_fs_open_at(fs, gr_cleanup_node(place), name, &node);

    if (rc == 0) {
        rc = fs->meta(fs->user, node, out_meta);
        gr_fs_close(fs, &node);
    }
    if (rc != 0 && rc != -ENOENT)
        gr_cleanup_fail(place, name, NULL, rc);
    return rc;
}

bool gr_cleanup_remove(struct gr_cleanup_place *place, const char *name)
{
    const struct gr_fs *fs = place->cleanup->fs;
    int rc = place->cleanup->dry_run ? 0 : fs->unlink(fs->user, gr_cleanup_node(place), name);

    if (rc != 0 && rc != -ENOENT)
        gr_cleanup_fail(place, name, NULL, rc);
    return rc == 0;
}

static int see(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct files *files = user;
    struct gr_cleanup_place *place = files->place;
    struct gr_fs_meta meta;

    if (gr_cleanup_meta(place, name, &meta) != 0)
        return 0;
    if (files->is_ours(gr_str_from(name)) && gr_cleanup_is_file(place, &meta))
        files->removed += gr_cleanup_remove(place, name);
    else
        gr_cleanup_foreign(place, name, NULL, "it is not Grapnel's");
    return 0;
}

void gr_cleanup_socket(struct gr_cleanup_place *place, const char *name)
{
    struct gr_fs_meta meta;

    if (gr_cleanup_meta(place, name, &meta) != 0)
        return;
    if (meta.type != GR_FS_SOCKET || !gr_cleanup_is_file(place, &meta))
        gr_cleanup_foreign(place, name, NULL, "it is no socket of Grapnel's");
    else if (gr_cleanup_remove(place, name))
        gr_cleanup_say(place, GR_CLEANUP_REMOVED, name, NULL, NULL);
}

int gr_cleanup_files(struct gr_cleanup_place *place, bool (*is_ours)(struct gr_str name))
{
    struct files files = {.place = place, .is_ours = is_ours};
    const struct gr_fs *fs = place->cleanup->fs;
    int rc = fs->list(fs->user, gr_cleanup_node(place), see, &files);

    if (rc == -ENOMEM)
        return rc;
    if (rc != 0)
        gr_cleanup_fail(place, ".", NULL, rc);
    gr_cleanup_finish(place, files.removed);
    return 0;
}
