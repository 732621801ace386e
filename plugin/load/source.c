/* SPDX-License-Identifier: Apache-2.0 */
#include "load/source.h"

#include <errno.h>

#define TRIES 2

/* Changed while it was looked at: try again. Stays inside this file. */
#define CHANGED 4

/* Where the file really is: all borrowed. */
struct place {
    const struct gr_walk_dir *dir;
    const char *name;
    const char *path;
    struct gr_fs_meta meta;
};

int gr_source_open(struct gr_source_reader *reader, const struct gr_fs *fs)
{
    reader->fs = fs;
    reader->rules = gr_trust_rules(fs, true);
    return gr_walk_open(&reader->links, fs, "/");
}

void gr_source_close(struct gr_source_reader *reader)
{
    gr_walk_close(&reader->links);
}

static int unreadable(struct gr_err *err, int rc, const char *what)
{
    if (rc == -ENOMEM)
        return rc;
    (void)gr_fail_errno(err, rc, "unreadable-file", "expected a file that can be read, found %s",
                        what);
    return GR_SOURCE_REFUSED;
}

static int untrusted(const struct gr_source_reader *reader, enum gr_trust_fault fault,
                     const char *path, const struct gr_fs_meta *meta, struct gr_err *err)
{
    gr_trust_explain(err, &reader->rules, fault, path, meta);
    return GR_SOURCE_REFUSED;
}

/* Follows a link to its end, all the way from "/". */
static int follow(struct gr_source_reader *reader, const struct gr_rule_file *file,
                  struct place *place, struct gr_err *err)
{
    struct gr_walk *walk = &reader->links;
    int rc;

    reader->way.rules = reader->rules;
    rc = gr_walk_to(walk, file->path.p, gr_trust_visit, &reader->way);
    if (rc == GR_TRUST_BROKEN)
        return untrusted(reader, reader->way.fault, reader->way.path, &reader->way.meta, err);
    if (rc == -ENOENT) {
        gr_fail(err, 0, "dangling-link",
                "expected a link to a rule file, found that there is no %s; remove the link, or "
                "point it to /dev/null to disable the file",
                walk->path);
        return GR_SOURCE_REFUSED;
    }
    if (rc != 0)
        return unreadable(err, rc, "a link that cannot be followed");
    *place = (struct place){
        .dir = gr_walk_top(walk), .name = walk->name, .path = walk->path, .meta = walk->meta};
    return 0;
}

/* Whether the link's text is /dev/null: then nothing need be there. */
static int points_to_null(const struct gr_fs *fs, int node)
{
    char target[16];
    int64_t n = fs->read_link(fs->user, node, target, sizeof(target));

    return n >= 0 && gr_str_is((struct gr_str){.p = target, .n = (size_t)n}, "/dev/null");
}

static int find(struct gr_source_reader *reader, const struct gr_walk *dir,
                const struct gr_rule_file *file, struct place *place, struct gr_err *err)
{
    const struct gr_fs *fs = reader->fs;
    enum gr_trust_fault fault;
    bool is_null = false;
    int node;
    int rc;

    *place = (struct place){.dir = gr_walk_top(dir), .name = file->name.p, .path = file->path.p};
    rc = gr_fs_open_at(fs, place->dir->node, place->name, &node);
    if (rc == -ENOENT)
        return GR_SOURCE_GONE;
    if (rc != 0)
        return unreadable(err, rc, "an error when it was looked up");
    rc = fs->meta(fs->user, node, &place->meta);
    if (rc == 0 && place->meta.type == GR_FS_LINK)
        is_null = points_to_null(fs, node);
    gr_fs_close(fs, &node);
    if (rc != 0)
        return unreadable(err, rc, "an error when it was looked at");
    fault = gr_trust_place(&reader->rules, &place->dir->meta, &place->meta);
    if (fault == GR_TRUST_WRITABLE)
        return untrusted(reader, fault, dir->path[0] ? dir->path : "/", &place->dir->meta, err);
    if (fault != GR_TRUST_FINE)
        return untrusted(reader, fault, place->path, &place->meta, err);
    if (is_null)
        return GR_SOURCE_DISABLED;
    if (place->meta.type == GR_FS_DIRECTORY)
        return GR_SOURCE_GONE;
    return place->meta.type == GR_FS_LINK ? follow(reader, file, place, err) : 0;
}

static int read_stable(struct gr_source_reader *reader, int node, const struct place *place,
                       struct gr_buf *text, struct gr_err *err)
{
    const struct gr_fs *fs = reader->fs;
    enum gr_trust_fault fault;
    struct gr_fs_meta before;
    struct gr_fs_meta after;
    int rc = fs->meta(fs->user, node, &before);

    if (rc != 0)
        return unreadable(err, rc, "an error when it was looked at");
    if (!gr_fs_same_file(&place->meta, &before))
        return CHANGED;
    fault = gr_trust_file(&reader->rules, &before);
    if (fault != GR_TRUST_FINE)
        return untrusted(reader, fault, place->path, &before, err);
    rc = gr_fs_read_all(fs, node, text);
    if (rc == -EMSGSIZE) {
        gr_fail(err, 0, "file-too-big",
                "expected a file of at most %zu bytes, found more; divide it into several files",
                text->max);
        return GR_SOURCE_REFUSED;
    }
    if (rc != 0)
        return unreadable(err, rc, "an error while reading");
    rc = fs->meta(fs->user, node, &after);
    if (rc != 0)
        return unreadable(err, rc, "an error when it was looked at again");
    return gr_fs_unchanged(&before, &after) && after.size_bytes == text->len ? 0 : CHANGED;
}

static bool is_blank(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!strchr(" \t\r\n", text.p[i]) || !text.p[i])
            return false;
    }
    return true;
}

static int read_once(struct gr_source_reader *reader, const struct gr_walk *dir,
                     const struct gr_rule_file *file, struct gr_buf *text, struct gr_err *err)
{
    struct place place;
    int node;
    int rc = find(reader, dir, file, &place, err);

    if (rc != 0)
        return rc;
    if (place.meta.type == GR_FS_NULL)
        return GR_SOURCE_DISABLED;
    if (place.meta.type != GR_FS_REGULAR) {
        gr_fail(err, 0, "untrusted-type", "expected a regular file, found that %s is %s",
                place.path, gr_fs_type_name(place.meta.type));
        return GR_SOURCE_REFUSED;
    }
    rc = gr_fs_open_read(reader->fs, place.dir->node, place.name, &node);
    /* It was there a moment ago; a link put there since is refused with ELOOP. */
    if (rc == -ENOENT || rc == -ELOOP)
        return CHANGED;
    if (rc != 0)
        return unreadable(err, rc, "an error when it was opened");
    rc = read_stable(reader, node, &place, text, err);
    gr_fs_close(reader->fs, &node);
    if (rc == 0 && is_blank(gr_buf_view(text)))
        return GR_SOURCE_DISABLED;
    return rc;
}

int gr_source_read(struct gr_source_reader *reader, const struct gr_walk *dir,
                   const struct gr_rule_file *file, struct gr_buf *text, struct gr_err *err)
{
    for (int i = 0; i < TRIES; i++) {
        int rc;

        gr_buf_reset(text, text->max);
        rc = read_once(reader, dir, file, text, err);
        if (rc != CHANGED)
            return rc;
    }
    gr_fail(err, 0, "file-changing",
            "expected a file that stays the same while it is read, found that it changed twice; "
            "write it under another name and rename it");
    return GR_SOURCE_REFUSED;
}
