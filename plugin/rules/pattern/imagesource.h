/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/imagesource: the closed list of annotations that an image's name may come from.
 *
 * Layer: rules. Pod annotations belong to the pod's author, and CRI-O copies them into the
 * container's annotations before it writes its own. So a key is believed only where the runtime
 * that is known to have written the annotations always writes it itself. Spec: specs/matching.md,
 * "Images".
 */
#ifndef GR_RULES_IMAGESOURCE_H
#define GR_RULES_IMAGESOURCE_H

#include "rules/pattern/imageref.h"

/* Who wrote the annotations, from a source that no pod can write. */
struct gr_image_origin {
    struct gr_str runtime;        /* "containerd", "cri-o"; another one is not believed */
    struct gr_str version;        /* n == 0: not known */
    bool ambiguous_image_unknown; /* Config.ambiguousImage: Unknown */
};

/* containerd 2.0.0 to 2.0.3 call themselves "v2" (containerd issue #11485). */
static inline bool gr_runtime_is_containerd(struct gr_str runtime)
{
    return gr_str_is(runtime, "containerd") || gr_str_is(runtime, "v2");
}

/*
 * The image from annotations of a container, borrowing them. pod_annotations: NULL where they are
 * not known; a digest that a pod could have forged is then not taken. *out_image is unknown when
 * there is nothing to be believed.
 */
void gr_image_from_annotations(const struct gr_kvs *pod_annotations,
                               struct gr_kvs container_annotations,
                               const struct gr_image_origin *origin, struct gr_image *out_image);

/* Whether both are of one registry and repository; "library/" of Docker Hub may be left out. */
bool gr_image_same_repository(const struct gr_image *a, const struct gr_image *b);

#endif
