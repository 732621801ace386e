/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "app/setup/cleanup_parts.h"

#define SHOWN_BYTES (GR_LOAD_PATH_BYTES + 512)

static int explain(struct gr_cleanup_place *place, int rc, struct gr_err *err)
{
    if (rc == -ENOENT)
        return rc;
    if (rc == GR_TRUST_BROKEN) {
        gr_trust_explain(err, &place->way.rules, place->way.fault, place->way.path,
                         &place->way.meta);
        return -EPERM;
    }
    return gr_fail_errno(err, rc, "cleanup-failed",
                         "expected to open %s and see what of it is ours, found an error",
                         place->path);
}

/* Its own owner and mode are not looked at on the way. */
static int check_dir(struct gr_cleanup_place *place)
{
    const struct gr_fs_meta *meta = &gr_walk_top(&place->walk)->meta;
    enum gr_trust_fault fault = gr_trust_file(&place->way.rules, meta);

    if (fault == GR_TRUST_FINE)
        return gr_trust_end(&place->way, &place->walk, false);
    place->way.fault = fault;
    place->way.meta = *meta;
    (void)snprintf(place->way.path, sizeof(place->way.path), "%s", place->path);
    return GR_TRUST_BROKEN;
}

int gr_cleanup_enter(struct gr_cleanup_place *place, const char *root, struct gr_err *err)
{
    const struct gr_fs *fs = place->cleanup->fs;
    int rc = gr_walk_open(&place->walk, fs, root);

    place->way.rules = gr_trust_rules(fs, false);
    if (rc == 0)
        rc = gr_walk_to(&place->walk, place->path, gr_trust_visit, &place->way);
    if (rc == 0)
        rc = gr_walk_enter(&place->walk);
    if (rc == 0)
        rc = check_dir(place);
    return rc == 0 ? 0 : explain(place, rc, err);
}

void gr_cleanup_leave(struct gr_cleanup_place *place)
{
    gr_walk_close(&place->walk);
}

int gr_cleanup_node(const struct gr_cleanup_place *place)
{
    return gr_walk_top(&place->walk)->node;
}

static void say(const struct gr_cleanup_place *place, const struct gr_cleanup_item *item)
{
    place->cleanup->say(place->cleanup->user, item);
}

void gr_cleanup_say(struct gr_cleanup_place *place, enum gr_cleanup_fate fate, const char *name,
                    const char *below, const char *why)
{
    struct gr_cleanup_item item = {.fate = fate, .why = why};
    char path[SHOWN_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s%s%s", place->path, name, below ? "/" : "",
                   below ? below : "");
    item.path = path;
    say(place, &item);
}

void gr_cleanup_fail_why(struct gr_cleanup_place *place, const char *name, const char *below,
                         const char *why)
{
    place->failed = true;
    place->left++;
    gr_cleanup_say(place, GR_CLEANUP_FAILED, name, below, why);
}

void gr_cleanup_fail(struct gr_cleanup_place *place, const char *name, const char *below, int rc)
{
    gr_cleanup_fail_why(place, name, below,
                        rc == -EXDEV ? "something is mounted in it" : strerror(-rc));
}

void gr_cleanup_foreign(struct gr_cleanup_place *place, const char *name, const char *below,
                        const char *why)
{
    place->left++;
    if (place->named++ < GR_CLEANUP_SAID_MAX)
        gr_cleanup_say(place, GR_CLEANUP_LEFT, name, below, why);
}

static void say_more(const struct gr_cleanup_place *place)
{
    struct gr_cleanup_item item = {.fate = GR_CLEANUP_LEFT, .path = place->path};
    char why[80];

    if (place->named <= GR_CLEANUP_SAID_MAX)
        return;
    (void)snprintf(why, sizeof(why), "%zu more things in it are not Grapnel's",
                   place->named - GR_CLEANUP_SAID_MAX);
    item.why = why;
    say(place, &item);
}

/* By the directory above it, and by the name that it has there, links apart. */
static int remove_itself(const struct gr_cleanup_place *place)
{
    const struct gr_fs *fs = place->cleanup->fs;
    const struct gr_walk *walk = &place->walk;

    if (place->left > 0 || walk->depth < 2)
        return -ENOTEMPTY;
    if (gr_walk_top(walk)->meta.mount != walk->dirs[walk->depth - 2].meta.mount)
        return -EBUSY;
    if (place->cleanup->dry_run)
        return 0;
    return fs->remove_dir(fs->user, walk->dirs[walk->depth - 2].node, walk->name);
}

void gr_cleanup_finish(struct gr_cleanup_place *place, size_t files)
{
    struct gr_cleanup_item item = {.fate = GR_CLEANUP_REMOVED, .path = place->path, .files = files};
    int rc;

    say_more(place);
    rc = remove_itself(place);
    item.stays = rc != 0;
    if (rc == 0 || files > 0)
        say(place, &item);
    if (rc == -EBUSY) {
        item = (struct gr_cleanup_item){
            .fate = GR_CLEANUP_LEFT, .path = place->path, .why = "it is empty, and mounted here"};
        say(place, &item);
    } else if (rc != 0 && rc != -ENOTEMPTY && rc != -ENOENT) {
        place->failed = true;
        item = (struct gr_cleanup_item){
            .fate = GR_CLEANUP_FAILED, .path = place->path, .why = strerror(-rc)};
        say(place, &item);
    }
}
