/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/yaml_json: JSON as the trees that the reader of YAML makes.
 *
 * Layer: rules. One tree for both, so that each kind of document has one reader. Every member of an
 * object is kept in the order written, equal keys included: which of them counts is the reader's
 * question. Texts are scalars that are not plain; null, true, false and numbers are plain ones, as
 * they were written.
 */
#ifndef GR_RULES_YAML_JSON_H
#define GR_RULES_YAML_JSON_H

#include "base/json.h"
#include "rules/read/yaml.h"

/* Up to where the lines and columns of a text were counted; zero at first. */
struct gr_json_counted {
    size_t offset;
    struct gr_place at;
};

/*
 * text is borrowed by the tree and must live as long; other than those of YAML, its texts are not
 * NUL-terminated. Of several values of one text the first comes first.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_yaml_from_json(struct gr_arena *arena, struct gr_str text,
                                 const struct gr_json_node *json, struct gr_json_counted *counted,
                                 struct gr_yaml_node **out_node);

#endif
