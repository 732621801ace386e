/* SPDX-License-Identifier: Apache-2.0 */
#include "load/bundles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "load/walk.h"

#define SUFFIX "-containers"

/* Of the text, from one container to the next; most have a tenth of it. */
#define KEPT_BYTES (512U << 10)

#define ID_SHOWN 64

struct reading {
    const struct gr_bundles *bundles;
    const struct gr_fs *fs;
    struct gr_walk walk;
    int dir; /* DRIVER-containers */
    struct gr_buf text;
    char id[ID_SHOWN + 1]; /* that could not be read; empty: none */
    bool is_there;         /* the runroot */
    bool is_storage;       /* there is a DRIVER-containers */
    bool is_crio;          /* one that runs was there */
    bool passed_up;        /* the result is that of each */
};

/* Both are given back as they are where it is not there any more. */
static int open_below(const struct reading *r, int dir, const char *name, int *out_node)
{
    int rc = gr_fs_open_at(r->fs, dir, name, out_node);

    return rc == -ENOTDIR ? -ENOENT : rc;
}

static int read_config(struct reading *r, int userdata)
{
    struct gr_fs_meta meta;
    int node;
    int rc = gr_fs_open_read(r->fs, userdata, "config.json", &node);

    if (rc != 0)
        return rc;
    rc = r->fs->meta(r->fs->user, node, &meta);
    if (rc == 0 && meta.type != GR_FS_REGULAR)
        rc = -EINVAL;
    gr_buf_reset(&r->text, KEPT_BYTES);
    if (rc == 0)
        rc = gr_fs_read_all(r->fs, node, &r->text);
    gr_fs_close(r->fs, &node);
    return rc;
}

static int read_container(struct reading *r, const char *id)
{
    int userdata = GR_FS_NO_NODE;
    int container;
    int rc = open_below(r, r->dir, id, &container);

    if (rc != 0)
        return rc;
    rc = open_below(r, container, "userdata", &userdata);
    if (rc == 0)
        rc = read_config(r, userdata);
    gr_fs_close(r->fs, &userdata);
    gr_fs_close(r->fs, &container);
    return rc;
}

static bool runs(const struct reading *r, const char *id)
{
    for (size_t i = 0; i < r->bundles->running.n; i++) {
        if (gr_str_is(r->bundles->running.items[i], id))
            return true;
    }
    return false;
}

/* One that is being made or removed has no config.json: nobody needs it yet, or any more. */
static int see_container(void *user, const char *id, enum gr_fs_type type GR_UNUSED)
{
    struct reading *r = user;
    int rc = read_container(r, id);

    if (rc == -ENOENT)
        return 0;
    if (rc != 0) {
        (void)snprintf(r->id, sizeof(r->id), "%.*s", ID_SHOWN, id);
        return rc;
    }
    r->is_crio = r->is_crio || runs(r, id);
    r->text.len = gr_json_unescape((char *)r->text.data, r->text.len);
    rc = r->bundles->each(r->bundles->user, id, gr_buf_view(&r->text));
    r->passed_up = rc != 0;
    return rc;
}

static int see_driver(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct reading *r = user;
    int rc;

    if (!gr_str_has_suffix(gr_str_from(name), GR_STR(SUFFIX)))
        return 0;
    rc = gr_fs_open_at(r->fs, gr_walk_top(&r->walk)->node, name, &r->dir);
    if (rc == 0)
        rc = r->fs->list(r->fs->user, r->dir, see_container, r);
    gr_fs_close(r->fs, &r->dir);
    r->is_storage = true;
    return rc;
}

static int read_all(struct reading *r)
{
    const struct gr_bundles *bundles = r->bundles;
    int rc;

    if (!bundles->dir[0])
        return -ENOENT;
    rc = gr_walk_open(&r->walk, r->fs, bundles->root);
    if (rc == 0)
        rc = gr_walk_to(&r->walk, bundles->dir, NULL, NULL);
    if (rc == 0)
        rc = gr_walk_enter(&r->walk);
    r->is_there = rc == 0;
    if (rc == 0)
        rc = r->fs->list(r->fs->user, gr_walk_top(&r->walk)->node, see_driver, r);
    return rc;
}

#define EXPECTED                                                                              \
    "expected to see in %s the containers of CRI-O that have ended, which it does not tell, " \
    "and whose poststop it runs when they are removed; found "
#define LEFT "; nothing of the program store was removed"
#define MEND LEFT ": name CRI-O's runroot with the setting crioDir (setup cleanup: --crio-dir)"

static int explain(const struct reading *r, int rc, struct gr_err *err)
{
    const char *dir = r->bundles->dir[0] ? r->bundles->dir : "crioDir: none";

    if (r->passed_up)
        return rc;
    if (!r->is_there && (rc == -ENOENT || rc == -ENOTDIR))
        return gr_fail(err, -ENOENT, "crio-dir",
                       EXPECTED "no such directory here" MEND
                                ", and mount it where Grapnel runs in a container "
                                "(the chart's hookPrograms.crioDir)",
                       dir);
    if (rc == -ENOMEM)
        return gr_fail(err, rc, "no-memory", "no memory to read the containers of CRI-O");
    if (rc != 0)
        return gr_fail(err, rc, "crio-unreadable", EXPECTED "that %s%s cannot be read: %s" LEFT,
                       dir, r->id[0] ? "the config.json of the container " : "it", r->id,
                       strerror(-rc));
    if (!r->is_storage)
        return gr_fail(err, -ENOENT, "crio-dir", EXPECTED "no containers of anybody" MEND, dir);
    if (r->bundles->running.n > 0 && !r->is_crio)
        return gr_fail(err, -ENOENT, "crio-dir", EXPECTED "none of those that run" MEND, dir);
    return 0;
}

int gr_bundles_read(const struct gr_bundles *bundles, struct gr_err *err)
{
    struct reading *r = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to read the containers of CRI-O");
    r->bundles = bundles;
    r->fs = bundles->fs;
    r->dir = GR_FS_NO_NODE;
    gr_buf_init(&r->text, GR_BUNDLE_MAX_BYTES);
    rc = explain(r, read_all(r), err);
    gr_walk_close(&r->walk);
    gr_buf_fini(&r->text);
    free(r);
    return rc;
}
