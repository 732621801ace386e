/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/subject.h"

#include "rules/match/scope.h"

#define CONTAINER "container."
#define POD "pod"

enum gr_scope gr_scope_of(struct gr_str annotation, const struct gr_subject *subject,
                          size_t *out_key_bytes)
{
    size_t slash = gr_str_find(annotation, '/');
    struct gr_str scope = gr_str_skip(annotation, slash + 1);

    if (slash == annotation.n)
        return GR_SCOPE_NONE;
    *out_key_bytes = slash;
    if (gr_str_is(scope, POD))
        return GR_SCOPE_POD;
    if (!gr_str_has_prefix(scope, GR_STR(CONTAINER)))
        return GR_SCOPE_NONE;
    if (!gr_subject_knows(subject, GR_FIELD_CONTAINER_NAME))
        return GR_SCOPE_MAYBE;
    if (subject->name.n == 0 || subject->name.n > GR_SCOPE_NAME_MAX_BYTES)
        return GR_SCOPE_NONE;
    return gr_str_eq(gr_str_skip(scope, sizeof(CONTAINER) - 1), subject->name) ? GR_SCOPE_CONTAINER
                                                                               : GR_SCOPE_NONE;
}

/* The best scope in which map holds key, the last of several equal entries. */
static enum gr_scope look_up(struct gr_kvs map, struct gr_str key, bool scoped,
                             const struct gr_subject *subject, struct gr_str *out_value)
{
    enum gr_scope best = GR_SCOPE_NONE;

    for (size_t i = 0; i < map.n; i++) {
        struct gr_str found = map.items[i].key;
        enum gr_scope scope = GR_SCOPE_NONE;
        size_t n;

        if (!gr_str_has_prefix(found, key))
            continue;
        if (found.n == key.n)
            scope = GR_SCOPE_PLAIN;
        else if (scoped && found.p[key.n] == '/')
            scope = gr_scope_of(found, subject, &n);
        if (scope == GR_SCOPE_NONE || scope < best)
            continue;
        best = scope;
        *out_value = map.items[i].value;
    }
    return best;
}

enum gr_truth gr_subject_find_annotation(const struct gr_subject *subject, struct gr_str key,
                                         struct gr_str *out_value)
{
    bool scoped = gr_str_find(key, '/') == key.n;
    struct gr_str value = GR_STR_NONE;
    enum gr_scope scope = look_up(subject->pod_annotations, key, scoped, subject, &value);

    if (scope == GR_SCOPE_NONE)
        scope = look_up(subject->container_annotations, key, scoped, subject, &value);
    if (scope == GR_SCOPE_NONE)
        return GR_FALSE;
    if (scope == GR_SCOPE_MAYBE)
        return GR_UNKNOWN;
    *out_value = value;
    return GR_TRUE;
}

bool gr_subject_annotation(const struct gr_subject *subject, struct gr_str key,
                           struct gr_str *out_value)
{
    return gr_subject_find_annotation(subject, key, out_value) == GR_TRUE;
}
