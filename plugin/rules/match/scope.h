/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/match/scope: the scopes of the leaf "annotations", shared by the look-up and the index.
 *
 * Layer: rules, not for others. Spec: specs/matching.md, "Scopes of annotations".
 */
#ifndef GR_RULES_SCOPE_H
#define GR_RULES_SCOPE_H

#include "rules/subject.h"
#include "rules/truth.h"

/* Kubernetes: the part of a key behind the "/" has at most 63 characters, "container." takes 10. */
#define GR_SCOPE_NAME_MAX_BYTES 53

/* What an annotation is to the key before its "/": a later one wins over an earlier one. */
enum gr_scope {
    GR_SCOPE_NONE,
    GR_SCOPE_PLAIN,     /* <key> */
    GR_SCOPE_POD,       /* <key>/pod */
    GR_SCOPE_CONTAINER, /* <key>/container.<name of this container> */
    GR_SCOPE_MAYBE,     /* <key>/container.…, and the name of this container is not known */
};

/*
 * The scope that is written in the annotation itself (never GR_SCOPE_PLAIN); *out_key_bytes is the
 * length of the key before it, set unless there is no "/".
 */
enum gr_scope gr_scope_of(struct gr_str annotation, const struct gr_subject *subject,
                          size_t *out_key_bytes);

/*
 * As gr_subject_annotation; unknown where the container's name would decide and is not known. Does
 * not look at unknown_fields otherwise. *out_value is set for GR_TRUE only.
 */
enum gr_truth gr_subject_find_annotation(const struct gr_subject *subject, struct gr_str key,
                                         struct gr_str *out_value);

#endif
