/* SPDX-License-Identifier: Apache-2.0 */
/* rules/imagesource, as far as nri/image_test does not go through it: unknown pod annotations, and
 * what counts as one repository. */
#include "testing.h"

#include "rules/pattern/imagesource.h"

#define NAME "io.kubernetes.cri-o.ImageName"
#define DIGESTS "io.kubernetes.cri-o.ImageRepoDigests"
#define DIGEST "quay.io/a/b@sha256:" A64
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct gr_kv crio[] = {
    {{NAME, sizeof(NAME) - 1}, {"quay.io/a/b:1", 13}},
    {{DIGESTS, sizeof(DIGESTS) - 1}, {DIGEST, sizeof(DIGEST) - 1}},
};

/* A digest that a pod may have forged is taken only where the pod is known not to have. */
static void digest_needs_the_pod(void **state)
{
    struct gr_image_origin origin = {.runtime = GR_STR("cri-o")};
    struct gr_kvs own = {crio, 2}, none = {0};
    struct gr_image image;

    (void)state;
    gr_image_from_annotations(&none, own, &origin, &image);
    assert_true(image.known);
    assert_str(image.digest, "sha256:" A64);
    gr_image_from_annotations(NULL, own, &origin, &image);
    assert_true(image.known);
    assert_int_equal(image.digest.n, 0);
    gr_image_from_annotations(&own, own, &origin, &image);
    assert_int_equal(image.digest.n, 0);
}

static void only_its_own_runtime(void **state)
{
    static const char *const others[] = {"", "docker", "podman", "containerd", "v2", "cri-o2"};
    struct gr_kvs own = {crio, 2};
    struct gr_image image;

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(others); i++) {
        struct gr_image_origin origin = {.runtime = gr_str_from(others[i])};

        gr_image_from_annotations(NULL, own, &origin, &image);
        assert_false(image.known);
    }
}

struct row {
    const char *name;
    const char *a, *b;
    bool expected;
};

static const struct row rows[] = {
    {"short and long names of Docker Hub", "nginx", "docker.io/library/nginx:1", true},
    {"tags do not count", "quay.io/a:1", "quay.io/a:2", true},
    {"registries do", "quay.io/a", "ghcr.io/a", false},
    {"repositories do", "quay.io/a/b", "quay.io/a/c", false},
    {"library/ elsewhere", "quay.io/library/a", "quay.io/a", false},
};

static void same_repository(void **state)
{
    const struct row *row = *state;
    struct gr_image a, b;

    assert_int_equal(gr_image_parse(gr_str_from(row->a), &a), 0);
    assert_int_equal(gr_image_parse(gr_str_from(row->b), &b), 0);
    assert_int_equal(gr_image_same_repository(&a, &b), row->expected);
    assert_int_equal(gr_image_same_repository(&b, &a), row->expected);
}

int main(void)
{
    test_add("a digest needs the pod's annotations", digest_needs_the_pod);
    test_add("only of its own runtime", only_its_own_runtime);
    TEST_ADD_ROWS(same_repository, rows);
    return test_run("imagesource");
}
