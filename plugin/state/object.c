/* SPDX-License-Identifier: Apache-2.0 */
#include "state/object.h"

#include <errno.h>

#include "base/utf8.h"

static int take_text(struct gr_arena *arena, struct gr_str raw, const struct gr_member *member,
                     struct gr_member_value *value, struct gr_err *err)
{
    if (!gr_json_text(arena, raw, &value->text))
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to read a text");
    if (value->text.n > member->max)
        return gr_fail(err, -EINVAL, "too-long", "\"%s\" has %zu bytes; at most %llu are allowed",
                       member->name, value->text.n, (unsigned long long)member->max);
    if (!gr_utf8_is_clean(value->text))
        return gr_fail(err, -EINVAL, "wrong-type",
                       "expected a text without NUL characters for \"%s\"", member->name);
    return 0;
}

static int take_number(struct gr_str raw, const struct gr_member *member,
                       struct gr_member_value *value, struct gr_err *err)
{
    if (gr_str_to_u64(raw, &value->number) != 0 || value->number > member->max)
        return gr_fail(err, -EINVAL, "bad-number",
                       "expected a whole number from 0 to %llu for \"%s\", found %.*s",
                       (unsigned long long)member->max, member->name,
                       GR_STR_FMT(gr_str_first(raw, 32)));
    return 0;
}

static int take(struct gr_arena *arena, struct gr_str text, const struct gr_json_node *node,
                const struct gr_member *member, struct gr_member_value *value, struct gr_err *err)
{
    struct gr_str raw = gr_json_raw(text, node);

    if (value->node)
        return gr_fail(err, -EINVAL, "duplicate-key", "the key \"%s\" stands there twice",
                       member->name);
    if (node->kind != member->kind)
        return gr_fail(err, -EINVAL, "wrong-type", "expected %s for \"%s\", found %s",
                       gr_json_kind_name(member->kind), member->name,
                       gr_json_kind_name(node->kind));
    value->node = node;
    value->truth = gr_str_is(raw, "true");
    if (node->kind == GR_JSON_STRING)
        return take_text(arena, raw, member, value, err);
    return node->kind == GR_JSON_NUMBER ? take_number(raw, member, value, err) : 0;
}

int gr_object_read(struct gr_arena *arena, struct gr_str text, const struct gr_json_node *object,
                   const struct gr_member *members, size_t n, struct gr_member_value *values,
                   struct gr_err *err)
{
    int r = 0;

    memset(values, 0, n * sizeof(*values));
    if (object->kind != GR_JSON_OBJECT)
        return gr_fail(err, -EINVAL, "wrong-type", "expected an object, found %s",
                       gr_json_kind_name(object->kind));
    for (const struct gr_json_node *node = object->first; node && r == 0; node = node->next) {
        for (size_t i = 0; i < n && r == 0; i++) {
            if (gr_json_match_key(gr_json_raw_key(text, node), gr_str_from(members[i].name)) ==
                GR_JSON_SAME)
                r = take(arena, text, node, &members[i], &values[i], err);
        }
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        if (members[i].required && !values[i].node)
            r = gr_fail(err, -EINVAL, "missing-key", "the key \"%s\" is missing", members[i].name);
    }
    return r;
}
