/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/trust: who may change a file, and the directories above it.
 *
 * Layer: load. A rule decides what root runs, so whoever may write a rule file, or replace it or a
 * directory above it, is root. The rules (specs/loading.md, "Who may write"):
 *   - owner: root; for a process that is not root also its own user;
 *   - a file is not writable by group or others, nor is any directory above it up to "/", unless
 *     that directory is sticky, root's (or our own) and the entry in it has a trusted owner;
 *   - the directory of a ConfigMap counts as sticky, where the caller says so: kubelet makes it
 *     0777. It is on a read-only mount and has kubelet's link ..data; a read-only mount alone says
 *     nothing, since under a hardened systemd unit all that this process sees is read-only, and a
 *     hostPath may be written elsewhere. No other rule is relaxed for it.
 * A process that is not root injects nothing: for it, its own group may write.
 */
#ifndef GR_LOAD_TRUST_H
#define GR_LOAD_TRUST_H

#include "base/err.h"
#include "load/walk.h"

enum gr_trust_fault {
    GR_TRUST_FINE,
    GR_TRUST_OWNER,    /* somebody else's */
    GR_TRUST_WRITABLE, /* group or others may write */
    GR_TRUST_PLANTED,  /* somebody else's, in a sticky directory that they may write */
};

struct gr_trust_rules {
    uint32_t euid, egid;
    bool volume_is_safe;
};

static inline struct gr_trust_rules gr_trust_rules(const struct gr_fs *fs, bool volume_is_safe)
{
    return (struct gr_trust_rules){
        .euid = fs->euid, .egid = fs->egid, .volume_is_safe = volume_is_safe};
}

/* Whether owner and mode of a file or directory are in order, for themselves. */
enum gr_trust_fault gr_trust_file(const struct gr_trust_rules *rules,
                                  const struct gr_fs_meta *meta);

/*
 * Whether an entry stands safely in its directory: nobody else can replace it. GR_TRUST_WRITABLE
 * is the directory's fault, GR_TRUST_PLANTED the entry's.
 */
enum gr_trust_fault gr_trust_place(const struct gr_trust_rules *rules,
                                   const struct gr_fs_meta *parent, const struct gr_fs_meta *entry);

/* A walk's visitor with its findings; user is a struct gr_trust_way. Looks at all but the last
 * entry's own mode: that is for the caller, on the descriptor that is read. */
struct gr_trust_way {
    struct gr_trust_rules rules;
    enum gr_trust_fault fault; /* the first one found */
    struct gr_fs_meta meta;    /* of what it was found on */
    char path[GR_LOAD_PATH_BYTES];
};

/* Positive: the walk was ended by a fault, which is in the struct. */
#define GR_TRUST_BROKEN 1
int gr_trust_visit(void *user, const struct gr_walk_visit *visit);

/*
 * The directory that a walk has entered or, where it ended with -ENOENT (missing), the one that
 * lacks the name: whether nobody else can put entries into it or take ours away. Only then does it
 * mean anything that one is missing. Returns 0, or GR_TRUST_BROKEN with the finding in way.
 */
GR_CHECKED int gr_trust_end(struct gr_trust_way *way, const struct gr_walk *walk, bool missing);

/*
 * Fills err: what was expected of path, what was found, the command that mends it. Codes:
 * "untrusted-owner", "untrusted-mode".
 */
void gr_trust_explain(struct gr_err *err, const struct gr_trust_rules *rules,
                      enum gr_trust_fault fault, const char *path, const struct gr_fs_meta *meta);

/* Room for a path in a message: two of them and the words must fit GR_ERR_TEXT_BYTES. */
#define GR_TRUST_QUOTED_BYTES 160

/* path as a shell takes it, quoted where needed. One that does not fit (bytes is at least 16)
 * becomes the word PATH: half a path in a command would be another file. */
void gr_trust_quote(char *out, size_t bytes, const char *path);

/* path for a message: of one that does not fit only its end, behind "...". */
void gr_trust_shorten(char *out, size_t bytes, const char *path);

#endif
