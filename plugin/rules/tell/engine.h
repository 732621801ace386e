/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/tell/engine: whether a hook calls the engine that waits for it.
 *
 * Layer: rules. By the names of the engines' clients and sockets, in the texts alone; a program
 * that is hidden in a variable is not found. Spec: specs/errors.md, "Calls of the engine".
 */
#ifndef GR_RULES_ENGINE_H
#define GR_RULES_ENGINE_H

#include "rules/hook.h"

/* The client or socket that a script calls, by the rule for the interpreter that its first line
 * names; NULL: none. A constant. */
const char *gr_engine_of_script(struct gr_str text);

/* The same of what a hook says itself: its program, the command that its args start by way of env,
 * nsenter and their like, or the text behind the -c of a shell. */
const char *gr_engine_of_hook(const struct gr_hook *hook);

#endif
