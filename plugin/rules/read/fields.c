/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/fields.h"

#include <errno.h>

#include "rules/limits.h"
#include "rules/read/strict.h"

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

/* What only a hook runner can know. */
static const char *const run_time_fields[GR_TEMPLATE_RUN_TIME_COUNT] = {".Pid", ".Bundle",
                                                                        ".Rootfs", ".Status"};

const char *gr_template_field_name(enum gr_template_field field)
{
    return fields[field].name;
}

bool gr_template_field_is_foreign(enum gr_template_field field)
{
    return field < GR_TEMPLATE_FIELD_COUNT && fields[field].foreign;
}

static int fail_unknown(const struct gr_template_part *part, struct gr_err *err)
{
    const char *names[GR_TEMPLATE_FIELD_COUNT];
    const char *nearest;

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

static int check_key(const struct gr_template_part *part, const char *name, bool takes_key,
                     struct gr_err *err)
{
    if (takes_key && (!part->has_arg || part->arg.n == 0))
        return gr_fail(err, -EINVAL, "bad-template",
                       "{{%s}} needs the key to look up, in double quotes: {{%s \"KEY\"}}", name,
                       name);
    if (part->arg.n > GR_KEY_MAX_BYTES)
        return gr_fail(err, -EINVAL, "bad-template",
                       "the key of {{%s}} has %zu bytes; at most %d are allowed", name, part->arg.n,
                       GR_KEY_MAX_BYTES);
    if (!takes_key && part->has_arg)
        return gr_fail(err, -EINVAL, "bad-template",
                       "{{%s}} stands alone; only annotation and label take a key", name);
    return 0;
}

int gr_template_field_check(void *user, const struct gr_template_part *part, struct gr_err *err)
{
    const char **out_run_time = user;

    for (size_t i = 0; i < GR_TEMPLATE_FIELD_COUNT; i++) {
        int r;

        if (!gr_str_is(part->name, fields[i].name))
            continue;
        r = check_key(part, fields[i].name, fields[i].takes_key, err);
        return r < 0 ? r : (int)i;
    }
    for (size_t i = 0; out_run_time && i < GR_TEMPLATE_RUN_TIME_COUNT; i++) {
        int r;

        if (!gr_str_is(part->name, run_time_fields[i]))
            continue;
        *out_run_time = run_time_fields[i];
        r = check_key(part, run_time_fields[i], false, err);
        return r < 0 ? r : GR_TEMPLATE_FIELD_COUNT + (int)i;
    }
    return fail_unknown(part, err);
}
