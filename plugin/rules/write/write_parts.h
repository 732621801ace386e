/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/write/write_parts: what write.c and write_adjust.c share.
 *
 * Layer: rules, not for others.
 */
#ifndef GR_RULES_WRITE_PARTS_H
#define GR_RULES_WRITE_PARTS_H

#include "rules/hookset.h"
#include "rules/write/write_yaml.h"

/* write_adjust.c: spec.adjust, when there is any. */
void gr_write_adjust(struct gr_out_tree *tree, struct gr_out *spec, const struct gr_hookset *set);

#endif
