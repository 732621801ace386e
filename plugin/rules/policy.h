/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/policy: guard rails that the owner of a node sets around rules (kind Policy).
 *
 * Layer: rules. Several policies intersect: something is allowed where every one of them allows it,
 * and what one of them exempts, protects or skips is. So another policy never allows a rule or a
 * pod more; it may exempt more. Immutable after loading; lives in the rule set's arena. Format:
 * specs/policy.md and specs/policy.schema.json.
 */
#ifndef GR_RULES_POLICY_H
#define GR_RULES_POLICY_H

#include "rules/read/decode.h"
#include "rules/read/yaml.h"

#define GR_STAGE_BIT(stage) (1U << (stage))
#define GR_STAGES_ALL ((1U << GR_STAGE_COUNT) - 1)

enum gr_denied_request {
    GR_DENIED_FAIL, /* the container is refused */
    GR_DENIED_IGNORE,
};

enum gr_require_verify {
    GR_VERIFY_NONE,
    GR_VERIFY_DIGEST,    /* every hook has verify, by digest or signature */
    GR_VERIFY_SIGNATURE, /* by signature */
};

enum gr_unverified {
    GR_UNVERIFIED_WARN, /* parents of a program that cannot be seen from here are a warning */
    GR_UNVERIFIED_BLOCK,
};

/* Which namespaces may ask for which sets. */
struct gr_grant {
    struct gr_tests sets;
    struct gr_tests namespaces;
};

/* Stages whose hooks are left out for some runtime handlers. */
struct gr_stage_skip {
    struct gr_tests handlers;
    uint32_t stages; /* bits */
};

/* One document. What is not given limits nothing, except grants: none given, none granted. */
struct gr_policy {
    struct gr_str file; /* for messages, also NUL-terminated */
    uint32_t line;
    bool has_hook_dirs;
    struct gr_strs hook_dirs; /* absolute, normalised */
    uint32_t hook_dirs_line;
    enum gr_unverified unverified;
    uint32_t unverified_line;
    enum gr_require_verify verify;
    uint32_t verify_line;
    uint32_t stages; /* bits that are allowed */
    uint32_t stages_line;
    uint32_t timeout_min_s, timeout_max_s; /* 0: not given */
    uint32_t timeout_default_s;            /* 0: not given */
    uint32_t timeout_line;
    uint32_t create_timeout_total_s; /* prestart to startContainer of one container; 0: any */
    uint32_t create_timeout_line;
    uint32_t hooks_per_container; /* 0: any number */
    uint32_t hooks_line;
    const struct gr_grant *grants;
    size_t grants_n;
    enum gr_denied_request on_denied;
    struct gr_tests exempt_namespaces;
    bool has_never_fail;
    struct gr_tests never_fail;
    struct gr_tests protected_sets; /* neither paused nor tripped */
    const struct gr_stage_skip *skips;
    size_t skips_n;
};

/* All that are in force. Without any (n == 0) the defaults of each question hold. */
struct gr_policies {
    const struct gr_policy *items;
    size_t n;
    struct gr_str unreadable; /* n > 0: one could not be read, and why; every set is blocked */
    uint64_t hash;            /* of the documents' texts, to tell a change */
};

#define GR_POLICY_REFUSED 1

/* Where a text comes from decides what else may stand in it. */
enum gr_policy_place {
    GR_POLICY_FILE,         /* policies only */
    GR_POLICY_IN_CONFIGURE, /* documents of kind Config beside them, which load/config reads and
                               whose findings it reports */
};

/*
 * Whether a document of a Configure text is for this reader: one of kind Policy, or one that may
 * have been meant as such (a mistyped kind, or none that can be read and the word Policy in it).
 */
bool gr_policy_claims(const struct gr_yaml_document *document);

/*
 * Decodes every document of kind Policy of a text and appends them to *policies, which grows in the
 * arena. Nothing is ever half obeyed: an error in one refuses them all.
 * Returns 0; GR_POLICY_REFUSED: something was refused and reported, *policies is untouched;
 * -ENOMEM.
 */
GR_CHECKED int gr_policies_decode(struct gr_arena *arena, const struct gr_source *source,
                                  enum gr_policy_place place, const struct gr_reporter *reporter,
                                  struct gr_policies *policies);

/*
 * What the policies say about a set's own text: stages, timeouts, verify, unreadable. Replaces
 * timeouts that the set does not give by the least default of the policies and brings them within
 * their limits. Sets set->blocked (in arena, unless it is blocked already) and reports each
 * violation with the place in the set and the rule's place in the policy. That a policy is
 * unreadable blocks without a report: it is no fault of the set's, and was reported.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_policies_check_set(const struct gr_policies *policies, struct gr_arena *arena,
                                     const struct gr_reporter *reporter, struct gr_hookset *set);

/*
 * Whether a program, its links resolved, lies in the directories that every policy allows:
 * component by component, never by a prefix of the text. *out_by: the policy that forbids it. The
 * directories, too, have their links resolved (load/host does that).
 */
bool gr_policies_allow_program(const struct gr_policies *policies, struct gr_str resolved,
                               const struct gr_policy **out_by);

/* The questions of gr_decide. namespace may be unknown (NULL text): then nothing is exempt. */
bool gr_policies_exempt(const struct gr_policies *policies, struct gr_str namespace_);
/* What any of them names; kube-system where none says anything (neverFail: [] says: nowhere). */
bool gr_policies_never_fail(const struct gr_policies *policies, struct gr_str namespace_);
bool gr_policies_grant(const struct gr_policies *policies, struct gr_str set,
                       struct gr_str namespace_);
enum gr_denied_request gr_policies_on_denied(const struct gr_policies *policies);
/* Whether a set must be neither paused nor tripped. *out_by, *out_line: the first policy that says
 * so, and where in its file; NULL and 0: one cannot be read, so that nobody knows, or none does. */
bool gr_policies_protect(const struct gr_policies *policies, struct gr_str set,
                         const struct gr_policy **out_by, uint32_t *out_line);
/* Bits of the stages whose hooks are left out for this handler; the default one is the empty text.
 * Not to be asked where the handler is not known. */
uint32_t gr_policies_skipped_stages(const struct gr_policies *policies, struct gr_str handler);
/* The least of all; 0: none is set. *out_by: who sets it. */
uint32_t gr_policies_hooks_max(const struct gr_policies *policies, const struct gr_policy **out_by);
uint32_t gr_policies_create_timeout_max(const struct gr_policies *policies,
                                        const struct gr_policy **out_by);
/* The first that has unverified: Block, or NULL. */
const struct gr_policy *gr_policies_blocks_unverified(const struct gr_policies *policies);

#endif
