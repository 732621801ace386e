/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decide/decide: from matches to what is done to a container.
 *
 * Layer: rules. Applies requests, exemptions and guard rails, onUnknown, failurePolicy, mode,
 * blocked sets and idempotence, expands the templates, adds the environment and merges what the
 * sets adjust. Pure: same input, same output.
 * Spec: specs/matching.md, specs/hookset.md.
 */
#ifndef GR_RULES_DECIDE_H
#define GR_RULES_DECIDE_H

#include "rules/adjust.h"
#include "rules/decide/request.h"
#include "rules/decide/suspend.h"
#include "rules/match/ruleset.h"

/*
 * The env of every hook: the rule's own entries in their order, each with the value of the set's
 * environment (gr_hookset.environment) where that has the same name; the other entries of the
 * environment; then what is added here, always all of it and in this order (a value that is empty
 * or not known is empty):
 *
 *     PATH=…                   GR_HOOK_PATH_ENV, unless one of the above sets PATH
 *     GRAPNEL_CONTAINER_ID=…
 *     GRAPNEL_CONTAINER_NAME=…
 *     GRAPNEL_POD_NAME=…
 *     GRAPNEL_POD_NAMESPACE=…
 *     GRAPNEL_POD_UID=…
 *     GRAPNEL_STAGE=…          as in OCI config.json: createRuntime, …
 *     GRAPNEL_HOOKSET=…        the mark: name of the set, "@", its hash as 16 hexadecimal digits
 *
 * An identity that holds a NUL byte or a newline or is no UTF-8 is an error of every set that would
 * be injected.
 */
#define GR_MARK_NAME "GRAPNEL_HOOKSET"

/* A mark as it stands on a hook; borrowed from it. */
struct gr_mark {
    struct gr_str set;
    struct gr_str hash;
};

/* Those of a container, by set and then by hash; a runtime may hand over any number. */
struct gr_marks {
    const struct gr_mark *items;
    size_t n;
};

enum gr_marked {
    GR_MARKED_NOT,
    GR_MARKED_BEFORE, /* with other hashes only: by another text of the set */
    GR_MARKED_NOW,    /* with the hash of the set as it stands now */
};

/* What the marks say of a set. */
enum gr_marked gr_marks_find(const struct gr_marks *marks, const struct gr_hookset *set);

/* env is never empty on the wire (CVE-2025-23266: an empty env lets a runtime put the image's own
 * environment there). */
#define GR_HOOK_PATH_ENV "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What became of a set whose match is not false. */
enum gr_verdict {
    GR_VERDICT_INJECTED,
    GR_VERDICT_OBSERVED, /* mode Observe, or suspended: would have been injected, or would have
                          * refused */
    GR_VERDICT_ALREADY,  /* its mark, or every one of its hooks, is on the container already */
    GR_VERDICT_SKIPPED,  /* unknown, and onUnknown is Skip; or a policy leaves all its hooks out */
    GR_VERDICT_IGNORED,  /* an error, and failurePolicy is Ignore or the namespace is spared */
    GR_VERDICT_REFUSED,  /* an error under Fail, or unknown under onUnknown Fail */
};

const char *gr_verdict_name(enum gr_verdict verdict);

struct gr_set_result {
    const struct gr_hookset *set;
    enum gr_truth truth;
    enum gr_verdict verdict;
    const struct gr_suspension *suspended; /* of options: it counts as Observe; NULL: nothing */
    struct gr_str reason;                  /* in words; n == 0 for a plain injection */
};

/* One entry of the adjustment that is asked for, and by whom. */
struct gr_adjusted {
    const struct gr_adjust_entry *entry;
    const struct gr_hookset *set;
    const struct gr_hookset *over; /* a set whose other value for the same key lost; NULL: none */
};

/*
 * What speaks against a container beside the sets that match: a required set that is not in force,
 * a set that the pod asks for and may not have.
 */
enum gr_objection_kind {
    GR_OBJECTION_REQUIRED,
    GR_OBJECTION_REQUEST,
};

struct gr_objection {
    enum gr_objection_kind kind;
    enum gr_verdict verdict; /* refused or ignored */
    struct gr_str set;       /* as it was asked for: a pod may have written anything */
    struct gr_str reason;    /* in words, with the set's name; printable */
};

struct gr_decision {
    bool refuse;                     /* the container must not be created; the rest is then empty */
    struct gr_str refusal;           /* why, naming the set: goes to kubelet; printable */
    const struct gr_oci_hook *hooks; /* to be appended, grouped by stage, in order */
    size_t hooks_n;
    const struct gr_adjusted *adjust; /* sorted by kind and key, each once, without what is there
                                       * already */
    size_t adjust_n;
    bool exempt;                         /* by policy: nothing is injected, results is empty */
    const struct gr_set_result *results; /* one per match, in order */
    size_t results_n;
    const struct gr_objection *objections;
    size_t objections_n;
    struct gr_marks
        marks; /* that were on the container; of an exempt one they are not looked for */
};

struct gr_decide_options {
    struct gr_str node_name;          /* for {{.NodeName}} */
    struct gr_str own_namespace;      /* of Grapnel itself: always exempt; n == 0: none */
    struct gr_str request_annotation; /* n == 0: GR_REQUEST_ANNOTATION */
    struct gr_strs required_sets;     /* Config.requiredSets: containers outside the exempt
                                       * namespaces are refused unless all of them are in force */
    /* Sets that are out of force, sorted; what has ended by now_s (seconds since 1970) does not
     * count, nor does a suspension of a set that a policy protects, nor the breaker of a required
     * one. A pause waives required_sets for its set. */
    const struct gr_suspension *suspended;
    size_t suspended_n;
    int64_t now_s;
};

/* Everything in *out_options lives in arena. Returns 0; -ENOMEM. */
GR_CHECKED int gr_decide_options_copy(const struct gr_decide_options *options,
                                      struct gr_arena *arena,
                                      struct gr_decide_options *out_options);

/*
 * Everything in *out_decision lives in arena or is borrowed from ruleset, subject and options.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_decide(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
                         const struct gr_decide_options *options, struct gr_arena *arena,
                         struct gr_decision *out_decision);

#endif
