/* SPDX-License-Identifier: Apache-2.0 */
#include "load/walk.h"

#include <errno.h>

int gr_walk_open(struct gr_walk *walk, const struct gr_fs *fs, const char *root)
{
    int node;
    int rc;

    *walk = (struct gr_walk){.fs = fs, .node = GR_FS_NO_NODE};
    do {
        rc = fs->open_root(fs->user, root, &node);
    } while (rc == -EINTR);
    if (rc != 0)
        return rc;
    rc = fs->meta(fs->user, node, &walk->dirs[0].meta);
    if (rc != 0) {
        gr_fs_close(fs, &node);
        return rc;
    }
    walk->dirs[0].node = node;
    walk->depth = 1;
    return 0;
}

/* Goes back up until only depth directories are open; walk->path is theirs. */
static void back_to(struct gr_walk *walk, size_t depth)
{
    while (walk->depth > depth)
        gr_fs_close(walk->fs, &walk->dirs[--walk->depth].node);
    if (walk->depth > 0)
        walk->path[gr_walk_top(walk)->path_bytes] = '\0';
}

static void drop_node(struct gr_walk *walk)
{
    if (walk->node != GR_FS_NO_NODE)
        gr_fs_close(walk->fs, &walk->node);
}

void gr_walk_close(struct gr_walk *walk)
{
    if (!walk->fs)
        return;
    drop_node(walk);
    back_to(walk, 0);
    walk->fs = NULL;
}

/* Puts text and a slash before what is left to do. */
static int do_first(struct gr_walk *walk, struct gr_str text)
{
    if (text.n + 1 > walk->todo_at)
        return -ENAMETOOLONG;
    walk->todo[--walk->todo_at] = '/';
    walk->todo_at -= text.n;
    memcpy(walk->todo + walk->todo_at, text.p, text.n);
    return 0;
}

static struct gr_str todo(const struct gr_walk *walk)
{
    return (struct gr_str){.p = walk->todo + walk->todo_at,
                           .n = sizeof(walk->todo) - walk->todo_at};
}

/* Whether the next component is "." or none at all: it is passed over. */
static void pass_over(struct gr_walk *walk)
{
    for (;;) {
        struct gr_str rest = todo(walk);

        if (rest.n >= 1 && rest.p[0] == '/')
            walk->todo_at++;
        else if (rest.n >= 2 && rest.p[0] == '.' && rest.p[1] == '/')
            walk->todo_at += 2;
        else
            return;
    }
}

/* Takes the next component into name; false when nothing is left. */
static bool next_name(struct gr_walk *walk)
{
    struct gr_str rest;
    size_t n;

    pass_over(walk);
    rest = todo(walk);
    n = gr_str_find(rest, '/');
    if (n == 0)
        return false;
    memcpy(walk->name, rest.p, n);
    walk->name[n] = '\0';
    walk->todo_at += n;
    pass_over(walk);
    return true;
}

/* walk->path becomes that of name in the last of dirs. */
static int name_path(struct gr_walk *walk)
{
    size_t n = gr_walk_top(walk)->path_bytes;
    size_t name_n = strlen(walk->name);

    if (n + name_n + 2 > sizeof(walk->path))
        return -ENAMETOOLONG;
    memcpy(walk->parent_path, n ? walk->path : "/", n ? n : 1);
    walk->parent_path[n ? n : 1] = '\0';
    walk->path[n] = '/';
    memcpy(walk->path + n + 1, walk->name, name_n + 1);
    return 0;
}

static int call_visit(struct gr_walk *walk, const struct gr_fs_meta *parent)
{
    struct gr_walk_visit visit = {
        .path = parent ? walk->path : "/",
        .parent = parent,
        .parent_path = parent ? walk->parent_path : NULL,
        .meta = parent ? &walk->meta : &walk->dirs[0].meta,
    };

    return walk->visit ? walk->visit(walk->visit_user, &visit) : 0;
}

static int open_name(struct gr_walk *walk)
{
    const struct gr_walk_dir *top = gr_walk_top(walk);
    int rc = name_path(walk);

    if (rc == 0)
        rc = gr_fs_open_at(walk->fs, top->node, walk->name, &walk->node);
    if (rc == 0)
        rc = walk->fs->meta(walk->fs->user, walk->node, &walk->meta);
    return rc ? rc : call_visit(walk, &top->meta);
}

/* The link that was opened gives way to its target. */
static int follow(struct gr_walk *walk)
{
    char target[GR_LOAD_PATH_BYTES];
    int64_t n;

    if (walk->links++ >= GR_WALK_LINKS_MAX)
        return -ELOOP;
    n = walk->fs->read_link(walk->fs->user, walk->node, target, sizeof(target));
    if (n < 0)
        return (int)n;
    if (n == 0)
        return -ENOENT;
    if ((size_t)n >= sizeof(target))
        return -ENAMETOOLONG;
    drop_node(walk);
    back_to(walk, target[0] == '/' ? 1 : walk->depth);
    walk->meta = gr_walk_top(walk)->meta;
    return do_first(walk, (struct gr_str){.p = target, .n = (size_t)n});
}

int gr_walk_enter(struct gr_walk *walk)
{
    if (walk->meta.type != GR_FS_DIRECTORY)
        return -ENOTDIR;
    if (walk->node == GR_FS_NO_NODE)
        return 0;
    if (walk->depth >= GR_WALK_DEPTH_MAX)
        return -ENAMETOOLONG;
    walk->dirs[walk->depth++] = (struct gr_walk_dir){
        .node = walk->node,
        .path_bytes = strlen(walk->path),
        .meta = walk->meta,
    };
    walk->node = GR_FS_NO_NODE;
    return 0;
}

static int begin(struct gr_walk *walk, const char *path, gr_walk_visit_fn *visit, void *user)
{
    drop_node(walk);
    back_to(walk, 1);
    walk->meta = walk->dirs[0].meta;
    walk->links = 0;
    walk->visit = visit;
    walk->visit_user = user;
    walk->todo_at = sizeof(walk->todo);
    return do_first(walk, gr_str_from(path));
}

int gr_walk_to(struct gr_walk *walk, const char *path, gr_walk_visit_fn *visit, void *user)
{
    int rc = begin(walk, path, visit, user);

    if (rc == 0)
        rc = call_visit(walk, NULL);
    while (rc == 0 && next_name(walk)) {
        if (strcmp(walk->name, "..") == 0) {
            back_to(walk, GR_MAX(walk->depth - 1, (size_t)1));
            walk->meta = gr_walk_top(walk)->meta;
            continue;
        }
        rc = open_name(walk);
        if (rc == 0 && walk->meta.type == GR_FS_LINK)
            rc = follow(walk);
        else if (rc == 0 && todo(walk).n > 0)
            rc = gr_walk_enter(walk);
    }
    if (rc != 0)
        drop_node(walk);
    return rc;
}
