/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/subject: what a rule can see of one container.
 *
 * Layer: rules. Filled by whoever knows a document (nri: a CreateContainer request; oci: a bundle).
 * All text is borrowed and must live as long as the decision made from it.
 */
#ifndef GR_RULES_SUBJECT_H
#define GR_RULES_SUBJECT_H

#include "rules/hook.h"
#include "rules/imageref.h"

/* What a leaf of a match looks at. Names as in the file format: gr_field_name. */
enum gr_field {
    GR_FIELD_IMAGE,
    GR_FIELD_NAMESPACE,
    GR_FIELD_POD_NAME,
    GR_FIELD_CONTAINER_NAME,
    GR_FIELD_RUNTIME_HANDLER,
    GR_FIELD_RUNTIME,
    GR_FIELD_COMMAND,
    /* maps: a leaf has a key */
    GR_FIELD_POD_LABELS,
    GR_FIELD_CONTAINER_LABELS,
    GR_FIELD_POD_ANNOTATIONS,
    GR_FIELD_CONTAINER_ANNOTATIONS,
    GR_FIELD_ANNOTATIONS, /* the scoped look-up over both annotation maps */
};
#define GR_FIELD_COUNT 12

static inline bool gr_field_is_map(enum gr_field field)
{
    return field >= GR_FIELD_POD_LABELS;
}

const char *gr_field_name(enum gr_field field);

struct gr_subject {
    struct gr_str id;
    struct gr_str name; /* of the container */
    struct gr_str pod_name;
    struct gr_str pod_namespace;
    struct gr_str pod_uid;
    struct gr_str runtime_handler; /* empty: the default handler */
    struct gr_str runtime;         /* "containerd", "cri-o", … */
    struct gr_image image;
    struct gr_kvs pod_labels;
    struct gr_kvs container_labels;
    struct gr_kvs pod_annotations;
    struct gr_kvs container_annotations;
    struct gr_strs args;

    /* Bit 1 << enum gr_field: this source cannot tell the field (not: it is empty). The image's
     * state is in image.known and need not be here. ANNOTATIONS is unknown where either map is. */
    uint32_t unknown_fields;

    /* Hooks that the container already has, in their order. */
    const struct gr_oci_hook *hooks;
    size_t hooks_n;
};

static inline bool gr_subject_knows(const struct gr_subject *subject, enum gr_field field)
{
    uint32_t bits = 1U << field;

    if (field == GR_FIELD_IMAGE)
        return subject->image.known;
    if (field == GR_FIELD_ANNOTATIONS)
        bits |= 1U << GR_FIELD_POD_ANNOTATIONS | 1U << GR_FIELD_CONTAINER_ANNOTATIONS;
    return !(subject->unknown_fields & bits);
}

/*
 * The scoped look-up of the leaf "annotations": a key without "/" as <key>/container.<name> (unless
 * the name is over 53 bytes), <key>/pod, <key>; one with "/" as it is. All of them in the pod's
 * annotations first, then in the container's; the first that is present wins. False when there is
 * none, or when the container's name is unknown and would decide; *out_value is then unchanged.
 */
bool gr_subject_annotation(const struct gr_subject *subject, struct gr_str key,
                           struct gr_str *out_value);

#endif
