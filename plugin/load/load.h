/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/load: directories of rule files, and policies, to one rule set.
 *
 * Layer: load. Runs on the loader's thread; reaches files only through struct gr_fs, so that tests
 * give it any host. Steps: list the directories, mask, check who may write the files, read, decode,
 * fall back on the last good text, read the policies, check the sets against them and the hook
 * programs on the host, build.
 */
#ifndef GR_LOAD_LOAD_H
#define GR_LOAD_LOAD_H

#include "load/held.h"
#include "load/policies.h"
#include "rules/match/ruleset.h"

struct gr_load_options {
    const struct gr_fs *fs;
    const char *const *dirs; /* lowest to highest precedence */
    size_t dirs_n;
    const char *const *names;  /* NULL, or for each directory: NULL, or the only file that counts */
    bool dirs_named;           /* somebody named them: one that is missing is a warning */
    const char *host_root;     /* where the host's / is seen, "/" outside containers */
    const char *programs_dir;  /* the program store, on the host; NULL: none */
    const char *last_good_dir; /* /var/lib/grapnel/last-good; NULL: keep none (one-shot verbs) */
    /* Texts that could not be kept there, from load to load; NULL: they are lost. */
    struct gr_held *held;
    /* Directories of oci-hooks(5) files, each of which somebody named. */
    const char *const *oci_dirs;
    size_t oci_dirs_n;
    struct gr_policy_sources policy;
    struct gr_str environment; /* of spec.environments; n == 0: none */
    struct gr_str node_name;
    struct gr_str version; /* of the program, for spec.minVersion: struct gr_source */
    bool check_host;       /* whether hook programs are looked at (check can do without) */
    /* Asked when everything was read: whether files changed meanwhile, so that some of what was
     * read may be old and some new, or half written. Then last good texts stay as they are. drops:
     * the text of a file that is gone or empty would be removed. NULL: no. */
    bool (*torn)(void *user, bool drops);
    void *torn_user;
};

/* What became of one file. */
enum gr_file_state {
    GR_FILE_LOADED,
    GR_FILE_MASKED,    /* a directory of higher precedence has a file of the same name */
    GR_FILE_DISABLED,  /* empty, or a link to /dev/null */
    GR_FILE_REJECTED,  /* something in it was refused and there is no last good text */
    GR_FILE_LAST_GOOD, /* something in it was refused; the last good text is in force */
};

struct gr_file_report {
    struct gr_str path;
    enum gr_file_state state;
    enum gr_set_format format; /* of its directory: which reader it got */
    struct gr_str masked_by;   /* path of the masking file; n == 0: none */
    struct gr_str detail;      /* why it was not read, when it was not; n == 0: see its findings */
    size_t sets;               /* that it gives to the rule set */
    size_t findings;           /* errors and warnings about its text */
};

struct gr_load_result {
    struct gr_ruleset *ruleset; /* given: one reference */
    /* Everything below lives as long as the rule set. */
    const struct gr_file_report *files;
    size_t files_n;
    size_t sets;      /* in the rule set */
    size_t rejected;  /* documents that were refused */
    size_t blocked;   /* sets that a policy or the host check forbids */
    size_t last_good; /* files served from their last good text */
    size_t unkept;    /* files whose accepted text could not be kept */
    size_t errors;    /* findings of level error, of any kind */
    size_t warnings;
    bool torn; /* as options.torn said */
};

/*
 * Loads everything. The policies are in the rule set (gr_ruleset_policies). Findings go to reporter
 * as they are made. A bad file, an unreadable directory or a duplicate name never fails the call
 * and never takes other files down; a directory that does not exist is empty. Returns 0; -ENOMEM
 * (nothing is given).
 */
GR_CHECKED int gr_load(const struct gr_load_options *options, const struct gr_reporter *reporter,
                       struct gr_load_result *out_result);

#endif
