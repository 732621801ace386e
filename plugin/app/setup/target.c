/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/target.h"

#include <errno.h>

#include "load/store_limits.h"
#include "load/tree.h"

#define ELSEWHERE "choose another directory with --to, and the same in the setting programsDir"

static int check_mount(const struct gr_fs_meta *meta, const char *shown, const char *advice,
                       struct gr_err *err)
{
    if (meta->read_only)
        return gr_fail(err, -EROFS, "setup-target",
                       "expected a directory that can be written, found that %s is on a read-only "
                       "file system; %s%s",
                       shown, advice ? advice : ELSEWHERE,
                       advice ? "" : ", such as /var/lib/grapnel/programs");
    if (meta->no_exec)
        return gr_fail(err, -EACCES, "setup-target",
                       "expected a directory whose programs can be run, found that the file system "
                       "of %s is mounted noexec; %s, or mount it with exec",
                       shown, advice ? advice : ELSEWHERE);
    return 0;
}

int gr_target_check_mount(const struct gr_fs_meta *meta, const char *shown, struct gr_err *err)
{
    return check_mount(meta, shown, NULL, err);
}

static int explain(struct gr_err *err, int rc, const char *shown, const char *what,
                   const char *advice)
{
    switch (rc) {
    case -ENOSPC:
    case -EDQUOT:
        return gr_fail_errno(err, rc, "setup-target",
                             "expected room for program files in %s, found none when %s; free "
                             "some, or %s",
                             shown, what, advice);
    case -EROFS:
        return gr_fail_errno(err, rc, "setup-target",
                             "expected %s to be writable, found an error when %s; %s", shown, what,
                             advice);
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

int gr_target_fail(struct gr_err *err, int rc, const char *shown, const char *what)
{
    return explain(err, rc, shown, what, ELSEWHERE);
}

int gr_target_failed(const struct gr_target *t, int rc, const char *what, struct gr_err *err)
{
    return explain(err, rc, t->path, what, t->advice ? t->advice : ELSEWHERE);
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
    return gr_target_failed(t, rc, "opening it", err);
}

/* Makes the directory that a walk found missing. */
static int make_missing(struct gr_target *t)
{
    const struct gr_fs *fs = t->fs;
    int rc = gr_trust_end(&t->way, &t->walk, true);

    if (rc == 0)
        rc = fs->make_dir(fs->user, gr_walk_top(&t->walk)->node, t->walk.name, GR_TREE_MODE_DIR);
    if (rc == 0)
        rc = fs->sync(fs->user, gr_walk_top(&t->walk)->node);
    return rc == -EEXIST ? 0 : rc;
}

/* Kubelet makes the volumes of pods 0777: whoever is in the pod may write there, and nobody else.
 * A directory of a host that others may write is no such thing. */
static bool is_volume(const struct gr_walk *walk)
{
    return walk->depth > 1 &&
           walk->dirs[walk->depth - 1].meta.mount != walk->dirs[walk->depth - 2].meta.mount;
}

/* Whether one of the directories that are open is the one to stay out of. */
static bool is_inside(const struct gr_target *t)
{
    for (size_t i = 0; t->apart && i < t->walk.depth; i++)
        if (gr_fs_same_file(&t->walk.dirs[i].meta, t->apart))
            return true;
    return false;
}

static int enter(struct gr_target *t)
{
    int rc = 0;

    for (int made = 0; rc == 0; made++) {
        rc = gr_walk_to(&t->walk, t->path, gr_trust_visit, &t->way);
        if (rc == 0)
            rc = gr_walk_enter(&t->walk);
        if ((rc == 0 || rc == -ENOENT) && is_inside(t))
            return GR_TARGET_INSIDE;
        if (rc == 0)
            return t->volume && is_volume(&t->walk) ? 0 : gr_trust_end(&t->way, &t->walk, false);
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
    if (rc == GR_TARGET_INSIDE)
        return rc;
    if (rc != 0)
        return explain_open(t, rc, err);
    return check_mount(&gr_walk_top(&t->walk)->meta, t->path, t->advice, err);
}

void gr_target_close(struct gr_target *t)
{
    gr_walk_close(&t->walk);
}

int gr_target_node(const struct gr_target *t)
{
    return t->missing ? GR_FS_NO_NODE : gr_walk_top(&t->walk)->node;
}
