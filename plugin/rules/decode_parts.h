/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decode_parts: the readers of the parts of a HookSet, shared by decode*.c.
 *
 * Layer: rules, not for others. Results as in rules/strict.h.
 */
#ifndef GR_RULES_DECODE_PARTS_H
#define GR_RULES_DECODE_PARTS_H

#include "rules/hookset.h"
#include "rules/strict.h"

/* decode_match.c: spec.match into a struct gr_hookset. With d->lenient a condition that cannot be
 * read becomes GR_COND_UNREADABLE, and the rest stays what it is. */
int gr_decode_match(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* What of a match depends on the rest of its document, once that is read and has its name: the text
 * of the leaves "requested", the order of a set that is asked for, and a match that a document for
 * a later version has not. */
void gr_decode_match_end(const struct gr_decoder *d, const struct gr_yaml_node *root,
                         struct gr_hookset *set);

/* decode_value.c: the value of a leaf, or of spec.nodes.names: a scalar, a form, or a list. */
GR_CHECKED int gr_decode_tests(struct gr_decoder *d, const struct gr_yaml_node *node, bool is_image,
                               struct gr_tests *out_tests);

/* decode_hooks.c: spec.hooks into a struct gr_hookset. */
int gr_decode_hooks(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* decode_text.c: the elements of args and of env of a hook. */
int gr_decode_args(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);
int gr_decode_env(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* decode_shell.c: refuses values that a pod controls in the text behind a shell's -c. For a hook
 * whose path and args were read without an error. */
GR_CHECKED int gr_decode_check_shell(struct gr_decoder *d, const struct gr_hook *hook);

#endif
