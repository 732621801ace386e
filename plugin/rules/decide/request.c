/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decide/request.h"

#include "rules/match/scope.h"

const char *gr_request_denial(const struct gr_ruleset *ruleset, struct gr_str name,
                              struct gr_str pod_namespace)
{
    const struct gr_hookset *set = gr_ruleset_find(ruleset, name);

    if (!set)
        return "there is none of this name";
    if (set->other_node)
        return "it is not for this node";
    if (!set->requestable)
        return "it cannot be asked for (spec.requestable)";
    if (!gr_policies_grant(gr_ruleset_policies(ruleset), name, pod_namespace))
        return "no policy grants it to this namespace";
    return NULL;
}

static struct gr_str trim(struct gr_str text)
{
    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t'))
        text = gr_str_skip(text, 1);
    while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
        text.n--;
    return text;
}

struct gr_str gr_request_next(struct gr_str *list)
{
    struct gr_str name = GR_STR_NONE;

    while (list->n > 0 && name.n == 0) {
        size_t end = gr_str_find(*list, ',');

        name = trim(gr_str_first(*list, end));
        *list = gr_str_skip(*list, end + 1);
    }
    return name;
}

#define BEGIN_BYTES 8

/* Whether some key begins as this one does. Nearly every pod asks for nothing, and looking at the
 * first bytes of each key tells so in a third of the time of the look-up. */
static bool may_hold(struct gr_kvs map, struct gr_str key)
{
    for (size_t i = 0; i < map.n && key.n >= BEGIN_BYTES; i++) {
        if (map.items[i].key.n >= key.n && memcmp(map.items[i].key.p, key.p, BEGIN_BYTES) == 0)
            return true;
    }
    return key.n < BEGIN_BYTES;
}

enum gr_truth gr_request_find(const struct gr_subject *subject, struct gr_str key,
                              struct gr_str *out_list)
{
    enum gr_truth found;

    if (key.n == 0)
        key = GR_STR(GR_REQUEST_ANNOTATION);
    if (!gr_subject_knows(subject, GR_FIELD_ANNOTATIONS))
        return GR_UNKNOWN;
    if (!may_hold(subject->pod_annotations, key) && !may_hold(subject->container_annotations, key))
        return GR_FALSE;
    found = gr_subject_find_annotation(subject, key, out_list);
    if (found == GR_TRUE && !gr_subject_knows(subject, GR_FIELD_NAMESPACE))
        return GR_UNKNOWN;
    return found;
}
