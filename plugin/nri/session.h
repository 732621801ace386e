/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/session: the plugin's side of one NRI connection.
 *
 * Layer: nri. Sans-IO like wire/rpc, which it drives: bytes and the time go in, bytes and the next
 * deadline come out. It knows the life cycle (reference: NRI pkg/adaptation) and translates
 * CreateContainer to a subject and a decision back to an adjustment; the decision itself is the
 * owner's.
 *
 *   NEW -> REGISTERING -> CONFIGURED -> READY -> CLOSED
 *
 * Configure may arrive before the answer to RegisterPlugin; up to NRI 0.6.1 a launched plugin gets
 * no Synchronize at all, so CreateContainer is answered from CONFIGURED on.
 */
#ifndef GR_NRI_SESSION_H
#define GR_NRI_SESSION_H

#include "base/err.h"
#include "nri/limits.h"
#include "nri/methods.h"
#include "nri/running.h"
#include "rules/decide/decide.h"

struct gr_session;

enum gr_session_state {
    GR_SESSION_NEW,
    GR_SESSION_REGISTERING,
    GR_SESSION_CONFIGURED,
    GR_SESSION_READY, /* synchronized */
    GR_SESSION_CLOSED,
};

const char *gr_session_state_name(enum gr_session_state state);

/* What Configure told; text is borrowed for the call. */
struct gr_nri_runtime {
    struct gr_str name; /* "containerd", "cri-o"; containerd 2.0.0 to 2.0.3 say "v2" */
    struct gr_str version;
    struct gr_str nri_version;   /* n == 0 before NRI 0.12 */
    uint64_t request_timeout_ms; /* 2000 where the runtime does not say */
    const struct gr_err *err;    /* NULL, or why the request could not be read; config is then
                                  * empty and the rest from before or unknown */
};

/* How CreateContainer ended, for logs and counters. All borrowed for the call. */
struct gr_session_event {
    const struct gr_subject *subject;   /* NULL: the request could not be decoded */
    const struct gr_decision *decision; /* NULL: there is none */
    const struct gr_err *err;           /* why there is none, or could not be sent */
    bool refused;                       /* the runtime was told not to create the container */
    size_t request_bytes;
    uint64_t took_ns; /* from the arrival of its last byte to the answer */
};

/* A request that was answered. */
struct gr_session_answer {
    enum gr_nri_method method;
    uint64_t took_ns;    /* as above; the wait for the rules at Configure included */
    const char *failure; /* the code of an error, a literal: the request could not be read, or
                          * nothing could be decided about it; NULL: it was handled */
};

struct gr_session_ops {
    /* Monotonic time, in the clock of gr_session_feed. */
    uint64_t (*now)(void *user);
    /*
     * Configure came in; config is the text of a launched plugin's drop-in, else empty. Bad text is
     * the owner's to report: it never fails Configure.
     * Returns true when the answer is to wait for gr_session_configured() (rules are being loaded);
     * it is given after GR_NRI_CONFIGURE_HOLD_MS in any case, or earlier when the runtime would
     * otherwise give up.
     */
    bool (*configure)(void *user, const struct gr_nri_runtime *runtime, struct gr_str config);
    /* An answer is queued and work follows that the runtime need not wait for: what is pending is
     * to be sent now, as far as that goes. */
    void (*flush)(void *user);
    /*
     * The last part of Synchronize was answered. pods, containers: how many it told; running: what
     * was kept of them, given (gr_nri_running_free); NULL: there was no memory for it.
     */
    void (*synchronized)(void *user, size_t pods, size_t containers,
                         struct gr_nri_running *running);
    /*
     * Decides about one container. Returns 0; negative after filling err: no decision could be made
     * (what then happens is settings.ignore_request_errors' to say).
     */
    int (*decide)(void *user, const struct gr_subject *subject, struct gr_arena *arena,
                  struct gr_decision *out_decision, struct gr_err *err);
    void (*created)(void *user, const struct gr_session_event *event);
    /* Any request; for CreateContainer after created. */
    void (*answered)(void *user, const struct gr_session_answer *answer);
    /* RegisterPlugin was refused or not answered: text says why. The session is broken then. */
    void (*rejected)(void *user, struct gr_str text);
    void (*shutdown)(void *user);
    void (*state)(void *user, enum gr_session_state from, enum gr_session_state to);
};

/* What the owner may change at any time. */
struct gr_session_settings {
    bool ignore_request_errors;   /* Config.onRequestError: Ignore */
    bool ambiguous_image_unknown; /* Config.ambiguousImage: Unknown */
    /* Of the rules in force, so that what no rule needs is not read: gr_ruleset_fields (env and
     * mounts are unknown where their bits are not set) and gr_ruleset_adjusts. */
    uint32_t fields;
    bool adjusts;
    bool only_looks; /* nothing is asked of it: no container is decided about */
};

/*
 * name, index: what RegisterPlugin says; borrowed for the session. ops too.
 * Returns 0 and a heap object; -ENOMEM.
 */
GR_CHECKED int gr_session_new(const char *name, const char *index, const struct gr_session_ops *ops,
                              void *user, struct gr_session **out_session);
void gr_session_free(struct gr_session *session); /* NULL is fine */

void gr_session_set(struct gr_session *session, const struct gr_session_settings *settings);

/* Queues RegisterPlugin. Returns 0 or as gr_rpc_call. */
GR_CHECKED int gr_session_start(struct gr_session *session, uint64_t now_ns);

/* Takes bytes from the socket. Returns 0; else the connection is to be closed: as gr_rpc_feed,
 * -ECONNREFUSED RegisterPlugin was refused. */
GR_CHECKED int gr_session_feed(struct gr_session *session, struct gr_str bytes, uint64_t now_ns);

/* The rules are loaded: gives the answer to Configure that was held back. Idempotent. */
void gr_session_configured(struct gr_session *session);

/* As the functions of the same names in wire/rpc.h. */
struct gr_str gr_session_pending(const struct gr_session *session);
void gr_session_sent(struct gr_session *session, size_t n);
uint64_t gr_session_next_deadline(const struct gr_session *session);
void gr_session_tick(struct gr_session *session, uint64_t now_ns);

enum gr_session_state gr_session_state(const struct gr_session *session);

/* The connection is gone. */
void gr_session_closed(struct gr_session *session);

/* Whether an answer could not be queued or the registration failed, so that the connection is to be
 * closed. */
bool gr_session_is_broken(const struct gr_session *session);

#endif
