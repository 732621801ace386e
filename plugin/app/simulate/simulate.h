/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/simulate/simulate: an embedded NRI runtime, for everything that can be seen without one.
 *
 * Layer: app. Shared by the files of the verb:
 *     cli/simulate the verb, from one end to the other
 *     args         options
 *     config       the text that Configure carries
 *     pods         pod manifests to containers
 *     kubelet      what kubelet and containerd add to them
 *     mounts       the mounts among it
 *     launch       the plugin's process, started as a runtime starts it
 *     drive        registration, Configure, Synchronize, CreateContainer
 *     exec         one process with input, deadline and kept output
 *     bundle       the folder that hooks and an OCI runtime look at
 *     hooks        runs hooks without a container
 *     oci          runs them in a real one, with runc or crun
 *     record       keeps the output of a hook that an OCI runtime starts
 *     adjust       what else the plugin asks for, as text
 *     apply        the same in config.json
 *     print, json  what came out
 * Everything lives in the arena of struct gr_sim until the verb ends.
 */
#ifndef GR_APP_SIMULATE_SIMULATE_H
#define GR_APP_SIMULATE_SIMULATE_H

#include <stdio.h>
#include <sys/types.h>

#include "app/cli/shared/common.h"
#include "rules/adjust.h"

/* What is played: the first containerd whose image annotation is what the pod's author wrote has a
 * major version of 2. */
#define GR_SIM_RUNTIME_NAME "containerd"
#define GR_SIM_RUNTIME_VERSION "v2.1.4"

/* How the plugin is called when it is this program. */
#define GR_SIM_PLUGIN_INDEX "10"
#define GR_SIM_PLUGIN_NAME "grapnel"

/* Pod manifests on one command line; no evidence for the figure. */
#define GR_SIM_FILES_MAX 256

/* Output that is kept of one hook, and of an OCI runtime. */
#define GR_SIM_OUTPUT_MAX_BYTES (64U << 10)

struct gr_sim_options {
    struct gr_common common;
    const char *plugin;  /* --plugin; NULL: this program */
    const char *runtime; /* --runtime; NULL: none */
    bool run_hooks;      /* --run-hooks, and with --runtime */
    enum gr_output output;
    const char *pods[GR_SIM_FILES_MAX];
    size_t pods_n;
};

/* How one process ended. */
struct gr_sim_end {
    int start_errno; /* 0, or why it could not be started */
    int status;      /* as waitpid has it */
    bool timed_out;  /* it was killed */
    bool cut;        /* there was more output than is kept */
    uint64_t took_ms;
    struct gr_str output; /* stdout and stderr together, as they came */
};

static inline bool gr_sim_has_failed(const struct gr_sim_end *end)
{
    return end->start_errno || end->timed_out || end->status != 0;
}

/* One hook that ran. */
struct gr_sim_run {
    const struct gr_oci_hook *hook;
    bool supervised;       /* by ourselves: how it ended is known */
    struct gr_sim_end end; /* only the output where an OCI runtime ran it */
};

/* A set that came into question and gave no hook: observed, skipped, ignored, or injected where it
 * only adjusts. Also a request that
 * was denied and a required set that is not in force, where that refuses nothing. */
struct gr_sim_other {
    struct gr_str set;
    const char *verdict; /* gr_verdict_name */
    struct gr_str reason;
};

struct gr_sim_container {
    struct gr_subject subject; /* as the runtime tells it; its image stays unknown */
    struct gr_str image;       /* as the manifest has it */
    bool init;
    struct gr_kvs spec_annotations; /* what the runtime writes into config.json */

    /* The plugin's answer. */
    int32_t code; /* not 0: refused */
    struct gr_str refusal;
    const struct gr_oci_hook *hooks;
    size_t hooks_n;
    const struct gr_adjust_entry *adjust; /* what else it asks for, in the order of kinds */
    size_t adjust_n;

    /* Hooks carry the mark of their set, so the plugin's answer tells which sets gave some. The
     * others are found by deciding here, with the same rules; none for another plugin. */
    struct gr_sim_other *others;
    size_t others_n;

    /* What became of the hooks, in the order in which they ran. */
    struct gr_sim_run *runs;
    size_t runs_n;
    struct gr_str failure; /* why the container was not created or removed; n == 0: it was */
};

struct gr_sim {
    struct gr_sim_options options;
    struct gr_arena arena;
    struct gr_sim_container *containers;
    size_t containers_n;
    struct gr_str config; /* for Configure */
    const char *index;    /* of the plugin, from its file name */
    const char *name;
    int32_t events;        /* its subscription */
    struct gr_str ran_by;  /* who ran the hooks: "grapnel", or the OCI runtime's version */
    struct gr_str instead; /* why there was no real container though one was asked for */
};

/*
 * Unless said otherwise these return GR_EXIT_OK or another exit code, after saying on stderr what
 * is wrong.
 */

/* -1: there was nothing to do but print the help. */
GR_CHECKED int gr_sim_parse(int argc, char **argv, struct gr_sim_options *out_options);

GR_CHECKED int gr_sim_make_config(struct gr_sim *sim);

/* Reads settings and rules as the plugin will, to print what is wrong with them (the plugin's own
 * words go to syslog) and to fill others of each container. */
GR_CHECKED int gr_sim_check_rules(struct gr_sim *sim);

/* The whole text of a file, "-" for stdin; at most max bytes. */
GR_CHECKED int gr_sim_read(struct gr_arena *arena, const char *path, size_t max,
                           struct gr_str *out_text);

GR_CHECKED int gr_sim_read_pods(struct gr_sim *sim);

struct gr_sim_pod {
    struct gr_str name, namespace;
    struct gr_str uid;     /* n == 0: is made up */
    struct gr_str handler; /* runtimeClassName */
    struct gr_str sandbox_id;
    struct gr_kvs labels, annotations;
};

/* From what a manifest says to what NRI tells. Return 0; -ENOMEM. All texts must be
 * NUL-terminated. */
GR_CHECKED int gr_sim_complete_pod(struct gr_arena *arena, struct gr_sim_pod *pod);
GR_CHECKED int gr_sim_complete_container(struct gr_arena *arena, const struct gr_sim_pod *pod,
                                         struct gr_sim_container *container);

struct gr_pod;
struct gr_pod_container;
struct gr_pod_mount;
/*
 * The mounts that containerd tells of for such a container, which must be complete: those that
 * every container has, and its volumes, with a hostPath's own path or where kubelet keeps them.
 * Only told: bundles have none of the volumes. *out_missing: NULL, or one whose volume the
 * pod has not, and then there are no mounts. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_sim_make_mounts(struct gr_arena *arena, const struct gr_sim_pod *pod,
                                  const struct gr_pod *manifest,
                                  const struct gr_pod_container *from,
                                  struct gr_sim_container *container,
                                  const struct gr_pod_mount **out_missing);

/* Texts (up to a NULL) as one; p is NULL without memory. */
struct gr_str gr_sim_join(struct gr_arena *arena, const char *const *parts);

/* The path of this program (PATH_MAX bytes). Returns 0; -ENOENT, nothing is said. */
GR_CHECKED int gr_sim_own_path(char *out);

/* A plugin's process. */
struct gr_sim_plugin {
    pid_t pid;
    int fd; /* our end of the connection; the taker sets it to -1 */
};
GR_CHECKED int gr_sim_launch(const struct gr_sim *sim, struct gr_sim_plugin *out_plugin);

/* Waits for its end, not for ever; the connection must be closed. Says how it ended when it had
 * failed before, since that may be why, and when it crashed. */
void gr_sim_reap(const struct gr_sim *sim, struct gr_sim_plugin *plugin, bool failed);

/* Takes the plugin through its life and fills every container's answer. */
GR_CHECKED int gr_sim_drive(struct gr_sim *sim, struct gr_sim_plugin *plugin);

/* One process. Lists end with NULL. */
struct gr_sim_command {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *cwd;
    struct gr_str input;
    bool has_timeout;
    int64_t timeout_ms; /* 0 or less: is killed at once */
    bool cleans_up;     /* goes on after a signal */

    /* NULL, or how it is asked to end, again and again until that returns true; only when it then
     * does not end is it killed. */
    bool (*ask_to_end)(const void *user);
    const void *user;
    const char *what; /* for "still running: …" */
};

/* Output lives in arena; -ENOMEM is a start_errno. */
void gr_sim_run_command(struct gr_arena *arena, const struct gr_sim_command *command,
                        struct gr_sim_end *out_end);

/* From then on SIGINT, SIGTERM and SIGHUP only end what is running, so that the rest is cleaned up.
 */
void gr_sim_catch_signals(void);
bool gr_sim_interrupted(void);

/* "exit code 3", "killed after its timeout of 10 s", … */
struct gr_str gr_sim_end_text(struct gr_arena *arena, const struct gr_sim_run *run);

/* What hooks see of a container: <work>/<id>/config.json and rootfs. */
struct gr_sim_bundle {
    const char *path;
    const char *rootfs;
    const char *records; /* where gr_sim_record writes; NULL: nowhere */
};

/* A fresh private folder; ends with nothing of it left. */
GR_CHECKED int gr_sim_work_new(struct gr_sim *sim, const char **out_work);
void gr_sim_work_free(const char *work);

/* recorder: NULL, or the program whose --record takes a hook's place. hooks: false leaves them out.
 */
GR_CHECKED int gr_sim_bundle_new(struct gr_sim *sim, const char *work,
                                 const struct gr_sim_container *container, const char *recorder,
                                 bool hooks, struct gr_sim_bundle *out_bundle);

GR_CHECKED int gr_sim_run_embedded(struct gr_sim *sim);

/* Positive: no container can be made here, and sim->instead says why. */
#define GR_SIM_NO_CONTAINER 100
GR_CHECKED int gr_sim_run_real(struct gr_sim *sim);

/* simulate --record DIR NUMBER PATH ARG…: in a hook's place, started by an OCI runtime. Becomes the
 * hook, with its output in a file; returns only when that fails. */
int gr_sim_record(int argc, char **argv);

/* Kills the hook that was started last, if it still runs. False when there is none. */
bool gr_sim_kill_recorded(const char *records);

/* Reads back which hooks ran, in which order, with what output. */
GR_CHECKED int gr_sim_read_records(struct gr_sim *sim, const char *records,
                                   struct gr_sim_container *container);

/* A copy with all its texts in arena. Returns 0; -ENOMEM. */
GR_CHECKED int gr_sim_keep_adjust(struct gr_arena *arena, const struct gr_adjust_entry *from,
                                  size_t n, const struct gr_adjust_entry **out_entries);

/* The value of an entry on one line: "512", "bind /s (ro,rbind)", …; foreign text in it is as it
 * was. n == 0 for a CDI device, whose key says all; p is NULL without memory. */
struct gr_str gr_sim_adjust_text(struct gr_arena *arena, const struct gr_adjust_entry *entry);

/* Whether the bundle is given it; the other kinds are shown only. */
bool gr_sim_can_apply(enum gr_adjust_kind kind);

/* Appends to out the text of a config.json with what the plugin adjusts put into it. */
GR_CHECKED int gr_sim_apply_adjust(struct gr_sim *sim, const struct gr_sim_container *container,
                                   struct gr_str config, struct gr_buf *out);

void gr_sim_print(const struct gr_sim *sim);
GR_CHECKED int gr_sim_print_json(const struct gr_sim *sim);

/* A line of foreign text as it may be printed; what does not fit is cut. */
#define GR_SIM_LINE_BYTES 4096
void gr_sim_printable(struct gr_str text, char out[GR_SIM_LINE_BYTES]);

/* The set that hook i came from, from its mark; empty when it has none, and when a hook before it
 * came from the same set. */
struct gr_str gr_sim_new_set(const struct gr_sim_container *container, size_t i);

int gr_sim_no_memory(void); /* says so; GR_EXIT_FAILED */

#endif
