/* SPDX-License-Identifier: Apache-2.0 */
#include "load/lastgood.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "rules/limits.h"

#define MAGIC "grapnel-last-good 1 "
#define SUFFIX_RULES ".good"
#define SUFFIX_SETTINGS ".settings"
#define SUFFIX_TEMPORARY ".tmp"
#define DIR_MODE 0700U
#define FILE_MODE 0600U
#define DIRS_MADE_MAX 8
#define HEAD_LINE_MAX_BYTES 80
#define FIRST_ENTRIES 64

static void warn(const struct gr_lastgood *lg, struct gr_err *err)
{
    gr_err_at(err, lg->place.dir, 0, 0);
    gr_report(lg->reporter, GR_LEVEL_WARNING, err);
}

/* One finding per load is enough: a full disk fails for every file. */
static void warn_write(struct gr_lastgood *lg, struct gr_str path, int rc, const char *what)
{
    struct gr_err err = {0};

    if (lg->warned)
        return;
    lg->warned = true;
    gr_fail_errno(&err, rc, "last-good-write",
                  "expected to keep the accepted text of %.*s for the day that the file is bad, "
                  "found an error when %s (further ones are not shown)",
                  GR_STR_FMT(path), what);
    warn(lg, &err);
}

static const char *suffix_of(enum gr_lastgood_kind kind)
{
    return kind == GR_LASTGOOD_SETTINGS ? SUFFIX_SETTINGS : SUFFIX_RULES;
}

static void name_of(const struct gr_lastgood *lg, struct gr_str path, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%016" PRIx64 "%s", gr_hash(path), suffix_of(lg->place.kind));
}

static void temporary_name(const struct gr_lastgood *lg, const char *name, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%s.%016" PRIx64 SUFFIX_TEMPORARY, name, lg->place.fs->token);
}

/* 16 hexadecimal digits. */
static bool take_hex(struct gr_str *text)
{
    const char *digits = "0123456789abcdef";
    size_t n = 0;

    while (n < text->n && text->p[n] && strchr(digits, text->p[n]))
        n++;
    *text = gr_str_skip(*text, n);
    return n == 16;
}

static bool is_name(struct gr_str name, enum gr_lastgood_kind kind)
{
    const struct gr_str suffix = gr_str_from(suffix_of(kind));

    if (!take_hex(&name) || !gr_str_has_prefix(name, suffix))
        return false;
    name = gr_str_skip(name, suffix.n);
    if (name.n == 0)
        return true;
    if (name.p[0] != '.')
        return false;
    name = gr_str_skip(name, 1);
    return take_hex(&name) && gr_str_is(name, SUFFIX_TEMPORARY);
}

bool gr_is_lastgood_name(struct gr_str name)
{
    return is_name(name, GR_LASTGOOD_RULES) || is_name(name, GR_LASTGOOD_SETTINGS);
}

/* Takes a number and the byte behind it. */
static bool take_u64(struct gr_str *text, char end, uint64_t *out)
{
    size_t n = gr_str_find(*text, end);

    if (n == text->n || gr_str_to_u64(gr_str_first(*text, n), out) != 0)
        return false;
    *text = gr_str_skip(*text, n + 1);
    return true;
}

static bool take_hash(struct gr_str *text, uint64_t *out)
{
    uint64_t value = 0;

    if (text->n < 17 || text->p[16] != '\n')
        return false;
    for (size_t i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = text->p[i] ? strchr(digits, text->p[i]) : NULL;

        if (!digit)
            return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *text = gr_str_skip(*text, 17);
    *out = value;
    return true;
}

/* Parses the head; *text becomes what stands behind it. Borrows the path. */
static bool take_head(struct gr_str *text, struct gr_lastgood_entry *out)
{
    uint64_t path_bytes;

    if (!gr_str_has_prefix(*text, GR_STR(MAGIC)))
        return false;
    *text = gr_str_skip(*text, sizeof(MAGIC) - 1);
    if (!take_u64(text, ' ', &path_bytes) || !take_u64(text, ' ', &out->bytes) ||
        !take_hash(text, &out->hash) || path_bytes >= text->n || text->p[path_bytes] != '\n')
        return false;
    out->path = gr_str_first(*text, path_bytes);
    *text = gr_str_skip(*text, path_bytes + 1);
    return true;
}

/* Reads up to buf->max bytes; a longer file is cut. Returns 0, a negative errno. */
static int read_file(const struct gr_lastgood *lg, const char *name, struct gr_buf *buf,
                     struct gr_fs_meta *out_meta)
{
    const struct gr_fs *fs = lg->place.fs;
    int node;
    int rc = gr_fs_open_read(fs, gr_walk_top(&lg->walk)->node, name, &node);

    if (rc != 0)
        return rc;
    rc = fs->meta(fs->user, node, out_meta);
    if (rc == 0 && out_meta->type != GR_FS_REGULAR)
        rc = -EINVAL;
    if (rc == 0)
        rc = gr_fs_read_all(fs, node, buf);
    gr_fs_close(fs, &node);
    return rc == -EMSGSIZE ? 0 : rc;
}

static int add_entry(struct gr_lastgood *lg, struct gr_str path, const char *name,
                     struct gr_lastgood_entry **out_entry)
{
    struct gr_lastgood_entry *entry = gr_arena_alloc(lg->scratch, sizeof(*entry));

    if (!entry || !gr_arena_str(lg->scratch, path, &entry->path))
        return -ENOMEM;
    (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    if (lg->all_n == lg->all_cap) {
        size_t cap = lg->all_cap ? lg->all_cap * 2 : FIRST_ENTRIES;
        struct gr_lastgood_entry **all =
            gr_arena_array(lg->scratch, cap, sizeof(struct gr_lastgood_entry *));

        if (!all)
            return -ENOMEM;
        if (lg->all_n)
            memcpy(all, lg->all, lg->all_n * sizeof(struct gr_lastgood_entry *));
        lg->all = all;
        lg->all_cap = cap;
    }
    if (gr_table_put(&lg->entries, entry->path, entry) != 0)
        return -ENOMEM;
    lg->all[lg->all_n++] = entry;
    *out_entry = entry;
    return 0;
}

static void remove_file(struct gr_lastgood *lg, const char *name)
{
    int rc;

    if (lg->place.reads_only)
        return;
    rc = lg->place.fs->unlink(lg->place.fs->user, gr_walk_top(&lg->walk)->node, name);

    if (rc == 0)
        lg->changed = true;
    else if (rc != -ENOENT)
        warn_write(lg, gr_str_from(name), rc, "removing what is not needed any more");
}

static void warn_damaged(const struct gr_lastgood *lg, const char *name)
{
    struct gr_err err = {0};

    gr_fail(&err, 0, "last-good-damaged",
            "expected a kept text in %s, found that it is damaged; it is not used and will be "
            "written again with the next accepted text",
            name);
    warn(lg, &err);
}

/* Reads the head of one kept text. */
static int index_file(struct gr_lastgood *lg, const char *name)
{
    struct gr_lastgood_entry head = {0};
    struct gr_lastgood_entry *entry;
    char expected[sizeof(head.name)];
    struct gr_fs_meta meta = {0};
    struct gr_str text;
    int rc;

    gr_buf_reset(&lg->head, lg->head.max);
    rc = read_file(lg, name, &lg->head, &meta);
    if (rc == -ENOMEM || rc == -ENOENT)
        return rc == -ENOMEM ? rc : 0;
    text = gr_buf_view(&lg->head);
    if (rc == 0 && take_head(&text, &head)) {
        name_of(lg, head.path, expected, sizeof(expected));
        if (strcmp(name, expected) == 0 &&
            meta.size_bytes - (lg->head.len - text.n) == head.bytes) {
            rc = add_entry(lg, head.path, name, &entry);
            if (rc == 0) {
                entry->on_disk = true;
                entry->bytes = head.bytes;
                entry->hash = head.hash;
                entry->modified = meta.modified;
            }
            return rc;
        }
    }
    warn_damaged(lg, name);
    remove_file(lg, name);
    return 0;
}

static int see_name(void *user, const char *name, enum gr_fs_type type)
{
    struct gr_lastgood *lg = user;
    struct gr_str s = gr_str_from(name);

    if (type != GR_FS_REGULAR)
        return 0;
    if (gr_str_has_suffix(s, gr_str_from(suffix_of(lg->place.kind))))
        return index_file(lg, name);
    /* Left over from an instance that was killed. One that is being written by another instance
     * right now goes, too: that one warns, and writes it at its next load. */
    if (gr_str_has_suffix(s, GR_STR(SUFFIX_TEMPORARY)))
        remove_file(lg, name);
    return 0;
}

/* Walks to the directory, making what is missing. */
static int enter(struct gr_lastgood *lg, struct gr_trust_way *way)
{
    int rc = gr_walk_open(&lg->walk, lg->place.fs, "/");

    for (int made = 0; rc == 0; made++) {
        rc = gr_walk_to(&lg->walk, lg->place.dir, gr_trust_visit, way);
        if (rc == 0)
            return gr_walk_enter(&lg->walk);
        if (rc != -ENOENT || !lg->place.makes_dir || made == DIRS_MADE_MAX)
            return rc;
        rc = lg->place.fs->make_dir(lg->place.fs->user, gr_walk_top(&lg->walk)->node, lg->walk.name,
                                    DIR_MODE);
        if (rc == -EEXIST)
            rc = 0;
    }
    return rc;
}

/* Nothing to tell: there is no directory, and none is to be made; or it is somebody else's to read.
 */
static bool is_out_of_reach(const struct gr_lastgood *lg, int rc)
{
    return (rc == -ENOENT && !lg->place.makes_dir) ||
           ((rc == -EACCES || rc == -EPERM) && lg->place.reads_only);
}

static void open_dir(struct gr_lastgood *lg, struct gr_trust_way *way, int *out_rc)
{
    char quoted[GR_TRUST_QUOTED_BYTES];
    const struct gr_fs_meta *meta;
    struct gr_err err = {0};
    int rc;

    gr_trust_quote(quoted, sizeof(quoted), lg->place.dir);
    way->rules = gr_trust_rules(lg->place.fs, false);
    rc = enter(lg, way);
    *out_rc = rc == -ENOMEM ? rc : 0;
    if (is_out_of_reach(lg, rc))
        return;
    if (rc < 0) {
        gr_fail_errno(&err, rc, "last-good-directory",
                      "expected a directory for the texts that were accepted last, found an "
                      "error at %s; until that is mended a bad file has no text to fall back on",
                      lg->walk.path);
    } else if (rc == GR_TRUST_BROKEN) {
        gr_trust_explain(&err, &way->rules, way->fault, way->path, &way->meta);
    } else {
        meta = &gr_walk_top(&lg->walk)->meta;
        if ((meta->mode & 0077U) == 0 && gr_trust_file(&way->rules, meta) == GR_TRUST_FINE) {
            lg->usable = true;
            return;
        }
        gr_fail(&err, 0, "last-good-directory",
                "expected a directory with mode 0700, found mode %04o; what is in it is not used; "
                "look at what it holds, then run: chmod 0700 %s",
                meta->mode, quoted);
    }
    if (rc != -ENOMEM)
        warn(lg, &err);
}

static int read_dir(struct gr_lastgood *lg)
{
    const struct gr_fs *fs = lg->place.fs;
    struct gr_trust_way *way = gr_arena_alloc(lg->scratch, sizeof(*way));
    struct gr_err err = {0};
    int rc;

    if (!way)
        return -ENOMEM;
    open_dir(lg, way, &rc);
    if (rc != 0 || !lg->usable)
        return rc;
    rc = fs->list(fs->user, gr_walk_top(&lg->walk)->node, see_name, lg);
    if (rc != 0 && rc != -ENOMEM) {
        gr_fail_errno(&err, rc, "last-good-directory",
                      "expected a directory that can be listed, found an error");
        if (!is_out_of_reach(lg, rc))
            warn(lg, &err);
        lg->usable = false;
        rc = 0;
    }
    return rc;
}

/* What earlier loads could not write, beside what is on disk. */
static int add_held(struct gr_lastgood *lg)
{
    struct gr_held_text *text = lg->place.held ? lg->place.held->first : NULL;
    int rc = 0;

    for (; text && rc == 0; text = text->next) {
        struct gr_lastgood_entry *entry = gr_table_get(&lg->entries, text->path);
        char name[sizeof(entry->name)];

        if (!entry) {
            name_of(lg, text->path, name, sizeof(name));
            rc = add_entry(lg, text->path, name, &entry);
        }
        if (rc == 0)
            entry->held = text;
    }
    return rc;
}

int gr_lastgood_open(struct gr_lastgood *lg, const struct gr_lastgood_place *place,
                     struct gr_arena *scratch, const struct gr_reporter *reporter)
{
    int rc;

    *lg = (struct gr_lastgood){.place = *place, .reporter = reporter, .scratch = scratch};
    gr_table_init(&lg->entries, scratch);
    gr_buf_init(&lg->head, HEAD_LINE_MAX_BYTES + GR_LOAD_PATH_BYTES);
    gr_buf_init(&lg->whole, HEAD_LINE_MAX_BYTES + GR_LOAD_PATH_BYTES + GR_YAML_FILE_MAX_BYTES);
    if (!place->dir && place->held)
        gr_held_fini(place->held);
    if (!place->dir)
        return 0;
    rc = read_dir(lg);
    return rc ? rc : add_held(lg);
}

static struct gr_lastgood_entry *entry_of(const struct gr_lastgood *lg, struct gr_str path)
{
    struct gr_lastgood_entry *entry = gr_table_get(&lg->entries, path);

    return entry && (lg->usable || entry->held) ? entry : NULL;
}

const struct gr_lastgood_entry *gr_lastgood_entry(const struct gr_lastgood *lg, struct gr_str path)
{
    return entry_of(lg, path);
}

bool gr_lastgood_has(const struct gr_lastgood *lg, struct gr_str path)
{
    return entry_of(lg, path) != NULL;
}

void gr_lastgood_hold(struct gr_lastgood *lg, struct gr_str path)
{
    struct gr_lastgood_entry *entry = entry_of(lg, path);

    if (!entry)
        return;
    entry->wanted = true;
    /* There may be room by now. What there is no memory for is for the next load. */
    if (entry->held)
        (void)!gr_lastgood_keep(lg, path, entry->held->text);
}

int gr_lastgood_read(struct gr_lastgood *lg, struct gr_str path, struct gr_buf *out)
{
    struct gr_lastgood_entry *entry = entry_of(lg, path);
    struct gr_lastgood_entry head = {0};
    struct gr_fs_meta meta;
    struct gr_str text;
    int rc;

    if (!entry)
        return GR_LASTGOOD_NONE;
    if (entry->held) {
        rc = gr_buf_str(out, entry->held->text);
        return rc == -EMSGSIZE ? GR_LASTGOOD_NONE : rc;
    }
    gr_buf_reset(&lg->whole, lg->whole.max);
    rc = read_file(lg, entry->name, &lg->whole, &meta);
    if (rc == -ENOMEM)
        return rc;
    text = gr_buf_view(&lg->whole);
    if (rc == 0 && take_head(&text, &head) && gr_str_eq(head.path, path) && head.bytes == text.n &&
        head.hash == gr_hash(text)) {
        rc = gr_buf_str(out, text);
        return rc == -EMSGSIZE ? GR_LASTGOOD_NONE : rc;
    }
    warn_damaged(lg, entry->name);
    entry->wanted = false;
    return GR_LASTGOOD_NONE;
}

static int write_text(const struct gr_lastgood *lg, int node, struct gr_str path,
                      struct gr_str text)
{
    char head[HEAD_LINE_MAX_BYTES];
    int n = snprintf(head, sizeof(head), MAGIC "%zu %zu %016" PRIx64 "\n", path.n, text.n,
                     gr_hash(text));
    int rc = gr_fs_write_all(lg->place.fs, node, head, (size_t)n);

    if (rc == 0)
        rc = gr_fs_write_all(lg->place.fs, node, path.p, path.n);
    if (rc == 0)
        rc = gr_fs_write_all(lg->place.fs, node, "\n", 1);
    if (rc == 0)
        rc = gr_fs_write_all(lg->place.fs, node, text.p, text.n);
    return rc;
}

static int create(const struct gr_lastgood *lg, const char *name, int *out_node)
{
    const struct gr_fs *fs = lg->place.fs;
    int dir = gr_walk_top(&lg->walk)->node;
    int rc = fs->create(fs->user, dir, name, FILE_MODE, out_node);

    /* Our own name: from a load that ran out of memory. */
    if (rc == -EEXIST && fs->unlink(fs->user, dir, name) == 0)
        rc = fs->create(fs->user, dir, name, FILE_MODE, out_node);
    return rc;
}

static int put_in_place(struct gr_lastgood *lg, const struct gr_lastgood_entry *entry,
                        const char *temporary)
{
    const struct gr_fs *fs = lg->place.fs;
    int dir = gr_walk_top(&lg->walk)->node;
    int rc = fs->rename(fs->user, dir, temporary, entry->name);

    if (rc == 0)
        lg->changed = true;
    return rc;
}

/* Writes the text under its temporary name; the first ones are synced at once. */
static int save(struct gr_lastgood *lg, struct gr_lastgood_entry *entry, struct gr_str text,
                const char **out_what)
{
    bool now = lg->synced < GR_LASTGOOD_FSYNC_MAX;
    char temporary[64];
    int node;
    int rc;

    temporary_name(lg, entry->name, temporary, sizeof(temporary));
    *out_what = "making a file";
    rc = create(lg, temporary, &node);
    if (rc != 0)
        return rc;
    *out_what = "writing";
    rc = write_text(lg, node, entry->path, text);
    if (rc == 0 && now) {
        *out_what = "syncing";
        lg->synced++;
        rc = lg->place.fs->sync(lg->place.fs->user, node);
    }
    gr_fs_close(lg->place.fs, &node);
    entry->waits = rc == 0;
    entry->unsynced = !now;
    if (rc != 0)
        (void)lg->place.fs->unlink(lg->place.fs->user, gr_walk_top(&lg->walk)->node, temporary);
    return rc;
}

/* The text cannot be written: it is held from the end of the load on. */
static int note_unkept(const struct gr_lastgood *lg, struct gr_lastgood_entry *entry,
                       struct gr_str text)
{
    entry->unkept = true;
    if (!lg->place.held || (entry->held && gr_str_eq(entry->held->text, text)))
        return 0;
    return gr_arena_str(lg->scratch, text, &entry->pending) ? 0 : -ENOMEM;
}

int gr_lastgood_keep(struct gr_lastgood *lg, struct gr_str path, struct gr_str text)
{
    struct gr_lastgood_entry *entry = gr_table_get(&lg->entries, path);
    const char *what = NULL;
    char name[sizeof(entry->name)];
    int rc = 0;

    if (!lg->usable && (!lg->place.dir || !lg->place.held))
        return 0;
    if (!entry) {
        name_of(lg, path, name, sizeof(name));
        rc = add_entry(lg, path, name, &entry);
        if (rc != 0)
            return rc;
    }
    entry->wanted = true;
    if (!lg->usable)
        return note_unkept(lg, entry, text);
    entry->written = entry->on_disk && entry->bytes == text.n && entry->hash == gr_hash(text);
    if (entry->written)
        return 0;
    rc = save(lg, entry, text, &what);
    if (rc == 0)
        return 0;
    warn_write(lg, path, rc, what);
    return note_unkept(lg, entry, text);
}

/* What was written, and cannot be put into place. Where it cannot be read either, it is lost. */
static void take_back(struct gr_lastgood *lg, struct gr_lastgood_entry *entry,
                      const char *temporary)
{
    struct gr_lastgood_entry head = {0};
    struct gr_fs_meta meta;
    struct gr_str text;

    entry->unkept = true;
    gr_buf_reset(&lg->whole, lg->whole.max);
    if (!lg->place.held || read_file(lg, temporary, &lg->whole, &meta) != 0)
        return;
    text = gr_buf_view(&lg->whole);
    if (take_head(&text, &head) && head.bytes == text.n && head.hash == gr_hash(text))
        (void)!note_unkept(lg, entry, text);
}

static void put_waiting(struct gr_lastgood *lg)
{
    int dir = gr_walk_top(&lg->walk)->node;
    bool synced = false;
    int sync_rc = 0;

    for (size_t i = 0; i < lg->all_n; i++) {
        struct gr_lastgood_entry *entry = lg->all[i];
        char temporary[64];
        int rc;

        if (!entry->waits)
            continue;
        temporary_name(lg, entry->name, temporary, sizeof(temporary));
        if (entry->unsynced && !synced) {
            sync_rc = lg->place.fs->sync_all(lg->place.fs->user, dir);
            synced = true;
        }
        rc = entry->unsynced ? sync_rc : 0;
        if (rc == 0)
            rc = put_in_place(lg, entry, temporary);
        entry->written = rc == 0;
        if (rc != 0) {
            take_back(lg, entry, temporary);
            (void)lg->place.fs->unlink(lg->place.fs->user, dir, temporary);
            warn_write(lg, entry->path, rc, "putting it into place");
        }
    }
}

bool gr_lastgood_drops(const struct gr_lastgood *lg)
{
    size_t i = 0;

    while (i < lg->all_n && lg->all[i]->wanted)
        i++;
    return i < lg->all_n;
}

/* Holds what is not on disk, and only that. An older text is better than none. */
static void hold_pending(struct gr_lastgood *lg, struct gr_lastgood_entry *entry)
{
    struct gr_held *held = lg->place.held;
    struct gr_held_text *now;

    if (held && entry->pending.n > 0) {
        now = gr_held_put(held, entry->held, entry->path, entry->pending);
        entry->held = now ? now : entry->held;
    } else if (held && entry->held && (!entry->wanted || entry->written)) {
        gr_held_drop(held, gr_take(entry->held));
    }
    lg->unkept += entry->wanted && (entry->held || entry->unkept);
}

void gr_lastgood_finish(struct gr_lastgood *lg)
{
    int rc;

    if (lg->usable)
        put_waiting(lg);
    for (size_t i = 0; i < lg->all_n; i++) {
        struct gr_lastgood_entry *entry = lg->all[i];

        if (lg->usable && entry->on_disk && !entry->wanted)
            remove_file(lg, entry->name);
        hold_pending(lg, entry);
    }
    if (!lg->usable || !lg->changed)
        return;
    rc = lg->place.fs->sync(lg->place.fs->user, gr_walk_top(&lg->walk)->node);
    if (rc != 0)
        warn_write(lg, gr_str_from(lg->place.dir), rc, "syncing the directory");
}

void gr_lastgood_close(struct gr_lastgood *lg)
{
    gr_walk_close(&lg->walk);
    gr_buf_fini(&lg->head);
    gr_buf_fini(&lg->whole);
}
