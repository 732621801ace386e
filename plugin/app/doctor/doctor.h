/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor: why nothing happens on this node.
 *
 * Layer: app. Looks at files, /proc and sockets of the host, changes nothing and runs no program.
 * gr_doctor_run gathers what the checks share (the runtime, its configuration, the plugin's own
 * view), then runs each check of a table; a check adds findings. What each code means stands in
 * codes.c and in specs/doctor.md.
 */
#ifndef GR_APP_DOCTOR_H
#define GR_APP_DOCTOR_H

#include <jansson.h>

#include "app/cli/shared/common.h"
#include "app/doctor/procs.h"
#include "app/doctor/runtime.h"
#include "state/instances.h"

/* What a code says wherever it is found. */
struct gr_doctor_code {
    const char *name;
    enum gr_level level;
    const char *why; /* it matters */
};

extern const struct gr_doctor_code gr_doctor_codes[];
extern const size_t gr_doctor_codes_n;

struct gr_doctor_finding {
    const char *check; /* the table's name for what found it */
    const char *code;
    enum gr_level level;
    const char *file; /* NULL: no place */
    uint32_t line;    /* 0: the whole file */
    const char *found;
    const char *why; /* NULL: the text of a rule's finding says it all */
    const char *fix; /* may have several lines; NULL: as above */
    const struct gr_doctor_finding *next;
};

/* A place in a file of the host; file may be NULL. */
struct gr_doctor_place {
    const char *file;
    uint32_t line;
};

struct gr_doctor_check_result {
    const char *name;
    size_t findings;  /* errors and warnings */
    const char *note; /* what was seen, or why it could not be looked at; NULL: nothing to say */
};

/* What the process said over its control socket. */
struct gr_doctor_plugin {
    const char *control; /* the socket that was asked; NULL: none */
    json_t *status;      /* owned; NULL: it did not answer */
    int answer;          /* of gr_control_ask */
    const char *why;     /* it did not answer; NULL: it did */
};

#define GR_DOCTOR_CHECKS_MAX 16

struct gr_doctor {
    /* What the command line said. */
    struct gr_common *common;
    enum gr_runtime_kind wanted; /* GR_RUNTIME_NONE: auto */
    const char *socket;          /* --socket; NULL: none */
    const char *control;         /* --control; NULL: the setting; empty: none is asked */
    const char *runtime_config;  /* --runtime-config; NULL: as the process has it, or the default */
    bool from_host; /* the run directory is the host's, below its root, and not our own */

    /* What all checks share. */
    struct gr_arena arena;
    struct gr_doctor_host *host;
    struct gr_settings settings;
    struct gr_doctor_procs procs;
    struct gr_runtime runtime;
    struct gr_doctor_plugin plugin;
    struct gr_instance_list instances; /* those that tell of themselves in the run directory */
    const char
        *entry; /* of ours in the runtime's directory of plugins, which it launches; or NULL */
    struct gr_str configure; /* what the runtime would hand over to a launched plugin; n == 0: no
                              * such text (check_plugin_dir.c) */

    const struct gr_doctor_finding *first;
    struct gr_doctor_finding *last;
    size_t errors, warnings;
    struct gr_doctor_check_result checks[GR_DOCTOR_CHECKS_MAX];
    size_t checks_n; /* the last one is running */
    bool no_memory;  /* texts were lost; the result is no good */
};

/*
 * Runs everything. The members that the command line fills are set, the rest is zero. Returns
 * GR_EXIT_OK: d is filled; another exit code (said on stderr). To be finished in either case.
 */
int gr_doctor_run(struct gr_doctor *d);

/* Fills what all checks share, and runs none. Returns and is ended as gr_doctor_run. */
int gr_doctor_gather(struct gr_doctor *d);
void gr_doctor_fini(struct gr_doctor *d);

void gr_doctor_print_text(const struct gr_doctor *d, bool verbose);
/* Shape: specs/doctor.md. NULL without memory. */
json_t *gr_doctor_json(const struct gr_doctor *d);

/* ---- for the checks ---- */

/* A text in the arena; without memory "", and d->no_memory is set. */
const char *gr_doctor_text(struct gr_doctor *d, const char *format, ...) GR_PRINTF(2, 3);

/* Adds a finding of a code of codes.c. fix is borrowed, the place is copied. */
void gr_doctor_add(struct gr_doctor *d, const char *code, struct gr_doctor_place at,
                   const char *fix, const char *format, ...) GR_PRINTF(5, 6);

/* Adds one that has its own level and code; all texts but the file are borrowed, check and next are
 * ignored. */
void gr_doctor_put(struct gr_doctor *d, const struct gr_doctor_finding *finding);

/* What the running check saw, for --verbose. */
void gr_doctor_note(struct gr_doctor *d, const char *format, ...) GR_PRINTF(2, 3);

#define GR_DOCTOR_NOWHERE ((struct gr_doctor_place){0})
#define GR_DOCTOR_FILE(path) ((struct gr_doctor_place){.file = (path)})

/* Whether the host has a process of that program; the first one, or NULL. */
const struct gr_doctor_proc *gr_doctor_find_proc(const struct gr_doctor *d,
                                                 enum gr_doctor_program program);

/* Whether an entry of the runtime's directory of plugins is one that it starts and ours: by its
 * name, by where its link leads, or by what it is. */
bool gr_doctor_is_our_entry(struct gr_doctor *d, const struct gr_doctor_entry *entry);

/* A name that somebody or something gave to a copy that was to be kept. */
bool gr_doctor_is_backup(const char *name);

/* "systemctl restart containerd" or what else restarts this runtime. */
const char *gr_doctor_restart(struct gr_doctor *d);

/* The checks, in the order of the table; each one's file says what it is about. */
void gr_check_runtime(struct gr_doctor *d);    /* check_runtime.c */
void gr_check_nri(struct gr_doctor *d);        /* check_nri.c */
void gr_check_socket(struct gr_doctor *d);     /* check_socket.c */
void gr_check_plugin_dir(struct gr_doctor *d); /* check_plugin_dir.c */
void gr_check_validator(struct gr_doctor *d);  /* check_validator.c */
void gr_check_selinux(struct gr_doctor *d);    /* check_selinux.c */
void gr_check_rules(struct gr_doctor *d);      /* check_rules.c */
void gr_check_oci_hooks(struct gr_doctor *d);  /* check_oci_hooks.c */
void gr_check_plugin(struct gr_doctor *d);     /* check_plugin.c */
void gr_check_kernel(struct gr_doctor *d);     /* check_kernel.c */
void gr_check_engines(struct gr_doctor *d);    /* check_engines.c */

/* check_problems.c, for check_plugin.c: what a process that answers tells of itself. */
void gr_check_problems(struct gr_doctor *d);

#endif
