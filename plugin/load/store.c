/* SPDX-License-Identifier: Apache-2.0 */
#include "load/store.h"

#include <errno.h>
#include <stdio.h>

#include "load/tree.h"
#include "rules/limits.h"
#include "rules/program.h"

/* One program that is looked for. */
struct looking {
    const struct gr_store *store;
    const struct gr_fs *fs;
    struct gr_err *err;
    struct gr_str program;
    char package[GR_LABEL_MAX_BYTES + 1];
    char file[GR_PROGRAM_DEPTH_MAX * (GR_ADJUST_NAME_MAX_BYTES + 1)];
    char digest[GR_SHA256_HEX + 1];
    char shown[GR_TRUST_QUOTED_BYTES]; /* the store */
};

int gr_store_open(struct gr_store *store, const struct gr_fs *fs, const char *root, const char *dir)
{
    *store = (struct gr_store){.dir = dir, .rules = gr_trust_rules(fs, false)};
    if (!dir)
        return 0;
    store->failed = gr_walk_open(&store->walk, fs, root);
    if (store->failed == 0)
        store->failed = gr_walk_to(&store->walk, dir, NULL, NULL);
    if (store->failed == 0)
        store->failed = gr_walk_enter(&store->walk);
    return store->failed == -ENOMEM ? -ENOMEM : 0;
}

void gr_store_close(struct gr_store *store)
{
    gr_walk_close(&store->walk);
}

/* ---- why there is none ---- */

static int not_installed(const struct looking *l, const char *found)
{
    (void)gr_fail(l->err, 0, "program-missing",
                  "expected the hook program %.*s in the store %s, found no %s there; run grapnel "
                  "setup install --to %s/%s, or correct the name",
                  GR_STR_FMT(l->program), l->shown, found, l->shown, l->package);
    return GR_STORE_NONE;
}

static int not_usable(const struct looking *l, const char *what, const char *found)
{
    (void)gr_fail(l->err, 0, "program-store",
                  "expected %s for the hook program %.*s, found %s in %s/%s; install the package "
                  "again",
                  what, GR_STR_FMT(l->program), found, l->shown, l->package);
    return GR_STORE_NONE;
}

static int failed(const struct looking *l, int rc, const char *at)
{
    if (rc == -ENOMEM)
        return rc;
    (void)gr_fail_errno(l->err, rc, "program-store",
                        "expected the hook program %.*s in the store %s, found an error at %s",
                        GR_STR_FMT(l->program), l->shown, at);
    return GR_STORE_NONE;
}

static int no_store(const struct looking *l)
{
    if (!l->store->dir) {
        (void)gr_fail(l->err, 0, "program-store",
                      "expected a store for the hook program %.*s, found that the settings say "
                      "programsDir: none; name the store there, or use path",
                      GR_STR_FMT(l->program));
        return GR_STORE_NONE;
    }
    if (l->store->failed == -ENOENT)
        return not_installed(l, "such directory");
    return failed(l, l->store->failed, l->shown);
}

/* ---- on the way ---- */

/* What nobody else can change; links are something else. */
static int open_dir(const struct looking *l, int dir, const char *name, int *out_node)
{
    struct gr_fs_meta meta;
    enum gr_trust_fault fault;
    int rc = gr_fs_open_at(l->fs, dir, name, out_node);

    if (rc != 0)
        return rc == -ENOENT ? not_installed(l, name) : failed(l, rc, name);
    rc = l->fs->meta(l->fs->user, *out_node, &meta);
    fault = rc == 0 ? gr_trust_file(&l->store->rules, &meta) : GR_TRUST_FINE;
    if (rc != 0)
        rc = failed(l, rc, name);
    else if (meta.type != GR_FS_DIRECTORY)
        rc = not_usable(l, "a directory", gr_fs_type_name(meta.type));
    else if (fault != GR_TRUST_FINE) {
        gr_trust_explain(l->err, &l->store->rules, fault, name, &meta);
        rc = GR_STORE_NONE;
    }
    if (rc != 0)
        gr_fs_close(l->fs, out_node);
    return rc;
}

static int read_link(const struct looking *l, int node, char out[GR_SHA256_HEX + 1])
{
    struct gr_fs_meta meta;
    int rc = l->fs->meta(l->fs->user, node, &meta);
    int64_t n;

    if (rc != 0)
        return failed(l, rc, GR_PROGRAM_CURRENT);
    if (meta.type != GR_FS_LINK)
        return not_usable(l, "a link " GR_PROGRAM_CURRENT, gr_fs_type_name(meta.type));
    n = l->fs->read_link(l->fs->user, node, out, GR_SHA256_HEX + 1);
    if (n < 0)
        return failed(l, (int)n, GR_PROGRAM_CURRENT);
    if (!gr_is_tree_digest((struct gr_str){.p = out, .n = (size_t)n}))
        return not_usable(l, "a link " GR_PROGRAM_CURRENT " that names a digest", "another text");
    out[n] = '\0';
    return 0;
}

static int read_current(struct looking *l, int package)
{
    int node;
    int rc = gr_fs_open_at(l->fs, package, GR_PROGRAM_CURRENT, &node);

    if (rc != 0)
        return rc == -ENOENT ? not_installed(l, GR_PROGRAM_CURRENT)
                             : failed(l, rc, GR_PROGRAM_CURRENT);
    rc = read_link(l, node, l->digest);
    gr_fs_close(l->fs, &node);
    return rc;
}

/* That it is there, and that no link leads to it. */
static int look_at_file(const struct looking *l, int digest)
{
    struct gr_fs_meta meta;
    const char *name;
    int parent;
    int node;
    int rc = gr_tree_open_parent(l->fs, digest, l->file, &parent, &name);

    if (rc == 0) {
        rc = gr_fs_open_at(l->fs, parent, name, &node);
        gr_fs_close(l->fs, &parent);
    }
    if (rc != 0)
        return rc == -ENOENT || rc == -ENOTDIR ? not_installed(l, l->file) : failed(l, rc, l->file);
    rc = l->fs->meta(l->fs->user, node, &meta);
    gr_fs_close(l->fs, &node);
    if (rc != 0)
        return failed(l, rc, l->file);
    return meta.type == GR_FS_LINK ? not_usable(l, "a file", gr_fs_type_name(meta.type)) : 0;
}

static int look(struct looking *l)
{
    int package;
    int digest;
    int rc = open_dir(l, gr_walk_top(&l->store->walk)->node, l->package, &package);

    if (rc != 0)
        return rc;
    rc = read_current(l, package);
    if (rc == 0)
        rc = open_dir(l, package, l->digest, &digest);
    gr_fs_close(l->fs, &package);
    if (rc != 0)
        return rc;
    rc = look_at_file(l, digest);
    gr_fs_close(l->fs, &digest);
    return rc;
}

static bool take_ref(struct looking *l)
{
    struct gr_program_ref ref;

    if (!gr_program_parse(l->program, &ref))
        return false;
    (void)snprintf(l->package, sizeof(l->package), "%.*s", GR_STR_FMT(ref.package));
    (void)snprintf(l->file, sizeof(l->file), "%.*s", GR_STR_FMT(ref.file));
    return true;
}

int gr_store_find(struct gr_store *store, struct gr_str program, char out_path[GR_LOAD_PATH_BYTES],
                  struct gr_err *err)
{
    struct looking l = {.store = store, .fs = store->walk.fs, .err = err, .program = program};
    int n;
    int rc;

    gr_trust_shorten(l.shown, sizeof(l.shown), store->dir ? store->dir : "");
    if (!take_ref(&l))
        return failed(&l, -EINVAL, "its name");
    rc = !store->dir || store->failed ? no_store(&l) : look(&l);
    if (rc != 0)
        return rc;
    n = snprintf(out_path, GR_LOAD_PATH_BYTES, "%s/%s/%s/%s", store->dir, l.package, l.digest,
                 l.file);
    return n < GR_LOAD_PATH_BYTES ? 0 : failed(&l, -ENAMETOOLONG, l.file);
}

/* ---- names alone ---- */

void gr_store_name(const char *dir, struct gr_str program, char out_path[GR_LOAD_PATH_BYTES])
{
    size_t slash = gr_str_find(program, '/');

    (void)snprintf(out_path, GR_LOAD_PATH_BYTES, "%s/%.*s/" GR_PROGRAM_CURRENT "%.*s",
                   dir ? dir : GR_PROGRAMS_DEFAULT, GR_STR_FMT(gr_str_first(program, slash)),
                   GR_STR_FMT(gr_str_skip(program, slash)));
}

bool gr_store_is_asked(const struct gr_hook_list *hooks)
{
    for (size_t i = 0; i < hooks->n; i++) {
        if (hooks->items[i].program.n > 0)
            return true;
    }
    return false;
}

struct gr_hook *gr_store_own_hooks(struct gr_arena *arena, struct gr_hook_list *hooks)
{
    struct gr_hook *own = gr_arena_array(arena, hooks->n, sizeof(*own));

    if (!own)
        return NULL;
    memcpy(own, hooks->items, hooks->n * sizeof(*own));
    hooks->items = own;
    return own;
}

int gr_store_name_all(const char *dir, struct gr_arena *arena, struct gr_hookset *set)
{
    char path[GR_LOAD_PATH_BYTES];

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        struct gr_hook_list *hooks = &set->hooks[stage];
        struct gr_hook *own;

        if (!gr_store_is_asked(hooks))
            continue;
        own = gr_store_own_hooks(arena, hooks);
        if (!own)
            return -ENOMEM;
        for (size_t i = 0; i < hooks->n; i++) {
            if (own[i].program.n == 0)
                continue;
            gr_store_name(dir, own[i].program, path);
            if (!gr_arena_str(arena, gr_str_from(path), &own[i].path))
                return -ENOMEM;
        }
    }
    return 0;
}
