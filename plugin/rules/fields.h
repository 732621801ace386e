/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/fields: the fields that a template of a HookSet may name.
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

/* As it is written: ".ID", "annotation", … */
const char *gr_template_field_name(enum gr_template_field field);

/*
 * Whether whoever writes the pod (or builds its image) chooses the value. Such a value is never
 * text of a shell and never the name of a variable.
 */
bool gr_template_field_is_foreign(enum gr_template_field field);

/*
 * The callback for gr_template_parse (user is not looked at).
 * Returns the enum gr_template_field; -EINVAL after filling err (codes unknown-field,
 * unsupported-field, bad-template).
 */
int gr_template_field_check(void *user, const struct gr_template_part *part, struct gr_err *err);

#endif
