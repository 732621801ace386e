/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/dirs: which files of which directories count.
 *
 * Layer: load. Two kinds of directories, those of HookSets and those of oci-hooks(5) files, each
 * from lowest to highest precedence; files *.yaml, *.yml and *.json (of oci-hooks(5): *.json) in
 * the order of their names, bytewise; the same name in a higher directory of the same kind masks. A
 * directory that cannot be trusted or listed is *broken*: nothing that was put into it or taken out
 * of it has any effect, its files count only where there is a last good text of them (the caller
 * says so).
 */
#ifndef GR_LOAD_DIRS_H
#define GR_LOAD_DIRS_H

#include "load/table.h"
#include "load/trust.h"
#include "rules/hookset.h"

/* Directories whose files are read by one reader. */
struct gr_dir_list {
    const char *const *paths; /* lowest to highest precedence */
    size_t n;
    enum gr_set_format format;
};

struct gr_rule_dir {
    const char *path;     /* absolute */
    struct gr_walk *walk; /* its last directory is this one; NULL when it is missing or broken */
    bool broken;
    enum gr_set_format format; /* of its files */
};

struct gr_rule_file {
    size_t dir; /* index */
    enum gr_set_format format;
    struct gr_str name;  /* terminated */
    struct gr_str path;  /* terminated */
    const char *refused; /* not to be read: why (already reported); NULL: read it */
    bool counts;         /* may mask others */
    const struct gr_rule_file *masked_by;
};

/* Everything in it lives in the arena, except for descriptors: gr_dirs_close. */
struct gr_dirs {
    const struct gr_fs *fs;
    struct gr_arena *arena;
    const struct gr_reporter *reporter;
    struct gr_trust_rules rules;
    struct gr_rule_dir *dirs;
    size_t dirs_n;
    struct gr_rule_file **files; /* by directory, then by name */
    size_t files_n;
    size_t files_cap;
    struct gr_table frozen; /* paths of files in broken directories */
};

/* Whether a name is that of a rule file: its suffix, not hidden. */
bool gr_rule_name_fits(struct gr_str name);

/* Whether a name is that of an oci-hooks(5) file: it ends in .json, as that format has it. */
bool gr_oci_name_fits(struct gr_str name);

/* The name without its suffix. */
struct gr_str gr_rule_name_stem(struct gr_str name);

/*
 * Opens, checks and lists the directories, and reports what is wrong with them. All pointers are
 * borrowed until gr_dirs_close. A directory that does not exist is empty. Relative paths count from
 * the working directory. The directories get their numbers list by list.
 * Returns 0; -ENOMEM. Close it in either case.
 */
GR_CHECKED int gr_dirs_read(struct gr_dirs *dirs, const struct gr_fs *fs, struct gr_arena *arena,
                            const struct gr_dir_list *lists, size_t lists_n,
                            const struct gr_reporter *reporter);

/* Of each directory i below names_n with a name in names[i], only that file stays. */
void gr_dirs_keep(struct gr_dirs *dirs, const char *const *names, size_t names_n);

/* A file that is known from elsewhere, of a broken directory; no-op when it is listed already, and
 * when its name is none of that directory's kind. */
GR_CHECKED int gr_dirs_add(struct gr_dirs *dirs, size_t dir, struct gr_str name);

/* Drops what was named twice, sorts, and fills masked_by. Files that do not count mask nothing. 0
 * or -ENOMEM. */
GR_CHECKED int gr_dirs_mask(struct gr_dirs *dirs);

void gr_dirs_close(struct gr_dirs *dirs);

#endif
