/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/programs/named: which digests of the program store the rules in force name.
 *
 * Layer: app. From Synchronize until what nobody needs is taken away: a container that is created
 * meanwhile was not told of, but has its hooks from these rules.
 */
#ifndef GR_APP_DAEMON_PROGRAMS_NAMED_H
#define GR_APP_DAEMON_PROGRAMS_NAMED_H

#include "base/arena.h"
#include "rules/match/ruleset.h"

/* Digests that rules name and that are told apart; with more of them nothing is known. No evidence.
 */
#define GR_NAMED_MAX 1024

struct gr_named {
    struct gr_arena arena;
    struct gr_str *digests; /* each once */
    size_t n;
    bool known;          /* false: not all of them could be kept */
    bool has_rules;      /* rules_hash counts */
    uint64_t rules_hash; /* of the rules that were added last */
};

/* Zeroed memory is an object without digests, known is false. */
void gr_named_begin(struct gr_named *named);
void gr_named_fini(struct gr_named *named); /* fine on zeroed memory and twice */

/* What the paths, arguments and environments of their hooks name; hash: of these rules, so that the
 * same ones cost nothing. NULL: there are none. */
void gr_named_add_rules(struct gr_named *named, const struct gr_ruleset *ruleset, uint64_t hash);

#endif
