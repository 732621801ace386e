/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/image: the name of a container's image, from NRI's own field or from the annotations that
 * rules/pattern/imagesource believes.
 *
 * Layer: nri. Who the runtime is, it said itself in Configure.
 */
#include "nri/translate.h"

#include "rules/pattern/imagesource.h"

static void from_nri(const Nri__Image *image, struct gr_image *out)
{
    struct gr_str digest = gr_str_from(image->digest);

    (void)gr_image_parse(gr_str_from(image->name), out);
    if (out->known && out->digest.n == 0)
        out->digest = digest;
}

void gr_nri_image(const Nri__Image *image, struct gr_kvs pod_annotations,
                  struct gr_kvs container_annotations, const struct gr_nri_origin *origin,
                  struct gr_image *out_image)
{
    struct gr_image_origin from = {.runtime = origin->runtime_name,
                                   .version = origin->runtime_version,
                                   .ambiguous_image_unknown = origin->ambiguous_image_unknown};

    *out_image = (struct gr_image){0};
    if (image && image->name[0] != '\0')
        from_nri(image, out_image);
    else
        gr_image_from_annotations(&pod_annotations, container_annotations, &from, out_image);
}
