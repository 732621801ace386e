/* SPDX-License-Identifier: Apache-2.0 */
#include "load/trust.h"

#include <stdio.h>

#define MODE_GROUP_WRITE 0020U
#define MODE_OTHERS_WRITE 0002U
#define MODE_STICKY 01000U

static bool owner_is_trusted(const struct gr_trust_rules *rules, const struct gr_fs_meta *meta)
{
    return meta->uid == 0 || meta->uid == rules->euid;
}

static bool others_may_write(const struct gr_trust_rules *rules, const struct gr_fs_meta *meta)
{
    if (meta->mode & MODE_OTHERS_WRITE)
        return true;
    if (!(meta->mode & MODE_GROUP_WRITE))
        return false;
    return rules->euid == 0 || meta->gid != rules->egid;
}

/* Whether entries of a directory stay what they are although others may write it. */
static bool keeps_entries(const struct gr_trust_rules *rules, const struct gr_fs_meta *dir)
{
    return dir->mode & MODE_STICKY || (rules->volume_is_safe && dir->volume);
}

enum gr_trust_fault gr_trust_file(const struct gr_trust_rules *rules, const struct gr_fs_meta *meta)
{
    if (!owner_is_trusted(rules, meta))
        return GR_TRUST_OWNER;
    return others_may_write(rules, meta) ? GR_TRUST_WRITABLE : GR_TRUST_FINE;
}

enum gr_trust_fault gr_trust_place(const struct gr_trust_rules *rules,
                                   const struct gr_fs_meta *parent, const struct gr_fs_meta *entry)
{
    if (!others_may_write(rules, parent))
        return GR_TRUST_FINE;
    if (!keeps_entries(rules, parent))
        return GR_TRUST_WRITABLE;
    return owner_is_trusted(rules, entry) ? GR_TRUST_FINE : GR_TRUST_PLANTED;
}

static int found(struct gr_trust_way *way, enum gr_trust_fault fault, const char *path,
                 const struct gr_fs_meta *meta)
{
    way->fault = fault;
    way->meta = *meta;
    (void)snprintf(way->path, sizeof(way->path), "%s", path);
    return GR_TRUST_BROKEN;
}

int gr_trust_visit(void *user, const struct gr_walk_visit *visit)
{
    struct gr_trust_way *way = user;
    enum gr_trust_fault fault = GR_TRUST_FINE;

    if (visit->parent)
        fault = gr_trust_place(&way->rules, visit->parent, visit->meta);
    if (fault == GR_TRUST_WRITABLE)
        return found(way, fault, visit->parent_path, visit->parent);
    /* A link's owner cannot change where it points; only its directory decides. */
    if (fault == GR_TRUST_FINE && visit->meta->type == GR_FS_DIRECTORY &&
        !owner_is_trusted(&way->rules, visit->meta))
        fault = GR_TRUST_OWNER;
    return fault == GR_TRUST_FINE ? 0 : found(way, fault, visit->path, visit->meta);
}

int gr_trust_end(struct gr_trust_way *way, const struct gr_walk *walk, bool missing)
{
    const struct gr_fs_meta ours = {.uid = way->rules.euid};
    const char *path = missing ? walk->parent_path : walk->path;
    const struct gr_fs_meta *meta;
    enum gr_trust_fault fault;

    if (walk->depth == 0)
        return 0; /* not even the root is there */
    meta = &gr_walk_top(walk)->meta;
    fault = gr_trust_place(&way->rules, meta, &ours);
    return fault == GR_TRUST_FINE ? 0 : found(way, fault, path[0] ? path : "/", meta);
}

void gr_trust_quote(char *out, size_t bytes, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+:@%,=";
    size_t n = 0;

    if (path[strspn(path, plain)] == '\0' && strlen(path) < bytes) {
        (void)snprintf(out, bytes, "%s", path);
        return;
    }
    out[n++] = '\'';
    for (; *path && n + 6 < bytes; path++) {
        if (*path == '\'')
            n += (size_t)snprintf(out + n, bytes - n, "'\\''");
        else
            out[n++] = *path;
    }
    if (*path)
        (void)snprintf(out, bytes, "PATH");
    else
        (void)snprintf(out + n, bytes - n, "'");
}

void gr_trust_shorten(char *out, size_t bytes, const char *path)
{
    size_t n = strlen(path);

    if (n < bytes)
        (void)snprintf(out, bytes, "%s", path);
    else
        (void)snprintf(out, bytes, "...%s", path + n - (bytes - 4));
}

static const char *kind_of(const struct gr_fs_meta *meta)
{
    if (meta->type == GR_FS_DIRECTORY)
        return "directory";
    return meta->type == GR_FS_LINK ? "link" : "file";
}

void gr_trust_explain(struct gr_err *err, const struct gr_trust_rules *rules,
                      enum gr_trust_fault fault, const char *path, const struct gr_fs_meta *meta)
{
    char shown[GR_TRUST_QUOTED_BYTES];
    char quoted[GR_TRUST_QUOTED_BYTES];
    char owner[48] = "root";

    if (rules->euid != 0)
        (void)snprintf(owner, sizeof(owner), "root or to you (uid %u)", rules->euid);
    gr_trust_shorten(shown, sizeof(shown), path);
    gr_trust_quote(quoted, sizeof(quoted), path);
    switch (fault) {
    case GR_TRUST_FINE:
        return;
    case GR_TRUST_OWNER:
        gr_fail(err, 0, "untrusted-owner",
                "expected a %s that belongs to %s, found that %s belongs to uid %u; look at what "
                "it holds, then run: chown -h root:root %s",
                kind_of(meta), owner, shown, meta->uid, quoted);
        return;
    case GR_TRUST_WRITABLE:
        gr_fail(err, 0, "untrusted-mode",
                "expected a %s that only its owner may write, found that %s has mode %04o; look "
                "at what it holds, then run: chmod go-w %s",
                kind_of(meta), shown, meta->mode, quoted);
        return;
    case GR_TRUST_PLANTED:
        gr_fail(err, 0, "untrusted-owner",
                "expected a %s that belongs to %s, since others may write the directory that "
                "holds it, found that %s belongs to uid %u; look at what it holds, then run: "
                "chown -h root:root %s",
                kind_of(meta), owner, shown, meta->uid, quoted);
        return;
    }
}
