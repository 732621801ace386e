/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/convert/convert: what the parts of the verb share.
 *
 * Layer: app. One arena holds everything until the end. Functions return GR_EXIT_OK or another exit
 * code, after saying on stderr what is wrong, unless they say otherwise.
 */
#ifndef GR_APP_CLI_CONVERT_CONVERT_H
#define GR_APP_CLI_CONVERT_CONVERT_H

#include "app/cli/shared/common.h"
#include "rules/read/ocihooks.h"

/* Files of one run; no evidence for the figure. */
#define GR_CONVERT_FILES_MAX 4096

enum gr_convert_kind {
    GR_CONVERT_ANY, /* told by the content */
    GR_CONVERT_OCI_HOOKS,
    GR_CONVERT_HOOK_SPEC,
    GR_CONVERT_TOOLKIT, /* config.toml of the Container Hooks Toolkit */
};

/* A file and what it is. */
struct gr_convert_input {
    struct gr_source source;
    const char *name; /* last component of source.file */
    enum gr_foreign kind;
};

struct gr_convert {
    const char *name;    /* --name; NULL: none */
    const char *out_dir; /* --out; NULL: stdout */
    bool force;
    enum gr_convert_kind kind; /* --kind */

    struct gr_arena arena;
    struct gr_printed printed;
    struct gr_reporter reporter; /* prints; an information is a warning here */
    struct gr_convert_input *inputs;
    size_t inputs_n;
    struct gr_hookset *sets; /* in the order in which they run */
    size_t sets_n;
};

int gr_convert_no_memory(void);

/* convert_read.c: the files below a path of the command line. */
GR_CHECKED int gr_convert_add(struct gr_convert *c, const char *path);

/* convert_toml.c: the path of hooks.json in config.toml, in the arena; says what of the rest has no
 * counterpart. Errors go to the reporter (GR_EXIT_FAILED). */
GR_CHECKED int gr_convert_toml(struct gr_convert *c, const struct gr_source *source,
                               const char **out_path);

/* convert_write.c: everything to stdout, or each set into a file of its own. */
GR_CHECKED int gr_convert_print(const struct gr_convert *c);
GR_CHECKED int gr_convert_write(const struct gr_convert *c);

#endif
