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
#include "rules/pattern/imageref.h"

/* What a leaf of a match looks at. Names as in the file format: gr_field_name. */
enum gr_field {
    GR_FIELD_IMAGE,
    GR_FIELD_NAMESPACE,
    GR_FIELD_POD_NAME,
    GR_FIELD_CONTAINER_NAME,
    GR_FIELD_RUNTIME_HANDLER,
    GR_FIELD_RUNTIME,
    GR_FIELD_COMMAND,
    /* lists: a leaf holds when any element does */
    GR_FIELD_ARGS,
    GR_FIELD_ENV,       /* NAME=value */
    GR_FIELD_REQUESTED, /* the sets that the pod asks for and may have: subject.requests */
    /* lists of what has parts: a leaf has patterns instead of tests */
    GR_FIELD_MOUNTS,         /* without the standard ones: gr_mount_is_standard */
    GR_FIELD_ANY_ANNOTATION, /* the pod's annotations laid over the container's */
    /* maps: a leaf has a key */
    GR_FIELD_POD_LABELS,
    GR_FIELD_CONTAINER_LABELS,
    GR_FIELD_POD_ANNOTATIONS,
    GR_FIELD_CONTAINER_ANNOTATIONS,
    GR_FIELD_ANNOTATIONS, /* the scoped look-up over both annotation maps */
};
#define GR_FIELD_COUNT 17

static inline bool gr_field_is_map(enum gr_field field)
{
    return field >= GR_FIELD_POD_LABELS;
}

static inline bool gr_field_is_list(enum gr_field field)
{
    return field >= GR_FIELD_ARGS && field <= GR_FIELD_REQUESTED;
}

static inline bool gr_field_has_parts(enum gr_field field)
{
    return field == GR_FIELD_MOUNTS || field == GR_FIELD_ANY_ANNOTATION;
}

const char *gr_field_name(enum gr_field field);

struct gr_mount {
    struct gr_str destination, source, type;
    struct gr_strs options;
};

struct gr_adjust_entry; /* rules/adjust.h */

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
    struct gr_strs env; /* of the container's process */
    const struct gr_mount *mounts;
    size_t mounts_n;
    struct gr_strs requests; /* granted ones only: gr_decide fills it */

    /*
     * What the index leaves of a container (rules/match/index). whole: the container itself; NULL:
     * this is it. Else maps lack entries that no rule asks for, mounts the standard ones, and the
     * leaf anyAnnotation looks only at these entries, by their positions in the pod's annotations
     * of whole and, behind them, the container's; their order is kept.
     */
    const struct gr_subject *whole;
    const uint32_t *any_annotations;
    size_t any_annotations_n;

    /* Bit 1 << enum gr_field: this source cannot tell the field (not: it is empty). The image's
     * state is in image.known and need not be here. ANNOTATIONS and ANY_ANNOTATION are unknown
     * where either map is. */
    uint32_t unknown_fields;
    bool recorded; /* from the journal (plugin/state): what is unknown was not recorded */

    /* Hooks that the container already has, in their order. */
    const struct gr_oci_hook *hooks;
    size_t hooks_n;

    /* What else it has of what a set may adjust: devices, CDI devices, rlimits, resources. Env,
     * mounts and annotations stand above. */
    const struct gr_adjust_entry *present;
    size_t present_n;
};

static inline bool gr_subject_knows(const struct gr_subject *subject, enum gr_field field)
{
    uint32_t bits = 1U << field;

    if (field == GR_FIELD_IMAGE)
        return subject->image.known;
    if (field == GR_FIELD_ANNOTATIONS || field == GR_FIELD_ANY_ANNOTATION)
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
