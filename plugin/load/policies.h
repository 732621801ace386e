/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/policies: the guard rails of a node, from their file and from Configure.
 *
 * Layer: load. Whatever goes wrong here makes the rules stricter: a policy that is there and cannot
 * be read, trusted or understood may forbid anything, so that every set is blocked. There is no
 * last good text of a policy: one that is mended half must not widen what the other half forbids.
 */
#ifndef GR_LOAD_POLICIES_H
#define GR_LOAD_POLICIES_H

#include "load/fs.h"
#include "rules/policy.h"

struct gr_policy_sources {
    const char *path;             /* NULL: none is read */
    bool named;                   /* somebody named it: it must be there */
    struct gr_str configure_text; /* all that NRI Configure carried; n == 0: nothing */
};

/*
 * Reads both sources. What is wrong is reported, and then out_policies->unreadable says which
 * source it was. Everything in *out_policies lives in arena.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_policies_load(const struct gr_policy_sources *sources, const struct gr_fs *fs,
                                struct gr_arena *arena, const struct gr_reporter *reporter,
                                struct gr_policies *out_policies);

#endif
