/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/programs/named: which digests of the program store containers and rules name.
 *
 * Layer: app. Filled while what Synchronize told is looked at; when one container cannot be read,
 * nothing is known.
 */
#ifndef GR_APP_DAEMON_PROGRAMS_NAMED_H
#define GR_APP_DAEMON_PROGRAMS_NAMED_H

#include "base/arena.h"
#include "rules/match/ruleset.h"

/* Digests that are told apart; with more of them nothing is known. No evidence. */
#define GR_NAMED_MAX 1024

struct gr_named {
    struct gr_arena arena;
    struct gr_str *digests; /* each once */
    size_t n;
    bool known;          /* false: not all of them could be read, or kept */
    bool has_rules;      /* rules_hash counts */
    uint64_t rules_hash; /* of the rules that were added last */
};

/* Zeroed memory is an object without digests, known is false. */
void gr_named_begin(struct gr_named *named);
void gr_named_fini(struct gr_named *named); /* fine on zeroed memory and twice */

/* A container could not be read. */
void gr_named_unknown(struct gr_named *named);

/* Everything in a text that looks like a digest. */
void gr_named_add_path(struct gr_named *named, struct gr_str path);

/* What the paths, arguments and environments of a container's hooks name. */
void gr_named_add_container(struct gr_named *named, const struct gr_subject *subject);

/* What the paths, arguments and environments of the hooks of the rules in force name; hash: of these
 * rules, so that the same ones cost nothing. */
void gr_named_add_rules(struct gr_named *named, const struct gr_ruleset *ruleset, uint64_t hash);

#endif
