/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/translate: between NRI's messages and what rules know.
 *
 * Layer: nri; internal to it, since the generated messages stay in this layer.
 */
#ifndef GR_NRI_TRANSLATE_H
#define GR_NRI_TRANSLATE_H

#include "nri.pb-c.h"

#include "rules/decide/decide.h"
#include "rules/pattern/imagesource.h"

struct gr_nri_origin {
    struct gr_str runtime_name;
    struct gr_str runtime_version;
    bool ambiguous_image_unknown;

    /* What the rules need of a container beside what is always read; see struct
     * gr_session_settings. */
    uint32_t fields;
    bool adjusts;
};

/*
 * An encoded CreateContainerRequest to a subject. Text is borrowed from payload, lists live in
 * arena. Env and mounts are unknown, and present is empty, unless origin says that rules need them.
 * Returns 0; -EBADMSG not a valid encoding, a text that is refused, pod or container is
 * missing; -E2BIG more than GR_NRI_ENTRIES_MAX entries; -ENOMEM (err says which).
 */
GR_CHECKED int gr_nri_subject(struct gr_str payload, const struct gr_nri_origin *origin,
                              struct gr_arena *arena, struct gr_subject *out_subject,
                              struct gr_err *err);

/*
 * The same of an encoded PodSandbox and Container that stand apart, as Synchronize has them.
 * Returns 0; -EBADMSG, -E2BIG, -ENOMEM as above.
 */
GR_CHECKED int gr_nri_subject_of(struct gr_str pod, struct gr_str container,
                                 const struct gr_nri_origin *origin, struct gr_arena *arena,
                                 struct gr_subject *out_subject, struct gr_err *err);

/* Whether a subject is made from this field of a PodSandbox, of a Container. */
bool gr_nri_reads_of_pod(uint32_t number);
bool gr_nri_reads_of_container(uint32_t number, const struct gr_nri_origin *origin);

/*
 * Where a container's image name may come from: NRI's own image field, and per runtime one
 * annotation of the container. A pod's annotations are never asked (specs/matching.md).
 * image: NULL when the request has none.
 */
void gr_nri_image(const Nri__Image *image, struct gr_kvs pod_annotations,
                  struct gr_kvs container_annotations, const struct gr_nri_origin *origin,
                  struct gr_image *out_image);

/*
 * A decision to a response; everything lives in arena or is borrowed from the decision. Without
 * hooks and adjustments there is no adjustment at all in it.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_nri_adjust(const struct gr_decision *decision, struct gr_arena *arena,
                             Nri__CreateContainerResponse *out_response);

/* Everything of a decision but its hooks into an adjustment. Returns 0; -ENOMEM. */
GR_CHECKED int gr_nri_write_adjusted(const struct gr_adjusted *adjusted, size_t n,
                                     struct gr_arena *arena, Nri__ContainerAdjustment *out_adjust);

/* Devices, resources, rlimits and CDI devices stand alike in a container and in an adjustment. */
struct gr_nri_parts {
    Nri__LinuxDevice *const *devices;
    size_t devices_n;
    const Nri__LinuxResources *resources; /* NULL: none */
    Nri__Rlimit *const *rlimits;
    size_t rlimits_n;
    Nri__CdiDevice *const *cdi_devices;
    size_t cdi_devices_n;
};

/* How many entries they are at most. */
size_t gr_nri_count_parts(const struct gr_nri_parts *parts);

/* The same as entries; text is borrowed from the messages. Returns how many. out_entries: room for
 * gr_nri_count_parts. */
size_t gr_nri_read_parts(const struct gr_nri_parts *parts, struct gr_adjust_entry *out_entries);

/* Everything but the hooks of an adjustment as entries. Text is borrowed from it, lists live in
 * arena. Returns 0; -ENOMEM. */
GR_CHECKED int gr_nri_read_adjusted(const Nri__ContainerAdjustment *adjust, struct gr_arena *arena,
                                    const struct gr_adjust_entry **out_entries, size_t *out_n);

/* A list of texts as protobuf-c has it; text is borrowed, the list lives in arena. Returns 0;
 * -ENOMEM. */
GR_CHECKED int gr_nri_read_strs(char *const *from, size_t n, struct gr_arena *arena,
                                struct gr_strs *out);

/*
 * All hooks of a message, grouped by stage in the order of enum gr_stage. Text is borrowed from it,
 * lists live in arena. hooks may be NULL: there are none. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_nri_read_hooks(const Nri__Hooks *hooks, struct gr_arena *arena,
                                 const struct gr_oci_hook **out_hooks, size_t *out_n);

/* A list of texts as protobuf-c has it, copied into arena. Nothing is set for an empty one.
 * Returns 0; -ENOMEM. */
GR_CHECKED int gr_nri_write_strs(struct gr_strs from, struct gr_arena *arena, size_t *out_n,
                                 char ***out);

#endif
