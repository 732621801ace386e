/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/program: what a program of the store is called: NAME/FILE (specs/programs.md).
 *
 * Layer: rules. The installer refuses what a rule could not name, and a rule what the installer
 * would refuse.
 */
#ifndef GR_RULES_PROGRAM_H
#define GR_RULES_PROGRAM_H

#include "base/str.h"

/* Where the store is, unless programsDir says otherwise. */
#define GR_PROGRAMS_DEFAULT "/opt/grapnel/programs"

/* The link in a NAME that names the digest in force. */
#define GR_PROGRAM_CURRENT "current"

/* The file in a NAME that an installer has locked while it is at work there. */
#define GR_PROGRAM_LOCK ".lock"

/* The link in a NAME whose text is who installs it, and is asked whether it is to stay. */
#define GR_PROGRAM_OWNER ".owner"

/* Both are borrowed from the text. */
struct gr_program_ref {
    struct gr_str package; /* NAME */
    struct gr_str file;    /* FILE, one or more components */
};

/* Whether it is a NAME: a DNS label, lower-case letters, digits and - inside. */
bool gr_is_program_package(struct gr_str name);

/* Whether it is one component of a FILE: letters, digits and any of ._+-, the first one a letter,
 * digit or _. */
bool gr_is_program_part(struct gr_str name);

/* Takes NAME/FILE apart. False: it is none, or larger than a limit allows. */
bool gr_program_parse(struct gr_str text, struct gr_program_ref *out_ref);

#endif
