/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_store: the program store, but for what containers name.
 *
 * Layer: app. Age does not count, as it does while a plugin runs: none has loaded rules that name
 * something, and an installer that is at work has the package's lock.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "app/setup/cleanup_parts.h"
#include "load/lock.h"
#include "load/tree.h"
#include "rules/program.h"

#define TEMPORARY ".tmp-"
#define NOT_OURS "it is not Grapnel's"
#define BUSY "an installer is at work there"

struct package {
    struct gr_cleanup_place *store;
    const struct gr_holders *holders;
    const char *name;
    int dir;
    size_t stays;                    /* entries that stay */
    char current[GR_SHA256_HEX + 1]; /* what the link names that containers go through; or empty */
    bool has_current;                /* there is a link of ours */
};

static void foreign(struct package *p, const char *name)
{
    p->stays++;
    gr_cleanup_foreign(p->store, p->name, name, NOT_OURS);
}

static void kept(struct package *p, const char *name, const struct gr_holder *holder)
{
    char why[256];

    p->stays++;
    p->store->left++;
    if (holder->n == 1)
        (void)snprintf(why, sizeof(why), "a container names it in its hooks: %.*s",
                       GR_STR_FMT(holder->who));
    else
        (void)snprintf(why, sizeof(why), "%zu containers name it in their hooks, such as %.*s",
                       holder->n, GR_STR_FMT(holder->who));
    gr_cleanup_say(p->store, GR_CLEANUP_KEPT, p->name, name, why);
}

/* ---- one entry of a package ---- */

/* Without its name first, so that half of it never counts. */
static int take_away(const struct package *p, const char *digest)
{
    const struct gr_fs *fs = p->store->cleanup->fs;
    char temporary[64];
    int rc;

    (void)snprintf(temporary, sizeof(temporary), TEMPORARY "%016" PRIx64 "-%.16s", fs->token,
                   digest);
    rc = fs->rename(fs->user, p->dir, digest, temporary);
    return rc == 0 ? gr_tree_remove(fs, p->dir, temporary) : rc;
}

static const struct gr_holder *holder_of(const struct package *p, const char *digest)
{
    const struct gr_holder *holder = gr_holders_find(p->holders, gr_str_from(digest));
    char current[80];

    if (holder || strcmp(digest, p->current) != 0)
        return holder;
    (void)snprintf(current, sizeof(current), "%.63s/" GR_PROGRAM_CURRENT, p->name);
    return gr_holders_find(p->holders, gr_str_from(current));
}

static int meta_of(const struct package *p, const char *name, struct gr_fs_meta *out_meta)
{
    const struct gr_fs *fs = p->store->cleanup->fs;
    int node;
    int rc = gr_fs_open_at(fs, p->dir, name, &node);

    if (rc != 0)
        return rc;
    rc = fs->meta(fs->user, node, out_meta);
    gr_fs_close(fs, &node);
    return rc;
}

static int see_digest(struct package *p, const char *name)
{
    const struct gr_holder *holder = holder_of(p, name);
    struct gr_fs_meta meta = {.type = GR_FS_OTHER};
    int rc = meta_of(p, name, &meta);

    if (rc == 0 && meta.type != GR_FS_DIRECTORY) {
        foreign(p, name);
        return 0;
    }
    if (rc == 0 && holder) {
        kept(p, name, holder);
        return 0;
    }
    if (rc == 0 && !p->store->cleanup->dry_run)
        rc = take_away(p, name);
    if (rc == -ENOMEM)
        return rc;
    if (rc == 0) {
        gr_cleanup_say(p->store, GR_CLEANUP_REMOVED, p->name, name, NULL);
    } else if (rc != -ENOENT) {
        p->stays++;
        gr_cleanup_fail(p->store, p->name, name, rc);
    }
    return 0;
}

/* Nobody is at work: the lock is ours. */
static int remove_temporary(struct package *p, const char *name)
{
    const struct gr_fs *fs = p->store->cleanup->fs;
    int rc = p->store->cleanup->dry_run ? 0 : gr_tree_remove(fs, p->dir, name);

    if (rc == 0 || rc == -ENOMEM)
        return rc;
    p->stays++;
    gr_cleanup_fail(p->store, p->name, name, rc);
    return 0;
}

static int see_entry(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct package *p = user;

    if (gr_is_tree_digest(gr_str_from(name)))
        return see_digest(p, name);
    if (gr_str_has_prefix(gr_str_from(name), GR_STR(TEMPORARY)))
        return remove_temporary(p, name);
    if (strcmp(name, GR_PROGRAM_LOCK) != 0 && strcmp(name, GR_PROGRAM_OWNER) != 0 &&
        (!p->has_current || strcmp(name, GR_PROGRAM_CURRENT) != 0))
        foreign(p, name);
    return 0;
}

/* ---- current ---- */

static bool goes_through_current(const struct package *p)
{
    char key[80];

    (void)snprintf(key, sizeof(key), "%.63s/" GR_PROGRAM_CURRENT, p->name);
    return gr_holders_find(p->holders, gr_str_from(key)) != NULL;
}

/* A link as an installer leaves it; another one is not ours. */
static int read_current(struct package *p)
{
    const struct gr_fs *fs = p->store->cleanup->fs;
    struct gr_fs_meta meta;
    int64_t n = 0;
    int node;
    int rc = gr_fs_open_at(fs, p->dir, GR_PROGRAM_CURRENT, &node);

    if (rc != 0)
        return rc == -ENOENT ? 0 : rc;
    rc = fs->meta(fs->user, node, &meta);
    if (rc == 0 && meta.type == GR_FS_LINK)
        n = fs->read_link(fs->user, node, p->current, sizeof(p->current));
    gr_fs_close(fs, &node);
    if (rc != 0 || n < 0)
        return rc ? rc : (int)n;
    p->has_current = gr_is_tree_digest((struct gr_str){.p = p->current, .n = (size_t)n});
    p->current[p->has_current ? GR_SHA256_HEX : 0] = '\0';
    return 0;
}

/* The link, when the digests are gone. */
static void finish_current(struct package *p)
{
    const struct gr_fs *fs = p->store->cleanup->fs;
    int rc = 0;

    if (!p->has_current)
        return;
    if (goes_through_current(p)) {
        p->stays++;
        p->store->left++;
        gr_cleanup_say(p->store, GR_CLEANUP_KEPT, p->name, GR_PROGRAM_CURRENT,
                       "hooks of containers go through it");
        return;
    }
    if (!p->store->cleanup->dry_run)
        rc = fs->unlink(fs->user, p->dir, GR_PROGRAM_CURRENT);
    if (rc == 0 || rc == -ENOENT)
        return;
    p->stays++;
    gr_cleanup_fail(p->store, p->name, GR_PROGRAM_CURRENT, rc);
}

static void finish_file(struct package *p, const char *name)
{
    const struct gr_fs *fs = p->store->cleanup->fs;
    int rc = 0;

    if (!p->store->cleanup->dry_run)
        rc = fs->unlink(fs->user, p->dir, name);
    if (rc == 0 || rc == -ENOENT)
        return;
    p->stays++;
    gr_cleanup_fail(p->store, p->name, name, rc);
}

/* ---- one package ---- */

static int clean(struct package *p)
{
    const struct gr_fs *fs = p->store->cleanup->fs;
    int rc = read_current(p);

    if (rc == 0)
        rc = fs->list(fs->user, p->dir, see_entry, p);
    if (rc != 0)
        return rc;
    finish_current(p);
    finish_file(p, GR_PROGRAM_OWNER);
    finish_file(p, GR_PROGRAM_LOCK); /* from now on an installer may be at work there */
    if (p->stays > 0)
        return 0;
    if (!p->store->cleanup->dry_run)
        rc = fs->remove_dir(fs->user, gr_cleanup_node(p->store), p->name);
    if (rc == 0)
        gr_cleanup_say(p->store, GR_CLEANUP_REMOVED, p->name, NULL, NULL);
    if (rc == -ENOTEMPTY)
        gr_cleanup_foreign(p->store, p->name, NULL, BUSY);
    return rc == -ENOENT || rc == -ENOTEMPTY ? 0 : rc;
}

/* Why a package is left alone; NULL: it is not. */
static const char *judge(const struct package *p, const struct gr_fs_meta *meta)
{
    if (!gr_is_program_package(gr_str_from(p->name)) || meta->type != GR_FS_DIRECTORY)
        return NOT_OURS;
    if (gr_trust_file(&p->store->way.rules, meta) != GR_TRUST_FINE)
        return "others than root may write there";
    if (meta->mount != gr_walk_top(&p->store->walk)->meta.mount)
        return "it is mounted there";
    return NULL;
}

static int clean_locked(struct package *p)
{
    const struct gr_cleanup *cleanup = p->store->cleanup;
    char shown[GR_LOAD_PATH_BYTES + 64];
    struct gr_err err = {0};
    int lock = GR_FS_NO_NODE;
    int rc;

    (void)snprintf(shown, sizeof(shown), "%s/%.63s", p->store->path, p->name);
    rc = gr_lock_take(&(struct gr_lock){.fs = cleanup->fs,
                                        .name = GR_PROGRAM_LOCK,
                                        .shown = shown,
                                        .look_only = cleanup->dry_run},
                      p->dir, &lock, &err);
    if (rc == 0)
        rc = clean(p);
    gr_fs_close(cleanup->fs, &lock);
    if (rc == -EWOULDBLOCK)
        gr_cleanup_foreign(p->store, p->name, NULL, BUSY);
    else if (rc != 0 && rc != -ENOENT && rc != -ENOMEM)
        gr_cleanup_fail_why(p->store, p->name, NULL, err.code ? err.text : strerror(-rc));
    return rc == -ENOMEM ? rc : 0;
}

static int see_package(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct package p = *(const struct package *)user;
    const struct gr_fs *fs = p.store->cleanup->fs;
    struct gr_fs_meta meta;
    const char *why = NULL;
    int rc = gr_fs_open_at(fs, gr_cleanup_node(p.store), name, &p.dir);

    if (rc != 0) {
        if (rc != -ENOENT)
            gr_cleanup_fail(p.store, name, NULL, rc);
        return 0;
    }
    p.name = name;
    rc = fs->meta(fs->user, p.dir, &meta);
    if (rc == 0)
        why = judge(&p, &meta);
    if (rc != 0)
        gr_cleanup_fail(p.store, name, NULL, rc);
    else if (why)
        gr_cleanup_foreign(p.store, name, NULL, why);
    else
        rc = clean_locked(&p);
    gr_fs_close(fs, &p.dir);
    return rc == -ENOMEM ? rc : 0;
}

int gr_cleanup_store(struct gr_cleanup_place *place, const struct gr_holders *holders)
{
    struct package p = {.store = place, .holders = holders};
    const struct gr_fs *fs = place->cleanup->fs;
    int rc = fs->list(fs->user, gr_cleanup_node(place), see_package, &p);

    if (rc == -ENOMEM)
        return rc;
    if (rc != 0)
        gr_cleanup_fail(place, ".", NULL, rc);
    gr_cleanup_finish(place, 0);
    return 0;
}

/* ---- what there is to be named ---- */

struct knowing {
    struct gr_cleanup_place *store;
    struct gr_holders *holders;
};

static int know_digest(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    const struct knowing *k = user;

    return gr_is_tree_digest(gr_str_from(name)) ? gr_holders_know(k->holders, gr_str_from(name))
                                                : 0;
}

static int know_package(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    const struct knowing *k = user;
    const struct gr_fs *fs = k->store->cleanup->fs;
    struct gr_fs_meta meta;
    char current[80];
    int node;
    int rc;

    if (!gr_is_program_package(gr_str_from(name)))
        return 0;
    rc = gr_fs_open_at(fs, gr_cleanup_node(k->store), name, &node);
    if (rc != 0)
        return rc == -ENOENT ? 0 : rc;
    (void)snprintf(current, sizeof(current), "%.63s/" GR_PROGRAM_CURRENT, name);
    rc = fs->meta(fs->user, node, &meta);
    if (rc == 0 && meta.type == GR_FS_DIRECTORY) {
        rc = gr_holders_know(k->holders, gr_str_from(current));
        if (rc == 0)
            rc = fs->list(fs->user, node, know_digest, user);
    }
    gr_fs_close(fs, &node);
    return rc;
}

int gr_cleanup_store_know(struct gr_cleanup_place *place, struct gr_holders *holders)
{
    struct knowing k = {.store = place, .holders = holders};
    const struct gr_fs *fs = place->cleanup->fs;
    int rc = gr_holders_know(holders, GR_STR_NONE); /* also where there is no package */

    return rc ? rc : fs->list(fs->user, gr_cleanup_node(place), know_package, &k);
}

/* ---- the store ---- */

static int see_any(void *user, const char *name GR_UNUSED, enum gr_fs_type type GR_UNUSED)
{
    bool *empty = user;

    *empty = false;
    return 0;
}

int gr_cleanup_store_is_empty(struct gr_cleanup_place *place, bool *out_empty)
{
    const struct gr_fs *fs = place->cleanup->fs;

    *out_empty = true;
    return fs->list(fs->user, gr_cleanup_node(place), see_any, out_empty);
}
