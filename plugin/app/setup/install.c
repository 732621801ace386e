/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/install.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "app/setup/target.h"
#include "app/setup/turn.h"
#include "load/limits.h"
#include "rules/program.h"

#define ARENA_BLOCK_BYTES (64U << 10)

/* What begins so never counts: it is no digest and cannot be named. */
#define TEMPORARY ".tmp-"
#define TEMPORARY_BYTES 40

#define MODE_ALL 0777U

struct installer {
    const struct gr_install *install;
    const struct gr_fs *fs;
    struct gr_err *err;
    struct gr_arena arena;
    struct gr_target target; /* PROGRAMS */
    const char *name;        /* NAME */
    int source;
    struct gr_fs_meta source_meta;
    int dir;  /* PROGRAMS/NAME; none: not there, under dry_run */
    int lock; /* of it */
    struct gr_turn turn;
    struct gr_tree tree;
    struct gr_installed done;
};

static void temporary_name(const struct installer *in, const char *what, char out[TEMPORARY_BYTES])
{
    (void)snprintf(out, TEMPORARY_BYTES, TEMPORARY "%016" PRIx64 "%s", in->fs->token, what);
}

static int fail(struct installer *in, int rc, const char *what)
{
    return gr_target_fail(in->err, rc, in->install->to, what);
}

/* ---- the source ---- */

static int open_source(struct installer *in)
{
    const struct gr_install *i = in->install;
    int rc = in->fs->open_root(in->fs->user, i->from, &in->source);

    if (rc == 0)
        rc = in->fs->meta(in->fs->user, in->source, &in->source_meta);
    if (rc != 0)
        return gr_fail_errno(in->err, rc, "program-source",
                             "expected a directory of program files at %s, found an error",
                             i->from);
    return 0;
}

/* What is installed would be part of the source from then on: nothing that can be installed. */
static int refuse_around(struct installer *in)
{
    return gr_fail(in->err, -EINVAL, "program-around",
                   "expected the program files in a directory that does not hold %s, found that %s "
                   "does; name the directory with the program files only, or another --to",
                   in->install->to, in->install->from);
}

static int read_source(struct installer *in)
{
    const struct gr_install *i = in->install;
    int rc =
        gr_tree_list(in->fs, in->source, i->from, GR_TREE_SOURCE, &in->arena, &in->tree, in->err);

    if (rc == 0)
        rc = gr_tree_read(in->fs, in->source, i->from, &in->tree, in->err);
    if (rc != 0)
        return rc;
    memcpy(in->done.digest, in->tree.digest, sizeof(in->done.digest));
    in->done.files = in->tree.n;
    in->done.bytes = in->tree.bytes;
    return 0;
}

/* ---- the package's directory ---- */

static int check_dir(struct installer *in)
{
    struct gr_fs_meta meta;
    int rc = in->fs->meta(in->fs->user, in->dir, &meta);
    enum gr_trust_fault fault;

    if (rc != 0)
        return fail(in, rc, "looking at it");
    if (meta.type != GR_FS_DIRECTORY)
        return gr_fail(in->err, -ENOTDIR, "setup-target",
                       "expected a directory, found that %s is %s; move it away, or name another "
                       "one with --to",
                       in->install->to, gr_fs_type_name(meta.type));
    fault = gr_trust_file(&in->target.way.rules, &meta);
    if (fault != GR_TRUST_FINE) {
        gr_trust_explain(in->err, &in->target.way.rules, fault, in->install->to, &meta);
        return -EPERM;
    }
    return gr_target_check_mount(&meta, in->install->to, in->err);
}

/* Opens it, and makes it where it is missing. */
static int make_dir(struct installer *in, int programs)
{
    const struct gr_fs *fs = in->fs;
    int rc = gr_fs_open_at(fs, programs, in->name, &in->dir);

    if (rc != -ENOENT || in->install->dry_run)
        return rc;
    rc = fs->make_dir(fs->user, programs, in->name, GR_TREE_MODE_DIR);
    if (rc == 0)
        rc = fs->sync(fs->user, programs);
    return rc == 0 || rc == -EEXIST ? gr_fs_open_at(fs, programs, in->name, &in->dir) : rc;
}

/* While the lock was waited for, grapnel setup cleanup may have removed the directory: then it is
 * made anew. One that holds a locked file is not removed. */
static int open_dir(struct installer *in)
{
    int programs = gr_target_node(&in->target);
    int rc = programs == GR_FS_NO_NODE ? 0 : -ENOENT;

    while (rc == -ENOENT) {
        gr_fs_close(in->fs, &in->dir);
        rc = make_dir(in, programs);
        if (rc == -ENOENT && in->install->dry_run)
            return 0;
        if (rc != 0)
            return fail(in, rc, "opening it");
        rc = check_dir(in);
        if (rc != 0 || in->install->dry_run)
            return rc;
        rc = gr_turn_take(&in->turn, in->dir, &in->lock, in->err);
    }
    return rc == 0 || in->err->code ? rc : fail(in, rc, "locking it");
}

static int remove_left(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct installer *in = user;

    if (!gr_str_has_prefix(gr_str_from(name), GR_STR(TEMPORARY)))
        return 0;
    return gr_tree_remove(in->fs, in->dir, name);
}

/* What killed installers left. It takes up room, no more: that it cannot be removed is no fault. */
static void remove_leftovers(struct installer *in)
{
    (void)in->fs->list(in->fs->user, in->dir, remove_left, in);
}

/* ---- a digest that is there ---- */

static int compare(struct installer *in, int node, bool *out_same)
{
    struct gr_tree there = {0};
    struct gr_fs_meta meta;
    int rc = in->fs->meta(in->fs->user, node, &meta);

    if (rc != 0)
        return rc;
    if (meta.type != GR_FS_DIRECTORY || meta.uid != in->fs->euid ||
        (meta.mode & MODE_ALL) != GR_TREE_MODE_DIR)
        return 0;
    rc = gr_tree_list(in->fs, node, in->done.digest, GR_TREE_INSTALLED, &in->arena, &there, NULL);
    if (rc == 0)
        rc = gr_tree_read(in->fs, node, in->done.digest, &there, NULL);
    *out_same = rc == 0 && strcmp(there.digest, in->done.digest) == 0;
    return rc == -ENOMEM ? rc : 0;
}

/* Whether the digest is there and is what its name says. */
static int look_at_digest(struct installer *in, bool *out_good)
{
    int node;
    int rc;

    *out_good = false;
    if (in->dir == GR_FS_NO_NODE)
        return 0;
    rc = gr_fs_open_at(in->fs, in->dir, in->done.digest, &node);
    if (rc == -ENOENT)
        return 0;
    if (rc != 0)
        return fail(in, rc, "looking at the digest that is there");
    rc = compare(in, node, out_good);
    gr_fs_close(in->fs, &node);
    in->done.damaged = rc == 0 && !*out_good;
    return rc;
}

/* ---- copying ---- */

struct copy {
    struct installer *in;
    struct gr_tree_file *file;
    int node;
};

static int copy_piece(void *user, const void *data, size_t bytes, struct gr_err *err)
{
    struct copy *copy = user;
    char what[GR_TRUST_QUOTED_BYTES];
    int rc = gr_fs_write_all(copy->in->fs, copy->node, data, bytes);

    if (rc == 0)
        return 0;
    (void)snprintf(what, sizeof(what), "writing %.*s", 120, copy->file->path.p);
    return gr_target_fail(err, rc, copy->in->install->to, what);
}

/* What was made is what was asked for: a default ACL of the directory may say otherwise. */
static int check_made(struct installer *in, int node, uint32_t mode)
{
    struct gr_fs_meta meta;
    int rc = in->fs->meta(in->fs->user, node, &meta);

    if (rc != 0)
        return fail(in, rc, "looking at what was written");
    if (meta.uid == in->fs->euid && (meta.mode & MODE_ALL) == mode)
        return 0;
    return gr_fail(in->err, -EPERM, "setup-target",
                   "expected what is made in %s to have the mode %04o and to be root's, found mode "
                   "%04o and uid %u; remove the default ACL of the directory (setfacl -k), or "
                   "choose another one",
                   in->install->to, mode, meta.mode, meta.uid);
}

static int copy_content(struct copy *copy, int dir, const char *name)
{
    struct installer *in = copy->in;
    uint32_t mode = copy->file->executable ? GR_TREE_MODE_PROGRAM : GR_TREE_MODE_DATA;
    char before[GR_SHA256_HEX + 1];
    int rc = in->fs->create(in->fs->user, dir, name, mode, &copy->node);

    if (rc != 0)
        return fail(in, rc, "making a file");
    memcpy(before, copy->file->sha256, sizeof(before));
    rc = gr_tree_read_file(in->fs, in->source, in->install->from, copy->file, copy_piece, copy,
                           in->err);
    if (rc == 0 && strcmp(before, copy->file->sha256) != 0)
        rc = gr_fail(in->err, -ESTALE, "program-changed",
                     "expected %s/%s to stay as it is while it is read, found other content the "
                     "second time; install again when nobody writes there",
                     in->install->from, copy->file->path.p);
    if (rc == 0)
        rc = check_made(in, copy->node, mode);
    if (rc == 0) {
        rc = in->fs->sync(in->fs->user, copy->node);
        if (rc != 0)
            rc = fail(in, rc, "syncing a file");
    }
    gr_fs_close(in->fs, &copy->node);
    return rc;
}

/* Makes the directories of a file's path below dir. */
static int make_dirs(struct installer *in, int dir, const char *path)
{
    char part[GR_LOAD_PATH_BYTES];

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *name;
        int parent;
        int rc;

        (void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
        rc = gr_tree_open_parent(in->fs, dir, part, &parent, &name);
        if (rc == 0) {
            rc = in->fs->make_dir(in->fs->user, parent, name, GR_TREE_MODE_DIR);
            gr_fs_close(in->fs, &parent);
        }
        if (rc != 0 && rc != -EEXIST)
            return fail(in, rc, "making a directory");
    }
    return 0;
}

/* The directories of a file's path, and dir itself. */
static int sync_dirs(struct installer *in, int dir, const char *path)
{
    char part[GR_LOAD_PATH_BYTES];
    char *slash;
    int rc = 0;

    (void)snprintf(part, sizeof(part), "%s", path);
    while (rc == 0 && (slash = strrchr(part, '/'))) {
        const char *name;
        int parent;

        rc = gr_tree_open_parent(in->fs, dir, part, &parent, &name);
        if (rc != 0)
            break;
        rc = check_made(in, parent, GR_TREE_MODE_DIR);
        if (rc == 0)
            rc = in->fs->sync(in->fs->user, parent);
        gr_fs_close(in->fs, &parent);
        *slash = '\0';
    }
    return rc;
}

static int copy_file(struct installer *in, int dir, struct gr_tree_file *file)
{
    struct copy copy = {.in = in, .file = file, .node = GR_FS_NO_NODE};
    const char *name;
    int parent;
    int rc = make_dirs(in, dir, file->path.p);

    if (rc != 0)
        return rc;
    rc = gr_tree_open_parent(in->fs, dir, file->path.p, &parent, &name);
    if (rc != 0)
        return fail(in, rc, "opening a directory");
    rc = copy_content(&copy, parent, name);
    gr_fs_close(in->fs, &parent);
    return rc;
}

static int copy_all(struct installer *in, int dir)
{
    int rc = check_made(in, dir, GR_TREE_MODE_DIR);

    for (size_t i = 0; rc == 0 && i < in->tree.n; i++)
        rc = copy_file(in, dir, &in->tree.files[i]);
    for (size_t i = 0; rc == 0 && i < in->tree.n; i++)
        rc = sync_dirs(in, dir, in->tree.files[i].path.p);
    if (rc == 0)
        rc = in->fs->sync(in->fs->user, dir);
    return rc == 0 || in->err->code ? rc : fail(in, rc, "syncing a directory");
}

static int fill_temporary(struct installer *in, const char *temporary)
{
    const struct gr_fs *fs = in->fs;
    int node;
    int rc = fs->make_dir(fs->user, in->dir, temporary, GR_TREE_MODE_DIR);

    if (rc == 0)
        rc = gr_fs_open_at(fs, in->dir, temporary, &node);
    if (rc != 0)
        return fail(in, rc, "making a directory");
    rc = copy_all(in, node);
    gr_fs_close(fs, &node);
    return rc;
}

/* Takes the place of what bears the name already, if anything does: at no moment is there nothing,
 * where the file system can do that. */
static int put_in_place(struct installer *in, const char *temporary)
{
    const struct gr_fs *fs = in->fs;
    char old[TEMPORARY_BYTES];
    int rc;

    if (!in->done.damaged)
        return fs->rename(fs->user, in->dir, temporary, in->done.digest);
    rc = fs->exchange(fs->user, in->dir, temporary, in->done.digest);
    if (rc != -EINVAL && rc != -ENOSYS)
        return rc;
    temporary_name(in, "-old", old);
    rc = fs->rename(fs->user, in->dir, in->done.digest, old);
    return rc ? rc : fs->rename(fs->user, in->dir, temporary, in->done.digest);
}

static int copy_in(struct installer *in)
{
    char temporary[TEMPORARY_BYTES];
    int rc;

    temporary_name(in, "", temporary);
    rc = fill_temporary(in, temporary);
    if (rc == 0) {
        rc = put_in_place(in, temporary);
        if (rc == 0)
            rc = in->fs->sync(in->fs->user, in->dir);
        if (rc != 0)
            rc = fail(in, rc, "putting the digest into place");
    }
    return rc;
}

/* ---- current ---- */

/* What current names into done.before, where that counts. */
static int read_current(struct installer *in)
{
    char text[GR_SHA256_HEX + 1];
    struct gr_fs_meta meta;
    int64_t n = 0;
    int node;
    int rc;

    if (in->dir == GR_FS_NO_NODE)
        return 0;
    rc = gr_fs_open_at(in->fs, in->dir, GR_PROGRAM_CURRENT, &node);
    if (rc == -ENOENT)
        return 0;
    if (rc == 0) {
        rc = in->fs->meta(in->fs->user, node, &meta);
        if (rc == 0 && meta.type == GR_FS_LINK)
            n = in->fs->read_link(in->fs->user, node, text, sizeof(text));
        gr_fs_close(in->fs, &node);
    }
    if (rc != 0 || n < 0)
        return fail(in, rc ? rc : (int)n, "reading the link " GR_PROGRAM_CURRENT);
    if (meta.type == GR_FS_DIRECTORY)
        return gr_fail(in->err, -EISDIR, "setup-target",
                       "expected %s/" GR_PROGRAM_CURRENT
                       " to be a link, found a directory; look at "
                       "what it holds and remove it",
                       in->install->to);
    if (gr_is_tree_digest((struct gr_str){.p = text, .n = (size_t)n}))
        (void)snprintf(in->done.before, sizeof(in->done.before), "%.*s", GR_SHA256_HEX, text);
    return 0;
}

static int put_link(struct installer *in, const char *name, const char *text)
{
    const struct gr_fs *fs = in->fs;
    char temporary[TEMPORARY_BYTES];
    int rc;

    temporary_name(in, "-link", temporary);
    rc = fs->make_link(fs->user, in->dir, temporary, text);
    if (rc == 0)
        rc = fs->rename(fs->user, in->dir, temporary, name);
    return rc == 0 ? fs->sync(fs->user, in->dir) : rc;
}

static int switch_current(struct installer *in)
{
    int rc = put_link(in, GR_PROGRAM_CURRENT, in->done.digest);

    return rc ? fail(in, rc, "switching " GR_PROGRAM_CURRENT) : 0;
}

/* ---- the owner ---- */

static int read_owner(struct installer *in)
{
    int rc = in->dir == GR_FS_NO_NODE ? 0 : gr_owner_read(in->fs, in->dir, &in->done.owner_before);

    return rc ? fail(in, rc, "reading the owner") : 0;
}

/* Before current is switched: whoever owned the package must not retire what is installed now. The
 * same owner is written again, since the time of the link says when it has installed last. */
static int switch_owner(struct installer *in)
{
    const char *owner = in->install->owner;
    int rc = 0;

    if (owner)
        rc = put_link(in, GR_PROGRAM_OWNER, owner);
    else if (in->done.owner_before.name[0])
        rc = in->fs->unlink(in->fs->user, in->dir, GR_PROGRAM_OWNER);
    return rc ? fail(in, rc, "writing the owner") : 0;
}

/* ---- all of it ---- */

/* Whether NAME is the source. What else may be wrong with it is told later. */
static bool is_source(struct installer *in)
{
    int programs = gr_target_node(&in->target);
    struct gr_fs_meta meta;
    bool same;
    int node;

    if (programs == GR_FS_NO_NODE || gr_fs_open_at(in->fs, programs, in->name, &node) != 0)
        return false;
    same = in->fs->meta(in->fs->user, node, &meta) == 0 && gr_fs_same_file(&meta, &in->source_meta);
    gr_fs_close(in->fs, &node);
    return same;
}

static int open_target(struct installer *in)
{
    int rc = open_source(in);

    if (rc == 0)
        rc = gr_target_open(&in->target, in->fs, in->install->host_root, in->err);
    return rc == GR_TARGET_INSIDE || (rc == 0 && is_source(in)) ? refuse_around(in) : rc;
}

static int run(struct installer *in)
{
    bool good = false;
    int rc = open_target(in);

    if (rc == 0)
        rc = read_source(in);
    if (rc == 0)
        rc = open_dir(in);
    if (rc == 0)
        rc = read_current(in);
    if (rc == 0)
        rc = read_owner(in);
    if (rc == 0 && in->lock != GR_FS_NO_NODE)
        remove_leftovers(in);
    if (rc == 0)
        rc = look_at_digest(in, &good);
    in->done.copied = !good;
    in->done.switched = strcmp(in->done.before, in->done.digest) != 0;
    if (rc != 0 || in->install->dry_run)
        return rc;
    if (in->done.copied)
        rc = copy_in(in);
    if (rc == 0)
        rc = switch_owner(in);
    if (rc == 0 && in->done.switched)
        rc = switch_current(in);
    if (rc != 0 || in->done.copied)
        remove_leftovers(in);
    return rc;
}

/* PROGRAMS and NAME of the path, which is cut in two. */
static int split(struct installer *in, const char *to)
{
    char *path = gr_arena_copy(&in->arena, gr_str_from(to));
    char *slash;

    if (!path)
        return -ENOMEM;
    slash = strrchr(path, '/');
    if (path[0] != '/' || slash == path || strlen(path) >= GR_LOAD_PATH_BYTES - GR_SHA256_HEX ||
        !gr_is_program_package(gr_str_from(slash + 1)))
        return gr_fail(
            in->err, -EINVAL, "setup-target",
            "expected an absolute path whose last part is the name of a package "
            "(lower-case letters, digits and - inside, at most 63), such as " GR_PROGRAMS_DEFAULT
            "/net; found %s",
            to);
    *slash = '\0';
    in->name = slash + 1;
    in->target.path = path;
    return 0;
}

int gr_install(const struct gr_install *install, struct gr_installed *out_installed,
               struct gr_err *err)
{
    struct installer *in = calloc(1, sizeof(*in));
    struct gr_err ours = {0};
    int rc;

    if (!in)
        return gr_fail(err, -ENOMEM, "no-memory", "there is no memory to install programs");
    *in = (struct installer){
        .install = install,
        .fs = install->fs,
        .err = &ours,
        .target = {.dry_run = install->dry_run},
        .source = GR_FS_NO_NODE,
        .dir = GR_FS_NO_NODE,
        .lock = GR_FS_NO_NODE,
        .turn = {.lock = {.fs = install->fs, .name = GR_PROGRAM_LOCK, .shown = install->to},
                 .wait_s = install->wait_s,
                 .waits = install->waits}};
    in->target.apart = &in->source_meta;
    gr_arena_init(&in->arena, ARENA_BLOCK_BYTES, 0);
    rc = split(in, install->to);
    if (rc == 0)
        rc = run(in);
    if (rc == 0)
        *out_installed = in->done;
    else if (!ours.code)
        (void)gr_fail(&ours, rc, "no-memory", "there is no memory to install programs");
    if (rc != 0 && err)
        *err = ours;
    gr_fs_close(in->fs, &in->lock);
    gr_fs_close(in->fs, &in->dir);
    gr_fs_close(in->fs, &in->source);
    gr_target_close(&in->target);
    gr_arena_fini(&in->arena);
    free(in);
    return rc;
}
