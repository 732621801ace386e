/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/testsuite_parts: the readers of the parts of a TestSuite, shared by testsuite*.c.
 *
 * Layer: rules, not for others. Results as in rules/strict.h.
 */
#ifndef GR_RULES_TESTSUITE_PARTS_H
#define GR_RULES_TESTSUITE_PARTS_H

#include "rules/read/strict.h"
#include "rules/read/testsuite.h"

/* A list of texts of one line, which may be empty. */
GR_CHECKED int gr_suite_texts(struct gr_decoder *d, const struct gr_yaml_node *node, size_t max,
                              struct gr_strs *out_texts);

/* A list, also an empty one, of at most max elements. */
GR_CHECKED int gr_suite_check_list(struct gr_decoder *d, const struct gr_yaml_node *node,
                                   size_t max);

/* testsuite_container.c: container into a struct gr_case. */
int gr_suite_container(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* testsuite_expect.c: expect into a struct gr_case. */
int gr_suite_expect(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

#endif
