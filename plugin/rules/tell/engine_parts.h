/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/tell/engine_parts: what the files of rules/tell/engine share.
 *
 * Layer: rules, not for others.
 */
#ifndef GR_RULES_ENGINE_PARTS_H
#define GR_RULES_ENGINE_PARTS_H

#include "rules/tell/engine.h"

/* The name behind the last "/". */
struct gr_str gr_engine_name(struct gr_str path);

/* What it is the client of an engine by its name, with or without a path; NULL: none. */
const char *gr_engine_client(struct gr_str word);

/* The socket of an engine whose path ends somewhere in a word without blanks; NULL: none. */
const char *gr_engine_socket(struct gr_str word);

/* A name, a variable or a part of a path goes on with these. */
bool gr_engine_is_name_char(char c);

bool gr_engine_is_shell(struct gr_str name);

/* engine_shell.c: what a text calls that a shell runs; NULL: nothing. */
const char *gr_engine_of_shell(struct gr_str text);

/* The command that is begun by words, one after the other. */
struct gr_engine_command {
    enum gr_engine_place {
        GR_ENGINE_COMMAND, /* the next word names what is run */
        GR_ENGINE_PREFIX,  /* the same, but for the options of env, sudo, … before it */
        GR_ENGINE_REST,
    } place;
    bool asks;     /* the word before was "command", whose -v only asks */
    bool operand;  /* of chroot and timeout: one word before the command */
    bool quiet;    /* a command that only prints or tests */
    bool shell;    /* a shell, which runs what stands behind -c … */
    bool code;     /* … and this comes next */
    bool in_case;  /* "case WORD", up to "in" */
    bool brackets; /* [[ … ]] */
};

/* Takes the next word. What it calls; NULL: nothing. depth: of texts within texts. */
const char *gr_engine_take(struct gr_engine_command *command, struct gr_str word, unsigned depth);

#endif
