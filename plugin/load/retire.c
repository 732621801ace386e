/* SPDX-License-Identifier: Apache-2.0 */
#include "load/retire.h"

#include <errno.h>
#include <stdio.h>

#include "load/lock.h"
#include "load/owner.h"
#include "load/trust.h"
#include "rules/program.h"

struct retiring {
    const struct gr_retire *retire;
    const struct gr_fs *fs;
    struct gr_walk walk;
    struct gr_trust_way way;
    int failed; /* the first that could not be retired; 0: none */
};

static bool is_kept(const struct gr_retire *retire, const char *name)
{
    for (size_t i = 0; i < retire->keep_n; i++) {
        if (strcmp(retire->keep[i], name) == 0)
            return true;
    }
    return false;
}

static int meta_of(const struct gr_fs *fs, int dir, const char *name, struct gr_fs_meta *out_meta)
{
    int node;
    int rc = gr_fs_open_at(fs, dir, name, &node);

    if (rc != 0)
        return rc;
    rc = fs->meta(fs->user, node, out_meta);
    gr_fs_close(fs, &node);
    return rc;
}

/* Whether the package is the owner's and in force. Returns 0; a negative errno. */
static int is_due(const struct retiring *r, int dir, bool *out_due)
{
    int64_t before_s = r->retire->before_s;
    struct gr_owner owner;
    struct gr_fs_meta meta;
    int rc = gr_owner_read(r->fs, dir, &owner);

    *out_due = false;
    if (rc != 0 || strcmp(owner.name, r->retire->owner) != 0 ||
        (before_s && owner.installed_s >= before_s))
        return rc;
    rc = meta_of(r->fs, dir, GR_PROGRAM_CURRENT, &meta);
    *out_due = rc == 0;
    return rc == -ENOENT ? 0 : rc;
}

/* Under the lock nobody else installs it: what was seen before does not count. */
static int retire_locked(struct retiring *r, const char *name, int dir)
{
    bool due;
    int rc = is_due(r, dir, &due);

    if (rc != 0 || !due)
        return rc;
    if (!r->retire->dry_run) {
        rc = r->fs->unlink(r->fs->user, dir, GR_PROGRAM_CURRENT);
        if (rc == 0)
            rc = r->fs->sync(r->fs->user, dir);
    }
    if (rc == 0)
        r->retire->retired(r->retire->user, name, 0, "");
    return rc;
}

static int retire_one(struct retiring *r, const char *name, int dir, struct gr_err *err)
{
    char shown[GR_LOAD_PATH_BYTES];
    int lock = GR_FS_NO_NODE;
    int rc;

    (void)snprintf(shown, sizeof(shown), "%.*s/%.63s", GR_LOAD_PATH_BYTES - 80, r->retire->store,
                   name);
    rc = gr_lock_take(
        &(struct gr_lock){
            .fs = r->fs, .name = GR_PROGRAM_LOCK, .shown = shown, .look_only = r->retire->dry_run},
        dir, &lock, err);
    if (rc == 0)
        rc = retire_locked(r, name, dir);
    gr_fs_close(r->fs, &lock);
    return rc == -ENOENT ? 0 : rc; /* somebody has removed it */
}

/* Nobody's package but root's, and due. */
static int look(const struct retiring *r, int dir, bool *out_due)
{
    struct gr_fs_meta meta;
    int rc = r->fs->meta(r->fs->user, dir, &meta);

    *out_due = false;
    if (rc != 0 || meta.type != GR_FS_DIRECTORY ||
        gr_trust_file(&r->way.rules, &meta) != GR_TRUST_FINE)
        return rc;
    return is_due(r, dir, out_due);
}

static int see_package(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct retiring *r = user;
    struct gr_err err = {0};
    bool due;
    int dir;
    int rc;

    if (!gr_is_program_package(gr_str_from(name)) || is_kept(r->retire, name))
        return 0;
    rc = gr_fs_open_at(r->fs, gr_walk_top(&r->walk)->node, name, &dir);
    if (rc == -ENOENT)
        return 0;
    if (rc == 0) {
        rc = look(r, dir, &due);
        if (rc == 0 && due)
            rc = retire_one(r, name, dir, &err);
        gr_fs_close(r->fs, &dir);
    }
    if (rc != 0) {
        r->failed = r->failed ? r->failed : rc;
        r->retire->retired(r->retire->user, name, rc, err.code ? err.text : strerror(-rc));
    }
    return 0;
}

static int open_store(struct retiring *r)
{
    int rc = gr_walk_open(&r->walk, r->fs, r->retire->root);

    r->way.rules = gr_trust_rules(r->fs, false);
    if (rc == 0)
        rc = gr_walk_to(&r->walk, r->retire->store, gr_trust_visit, &r->way);
    if (rc == 0)
        rc = gr_walk_enter(&r->walk);
    return rc == 0 ? gr_trust_end(&r->way, &r->walk, false) : rc;
}

static int explain(const struct retiring *r, int rc, struct gr_err *err)
{
    if (rc == 0 || rc == -ENOENT)
        return 0;
    if (rc == GR_TRUST_BROKEN) {
        gr_trust_explain(err, &r->way.rules, r->way.fault, r->way.path, &r->way.meta);
        return -EPERM;
    }
    return gr_fail_errno(err, rc, "setup-target",
                         "expected to see what the store %s holds, found an error",
                         r->retire->store);
}

int gr_retire(const struct gr_retire *retire, struct gr_err *err)
{
    struct retiring *r = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return gr_fail(err, -ENOMEM, "no-memory", "there is no memory to retire programs");
    r->retire = retire;
    r->fs = retire->fs;
    rc = open_store(r);
    if (rc == 0)
        rc = r->fs->list(r->fs->user, gr_walk_top(&r->walk)->node, see_package, r);
    rc = explain(r, rc, err);
    gr_walk_close(&r->walk);
    if (rc == 0)
        rc = r->failed;
    free(r);
    return rc;
}
