/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/policy_parts: what the two files of the policies' reader share.
 *
 * Layer: rules, not for others. Results as in rules/strict.h.
 */
#ifndef GR_RULES_POLICY_PARTS_H
#define GR_RULES_POLICY_PARTS_H

#include "rules/policy.h"
#include "rules/read/strict.h"

/* policy_fields.c: spec into a struct gr_policy. */
int gr_policy_decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

#endif
