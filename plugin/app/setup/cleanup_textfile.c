/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_textfile: what a plugin left in the directory of the textfile collector.
 *
 * Layer: app. Other programs write there as well. The lock says that no plugin does, whose run
 * directory is perhaps another one; it goes last, while it is had.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "app/daemon/metrics/textfile.h"
#include "app/setup/cleanup_parts.h"
#include "load/lock.h"

struct names {
    char lock[NAME_MAX + 1], fresh[NAME_MAX + 1];
    const char *text;
};

static bool is_there(struct gr_cleanup_place *place, const char *name)
{
    struct gr_fs_meta meta;

    return gr_cleanup_meta(place, name, &meta) == 0;
}

static void remove_file(struct gr_cleanup_place *place, const char *name)
{
    struct gr_fs_meta meta;

    if (gr_cleanup_meta(place, name, &meta) != 0)
        return;
    if (meta.type != GR_FS_REGULAR || !gr_cleanup_is_file(place, &meta))
        gr_cleanup_foreign(place, name, NULL, "it is no file of Grapnel's");
    else if (gr_cleanup_remove(place, name))
        gr_cleanup_say(place, GR_CLEANUP_REMOVED, name, NULL, NULL);
}

/* Where none of them is there nothing is locked: the lock's file would be made. */
static bool is_any_there(struct gr_cleanup_place *place, const struct names *names)
{
    bool text = is_there(place, names->text);
    bool fresh = is_there(place, names->fresh);

    return is_there(place, names->lock) || text || fresh;
}

static int remove_locked(struct gr_cleanup_place *place, const struct names *names)
{
    const struct gr_cleanup *cleanup = place->cleanup;
    const struct gr_lock lock = {.fs = cleanup->fs,
                                 .name = names->lock,
                                 .shown = place->path,
                                 .look_only = cleanup->dry_run};
    struct gr_err err = {0};
    int node = GR_FS_NO_NODE;
    int rc = gr_lock_take(&lock, gr_cleanup_node(place), &node, &err);

    if (rc == -EWOULDBLOCK) {
        gr_cleanup_foreign(place, names->text, NULL, "a plugin writes it");
    } else if (rc != 0 && rc != -ENOMEM) {
        gr_cleanup_fail_why(place, names->lock, NULL, err.code ? err.text : strerror(-rc));
    } else if (rc == 0) {
        remove_file(place, names->text);
        remove_file(place, names->fresh);
        remove_file(place, names->lock);
    }
    gr_fs_close(cleanup->fs, &node);
    return rc == -ENOMEM ? rc : 0;
}

int gr_cleanup_textfile(struct gr_cleanup_place *place, const char *name)
{
    struct names names = {.text = name};

    /* Where the lock's name is longer than a file system takes, none was ever written. */
    if (snprintf(names.lock, sizeof(names.lock), GR_TEXTFILE_LOCK, name) > NAME_MAX ||
        snprintf(names.fresh, sizeof(names.fresh), GR_TEXTFILE_NEW, name) > NAME_MAX)
        return 0;
    return is_any_there(place, &names) ? remove_locked(place, &names) : 0;
}
