/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/program: whether hook programs could run at all, for `check`.
 *
 * Layer: load. Beyond load/host, which decides whether a program may run, this looks into it: the
 * interpreter of a script, the architecture, dynamic loader and libraries of an ELF program, and
 * scripts that call the engine that waits for them. Findings change nothing: what is looked for in
 * the usual places may lie elsewhere. Libraries of libraries are not looked at.
 */
#ifndef GR_LOAD_PROGRAM_H
#define GR_LOAD_PROGRAM_H

#include "load/fs.h"
#include "rules/match/ruleset.h"

/* So much of a program is looked at. A larger one whose libraries stand behind that is passed over
 * as far as they go. */
#define GR_PROGRAM_BYTES_MAX (16U << 20)

/*
 * Looks at each program that a hook of the rule set names, once, except for those of
 * startContainer, which are the container's. root: where the host's / is seen. What cannot be
 * opened is load/host's to report and passed over. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_programs_check(const struct gr_fs *fs, const char *root,
                                 const struct gr_ruleset *ruleset,
                                 const struct gr_reporter *reporter);

#endif
