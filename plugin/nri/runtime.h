/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/runtime: the runtime's side of one NRI connection, for simulate.
 *
 * Layer: nri. Sans-IO. Drives a plugin as containerd and CRI-O do: waits for RegisterPlugin, sends
 * Configure and Synchronize, then CreateContainer.
 */
#ifndef GR_NRI_RUNTIME_H
#define GR_NRI_RUNTIME_H

#include "base/err.h"
#include "rules/adjust.h"

struct gr_runtime;

/* A plugin's answer to CreateContainer; borrowed for the call. */
struct gr_runtime_answer {
    int32_t code; /* 0, or the status that refused the container */
    struct gr_str text;
    const struct gr_oci_hook *hooks; /* of the adjustment, in order */
    size_t hooks_n;
    const struct gr_adjust_entry *adjust; /* what else it asks for, as it stands there */
    size_t adjust_n;
};

struct gr_runtime_ops {
    void (*registered)(void *user, struct gr_str name, struct gr_str index);
    void (*configured)(void *user, int32_t events);
    void (*synchronized)(void *user);
    void (*created)(void *user, const struct gr_runtime_answer *answer);
    /* A call failed, timed out or was answered with what is no answer to it. */
    void (*failed)(void *user, const char *method, struct gr_str text);
};

/* name, version: of the runtime that is played; borrowed. Returns 0; -ENOMEM. */
GR_CHECKED int gr_runtime_new(const char *name, const char *version,
                              const struct gr_runtime_ops *ops, void *user,
                              struct gr_runtime **out_runtime);
void gr_runtime_free(struct gr_runtime *runtime); /* NULL is fine */

/*
 * Each queues one call. config: text of the drop-in file. subject: id, names, labels, annotations,
 * args, env, image and runtime_handler are sent; annotations that a runtime adds are the caller's.
 * Return 0, or as gr_rpc_call.
 */
GR_CHECKED int gr_runtime_configure(struct gr_runtime *runtime, struct gr_str config,
                                    uint64_t now_ns);
GR_CHECKED int gr_runtime_synchronize(struct gr_runtime *runtime, uint64_t now_ns);
GR_CHECKED int gr_runtime_create(struct gr_runtime *runtime, const struct gr_subject *subject,
                                 uint64_t now_ns);

/* As the functions of the same names in wire/rpc.h. */
GR_CHECKED int gr_runtime_feed(struct gr_runtime *runtime, struct gr_str bytes, uint64_t now_ns);
struct gr_str gr_runtime_pending(const struct gr_runtime *runtime);
void gr_runtime_sent(struct gr_runtime *runtime, size_t n);
uint64_t gr_runtime_next_deadline(const struct gr_runtime *runtime);
void gr_runtime_tick(struct gr_runtime *runtime, uint64_t now_ns);

#endif
