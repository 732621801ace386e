/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/input_parts: what the readers of documents and their joining share.
 *
 * Layer: oci; internal to oci/input. Each document becomes facts: what it tells of a container, and
 * which fields it tells. Only what is told whole counts as told.
 */
#ifndef GR_OCI_INPUT_PARTS_H
#define GR_OCI_INPUT_PARTS_H

#include "oci/input.h"
#include "oci/node.h"
#include "rules/adjust.h"

/* What one document tells of one container, or of a pod. */
struct gr_facts {
    enum gr_input_kind kind;
    const char *file;
    struct gr_place at;
    struct gr_subject subject; /* its unknown_fields is not used */
    uint32_t known;            /* bit 1 << enum gr_field: is told */
    struct gr_str sandbox_id;
    struct gr_str made_by;  /* a template: its pods' names begin with this and "-" */
    bool namespace_implied; /* a manifest that does not say: another document may */
    bool has_spec;          /* hooks and present are told */
    bool of_cri;            /* a bundle that a runtime of Kubernetes made, or may have made */
    struct gr_facts *next;
};

struct gr_input_reading {
    struct gr_decoder d;
    const char *file;
    struct gr_str runtime; /* as the caller has it */
    struct gr_facts *first, **tail;
    size_t n; /* of facts */
};

static inline void gr_facts_know(struct gr_facts *facts, enum gr_field field)
{
    facts->known |= 1U << field;
}

/* The text is told, also when it is empty. */
static inline void gr_facts_tell(struct gr_facts *facts, enum gr_field field, struct gr_str *to,
                                 struct gr_str value)
{
    *to = value;
    gr_facts_know(facts, field);
}

/*
 * All of these return 0, also after a refusal that was reported; -ENOMEM. Facts are added to the
 * reading when nothing was refused.
 */
GR_CHECKED int gr_facts_of_manifest(struct gr_input_reading *r, const struct gr_yaml_node *object);
GR_CHECKED int gr_facts_of_inspect(struct gr_input_reading *r, const struct gr_yaml_node *object);
GR_CHECKED int gr_facts_of_sandbox(struct gr_input_reading *r, const struct gr_yaml_node *object);
GR_CHECKED int gr_facts_of_bundle(struct gr_input_reading *r, const struct gr_yaml_node *object);

/* Adds a copy of facts. Returns 0; GR_DECODE_REFUSED (too many containers); -ENOMEM. */
GR_CHECKED int gr_facts_add(struct gr_input_reading *r, const struct gr_facts *facts);

/*
 * The config.json in node (a bundle's, or info.runtimeSpec of an inspection): args, env, mounts,
 * hooks, present, annotations. Results as in oci/node.
 */
GR_CHECKED int gr_facts_of_spec(struct gr_decoder *d, const struct gr_yaml_node *node,
                                struct gr_facts *facts);

/*
 * What the annotations of a config.json tell: runtime, names, image. runtime: as the caller has it,
 * or as another place told; n == 0: as the annotations say, where only one runtime can have
 * written them.
 */
void gr_facts_of_annotations(struct gr_str runtime, struct gr_facts *facts);

/* Joins facts to containers. Returns 0; -ENOMEM. */
GR_CHECKED int gr_facts_join(struct gr_input_reading *r, const struct gr_reporter *reporter,
                             struct gr_inputs *out_inputs);

#endif
