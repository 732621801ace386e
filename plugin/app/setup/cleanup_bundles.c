/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_bundles: the containers of CRI-O that Synchronize does not tell.
 *
 * Layer: app. CRI-O lists containers that run, and runs the poststop of one that has ended when it
 * is removed, which for an init container is as late as the end of its pod. Until then its
 * config.json lies at RUNROOT/DRIVER-containers/ID/userdata. It is not taken apart: whatever looks
 * like a digest in it counts.
 */
#include <errno.h>

#include "app/setup/cleanup_parts.h"

/* What a runtime takes as well, and more than any has. */
#define CONFIG_MAX_BYTES (16U << 20)

#define SUFFIX "-containers"

struct bundles {
    struct gr_holders *holders;
    const struct gr_fs *fs;
    int dir;
    struct gr_buf text;
};

/* Both are given back as they are where it is not there any more. */
static int open_below(const struct bundles *b, int dir, const char *name, int *out_node)
{
    int rc = gr_fs_open_at(b->fs, dir, name, out_node);

    return rc == -ENOTDIR ? -ENOENT : rc;
}

static int read_config(struct bundles *b, int userdata)
{
    struct gr_fs_meta meta;
    int node;
    int rc = gr_fs_open_read(b->fs, userdata, "config.json", &node);

    if (rc != 0)
        return rc;
    rc = b->fs->meta(b->fs->user, node, &meta);
    if (rc == 0 && meta.type != GR_FS_REGULAR)
        rc = -EINVAL;
    gr_buf_reset(&b->text, CONFIG_MAX_BYTES);
    if (rc == 0)
        rc = gr_fs_read_all(b->fs, node, &b->text);
    gr_fs_close(b->fs, &node);
    return rc;
}

/* One that is being made or removed has no config.json. */
static int see_container(void *user, const char *id, enum gr_fs_type type GR_UNUSED)
{
    struct bundles *b = user;
    int userdata = GR_FS_NO_NODE;
    int container;
    int rc = open_below(b, b->dir, id, &container);

    if (rc == 0) {
        rc = open_below(b, container, "userdata", &userdata);
        if (rc == 0)
            rc = read_config(b, userdata);
        gr_fs_close(b->fs, &userdata);
        gr_fs_close(b->fs, &container);
    }
    if (rc == 0)
        rc = gr_holders_add_text(b->holders, gr_buf_view(&b->text), id);
    return rc == -ENOENT ? 0 : rc;
}

static int see_driver(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct bundles b = *(const struct bundles *)user;
    int rc;

    if (!gr_str_has_suffix(gr_str_from(name), GR_STR(SUFFIX)))
        return 0;
    rc = gr_fs_open_at(b.fs, b.dir, name, &b.dir);
    if (rc != 0)
        return rc;
    gr_buf_init(&b.text, CONFIG_MAX_BYTES);
    rc = b.fs->list(b.fs->user, b.dir, see_container, &b);
    gr_buf_fini(&b.text);
    gr_fs_close(b.fs, &b.dir);
    return rc;
}

int gr_holders_read_bundles(struct gr_holders *holders, const struct gr_fs *fs, const char *dir,
                            struct gr_err *err)
{
    struct bundles b = {.holders = holders, .fs = fs, .dir = GR_FS_NO_NODE};
    int rc = fs->open_root(fs->user, dir, &b.dir);

    if (rc == 0)
        rc = fs->list(fs->user, b.dir, see_driver, &b);
    gr_fs_close(fs, &b.dir);
    if (rc == 0)
        return 0;
    return gr_fail_errno(err, rc, "cleanup-containers",
                         "expected to see in %s the containers that have ended, which CRI-O does "
                         "not tell and whose poststop it runs when they are removed, found an "
                         "error; nothing of the program store was removed: name CRI-O's runroot "
                         "with --crio-dir",
                         dir);
}
