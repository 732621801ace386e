/* SPDX-License-Identifier: Apache-2.0 */
#include "load/dirs.h"

#include <errno.h>
#include <stdio.h>

#define FIRST_FILES 64

static struct gr_str suffix_of(struct gr_str name)
{
    static const char *const suffixes[] = {".yaml", ".yml", ".json"};

    for (size_t i = 0; i < GR_ARRAY_LEN(suffixes); i++) {
        if (gr_str_has_suffix(name, gr_str_from(suffixes[i])))
            return gr_str_from(suffixes[i]);
    }
    return GR_STR_NONE;
}

bool gr_rule_name_fits(struct gr_str name)
{
    return name.n > 0 && name.p[0] != '.' && suffix_of(name).n > 0;
}

bool gr_oci_name_fits(struct gr_str name)
{
    return gr_str_has_suffix(name, GR_STR(".json"));
}

static bool name_fits(const struct gr_rule_dir *dir, struct gr_str name)
{
    return dir->format == GR_FORMAT_OCI_HOOKS ? gr_oci_name_fits(name) : gr_rule_name_fits(name);
}

struct gr_str gr_rule_name_stem(struct gr_str name)
{
    return gr_str_first(name, name.n - suffix_of(name).n);
}

static void report(const struct gr_dirs *dirs, const char *path, struct gr_err *err)
{
    gr_err_at(err, path, 0, 0);
    gr_report(dirs->reporter, GR_LEVEL_ERROR, err);
}

static char *join(struct gr_arena *arena, const char *dir, struct gr_str name)
{
    size_t dir_n = strlen(dir);
    bool slash = dir_n > 0 && dir[dir_n - 1] != '/';
    char *path = gr_arena_alloc(arena, dir_n + name.n + 2);

    if (!path)
        return NULL;
    memcpy(path, dir, dir_n);
    path[dir_n] = '/';
    memcpy(path + dir_n + slash, name.p, name.n);
    return path;
}

/* Without ".", "//" and a slash at its end, for messages and to know a directory again; ".." stays,
 * since links decide what it is. */
static const char *tidy(const struct gr_dirs *dirs, struct gr_str path)
{
    char *text = gr_arena_alloc(dirs->arena, path.n + 2);
    size_t n = 0;

    if (!text)
        return NULL;
    while (path.n > 0) {
        struct gr_str part = gr_str_first(path, gr_str_find(path, '/'));

        path = gr_str_skip(path, part.n + 1);
        if (part.n == 0 || gr_str_is(part, "."))
            continue;
        text[n++] = '/';
        memcpy(text + n, part.p, part.n);
        n += part.n;
    }
    if (n == 0)
        text[n++] = '/';
    text[n] = '\0';
    return text;
}

/* Makes a path absolute; 0 with *out_path, -ENOMEM, or what is wrong with the working directory. */
static int absolute(const struct gr_dirs *dirs, const char *path, const char **out_path)
{
    char cwd[GR_LOAD_PATH_BYTES];
    int rc;

    if (path[0] != '/') {
        rc = dirs->fs->cwd(dirs->fs->user, cwd, sizeof(cwd));
        if (rc != 0)
            return rc;
        path = join(dirs->arena, cwd, gr_str_from(path));
        if (!path)
            return -ENOMEM;
    }
    *out_path = tidy(dirs, gr_str_from(path));
    return *out_path ? 0 : -ENOMEM;
}

static int add_file(struct gr_dirs *dirs, size_t dir, struct gr_str name,
                    struct gr_rule_file **out_file)
{
    struct gr_rule_file *file = gr_arena_alloc(dirs->arena, sizeof(*file));
    char *path = join(dirs->arena, dirs->dirs[dir].path, name);

    if (!file || !path)
        return -ENOMEM;
    if (dirs->files_n == dirs->files_cap) {
        size_t cap = dirs->files_cap ? dirs->files_cap * 2 : FIRST_FILES;
        struct gr_rule_file **files =
            gr_arena_array(dirs->arena, cap, sizeof(struct gr_rule_file *));

        if (!files)
            return -ENOMEM;
        if (dirs->files_n)
            memcpy(files, dirs->files, dirs->files_n * sizeof(struct gr_rule_file *));
        dirs->files = files;
        dirs->files_cap = cap;
    }
    *file = (struct gr_rule_file){
        .dir = dir, .format = dirs->dirs[dir].format, .path = gr_str_from(path), .counts = true};
    file->name = gr_str_skip(file->path, file->path.n - name.n);
    if (dirs->dirs[dir].broken) {
        file->refused = "its directory cannot be trusted or read";
        file->counts = false;
        if (gr_table_put(&dirs->frozen, file->path, file) != 0)
            return -ENOMEM;
    }
    dirs->files[dirs->files_n++] = file;
    *out_file = file;
    return 0;
}

struct listing {
    struct gr_dirs *dirs;
    size_t dir;
    size_t entries;
    int failed; /* -ENOMEM or -E2BIG: not an error of the listing itself */
};

static int see_entry(void *user, const char *name, enum gr_fs_type type)
{
    struct listing *listing = user;
    struct gr_rule_file *file;

    if (++listing->entries > GR_DIR_ENTRIES_MAX)
        return listing->failed = -E2BIG;
    if (type == GR_FS_DIRECTORY ||
        !name_fits(&listing->dirs->dirs[listing->dir], gr_str_from(name)))
        return 0;
    return listing->failed = add_file(listing->dirs, listing->dir, gr_str_from(name), &file);
}

/* An entry of a directory that others may write, too: whoever put it there must be trusted. */
static int check_planted(struct gr_dirs *dirs, struct gr_rule_file *file)
{
    const struct gr_walk_dir *top = gr_walk_top(dirs->dirs[file->dir].walk);
    int node;
    struct gr_err err = {0};
    struct gr_fs_meta meta;
    enum gr_trust_fault fault;
    int rc = gr_fs_open_at(dirs->fs, top->node, file->name.p, &node);

    if (rc != 0)
        return rc == -ENOMEM ? rc : 0;
    rc = dirs->fs->meta(dirs->fs->user, node, &meta);
    gr_fs_close(dirs->fs, &node);
    if (rc != 0)
        return rc == -ENOMEM ? rc : 0;
    fault = gr_trust_place(&dirs->rules, &top->meta, &meta);
    if (fault == GR_TRUST_FINE)
        return 0;
    gr_trust_explain(&err, &dirs->rules, fault, file->path.p, &meta);
    report(dirs, file->path.p, &err);
    file->refused = "somebody else put it into a directory that others may write";
    file->counts = false;
    return 0;
}

static int compare_files(const void *a, const void *b)
{
    const struct gr_rule_file *const *x = a;
    const struct gr_rule_file *const *y = b;

    if ((*x)->dir != (*y)->dir)
        return (*x)->dir < (*y)->dir ? -1 : 1;
    return gr_str_cmp((*x)->name, (*y)->name);
}

static void sort_from(struct gr_dirs *dirs, size_t first)
{
    if (dirs->files_n > first)
        qsort(dirs->files + first, dirs->files_n - first, sizeof(struct gr_rule_file *),
              compare_files);
}

/* The directory's files from the limit on are refused, but they are root's and mask. */
static void refuse_beyond(struct gr_dirs *dirs, size_t first)
{
    struct gr_err err = {0};
    size_t n = dirs->files_n - first;
    const struct gr_rule_file *file;

    if (n <= GR_DIR_FILES_MAX)
        return;
    file = dirs->files[first + GR_DIR_FILES_MAX];
    for (size_t i = first + GR_DIR_FILES_MAX; i < dirs->files_n; i++)
        dirs->files[i]->refused = "its directory holds too many files";
    gr_fail(&err, 0, "too-many-files",
            "expected at most %d rule files in one directory, found %zu; from %s on they are "
            "refused; put several sets into one file, divided by a line with ---",
            GR_DIR_FILES_MAX, n, file->name.p);
    report(dirs, dirs->dirs[file->dir].path, &err);
}

static void report_listing(struct gr_dirs *dirs, size_t dir, int rc)
{
    struct gr_err err = {0};

    if (rc == -E2BIG)
        gr_fail(&err, 0, "too-many-files",
                "expected a directory of at most %d entries, found more; move what is no rule "
                "file elsewhere",
                GR_DIR_ENTRIES_MAX);
    else
        gr_fail_errno(&err, rc, "unreadable-directory",
                      "expected a directory of rule files that can be listed, found an error");
    report(dirs, dirs->dirs[dir].path, &err);
}

static void break_dir(struct gr_dirs *dirs, size_t dir)
{
    struct gr_rule_dir *d = &dirs->dirs[dir];

    d->broken = true;
    gr_walk_close(d->walk);
    d->walk = NULL;
}

static int list(struct gr_dirs *dirs, size_t dir)
{
    struct gr_rule_dir *d = &dirs->dirs[dir];
    struct listing listing = {.dirs = dirs, .dir = dir};
    size_t first = dirs->files_n;
    int rc;

    rc = dirs->fs->list(dirs->fs->user, gr_walk_top(d->walk)->node, see_entry, &listing);
    if (listing.failed == -ENOMEM || rc == -ENOMEM)
        return -ENOMEM;
    if (rc != 0) {
        /* What was seen until then is chance. */
        dirs->files_n = first;
        if (!d->broken)
            report_listing(dirs, dir, rc);
        break_dir(dirs, dir);
        return 0;
    }
    sort_from(dirs, first);
    if (d->broken) {
        break_dir(dirs, dir);
        return 0;
    }
    refuse_beyond(dirs, first);
    if (gr_trust_file(&dirs->rules, &gr_walk_top(d->walk)->meta) == GR_TRUST_FINE)
        return 0;
    for (size_t i = first; rc == 0 && i < dirs->files_n; i++)
        rc = check_planted(dirs, dirs->files[i]);
    return rc;
}

/*
 * Walks to a directory with its checks. Returns 0 (walk is there, or d->broken was set and
 * reported), -ENOENT: missing; -ENOMEM.
 */
static int enter_dir(struct gr_dirs *dirs, struct gr_rule_dir *d, struct gr_trust_way *way)
{
    struct gr_err err = {0};
    int rc = gr_walk_open(d->walk, dirs->fs, "/");

    way->rules = dirs->rules;
    if (rc == 0)
        rc = gr_walk_to(d->walk, d->path, gr_trust_visit, way);
    if (rc == 0)
        rc = gr_walk_enter(d->walk);
    if (rc == 0)
        rc = gr_trust_end(way, d->walk, false);
    if (rc == -ENOENT && gr_trust_end(way, d->walk, true) != 0)
        rc = GR_TRUST_BROKEN;
    if (rc == 0 || rc == -ENOMEM || rc == -ENOENT)
        return rc;
    d->broken = true;
    if (rc < 0) {
        gr_fail_errno(&err, rc, "unreadable-directory",
                      "expected a directory of rule files, found an error at %s", d->walk->path);
        report(dirs, d->path, &err);
        return rc;
    }
    gr_trust_explain(&err, &dirs->rules, way->fault, way->path, &way->meta);
    report(dirs, d->path, &err);
    /* Once more, only to name the files. */
    rc = gr_walk_to(d->walk, d->path, NULL, NULL);
    return rc ? rc : gr_walk_enter(d->walk);
}

static int read_dir(struct gr_dirs *dirs, size_t dir, const char *path)
{
    struct gr_rule_dir *d = &dirs->dirs[dir];
    struct gr_trust_way *way = gr_arena_alloc(dirs->arena, sizeof(*way));
    struct gr_err err = {0};
    int rc;

    d->path = path;
    d->walk = gr_arena_alloc(dirs->arena, sizeof(*d->walk));
    if (!way || !d->walk)
        return -ENOMEM;
    rc = absolute(dirs, path, &d->path);
    if (rc == -ENOMEM)
        return rc;
    if (rc != 0) {
        gr_fail_errno(&err, rc, "unreadable-directory",
                      "expected an absolute path, since the working directory is not known");
        report(dirs, path, &err);
        break_dir(dirs, dir);
        return 0;
    }
    rc = enter_dir(dirs, d, way);
    if (rc == 0)
        return list(dirs, dir);
    gr_walk_close(d->walk);
    d->walk = NULL;
    return rc == -ENOMEM ? rc : 0;
}

int gr_dirs_read(struct gr_dirs *dirs, const struct gr_fs *fs, struct gr_arena *arena,
                 const struct gr_dir_list *lists, size_t lists_n,
                 const struct gr_reporter *reporter)
{
    size_t n = 0;
    int rc = 0;

    *dirs = (struct gr_dirs){
        .fs = fs, .arena = arena, .reporter = reporter, .rules = gr_trust_rules(fs, true)};
    gr_table_init(&dirs->frozen, arena);
    for (size_t i = 0; i < lists_n; i++)
        n += lists[i].n;
    dirs->dirs = gr_arena_array(arena, n, sizeof(*dirs->dirs));
    if (!dirs->dirs)
        return -ENOMEM;
    for (size_t i = 0; i < lists_n; i++) {
        for (size_t k = 0; rc == 0 && k < lists[i].n; k++) {
            dirs->dirs[dirs->dirs_n].format = lists[i].format;
            rc = read_dir(dirs, dirs->dirs_n++, lists[i].paths[k]);
        }
    }
    return rc;
}

void gr_dirs_keep(struct gr_dirs *dirs, const char *const *names, size_t names_n)
{
    size_t n = 0;

    for (size_t i = 0; i < dirs->files_n; i++) {
        size_t dir = dirs->files[i]->dir;
        const char *name = dir < names_n ? names[dir] : NULL;

        if (!name || gr_str_is(dirs->files[i]->name, name))
            dirs->files[n++] = dirs->files[i];
    }
    dirs->files_n = n;
}

int gr_dirs_add(struct gr_dirs *dirs, size_t dir, struct gr_str name)
{
    const char *path;
    struct gr_rule_file *file;

    if (!name_fits(&dirs->dirs[dir], name))
        return 0;
    path = join(dirs->arena, dirs->dirs[dir].path, name);
    if (!path)
        return -ENOMEM;
    if (gr_table_get(&dirs->frozen, gr_str_from(path)))
        return 0;
    return add_file(dirs, dir, name, &file);
}

/* By kind and name; of one name the highest directory first. */
static int compare_for_mask(const void *a, const void *b)
{
    const struct gr_rule_file *const *x = a;
    const struct gr_rule_file *const *y = b;
    int order;

    if ((*x)->format != (*y)->format)
        return (*x)->format < (*y)->format ? -1 : 1;
    order = gr_str_cmp((*x)->name, (*y)->name);
    if (order != 0)
        return order;
    if ((*x)->dir != (*y)->dir)
        return (*x)->dir > (*y)->dir ? -1 : 1;
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    const struct gr_rule_file *const *x = a;
    const struct gr_rule_file *const *y = b;
    int order = gr_str_cmp((*x)->path, (*y)->path);

    if (order != 0 || (*x)->dir == (*y)->dir)
        return order;
    return (*x)->dir > (*y)->dir ? -1 : 1;
}

/* A directory or file that was named twice counts once, where it has the higher precedence: it does
 * not mask itself. */
static void drop_repeated(struct gr_dirs *dirs)
{
    size_t n = 0;

    qsort(dirs->files, dirs->files_n, sizeof(struct gr_rule_file *), compare_paths);
    for (size_t i = 0; i < dirs->files_n; i++) {
        if (n == 0 || dirs->files[n - 1]->format != dirs->files[i]->format ||
            !gr_str_eq(dirs->files[n - 1]->path, dirs->files[i]->path))
            dirs->files[n++] = dirs->files[i];
    }
    dirs->files_n = n;
}

int gr_dirs_mask(struct gr_dirs *dirs)
{
    struct gr_rule_file **by_name;
    const struct gr_rule_file *mask = NULL;

    if (dirs->files_n == 0)
        return 0;
    drop_repeated(dirs);
    sort_from(dirs, 0);
    by_name = gr_arena_array(dirs->arena, dirs->files_n, sizeof(struct gr_rule_file *));
    if (!by_name)
        return -ENOMEM;
    memcpy(by_name, dirs->files, dirs->files_n * sizeof(struct gr_rule_file *));
    qsort(by_name, dirs->files_n, sizeof(struct gr_rule_file *), compare_for_mask);
    for (size_t i = 0; i < dirs->files_n; i++) {
        if (mask &&
            (mask->format != by_name[i]->format || !gr_str_eq(mask->name, by_name[i]->name)))
            mask = NULL;
        by_name[i]->masked_by = mask;
        if (!mask && by_name[i]->counts)
            mask = by_name[i];
    }
    return 0;
}

void gr_dirs_close(struct gr_dirs *dirs)
{
    for (size_t i = 0; i < dirs->dirs_n; i++) {
        if (dirs->dirs[i].walk)
            gr_walk_close(dirs->dirs[i].walk);
    }
}
