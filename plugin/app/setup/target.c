/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/target.h"

#include <errno.h>

#include "load/store_limits.h"
#include "load/tree.h"

#define ELSEWHERE "choose another directory with --to, and the same in the setting programsDir"

int gr_target_check_mount(const struct gr_fs_meta *meta, const char *shown, struct gr_err *err)
{
    if (meta->read_only)
        return gr_fail(err, -EROFS, "setup-target",
                       "expected a directory that can be written, found that %s is on a read-only "
                       "file system; " ELSEWHERE ", such as /var/lib/grapnel/programs",
                       shown);
    if (meta->no_exec)
        return gr_fail(err, -EACCES, "setup-target",
                       "expected a directory whose programs can be run, found that the file system "
                       "of %s is mounted noexec; " ELSEWHERE ", or mount it with exec",
                       shown);
    return 0;
}

int gr_target_fail(struct gr_err *err, int rc, const char *shown, const char *what)
{
    switch (rc) {
    case -ENOSPC:
    case -EDQUOT:
        return gr_fail_errno(err, rc, "setup-target",
                             "expected room for program files in %s, found none when %s; free "
                             "some, or " ELSEWHERE,
                             shown, what);
    case -EROFS:
        return gr_fail_errno(err, rc, "setup-target",
                             "expected %s to be writable, found an error when %s; " ELSEWHERE,
                             shown, what);
    case -EACCES:
    case -EPERM:
        return gr_fail_errno(err, rc, "setup-target",
                             "expected to be allowed to write %s, found an error when %s; run as "
                             "root, and with a security context (SELinux type, AppArmor profile) "
                             "that may write there",
                             shown, what);
    default:
        return gr_fail_errno(err, rc, "setup-target",
                             "expected to write %s, found an error when %s", shown, what);
    }
}

static int explain_open(struct gr_target *t, int rc, struct gr_err *err)
{
    if (rc == GR_TRUST_BROKEN) {
        gr_trust_explain(err, &t->way.rules, t->way.fault, t->way.path, &t->way.meta);
        return -EPERM;
    }
    if (rc == -ENOTDIR)
        return gr_fail(err, rc, "setup-target",
                       "expected a directory, found that %s is none; name another one with --to",
                       t->walk.path);
    return gr_target_fail(err, rc, t->path, "opening it");
}

/* Makes the directory that a walk found missing. */
static int make_missing(struct gr_target *t)
{
    const struct gr_fs *fs = t->fs;
    int rc = t->trusting ? 0 : gr_trust_end(&t->way, &t->walk, true);

    if (rc == 0)
        rc = fs->make_dir(fs->user, gr_walk_top(&t->walk)->node, t->walk.name, GR_TREE_MODE_DIR);
    if (rc == 0)
        rc = fs->sync(fs->user, gr_walk_top(&t->walk)->node);
    return rc == -EEXIST ? 0 : rc;
}

static int enter(struct gr_target *t)
{
    int rc = 0;

    for (int made = 0; rc == 0; made++) {
        rc = gr_walk_to(&t->walk, t->path, t->trusting ? NULL : gr_trust_visit, &t->way);
        if (rc == 0)
            rc = gr_walk_enter(&t->walk);
        if (rc == 0)
            return t->trusting ? 0 : gr_trust_end(&t->way, &t->walk, false);
        if (rc != -ENOENT || made == GR_STORE_DIRS_MADE_MAX)
            return rc;
        t->missing = t->dry_run;
        if (t->missing)
            return 0;
        rc = make_missing(t);
    }
    return rc;
}

int gr_target_open(struct gr_target *t, const struct gr_fs *fs, const char *host_root,
                   struct gr_err *err)
{
    int rc;

    t->fs = fs;
    t->way.rules = gr_trust_rules(fs, false);
    rc = gr_walk_open(&t->walk, fs, host_root);
    if (rc != 0)
        return gr_target_fail(err, rc, host_root, "opening it");
    rc = enter(t);
    if (rc != 0)
        return explain_open(t, rc, err);
    return gr_target_check_mount(&gr_walk_top(&t->walk)->meta, t->path, err);
}

void gr_target_close(struct gr_target *t)
{
    gr_walk_close(&t->walk);
}

int gr_target_node(const struct gr_target *t)
{
    return t->missing ? GR_FS_NO_NODE : gr_walk_top(&t->walk)->node;
}
