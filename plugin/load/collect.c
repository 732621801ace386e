/* SPDX-License-Identifier: Apache-2.0 */
#include "load/collect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/lock.h"
#include "load/tree.h"
#include "load/trust.h"
#include "rules/program.h"

#define NS_PER_S INT64_C(1000000000)

struct collector {
    const struct gr_collect *collect;
    const struct gr_fs *fs;
    struct gr_walk walk;
    struct gr_trust_rules rules;
    size_t seen;

    struct gr_old *found;     /* to be filled; NULL: the rest counts */
    const struct gr_old *old; /* what may go */
    struct gr_arena *arena;   /* what went */
    struct gr_str items[GR_COLLECT_MAX];
    size_t n;

    /* The package that is looked at. */
    const char *package;
    int dir;
    bool dir_is_old; /* nothing has come or gone there for a while: before a lock's file is made */
    char current[GR_SHA256_HEX + 1];
    char (*gone)[GR_SHA256_HEX + 1]; /* digests to be taken away */
    size_t gone_n;
    size_t others; /* entries that are to stay */
    bool has_lock; /* the file of the lock: an installer has been there */
};

/* What begins so belongs to an installer at work, or to one that was killed. */
#define TEMPORARY ".tmp-"

static bool is_temporary(const char *name)
{
    return gr_str_has_prefix(gr_str_from(name), GR_STR(TEMPORARY));
}

/* ---- digests that may go ---- */

/* The place of the first one that is not before it. */
static size_t place_of(const struct gr_old *old, struct gr_str digest)
{
    size_t from = 0, to = old->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (memcmp(old->items[middle].digest, digest.p, GR_SHA256_HEX) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct gr_old_digest *find(const struct gr_old *old, struct gr_str digest)
{
    size_t at = place_of(old, digest);

    return at < old->n && memcmp(old->items[at].digest, digest.p, GR_SHA256_HEX) == 0
               ? &old->items[at]
               : NULL;
}

static void add(struct gr_old *old, struct gr_str digest)
{
    size_t at = place_of(old, digest);

    if (find(old, digest) || old->n == GR_COLLECT_MAX)
        return;
    memmove(&old->items[at + 1], &old->items[at], (old->n - at) * sizeof(*old->items));
    old->items[at] = (struct gr_old_digest){0};
    memcpy(old->items[at].digest, digest.p, GR_SHA256_HEX);
    old->n++;
}

void gr_old_name(struct gr_old *old, struct gr_str text)
{
    struct gr_str digest;

    while (gr_tree_digest_next(&text, &digest)) {
        struct gr_old_digest *named = find(old, digest);

        if (named) {
            old->named_n += !named->named;
            named->named = true;
        }
    }
}

void gr_old_fini(struct gr_old *old)
{
    free(old->items);
    *old = (struct gr_old){0};
}

/* ---- one package ---- */

/* Times of a file system may lie in the future. */
static bool is_old(const struct collector *c, const struct gr_fs_meta *meta)
{
    return (int64_t)(meta->modified / NS_PER_S) <= c->collect->now_s - GR_STORE_AGE_MIN_S;
}

/* Whether current is what an installer leaves, and has been so for a while; or has not been there
 * for a while, as a retirement or grapnel setup cleanup leaves a package. */
static bool read_current(struct collector *c)
{
    struct gr_fs_meta meta;
    int64_t n = -1;
    int node;
    int rc = gr_fs_open_at(c->fs, c->dir, GR_PROGRAM_CURRENT, &node);

    c->current[0] = '\0';
    if (rc != 0)
        return rc == -ENOENT && c->dir_is_old;
    if (c->fs->meta(c->fs->user, node, &meta) == 0 && meta.type == GR_FS_LINK && is_old(c, &meta))
        n = c->fs->read_link(c->fs->user, node, c->current, sizeof(c->current));
    gr_fs_close(c->fs, &node);
    if (n < 0 || !gr_is_tree_digest((struct gr_str){.p = c->current, .n = (size_t)n}))
        return false;
    c->current[n] = '\0';
    return true;
}

static bool is_old_dir(const struct collector *c, const char *name)
{
    struct gr_fs_meta meta;
    bool old;
    int node;

    if (gr_fs_open_at(c->fs, c->dir, name, &node) != 0)
        return false;
    old = c->fs->meta(c->fs->user, node, &meta) == 0 && meta.type == GR_FS_DIRECTORY &&
          is_old(c, &meta);
    gr_fs_close(c->fs, &node);
    return old;
}

static bool goes(const struct collector *c, const char *name)
{
    struct gr_str digest = gr_str_from(name);
    const struct gr_old_digest *old;

    if (!gr_is_tree_digest(digest) || strcmp(name, c->current) == 0)
        return false;
    old = c->found ? NULL : find(c->old, digest);
    return (c->found || (old && !old->named)) && is_old_dir(c, name);
}

static void note(struct collector *c, const char *digest)
{
    if (c->found)
        add(c->found, gr_str_from(digest));
    else
        memcpy(c->gone[c->gone_n++], digest, GR_SHA256_HEX + 1);
}

static int see_digest(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct collector *c = user;

    if (strcmp(name, GR_PROGRAM_LOCK) == 0) { /* which is made between two looks */
        c->has_lock = true;
        return 0;
    }
    if (++c->seen > GR_COLLECT_MAX)
        return -E2BIG;
    if (goes(c, name))
        note(c, name);
    else if (strcmp(name, GR_PROGRAM_OWNER) != 0 && !is_temporary(name))
        c->others++;
    return 0;
}

/* Without its name first, so that half of it never counts. */
static int take_away(struct collector *c, const char *digest)
{
    char temporary[40];
    char path[128];

    (void)snprintf(temporary, sizeof(temporary), TEMPORARY "%016" PRIx64 "-gone", c->fs->token);
    if (c->n == GR_ARRAY_LEN(c->items) ||
        c->fs->rename(c->fs->user, c->dir, digest, temporary) != 0)
        return 0;
    if (gr_tree_remove(c->fs, c->dir, temporary) == -ENOMEM)
        return -ENOMEM; /* whatever else is left, the next installer removes */
    (void)snprintf(path, sizeof(path), "%.63s/%s", c->package, digest);
    return gr_arena_str(c->arena, gr_str_from(path), &c->items[c->n++]) ? 0 : -ENOMEM;
}

/* Whether there is something to take away: digests, or a package in which nothing stays. */
static bool look(struct collector *c)
{
    c->gone_n = c->seen = c->others = 0;
    c->has_lock = false;
    return read_current(c) && c->fs->list(c->fs->user, c->dir, see_digest, c) == 0 &&
           (c->gone_n > 0 || (c->others == 0 && c->has_lock));
}

static int remove_left(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    const struct collector *c = user;

    return is_temporary(name) ? gr_tree_remove(c->fs, c->dir, name) : 0;
}

/* The file of the lock is the last: from then on an installer may be at work there, and the
 * directory stays. */
static void remove_package(struct collector *c)
{
    const struct gr_fs *fs = c->fs;
    int rc = fs->list(fs->user, c->dir, remove_left, c);

    if (rc == 0)
        rc = fs->unlink(fs->user, c->dir, GR_PROGRAM_OWNER);
    if (rc == 0 || rc == -ENOENT)
        rc = fs->unlink(fs->user, c->dir, GR_PROGRAM_LOCK);
    if (rc == 0)
        (void)fs->remove_dir(fs->user, gr_walk_top(&c->walk)->node, c->package);
}

/* One that went since is as young as one that came. */
static int collect_locked(struct collector *c)
{
    char current[sizeof(c->current)];
    size_t before = c->n;
    int rc = 0;

    memcpy(current, c->current, sizeof(current));
    if (!look(c) || strcmp(c->current, current) != 0)
        return 0;
    for (size_t i = 0; i < c->gone_n && rc == 0; i++)
        rc = take_away(c, c->gone[i]);
    if (rc == 0 && c->others == 0 && c->n - before == c->gone_n)
        remove_package(c);
    return rc;
}

static bool may_collect(struct collector *c)
{
    struct gr_fs_meta meta;

    if (c->fs->meta(c->fs->user, c->dir, &meta) != 0)
        return false;
    c->dir_is_old = is_old(c, &meta);
    return meta.type == GR_FS_DIRECTORY && !meta.read_only &&
           gr_trust_file(&c->rules, &meta) == GR_TRUST_FINE;
}

/* An installer that is at work there has the lock. A file for it is made only where it is needed.
 */
static int see_package(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct collector *c = user;
    const struct gr_lock how = {.fs = c->fs, .name = GR_PROGRAM_LOCK, .shown = name};
    int lock = GR_FS_NO_NODE;
    int rc = 0;

    if (!gr_is_program_package(gr_str_from(name)) ||
        gr_fs_open_at(c->fs, gr_walk_top(&c->walk)->node, name, &c->dir) != 0)
        return 0;
    c->package = name;
    if (may_collect(c) && look(c) && !c->found && gr_lock_take(&how, c->dir, &lock, NULL) == 0)
        rc = collect_locked(c);
    gr_fs_close(c->fs, &lock);
    gr_fs_close(c->fs, &c->dir);
    return rc;
}

/* ---- the store ---- */

static int run(struct collector *c)
{
    const struct gr_collect *collect = c->collect;
    int rc = gr_walk_open(&c->walk, c->fs, collect->root);

    if (rc == 0)
        rc = gr_walk_to(&c->walk, collect->dir, NULL, NULL);
    if (rc == 0)
        rc = gr_walk_enter(&c->walk);
    if (rc == 0 && !gr_walk_top(&c->walk)->meta.read_only)
        rc = c->fs->list(c->fs->user, gr_walk_top(&c->walk)->node, see_package, c);
    gr_walk_close(&c->walk);
    return rc == -ENOMEM ? rc : 0;
}

/* NULL: no memory. */
static struct collector *begin(const struct gr_collect *collect)
{
    struct collector *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->collect = collect;
    c->fs = collect->fs;
    c->rules = gr_trust_rules(c->fs, false);
    c->dir = GR_FS_NO_NODE;
    return c;
}

int gr_old_find(const struct gr_collect *collect, struct gr_old *out_old)
{
    struct collector *c = begin(collect);
    struct gr_old old = {0};
    int rc = -ENOMEM;

    if (!c)
        return rc;
    old.items = calloc(GR_COLLECT_MAX, sizeof(*old.items));
    c->found = &old;
    if (old.items)
        rc = run(c);
    free(c);
    if (rc == 0)
        *out_old = old;
    else
        gr_old_fini(&old);
    return rc;
}

int gr_collect(const struct gr_collect *collect, const struct gr_old *old, struct gr_arena *arena,
               struct gr_collected *out_collected)
{
    struct collector *c = begin(collect);
    struct gr_str *items = NULL;
    int rc = -ENOMEM;

    if (!c)
        return rc;
    c->old = old;
    c->arena = arena;
    c->gone = calloc(GR_COLLECT_MAX, sizeof(*c->gone));
    if (c->gone)
        rc = run(c);
    if (rc == 0 && c->n > 0) {
        items = gr_arena_array(arena, c->n, sizeof(*items));
        if (!items)
            rc = -ENOMEM;
        else
            memcpy(items, c->items, c->n * sizeof(*items));
    }
    if (rc == 0)
        *out_collected = (struct gr_collected){.items = items, .n = c->n};
    free(c->gone);
    free(c);
    return rc;
}
