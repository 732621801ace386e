/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/autostart.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "app/doctor/procs.h"
#include "app/setup/self.h"
#include "app/setup/target.h"
#include "load/tree.h"

/* A directory: NRI passes over it, whatever is in it. */
#define STAGING ".grapnel-"
#define STAGING_BYTES 32

/* Not executable: NRI passes over it as well. */
#define LOCK ".grapnel.lock"

#define ELSEWHERE                                                                      \
    "choose another directory with --to, and the same in the runtime's configuration " \
    "(plugin_path of containerd, nri_plugin_dir of CRI-O)"

#define MODE_ALL 07777U
#define MODE_EXECUTABLE 0111U
#define PIECE_BYTES 4096

struct work {
    const struct gr_autostart *autostart;
    const struct gr_fs *fs;
    struct gr_err *err;
    struct gr_target target;
    struct gr_walk links; /* where links of the directory lead */
    struct gr_trust_way way;
    int dir; /* none: it is not there */
    int lock;
    struct gr_autostart_list ours;                            /* what lies there */
    char bad[sizeof(((struct gr_autostart_entry *)0)->name)]; /* NRI would not start with it */
};

static int fail(struct work *w, int rc, const char *what)
{
    return gr_target_failed(&w->target, rc, what, w->err);
}

/* ---- what lies there ---- */

/* Opens the file that a link of the directory leads to. check: only where nobody else may change
 * it. Returns 0; GR_TRUST_BROKEN; a negative errno. */
static int open_linked(struct work *w, const char *name, bool check, int *out_node)
{
    char path[GR_LOAD_PATH_BYTES];
    int n = snprintf(path, sizeof(path), "%s/%s", w->autostart->to, name);
    int rc;

    if (n < 0 || (size_t)n >= sizeof(path))
        return -ENAMETOOLONG;
    rc = gr_walk_to(&w->links, path, check ? gr_trust_visit : NULL, &w->way);
    if (rc == 0 && (w->links.node == GR_FS_NO_NODE || w->links.meta.type != GR_FS_REGULAR))
        rc = -EISDIR;
    if (rc == 0 && check && gr_trust_file(&w->way.rules, &w->links.meta) != GR_TRUST_FINE)
        rc = GR_TRUST_BROKEN;
    return rc ? rc : gr_fs_open_read(w->fs, gr_walk_top(&w->links)->node, w->links.name, out_node);
}

static int open_entry(struct work *w, const struct gr_autostart_entry *entry, bool check,
                      int *out_node)
{
    return entry->is_link ? open_linked(w, entry->name, check, out_node)
                          : gr_fs_open_read(w->fs, w->dir, entry->name, out_node);
}

/* By name. Returns 0; -E2BIG. */
static int add_ours(struct work *w, const struct gr_autostart_entry *entry)
{
    struct gr_autostart_list *ours = &w->ours;
    size_t place = ours->n;

    if (ours->n == GR_AUTOSTART_FOUND_MAX)
        return gr_fail(w->err, -E2BIG, "setup-entry",
                       "expected one program of Grapnel's in %s, found more than %d; look at what "
                       "lies there and remove them",
                       w->autostart->to, GR_AUTOSTART_FOUND_MAX);
    for (; place > 0 && strcmp(ours->items[place - 1].name, entry->name) > 0; place--)
        ours->items[place] = ours->items[place - 1];
    ours->items[place] = *entry;
    ours->n++;
    return 0;
}

/* One entry, as NRI's discovery sees it: a link counts as executable. */
static int see(void *user, const char *name, enum gr_fs_type type)
{
    struct gr_autostart_entry entry = {.is_link = type == GR_FS_LINK};
    struct work *w = user;
    struct gr_fs_meta meta = {0};
    bool is_ours = false;
    int node;
    int rc;

    if (type == GR_FS_DIRECTORY || strlen(name) >= sizeof(entry.name))
        return 0;
    rc = gr_fs_open_at(w->fs, w->dir, name, &node);
    if (rc == 0) {
        rc = w->fs->meta(w->fs->user, node, &meta);
        gr_fs_close(w->fs, &node);
    }
    if (rc != 0)
        return rc == -ENOENT ? 0 : rc;
    (void)snprintf(entry.name, sizeof(entry.name), "%s", name);
    entry.launched = entry.is_link || (meta.mode & MODE_EXECUTABLE);
    if ((entry.is_link || meta.type == GR_FS_REGULAR) && open_entry(w, &entry, false, &node) == 0) {
        is_ours = gr_program_is_ours(w->fs, node, entry.version);
        gr_fs_close(w->fs, &node);
    }
    if (is_ours)
        return add_ours(w, &entry);
    if (entry.launched && !gr_doctor_is_plugin_name(name))
        (void)snprintf(w->bad, sizeof(w->bad), "%s", name);
    return 0;
}

static int scan(struct work *w)
{
    int rc;

    if (w->dir == GR_FS_NO_NODE)
        return 0;
    rc = w->fs->list(w->fs->user, w->dir, see, w);
    return rc == 0 || w->err->code ? rc : fail(w, rc, "looking at what lies there");
}

/* ---- leftovers ---- */

static int remove_left(void *user, const char *name, enum gr_fs_type type)
{
    struct work *w = user;

    if (type == GR_FS_DIRECTORY && gr_str_has_prefix(gr_str_from(name), GR_STR(STAGING)))
        (void)!gr_tree_remove(w->fs, w->dir, name);
    return 0;
}

/* What was killed left directories, which nobody launches: that one stays is no fault. */
static void remove_leftovers(struct work *w)
{
    (void)w->fs->list(w->fs->user, w->dir, remove_left, w);
}

/* ---- what is to be there ---- */

static const struct gr_autostart_entry *find(const struct work *w, const char *name)
{
    for (size_t i = 0; i < w->ours.n; i++) {
        if (strcmp(w->ours.items[i].name, name) == 0)
            return &w->ours.items[i];
    }
    return NULL;
}

/* Without --index an earlier one stays where it is. */
static void choose_name(const struct work *w, struct gr_autostarted *done)
{
    const char *index = w->autostart->index;

    for (size_t i = 0; i < w->ours.n && !index; i++) {
        const char *name = w->ours.items[i].name;

        if (gr_doctor_is_plugin_name(name) && strcmp(name + 3, GR_SELF_NAME) == 0)
            index = name;
    }
    (void)snprintf(done->name, sizeof(done->name), "%.2s-" GR_SELF_NAME,
                   index ? index : GR_PROGRAM_INDEX_DEFAULT);
}

/* Nothing else there may be launched as Grapnel, or keep NRI from starting. */
static int check_others(struct work *w, const struct gr_autostarted *done)
{
    const char *to = w->autostart->to;

    if (w->bad[0])
        return gr_fail(w->err, -EEXIST, "setup-entry",
                       "expected only plugins called NN-NAME in %s, found %s: with that the "
                       "runtime does not start the next time; look at it, then move it elsewhere "
                       "or take its executable bit away",
                       to, w->bad);
    for (size_t i = 0; i < w->ours.n; i++) {
        const struct gr_autostart_entry *entry = &w->ours.items[i];

        if (entry->launched && strcmp(entry->name, done->name) != 0)
            return gr_fail(w->err, -EEXIST, "setup-entry",
                           "expected no other program of Grapnel's in %s than %s, found %s: the "
                           "runtime would launch both, and each is an instance of its own; keep "
                           "its place with --index, or remove it first: grapnel setup autostart "
                           "--undo",
                           to, done->name, entry->name);
    }
    return 0;
}

static int check_taken(struct work *w, const struct gr_autostarted *done)
{
    struct gr_fs_meta meta = {0};
    int node;
    int rc = gr_fs_open_at(w->fs, w->dir, done->name, &node);

    if (rc == -ENOENT)
        return 0;
    if (rc == 0) {
        rc = w->fs->meta(w->fs->user, node, &meta);
        gr_fs_close(w->fs, &node);
    }
    if (rc != 0)
        return fail(w, rc, "looking at what bears the name");
    return gr_fail(w->err, -EEXIST, "setup-entry",
                   "expected a program of Grapnel's or nothing at %s/%s, found %s that is none; "
                   "look at it and remove it, or choose another place with --index",
                   w->autostart->to, done->name, gr_fs_type_name(meta.type));
}

/* ---- whether it is there already ---- */

/* As much as fits, or up to the end. */
static int64_t read_piece(const struct gr_fs *fs, int node, char *out)
{
    int64_t n = 1;
    size_t all = 0;

    while (all < PIECE_BYTES && (n > 0 || n == -EINTR)) {
        n = fs->read(fs->user, node, out + all, PIECE_BYTES - all);
        all += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? n : (int64_t)all;
}

static bool same_content(const struct gr_fs *fs, int a, int b)
{
    char one[PIECE_BYTES], other[PIECE_BYTES];
    bool same = true;
    int64_t n = 1;

    while (same && n > 0) {
        n = read_piece(fs, a, one);
        same = n >= 0 && read_piece(fs, b, other) == n && memcmp(one, other, (size_t)n) == 0;
    }
    return same;
}

/* A link may stay where it leads to this program, and nobody else may change that. */
static bool is_same(struct work *w, const struct gr_autostart_entry *entry, int self)
{
    struct gr_fs_meta meta;
    bool same = false;
    int node;

    if (open_entry(w, entry, true, &node) != 0)
        return false;
    if (w->fs->meta(w->fs->user, node, &meta) == 0 && meta.uid == w->fs->euid &&
        (meta.mode & MODE_ALL) == GR_TREE_MODE_PROGRAM)
        same = same_content(w->fs, node, self);
    gr_fs_close(w->fs, &node);
    return same;
}

/* ---- writing ---- */

/* A default ACL of the directory may make something else of what was asked for. */
static int check_made(struct work *w, int staging)
{
    struct gr_fs_meta meta = {0};
    int node;
    int rc = gr_fs_open_at(w->fs, staging, GR_SELF_NAME, &node);

    if (rc == 0) {
        rc = w->fs->meta(w->fs->user, node, &meta);
        gr_fs_close(w->fs, &node);
    }
    if (rc != 0)
        return fail(w, rc, "looking at what was written");
    if (meta.uid == w->fs->euid && (meta.mode & MODE_ALL) == GR_TREE_MODE_PROGRAM)
        return 0;
    return gr_fail(w->err, -EPERM, "setup-target",
                   "expected what is made in %s to have the mode %04o and to be root's, found mode "
                   "%04o and uid %u; remove the default ACL of the directory (setfacl -k)",
                   w->autostart->to, GR_TREE_MODE_PROGRAM, meta.mode, meta.uid);
}

static int write_staged(struct work *w, int staging, struct gr_autostarted *done)
{
    int self = gr_self_open(w->err);
    int rc;

    if (self < 0)
        return self;
    rc = gr_self_write(w->fs, staging, GR_SELF_NAME, self, &done->bytes);
    (void)close(self);
    return rc ? fail(w, rc, "writing the program") : check_made(w, staging);
}

static int put_in_place(struct work *w, const char *name, struct gr_autostarted *done)
{
    const struct gr_fs *fs = w->fs;
    int staging;
    int rc = fs->make_dir(fs->user, w->dir, name, 0700);

    if (rc == 0)
        rc = gr_fs_open_at(fs, w->dir, name, &staging);
    if (rc != 0)
        return fail(w, rc, "making a directory");
    rc = write_staged(w, staging, done);
    if (rc == 0) {
        rc = fs->move(fs->user, staging, GR_SELF_NAME, w->dir, done->name);
        if (rc == 0)
            rc = fs->sync(fs->user, w->dir);
        if (rc != 0)
            rc = fail(w, rc, "putting the program into place");
    }
    gr_fs_close(fs, &staging);
    return rc;
}

static int put(struct work *w, struct gr_autostarted *done)
{
    char staging[STAGING_BYTES];
    int rc;

    (void)snprintf(staging, sizeof(staging), STAGING "%016" PRIx64, w->fs->token);
    rc = put_in_place(w, staging, done);
    (void)!gr_tree_remove(w->fs, w->dir, staging);
    return rc;
}

static int look(struct work *w, struct gr_autostarted *done)
{
    const struct gr_autostart_entry *there;
    int self;
    int rc = scan(w);

    choose_name(w, done);
    if (rc == 0)
        rc = check_others(w, done);
    if (rc != 0 || w->dir == GR_FS_NO_NODE)
        return rc;
    there = find(w, done->name);
    if (!there)
        return check_taken(w, done);
    done->before = *there;
    self = gr_self_open(w->err);
    if (self < 0)
        return self;
    done->same = is_same(w, there, self);
    (void)close(self);
    return 0;
}

/* ---- all of it ---- */

/* make: what is missing. */
static int begin(struct work *w, bool make)
{
    struct gr_turn turn = {.lock = {.fs = w->fs, .name = LOCK, .shown = w->autostart->to},
                           .wait_s = w->autostart->wait_s,
                           .waits = w->autostart->waits};
    int rc;

    w->target.path = w->autostart->to;
    w->target.advice = ELSEWHERE;
    w->target.dry_run = !make;
    rc = gr_target_open(&w->target, w->fs, w->autostart->host_root, w->err);
    if (rc != 0)
        return rc;
    w->dir = gr_target_node(&w->target);
    rc = gr_walk_open(&w->links, w->fs, w->autostart->host_root);
    if (rc == 0 && w->dir != GR_FS_NO_NODE && !w->autostart->dry_run)
        rc = gr_turn_take(&turn, w->dir, &w->lock, w->err);
    if (rc != 0)
        return w->err->code ? rc : fail(w, rc, "locking it");
    if (w->lock != GR_FS_NO_NODE)
        remove_leftovers(w);
    return 0;
}

static struct work *work_new(const struct gr_autostart *autostart, struct gr_err *err)
{
    struct work *w = calloc(1, sizeof(*w));

    if (!w) {
        (void)gr_fail(err, -ENOMEM, "no-memory", "there is no memory to look at the plugins");
        return NULL;
    }
    w->autostart = autostart;
    w->fs = autostart->fs;
    w->err = err;
    w->way.rules = gr_trust_rules(w->fs, false);
    w->dir = GR_FS_NO_NODE;
    w->lock = GR_FS_NO_NODE;
    return w;
}

/* The file of the lock goes before the lock is given up. That it stays is no fault. */
static void work_free(struct work *w)
{
    if (w->lock != GR_FS_NO_NODE)
        (void)w->fs->unlink(w->fs->user, w->dir, LOCK);
    gr_fs_close(w->fs, &w->lock);
    gr_walk_close(&w->links);
    gr_target_close(&w->target);
    free(w);
}

int gr_autostart_put(const struct gr_autostart *autostart, struct gr_autostarted *out_done,
                     struct gr_err *err)
{
    struct gr_err ours = {0};
    struct work *w = work_new(autostart, &ours);
    int rc = w ? 0 : -ENOMEM;

    *out_done = (struct gr_autostarted){0};
    if (rc == 0)
        rc = begin(w, !autostart->dry_run);
    if (rc == 0)
        rc = look(w, out_done);
    if (rc == 0 && !out_done->same && !autostart->dry_run)
        rc = put(w, out_done);
    if (w)
        work_free(w);
    if (rc != 0)
        *err = ours;
    return rc;
}

static int remove_ours(struct work *w, struct gr_autostart_list *gone)
{
    int rc = 0;

    for (size_t i = 0; i < w->ours.n && rc == 0; i++) {
        if (!w->autostart->dry_run)
            rc = w->fs->unlink(w->fs->user, w->dir, w->ours.items[i].name);
        if (rc == 0)
            gone->items[gone->n++] = w->ours.items[i];
    }
    if (rc == 0 && gone->n > 0 && !w->autostart->dry_run)
        rc = w->fs->sync(w->fs->user, w->dir);
    return rc ? fail(w, rc, "removing a program") : 0;
}

int gr_autostart_undo(const struct gr_autostart *autostart, struct gr_autostart_list *out_gone,
                      struct gr_err *err)
{
    struct gr_err ours = {0};
    struct work *w = work_new(autostart, &ours);
    int rc = w ? 0 : -ENOMEM;

    out_gone->n = 0;
    if (rc == 0)
        rc = begin(w, false);
    if (rc == 0)
        rc = scan(w);
    if (rc == 0)
        rc = remove_ours(w, out_gone);
    if (w)
        work_free(w);
    if (rc != 0)
        *err = ours;
    return rc;
}
