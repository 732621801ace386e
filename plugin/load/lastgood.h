/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/lastgood: the last accepted text of each rule file, kept on disk.
 *
 * Layer: load. One file per rule file; its name is the hash of the rule file's path, its head holds
 * the path, the length and the hash of the text (so that a damaged one is noticed):
 *
 *     grapnel-last-good 1 <path bytes> <text bytes> <text hash, 16 hex digits>\n
 *     <path>\n
 *     <text>
 *
 * Written to a temporary name, synced and renamed, only when the text changed. What is neither kept
 * nor held during a load is removed at its end. Nothing here ever fails a load but -ENOMEM: what
 * goes wrong is a warning. The texts of settings (load/lastsettings) lie beside those of rules,
 * under a suffix of their own, so that a load of rules leaves them alone.
 */
#ifndef GR_LOAD_LASTGOOD_H
#define GR_LOAD_LASTGOOD_H

#include "load/held.h"
#include "load/table.h"
#include "load/trust.h"

/* Whose texts. */
enum gr_lastgood_kind {
    GR_LASTGOOD_RULES,
    GR_LASTGOOD_SETTINGS,
};

/* Whether a file of this name in such a directory is ours: a text of either kind, or one that was
 * being written. */
bool gr_is_lastgood_name(struct gr_str name);

/* Condition of gr_lastgood_read. */
#define GR_LASTGOOD_NONE 1

struct gr_lastgood_entry {
    struct gr_str path;   /* of the rule file */
    char name[32];        /* in the directory */
    uint64_t bytes, hash; /* of the text, as its head says */
    uint64_t modified;    /* as gr_fs_meta has it: when it was kept; 0: in this load */
    bool on_disk;
    bool wanted;               /* stays at the end of this load */
    bool waits;                /* new text waits under its temporary name, */
    bool unsynced;             /* and was not synced by itself */
    bool written;              /* the text that was accepted in this load is on disk */
    bool unkept;               /* it cannot be written */
    struct gr_held_text *held; /* newer than what is on disk; NULL: none */
    struct gr_str pending;     /* to be held at the end of this load, in scratch; n == 0: none */
};

/* Where texts are kept, and how. Borrowed for the object. */
struct gr_lastgood_place {
    const struct gr_fs *fs;
    const char *dir; /* NULL: nothing is found and nothing kept */
    enum gr_lastgood_kind kind;
    bool makes_dir;  /* where it is missing, 0700; else nothing is there, which is no warning */
    bool reads_only; /* nothing is changed; that it may not be read is no warning */
    /* Of earlier loads, and for the next ones: what cannot be written there. NULL: that is lost. */
    struct gr_held *held;
};

struct gr_lastgood {
    struct gr_lastgood_place place;
    const struct gr_reporter *reporter;
    struct gr_arena *scratch;
    struct gr_walk walk;
    struct gr_table entries; /* rule file path to struct gr_lastgood_entry */
    struct gr_lastgood_entry **all;
    size_t all_n, all_cap;
    struct gr_buf head;  /* for reading heads, */
    struct gr_buf whole; /* whole files */
    size_t synced;       /* files that were synced one by one */
    bool usable;         /* the directory is there and in order */
    bool changed;        /* the directory is to be synced */
    bool warned;         /* a failure to write was reported: once per load */
    size_t unkept;       /* at the end of the load: files whose accepted text is not on disk */
};

/*
 * Opens the directory and reads the heads. All pointers are borrowed until the close. Returns 0;
 * -ENOMEM. Large: for the heap.
 */
GR_CHECKED int gr_lastgood_open(struct gr_lastgood *lg, const struct gr_lastgood_place *place,
                                struct gr_arena *scratch, const struct gr_reporter *reporter);

/* Whether a text of this rule file is kept. */
bool gr_lastgood_has(const struct gr_lastgood *lg, struct gr_str path);

/* What is kept for this file; NULL: nothing. Borrowed until the close. */
const struct gr_lastgood_entry *gr_lastgood_entry(const struct gr_lastgood *lg, struct gr_str path);

/*
 * Appends the text to out. Returns 0; GR_LASTGOOD_NONE: there is none, or it is damaged (reported);
 * -ENOMEM.
 */
GR_CHECKED int gr_lastgood_read(struct gr_lastgood *lg, struct gr_str path, struct gr_buf *out);

/* This text was accepted: kept from the end of the load on, if it is new. Returns 0; -ENOMEM. */
GR_CHECKED int gr_lastgood_keep(struct gr_lastgood *lg, struct gr_str path, struct gr_str text);

/* What is kept for this rule file stays. */
void gr_lastgood_hold(struct gr_lastgood *lg, struct gr_str path);

/* Whether the end of the load would remove a text, as nothing has kept or held it so far. */
bool gr_lastgood_drops(const struct gr_lastgood *lg);

/* End of a load that succeeded: puts new texts into place, or has them held where they cannot be
 * written, removes those of files that are gone. */
void gr_lastgood_finish(struct gr_lastgood *lg);

/* Also after a failure: then everything stays as it was on disk. */
void gr_lastgood_close(struct gr_lastgood *lg);

#endif
