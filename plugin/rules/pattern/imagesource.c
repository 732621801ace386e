/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pattern/imagesource.h"

#define CONTAINERD_IMAGE_NAME "io.kubernetes.cri.image-name"
#define CRIO_IMAGE_NAME "io.kubernetes.cri-o.ImageName"
#define CRIO_REPO_DIGESTS "io.kubernetes.cri-o.ImageRepoDigests"

/*
 * containerd from 2.0 on gives the name that the user wrote; 1.7 gives the first local name of the
 * image, which may be another tag of it (containerd PR #11644). A version that cannot be read is
 * taken for an old one.
 */
static bool gives_some_name(struct gr_str version)
{
    uint64_t major;

    if (gr_str_has_prefix(version, GR_STR("v")))
        version = gr_str_skip(version, 1);
    return gr_str_to_u64(gr_str_first(version, gr_str_find(version, '.')), &major) != 0 ||
           major < 2;
}

static void from_containerd(struct gr_kvs annotations, const struct gr_image_origin *origin,
                            struct gr_image *out)
{
    struct gr_str name;

    if (origin->ambiguous_image_unknown && gives_some_name(origin->version))
        return;
    if (gr_kvs_get(annotations, GR_STR(CONTAINERD_IMAGE_NAME), &name))
        (void)gr_image_parse(name, out);
}

/* The repository without the "library/" that Docker Hub implies. */
static struct gr_str bare_repository(const struct gr_image *image)
{
    const struct gr_str library = GR_STR("library/");
    struct gr_str bare = gr_str_skip(image->repository, library.n);

    if (gr_str_is(image->registry, "docker.io") && gr_str_has_prefix(image->repository, library) &&
        gr_str_find(bare, '/') == bare.n)
        return bare;
    return image->repository;
}

bool gr_image_same_repository(const struct gr_image *a, const struct gr_image *b)
{
    return gr_str_eq(a->registry, b->registry) && gr_str_eq(bare_repository(a), bare_repository(b));
}

/* The digest under which the repository of image was pulled; left unknown when there are several.
 */
static void add_repo_digest(struct gr_str list, struct gr_image *image)
{
    struct gr_str found = GR_STR_NONE;

    while (list.n > 0) {
        size_t end = gr_str_find(list, ',');
        struct gr_image entry = {0};

        if (gr_image_parse(gr_str_first(list, end), &entry) == 0 &&
            gr_image_same_repository(&entry, image)) {
            if (found.n > 0 && !gr_str_eq(found, entry.digest))
                return;
            found = entry.digest;
        }
        list = gr_str_skip(list, end + 1);
    }
    image->digest = found;
}

/* CRI-O gives some name of the image, perhaps none. */
static void from_crio(const struct gr_kvs *pod_annotations, struct gr_kvs annotations,
                      const struct gr_image_origin *origin, struct gr_image *out)
{
    struct gr_str name, digests, forged;

    if (origin->ambiguous_image_unknown)
        return;
    if (!gr_kvs_get(annotations, GR_STR(CRIO_IMAGE_NAME), &name) ||
        gr_image_parse(name, out) != 0 || out->digest.n > 0)
        return;
    if (gr_kvs_get(annotations, GR_STR(CRIO_REPO_DIGESTS), &digests) && pod_annotations &&
        !gr_kvs_get(*pod_annotations, GR_STR(CRIO_REPO_DIGESTS), &forged))
        add_repo_digest(digests, out);
}

void gr_image_from_annotations(const struct gr_kvs *pod_annotations,
                               struct gr_kvs container_annotations,
                               const struct gr_image_origin *origin, struct gr_image *out_image)
{
    *out_image = (struct gr_image){0};
    if (gr_runtime_is_containerd(origin->runtime))
        from_containerd(container_annotations, origin, out_image);
    else if (gr_str_is(origin->runtime, "cri-o"))
        from_crio(pod_annotations, container_annotations, origin, out_image);
}
