/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decide/request: the sets that a pod asks for by name.
 *
 * Layer: rules. One reading of the annotation, for deciding and for explaining. Spec:
 * specs/matching.md, "Requests". Texts are borrowed from the subject.
 */
#ifndef GR_RULES_REQUEST_H
#define GR_RULES_REQUEST_H

#include "rules/match/ruleset.h"

/* Config.requestAnnotation. */
#define GR_REQUEST_ANNOTATION "hooks.noderesource.dev"

/*
 * key: n == 0 is GR_REQUEST_ANNOTATION. True: *out_list is what the pod asks for. Unknown: that
 * cannot be told here, or the namespace cannot, on which it depends who may have something.
 */
enum gr_truth gr_request_find(const struct gr_subject *subject, struct gr_str key,
                              struct gr_str *out_list);

/* Takes the next name out of the list, without the blanks around it; n == 0: there is none. */
struct gr_str gr_request_next(struct gr_str *list);

/* Why a pod of this namespace may not have a set, in words; NULL: it may. */
const char *gr_request_denial(const struct gr_ruleset *ruleset, struct gr_str name,
                              struct gr_str pod_namespace);

#endif
