/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/procs: the processes of the host that matter here, from its /proc.
 *
 * Layer: app.
 */
#ifndef GR_APP_DOCTOR_PROCS_H
#define GR_APP_DOCTOR_PROCS_H

#include "app/doctor/host.h"
#include "state/instances.h"

/* Words of a command line that are kept; those of a runtime are few. */
#define GR_DOCTOR_ARGS_MAX 64

enum gr_doctor_program {
    GR_PROGRAM_CONTAINERD,
    GR_PROGRAM_CRIO,
    GR_PROGRAM_DOCKERD,
    GR_PROGRAM_PLUGIN, /* Grapnel as a plugin */
};

struct gr_doctor_proc {
    enum gr_doctor_program program;
    unsigned pid;
    unsigned parent; /* 1: the host's first process started it, or whoever did has ended */
    const char *exe; /* the file that it runs, as the kernel names it; NULL: not to be seen */
    const char *args[GR_DOCTOR_ARGS_MAX];
    size_t args_n;
    int64_t started_s; /* seconds since 1970; 0: not known */
    enum gr_way way;   /* of the plugin: how it came to the node */
    const char *unit;  /* the name of the unit, where it came so */
};

struct gr_doctor_procs {
    bool visible; /* there is a /proc */
    struct gr_doctor_proc *items;
    size_t n;
};

/* Returns 0; -ENOMEM. */
GR_CHECKED int gr_doctor_procs_read(struct gr_doctor_host *host, struct gr_doctor_procs *out_procs);

/*
 * The value of an option of a command line: --name VALUE, --name=VALUE, and with a letter -l VALUE,
 * -l=VALUE. NULL: it is not there. An option without a value has the empty text.
 */
const char *gr_doctor_arg(const struct gr_doctor_proc *proc, const char *name, char letter);

/* The name of the program behind the digits of a plugin: 10-grapnel is grapnel. */
const char *gr_doctor_plain_name(const char *path);

/* Two digits, a dash and a name: what NRI starts. */
bool gr_doctor_is_plugin_name(const char *name);

#endif
