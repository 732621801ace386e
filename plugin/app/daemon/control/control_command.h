/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/control/control_command: one line that somebody asks, and the line that is answered.
 *
 * Layer: app. Protocol: specs/status.md. Commands are declared with the fields that they take, so
 * that a request is checked before its command runs. No sockets here.
 */
#ifndef GR_APP_DAEMON_CONTROL_CONTROL_COMMAND_H
#define GR_APP_DAEMON_CONTROL_CONTROL_COMMAND_H

#include <jansson.h>
#include <sys/types.h>

#include "app/control_limits.h"
#include "base/buf.h"
#include "base/json.h"

/* Fields of one command, and commands of one table, at most. */
#define GR_CONTROL_FIELDS_MAX 8
#define GR_CONTROL_COMMANDS_MAX 16

struct gr_control_field {
    const char *name;       /* ASCII letters */
    enum gr_json_kind kind; /* of a number: whole, from 0 */
    bool required;
};

/* A field as the request has it. */
struct gr_control_value {
    const struct gr_json_node *node; /* NULL: it is not there */
    struct gr_str text;              /* of GR_JSON_STRING */
    uint64_t number;                 /* of GR_JSON_NUMBER */
    bool truth;                      /* of GR_JSON_BOOLEAN */
};

struct gr_control_later;

/* Borrowed for the call of run. */
struct gr_control_request {
    struct gr_str line;             /* for lists: node->start, … count in it */
    struct gr_buf *body;            /* of a command that takes one; its bytes may be taken */
    struct gr_control_later *later; /* for a command that answers later */
    struct gr_arena *arena;         /* of the request */
    struct gr_control_value values[GR_CONTROL_FIELDS_MAX]; /* by the place in fields */
    uid_t uid;                                             /* who asks, as the kernel says */
    pid_t pid; /* 0: in a PID namespace that we do not see */
};

/*
 * Whoever answers later, from the loop, keeps it until left is called, and answers at most once.
 * left and user are set before run returns GR_CONTROL_LATER; left is called when the connection is
 * over, answered or not, and nothing may be answered then.
 */
struct gr_control_later {
    void (*left)(void *user);
    void *user;
    void (*ready)(void *user); /* app/daemon/control/exchange's */
    void *ready_user;
};

/* What became of a request. */
#define GR_CONTROL_BODY 1  /* bytes that follow the line are to be read first */
#define GR_CONTROL_LATER 2 /* somebody keeps request->later and will answer */

struct gr_control_command {
    const char *name;
    const struct gr_control_field *fields; /* "command" apart; NULL: none */
    size_t fields_n;                       /* at most GR_CONTROL_FIELDS_MAX */
    /* Bytes that may follow the line, up to GR_CONTROL_BODY_MAX_BYTES; 0: none. Otherwise the first
     * of fields is "bytes", a number that is required. */
    uint32_t body_max_bytes;
    /*
     * On the loop thread; must return within a few milliseconds, since containers wait meanwhile.
     * Adds members to reply, an object with "ok". Returns 0; GR_CONTROL_LATER: reply does not
     * count; anything else after filling err: then the reply is err's code and text alone.
     */
    int (*run)(void *user, const struct gr_control_request *request, json_t *reply,
               struct gr_err *err);
};

/* Zero at first. Borrows the commands. */
struct gr_control_table {
    struct {
        const struct gr_control_command *command;
        void *user;
    } items[GR_CONTROL_COMMANDS_MAX];
    size_t n;
};

/* user is passed to run. Names are different, and there is room: that is for the programmer. */
void gr_control_table_add(struct gr_control_table *table, const struct gr_control_command *command,
                          void *user);

/* A request as it came. */
struct gr_control_asked {
    struct gr_str line;  /* without its line feed */
    struct gr_buf *body; /* what followed it, once all of it is there; NULL before */
    size_t body_bytes;   /* of it; set where GR_CONTROL_BODY is returned */
    struct gr_control_later *later;
    uid_t uid;
    pid_t pid;
};

/*
 * Runs what is asked and appends the reply with its line feed to out; it has at most
 * GR_CONTROL_REPLY_MAX_BYTES, for which out must have room. Every line has a reply. Returns 0;
 * GR_CONTROL_BODY: to be called again with the body; GR_CONTROL_LATER; -ENOMEM: out is as it was.
 */
GR_CHECKED int gr_control_answer(const struct gr_control_table *table,
                                 struct gr_control_asked *asked, struct gr_buf *out);

/* Appends reply, which may be NULL and is taken, as a line. Returns 0; -EMSGSIZE it is too large,
 * -ENOMEM: out is as it was. */
GR_CHECKED int gr_control_put(json_t *reply, struct gr_buf *out);

/*
 * The answer to a request for which GR_CONTROL_LATER was returned: a reply with "ok", which is
 * taken and may be NULL (no memory), and bytes that follow it, which are taken; NULL: none. Or err.
 * Without memory for it, or where the line is too large, nothing is answered.
 */
void gr_control_later_answer(struct gr_control_later *later, json_t *reply, struct gr_buf *body,
                             const struct gr_err *err);

/* The reply of an error: to whoever is turned away before any request. As above. */
GR_CHECKED int gr_control_refuse(const struct gr_err *err, struct gr_buf *out);

#endif
