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

/* Borrowed for the call of run. */
struct gr_control_request {
    struct gr_str line;     /* for lists: node->start, … count in it */
    struct gr_arena *arena; /* of the request */
    struct gr_control_value values[GR_CONTROL_FIELDS_MAX]; /* by the place in fields */
    uid_t uid;                                             /* who asks, as the kernel says */
    pid_t pid; /* 0: in a PID namespace that we do not see */
};

struct gr_control_command {
    const char *name;
    const struct gr_control_field *fields; /* "command" apart; NULL: none */
    size_t fields_n;                       /* at most GR_CONTROL_FIELDS_MAX */
    /*
     * On the loop thread; must return within a few milliseconds, since containers wait meanwhile.
     * Adds members to reply, an object with "ok". Returns 0; anything else after filling err: then
     * the reply is err's code and text alone.
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

/*
 * Runs what the line asks and appends the reply with its line feed to out; it has at most
 * GR_CONTROL_REPLY_MAX_BYTES, for which out must have room. Every line has a reply. Returns 0;
 * -ENOMEM: out is as it was.
 */
GR_CHECKED int gr_control_answer(const struct gr_control_table *table, struct gr_str line,
                                 uid_t uid, pid_t pid, struct gr_buf *out);

/* The reply of an error: to whoever is turned away before any request. As above. */
GR_CHECKED int gr_control_refuse(const struct gr_err *err, struct gr_buf *out);

#endif
