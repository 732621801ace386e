/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/fields.h"

#include <errno.h>

#include "rules/limits.h"
#include "rules/strict.h"

struct field {
    const char *name;
    bool foreign;
    bool takes_key;
};

static const struct field fields[GR_TEMPLATE_FIELD_COUNT] = {
    [GR_TEMPLATE_ID] = {".ID", false, false},
    [GR_TEMPLATE_NAME] = {".Name", true, false},
    [GR_TEMPLATE_IMAGE] = {".Image", true, false},
    [GR_TEMPLATE_POD_NAME] = {".PodName", true, false},
    [GR_TEMPLATE_POD_NAMESPACE] = {".PodNamespace", true, false},
    [GR_TEMPLATE_POD_UID] = {".PodUID", false, false},
    [GR_TEMPLATE_RUNTIME_HANDLER] = {".RuntimeHandler", false, false},
    [GR_TEMPLATE_NODE_NAME] = {".NodeName", false, false},
    [GR_TEMPLATE_STAGE] = {".Stage", false, false},
    [GR_TEMPLATE_HOOKSET] = {".HookSet", false, false},
    [GR_TEMPLATE_ANNOTATION] = {"annotation", true, true},
    [GR_TEMPLATE_LABEL] = {"label", true, true},
};

/* What only the hook runner of a later version can know. */
static const char *const later_fields[] = {".Pid", ".Bundle", ".Rootfs", ".Status"};

const char *gr_template_field_name(enum gr_template_field field)
{
    return fields[field].name;
}

bool gr_template_field_is_foreign(enum gr_template_field field)
{
    return fields[field].foreign;
}

static int fail_unknown(const struct gr_template_part *part, struct gr_err *err)
{
    const char *names[GR_TEMPLATE_FIELD_COUNT];
    const char *nearest;

    for (size_t i = 0; i < GR_ARRAY_LEN(later_fields); i++) {
        if (gr_str_is(part->name, later_fields[i]))
            return gr_fail(err, -EINVAL, "unsupported-field",
                           "the template field {{%s}} is filled in by the hook runner, which this "
                           "version of Grapnel does not have; remove it",
                           later_fields[i]);
    }
    for (size_t i = 0; i < GR_TEMPLATE_FIELD_COUNT; i++)
        names[i] = fields[i].name;
    nearest = gr_nearest(part->name, names, GR_ARRAY_LEN(names));
    if (nearest)
        return gr_fail(err, -EINVAL, "unknown-field",
                       "unknown template field {{%.*s}}; did you mean {{%s}}?",
                       GR_STR_FMT(gr_str_first(part->name, 64)), nearest);
    return gr_fail(err, -EINVAL, "unknown-field",
                   "unknown template field {{%.*s}}; known are .ID, .Name, .Image, .PodName, "
                   ".PodNamespace, .PodUID, .RuntimeHandler, .NodeName, .Stage, .HookSet, "
                   "annotation \"KEY\" and label \"KEY\"",
                   GR_STR_FMT(gr_str_first(part->name, 64)));
}

int gr_template_field_check(void *user, const struct gr_template_part *part, struct gr_err *err)
{
    (void)user;
    for (size_t i = 0; i < GR_TEMPLATE_FIELD_COUNT; i++) {
        if (!gr_str_is(part->name, fields[i].name))
            continue;
        if (fields[i].takes_key && (!part->has_arg || part->arg.n == 0))
            return gr_fail(err, -EINVAL, "bad-template",
                           "{{%s}} needs the key to look up, in double quotes: {{%s \"KEY\"}}",
                           fields[i].name, fields[i].name);
        if (part->arg.n > GR_KEY_MAX_BYTES)
            return gr_fail(err, -EINVAL, "bad-template",
                           "the key of {{%s}} has %zu bytes; at most %d are allowed",
                           fields[i].name, part->arg.n, GR_KEY_MAX_BYTES);
        if (!fields[i].takes_key && part->has_arg)
            return gr_fail(err, -EINVAL, "bad-template",
                           "{{%s}} stands alone; only annotation and label take a key",
                           fields[i].name);
        return (int)i;
    }
    return fail_unknown(part, err);
}
