/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/fields: the fields that a template of a HookSet may name.
 *
 * Layer: rules. The numbers stand in gr_template_part.id once a template has been parsed with
 * gr_template_field_check; gr_decide fills the values in. Spec: specs/hookset.md, "Templates".
 */
#ifndef GR_RULES_FIELDS_H
#define GR_RULES_FIELDS_H

#include "base/template.h"

enum gr_template_field {
    GR_TEMPLATE_ID,
    GR_TEMPLATE_NAME, /* of the container */
    GR_TEMPLATE_IMAGE,
    GR_TEMPLATE_POD_NAME,
    GR_TEMPLATE_POD_NAMESPACE,
    GR_TEMPLATE_POD_UID,
    GR_TEMPLATE_RUNTIME_HANDLER,
    GR_TEMPLATE_NODE_NAME,
    GR_TEMPLATE_STAGE,
    GR_TEMPLATE_HOOKSET,    /* name of the set */
    GR_TEMPLATE_ANNOTATION, /* annotation "key" ["default"]: part.arg, part.fallback */
    GR_TEMPLATE_LABEL,      /* label "key" ["default"] */
};
#define GR_TEMPLATE_FIELD_COUNT 12

/* Fields that only a hook runner can fill in, when the hook runs; numbered behind the others. A set
 * that names one is refused, so that none is ever expanded here. */
#define GR_TEMPLATE_RUN_TIME_COUNT 4 /* .Pid, .Bundle, .Rootfs, .Status */

/* As it is written: ".ID", "annotation", … */
const char *gr_template_field_name(enum gr_template_field field);

/*
 * Whether whoever writes the pod (or builds its image) chooses the value; never of run-time fields,
 * which the runtime chooses. Such a value is never
 * text of a shell and never the name of a variable.
 */
bool gr_template_field_is_foreign(enum gr_template_field field);

/*
 * The callback for gr_template_parse. user: a const char ** that takes the name of a run-time field
 * when one is met (a literal), else stays as it is; NULL: run-time fields are unknown.
 * Returns the enum gr_template_field, or for a run-time field its number; -EINVAL after filling err
 * (codes unknown-field, bad-template).
 */
int gr_template_field_check(void *user, const struct gr_template_part *part, struct gr_err *err);

#endif
