/* SPDX-License-Identifier: Apache-2.0 */
#include "load/tree.h"

#include <errno.h>
#include <stdio.h>

#include "load/limits.h"
#include "load/trust.h"
#include "rules/limits.h"
#include "rules/program.h"

#define PIECE_BYTES (64U << 10)
#define FIRST_FILES 16
#define MODE_EXECUTE 0111U
#define MODE_SET_ID 06000U
#define MODE_ALL 0777U

/* The first line of what is digested: another listing has another number. */
#define LISTING_HEAD "grapnel-programs 1\n"

/* A path of the deepest file: each component with its slash or NUL byte. */
#define TREE_PATH_BYTES (GR_PROGRAM_DEPTH_MAX * (GR_ADJUST_NAME_MAX_BYTES + 1))

/* ---- listing ---- */

struct listing {
    const struct gr_fs *fs;
    const char *shown;
    enum gr_tree_kind kind;
    struct gr_arena *arena;
    struct gr_tree *tree;
    struct gr_err *err;
    size_t entries;
    size_t cap;
    size_t depth; /* of the directory that is being listed: 1 for the whole */
    int dir;      /* that directory */
    char path[TREE_PATH_BYTES];
    size_t path_n; /* of that directory's path with its slash; 0 for the whole */
};

static int refuse_entry(struct listing *l, const char *code, const char *expected,
                        const char *found)
{
    char at[GR_TRUST_QUOTED_BYTES];
    char path[GR_LOAD_PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", l->shown, l->path);
    gr_trust_shorten(at, sizeof(at), path);
    return gr_fail(l->err, -EINVAL, code, "expected %s, found that %s is %s", expected, at, found);
}

static int add_file(struct listing *l, const struct gr_fs_meta *meta)
{
    struct gr_tree *tree = l->tree;
    struct gr_tree_file *file;

    if (tree->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : FIRST_FILES;
        struct gr_tree_file *files = gr_arena_array(l->arena, cap, sizeof(*files));

        if (!files)
            return -ENOMEM;
        if (tree->n > 0)
            memcpy(files, tree->files, tree->n * sizeof(*files));
        tree->files = files;
        l->cap = cap;
    }
    if (meta->size_bytes > GR_STORE_TREE_MAX_BYTES - tree->bytes)
        return gr_fail(l->err, -EINVAL, "program-limit",
                       "expected at most %d bytes of program files in %s, found more; leave out "
                       "what no hook needs",
                       GR_STORE_TREE_MAX_BYTES, l->shown);
    file = &tree->files[tree->n];
    *file = (struct gr_tree_file){.executable = meta->mode & MODE_EXECUTE, .meta = *meta};
    if (!gr_arena_str(l->arena, gr_str_from(l->path), &file->path))
        return -ENOMEM;
    tree->n++;
    tree->bytes += meta->size_bytes;
    return 0;
}

/* What an installer leaves. */
static int check_installed(struct listing *l, const struct gr_fs_meta *meta)
{
    bool is_dir = meta->type == GR_FS_DIRECTORY;
    uint32_t wanted = is_dir || meta->mode & MODE_EXECUTE ? GR_TREE_MODE_DIR : GR_TREE_MODE_DATA;
    char found[64];

    if (l->kind != GR_TREE_INSTALLED ||
        (meta->uid == l->fs->euid && (meta->mode & MODE_ALL) == wanted))
        return 0;
    (void)snprintf(found, sizeof(found), "uid %u's with mode %04o", meta->uid, meta->mode);
    return refuse_entry(l, "program-damaged", "a file as it was installed", found);
}

static int see(void *user, const char *name, enum gr_fs_type type);

static int list_below(struct listing *l, int dir)
{
    const struct listing above = *l;
    int rc;

    if (l->depth == GR_PROGRAM_DEPTH_MAX)
        return refuse_entry(l, "program-limit", "at most 8 names in the path of a program file",
                            "too deep");
    l->path_n = strlen(l->path);
    l->path[l->path_n++] = '/';
    l->dir = dir;
    l->depth++;
    rc = l->fs->list(l->fs->user, dir, see, l);
    l->depth = above.depth;
    l->dir = above.dir;
    l->path_n = above.path_n;
    return rc;
}

static int see_node(struct listing *l, int node)
{
    struct gr_fs_meta meta;
    int rc = l->fs->meta(l->fs->user, node, &meta);

    if (rc != 0)
        return rc;
    if (meta.type != GR_FS_REGULAR && meta.type != GR_FS_DIRECTORY)
        return refuse_entry(l, "program-source", "files and directories only, no links",
                            gr_fs_type_name(meta.type));
    if (meta.type == GR_FS_REGULAR && meta.mode & MODE_SET_ID)
        return refuse_entry(l, "program-source", "no file that changes its user (chmod a-s)",
                            "setuid or setgid");
    rc = check_installed(l, &meta);
    if (rc != 0)
        return rc;
    return meta.type == GR_FS_DIRECTORY ? list_below(l, node) : add_file(l, &meta);
}

static int see(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct listing *l = user;
    int node;
    int rc;

    if (!gr_is_program_part(gr_str_from(name))) {
        (void)snprintf(l->path + l->path_n, sizeof(l->path) - l->path_n, "%.*s",
                       GR_ADJUST_NAME_MAX_BYTES, name);
        return refuse_entry(
            l, "program-source",
            "names of letters, digits and any of ._+-, the first one a letter, digit or _",
            "named otherwise");
    }
    if (++l->entries > GR_STORE_ENTRIES_MAX)
        return gr_fail(l->err, -EINVAL, "program-limit",
                       "expected at most %d files and directories in %s, found more; name the "
                       "directory that holds the hook programs only",
                       GR_STORE_ENTRIES_MAX, l->shown);
    (void)snprintf(l->path + l->path_n, sizeof(l->path) - l->path_n, "%s", name);
    rc = gr_fs_open_at(l->fs, l->dir, name, &node);
    if (rc != 0)
        return rc;
    rc = see_node(l, node);
    gr_fs_close(l->fs, &node);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    const struct gr_tree_file *x = a;
    const struct gr_tree_file *y = b;

    return gr_str_cmp(x->path, y->path);
}

int gr_tree_list(const struct gr_fs *fs, int dir, const char *shown, enum gr_tree_kind kind,
                 struct gr_arena *arena, struct gr_tree *out_tree, struct gr_err *err)
{
    struct gr_tree tree = {0};
    struct gr_err ours = {0};
    struct listing l = {.fs = fs,
                        .shown = shown,
                        .kind = kind,
                        .arena = arena,
                        .tree = &tree,
                        .err = &ours,
                        .depth = 0,
                        .dir = dir};
    int rc;

    l.depth = 1;
    rc = fs->list(fs->user, dir, see, &l);
    if (rc != 0 && !ours.code)
        (void)gr_fail_errno(&ours, rc, "program-source",
                            "expected a directory of program files that can be read, found an "
                            "error at %s/%s",
                            shown, l.path);
    if (rc == 0 && tree.n == 0)
        rc = gr_fail(&ours, -EINVAL, "program-source",
                     "expected program files in %s, found none; name the directory that holds them",
                     shown);
    if (rc != 0) {
        if (err)
            *err = ours;
        return rc;
    }
    qsort(tree.files, tree.n, sizeof(*tree.files), by_path);
    *out_tree = tree;
    return 0;
}

/* ---- reading ---- */

/* One directory further down; node becomes it. */
static int enter(const struct gr_fs *fs, struct gr_str part, int *node)
{
    char name[GR_ADJUST_NAME_MAX_BYTES + 1];
    struct gr_fs_meta meta;
    int below;
    int rc;

    if (part.n >= sizeof(name))
        return -ENAMETOOLONG;
    memcpy(name, part.p, part.n);
    name[part.n] = '\0';
    rc = gr_fs_open_at(fs, *node, name, &below);
    if (rc != 0)
        return rc;
    rc = fs->meta(fs->user, below, &meta);
    if (rc == 0 && meta.type != GR_FS_DIRECTORY)
        rc = -ENOTDIR;
    gr_fs_close(fs, rc == 0 ? node : &below);
    if (rc == 0)
        *node = below;
    return rc;
}

int gr_tree_open_parent(const struct gr_fs *fs, int dir, const char *path, int *out_node,
                        const char **out_name)
{
    struct gr_str rest = gr_str_from(path);
    size_t slash = gr_str_find(rest, '/');
    int node;
    int rc = gr_fs_open_at(fs, dir, ".", &node);

    if (rc != 0)
        return rc;
    while (rc == 0 && slash < rest.n) {
        rc = enter(fs, gr_str_first(rest, slash), &node);
        rest = gr_str_skip(rest, slash + 1);
        slash = gr_str_find(rest, '/');
    }
    if (rc != 0) {
        gr_fs_close(fs, &node);
        return rc;
    }
    *out_node = node;
    *out_name = rest.p;
    return 0;
}

static int changed(const char *shown, const struct gr_tree_file *file, struct gr_err *err)
{
    return gr_fail(err, -ESTALE, "program-changed",
                   "expected %s/%s to stay as it is while it is read, found that it was changed; "
                   "install again when nobody writes there",
                   shown, file->path.p);
}

static int open_file(const struct gr_fs *fs, int dir, const struct gr_tree_file *file,
                     int *out_node)
{
    const char *name;
    int parent;
    int rc = gr_tree_open_parent(fs, dir, file->path.p, &parent, &name);

    if (rc != 0)
        return rc;
    rc = gr_fs_open_read(fs, parent, name, out_node);
    gr_fs_close(fs, &parent);
    return rc;
}

static int64_t read_piece(const struct gr_fs *fs, int node, void *out)
{
    int64_t n;

    do {
        n = fs->read(fs->user, node, out, PIECE_BYTES);
    } while (n == -EINTR);
    return n;
}

/* Everything that is in it. Returns -ESTALE when that is not what was listed. */
static int read_pieces(const struct gr_fs *fs, int node, struct gr_tree_file *file, void *room,
                       gr_tree_piece_fn *each, void *user, struct gr_err *err)
{
    uint64_t left = file->meta.size_bytes;
    struct gr_sha256 sha;

    gr_sha256_init(&sha);
    for (;;) {
        int64_t n = read_piece(fs, node, room);
        int rc;

        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        if ((uint64_t)n > left)
            return -ESTALE;
        left -= (uint64_t)n;
        gr_sha256_add(&sha, room, (size_t)n);
        rc = each ? each(user, room, (size_t)n, err) : 0;
        if (rc != 0)
            return rc;
    }
    gr_sha256_end(&sha, file->sha256);
    return left == 0 ? 0 : -ESTALE;
}

static int read_opened(const struct gr_fs *fs, int node, struct gr_tree_file *file,
                       gr_tree_piece_fn *each, void *user, struct gr_err *err)
{
    struct gr_fs_meta meta;
    void *room = malloc(PIECE_BYTES);
    int rc = room ? fs->meta(fs->user, node, &meta) : -ENOMEM;

    if (rc == 0 && (meta.type != GR_FS_REGULAR || !gr_fs_unchanged(&meta, &file->meta)))
        rc = -ESTALE;
    if (rc == 0)
        rc = read_pieces(fs, node, file, room, each, user, err);
    if (rc == 0)
        rc = fs->meta(fs->user, node, &meta);
    if (rc == 0 && !gr_fs_unchanged(&meta, &file->meta))
        rc = -ESTALE;
    free(room);
    return rc;
}

int gr_tree_read_file(const struct gr_fs *fs, int dir, const char *shown, struct gr_tree_file *file,
                      gr_tree_piece_fn *each, void *user, struct gr_err *err)
{
    struct gr_err ours = {0};
    int node;
    int rc = open_file(fs, dir, file, &node);

    if (rc == 0) {
        rc = read_opened(fs, node, file, each, user, &ours);
        gr_fs_close(fs, &node);
    } else if (rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP || rc == -ENXIO) {
        rc = -ESTALE; /* it is gone, or another thing: it was a file when it was listed */
    }
    if (rc == -ESTALE && !ours.code)
        (void)changed(shown, file, &ours);
    else if (rc != 0 && !ours.code)
        (void)gr_fail_errno(&ours, rc, "program-source", "expected to read %s/%s, found an error",
                            shown, file->path.p);
    if (rc != 0 && err)
        *err = ours;
    return rc;
}

void gr_tree_digest(struct gr_tree *tree)
{
    struct gr_sha256 sha;

    gr_sha256_init(&sha);
    gr_sha256_add(&sha, LISTING_HEAD, sizeof(LISTING_HEAD) - 1);
    for (size_t i = 0; i < tree->n; i++) {
        const struct gr_tree_file *file = &tree->files[i];

        gr_sha256_add(&sha, file->sha256, GR_SHA256_HEX);
        gr_sha256_add(&sha, file->executable ? " 755 " : " 644 ", 5);
        gr_sha256_add(&sha, file->path.p, file->path.n);
        gr_sha256_add(&sha, "\n", 1);
    }
    gr_sha256_end(&sha, tree->digest);
}

int gr_tree_read(const struct gr_fs *fs, int dir, const char *shown, struct gr_tree *tree,
                 struct gr_err *err)
{
    for (size_t i = 0; i < tree->n; i++) {
        int rc = gr_tree_read_file(fs, dir, shown, &tree->files[i], NULL, NULL, err);

        if (rc != 0)
            return rc;
    }
    gr_tree_digest(tree);
    return 0;
}

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool gr_is_tree_digest(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i]))
            return false;
    }
    return text.n == GR_SHA256_HEX;
}

bool gr_tree_digest_next(struct gr_str *text, struct gr_str *out_digest)
{
    while (text->n >= GR_SHA256_HEX) { /* most arguments are shorter */
        struct gr_str run = {.p = text->p};

        while (run.n < text->n && is_digit(run.p[run.n]))
            run.n++;
        *text = gr_str_skip(*text, run.n + 1);
        *out_digest = run;
        if (run.n == GR_SHA256_HEX)
            return true;
    }
    *text = GR_STR_NONE;
    return false;
}

/* ---- removing ---- */

struct removing {
    const struct gr_fs *fs;
    int dir;
    size_t depth;
    uint64_t mount; /* that all of it lies on */
};

static int remove_entry(void *user, const char *name, enum gr_fs_type type)
{
    struct removing *above = user;
    const struct gr_fs *fs = above->fs;
    struct removing r = {.fs = fs, .depth = above->depth + 1, .mount = above->mount};
    struct gr_fs_meta meta = {.type = type};
    int rc;

    if (r.depth > GR_STORE_REMOVE_DEPTH_MAX)
        return -ELOOP;
    rc = gr_fs_open_at(fs, above->dir, name, &r.dir);
    if (rc != 0)
        return rc == -ENOENT ? 0 : rc;
    rc = fs->meta(fs->user, r.dir, &meta);
    if (rc == 0 && meta.mount != r.mount)
        rc = -EXDEV;
    if (rc == 0 && meta.type == GR_FS_DIRECTORY)
        rc = fs->list(fs->user, r.dir, remove_entry, &r);
    gr_fs_close(fs, &r.dir);
    if (rc != 0)
        return rc;
    return meta.type == GR_FS_DIRECTORY ? fs->remove_dir(fs->user, above->dir, name)
                                        : fs->unlink(fs->user, above->dir, name);
}

int gr_tree_remove(const struct gr_fs *fs, int dir, const char *name)
{
    struct removing r = {.fs = fs, .dir = dir};
    struct gr_fs_meta meta;
    int rc = fs->meta(fs->user, dir, &meta);

    if (rc != 0)
        return rc;
    r.mount = meta.mount;
    rc = remove_entry(&r, name, GR_FS_OTHER);
    return rc == -ENOENT ? 0 : rc;
}
