/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/image: the closed list of where an image's name may come from, per runtime, with the
 * annotations that a pod's author can forge.
 */
#include "testing.h"

#include "nri/translate.h"

#define CTR "io.kubernetes.cri.image-name"
#define CRIO "io.kubernetes.cri-o.ImageName"
#define DIGESTS "io.kubernetes.cri-o.ImageRepoDigests"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Annotations are "key=value key=value"; image: of NRI's own field. expected: registry,
 * [library/]repository, tag, digest with blanks between, or NULL: unknown. */
struct row {
    const char *name;
    const char *runtime, *version;
    const char *pod, *container;
    const char *image, *image_digest;
    bool ambiguous_unknown;
    const char *expected;
};

static const struct row rows[] = {
    /* containerd */
    {"containerd 2.1", "containerd", "v2.1.4", "", CTR "=busybox", NULL, NULL, false,
     "docker.io library/busybox latest -"},
    {"containerd 2.1 under Unknown", "containerd", "v2.1.4", "", CTR "=busybox:1", NULL, NULL, true,
     "docker.io library/busybox 1 -"},
    {"containerd 2.1 without the v", "containerd", "2.1.4-ubuntu1", "", CTR "=busybox:1", NULL,
     NULL, true, "docker.io library/busybox 1 -"},
    {"containerd 10", "containerd", "v10.0.0", "", CTR "=busybox:1", NULL, NULL, true,
     "docker.io library/busybox 1 -"},
    {"containerd 2.0.2, which says v2", "v2", "v2.0.2", "", CTR "=quay.io/a/b:c", NULL, NULL, true,
     "quay.io a/b c -"},
    {"containerd 1.7 under Trust", "containerd", "v1.7.27", "", CTR "=docker.io/library/nginx:1.27",
     NULL, NULL, false, "docker.io library/nginx 1.27 -"},
    {"containerd 1.7 under Unknown", "containerd", "v1.7.27", "",
     CTR "=docker.io/library/nginx:1.27", NULL, NULL, true, NULL},
    {"containerd of no version under Unknown", "containerd", "", "", CTR "=nginx", NULL, NULL, true,
     NULL},
    {"containerd of a strange version under Unknown", "containerd", "301026e5.m", "", CTR "=nginx",
     NULL, NULL, true, NULL},
    {"containerd of a strange version under Trust", "containerd", "301026e5.m", "", CTR "=nginx",
     NULL, NULL, false, "docker.io library/nginx latest -"},
    {"containerd without the annotation", "containerd", "v2.1.4", "", "", NULL, NULL, false, NULL},
    {"containerd, empty", "containerd", "v2.1.4", "", CTR "=", NULL, NULL, false, NULL},
    {"containerd, an image id", "containerd", "v1.7.1", "", CTR "=sha256:" A64, NULL, NULL, false,
     NULL},
    {"containerd, the beginning of an image id", "containerd", "v2.1.4", "",
     CTR "=sha256:838b8220fd038de3", NULL, NULL, false, NULL},
    {"containerd, no image name at all", "containerd", "v2.1.4", "", CTR "=UPPER/Case", NULL, NULL,
     false, NULL},
    {"containerd with a digest", "containerd", "v2.1.4", "", CTR "=quay.io/a/b@sha256:" A64, NULL,
     NULL, false, "quay.io a/b - sha256:" A64},
    {"containerd: the pod's annotation is never asked", "containerd", "v2.1.4", CTR "=evil/image",
     "", NULL, NULL, false, NULL},
    {"containerd: nor preferred", "containerd", "v2.1.4", CTR "=evil/image", CTR "=busybox", NULL,
     NULL, false, "docker.io library/busybox latest -"},
    {"containerd: CRI-O's key is a stranger", "containerd", "v2.1.4", CRIO "=evil/image",
     CRIO "=evil/image", NULL, NULL, false, NULL},
    {"a key that comes twice counts as its last", "containerd", "v2.1.4", "",
     CTR "=first " CTR "=last", NULL, NULL, false, "docker.io library/last latest -"},
    /* CRI-O copies the pod's annotations first, then writes its own */
    {"cri-o", "cri-o", "1.34.0", "", CRIO "=registry.k8s.io/pause:3.10", NULL, NULL, false,
     "registry.k8s.io pause 3.10 -"},
    {"cri-o under Unknown", "cri-o", "1.34.0", "", CRIO "=registry.k8s.io/pause:3.10", NULL, NULL,
     true, NULL},
    {"cri-o, no name", "cri-o", "1.34.0", "", CRIO "=", NULL, NULL, false, NULL},
    {"cri-o without the annotation", "cri-o", "1.34.0", "", "", NULL, NULL, false, NULL},
    {"cri-o: a forged key that cri-o overwrote", "cri-o", "1.34.0", CRIO "=evil/image",
     CRIO "=docker.io/library/nginx:1", NULL, NULL, false, "docker.io library/nginx 1 -"},
    {"cri-o: a forged key in the pod alone", "cri-o", "1.34.0", CRIO "=evil/image", "", NULL, NULL,
     false, NULL},
    {"cri-o: containerd's key is forged", "cri-o", "1.34.0", CTR "=evil/image",
     CTR "=evil/image " CRIO "=", NULL, NULL, false, NULL},
    {"cri-o with digests", "cri-o", "1.37.0", "",
     CRIO "=quay.io/a/b:1 " DIGESTS "=quay.io/a/b@sha256:" A64, NULL, NULL, false,
     "quay.io a/b 1 sha256:" A64},
    {"cri-o with the digest of another repository", "cri-o", "1.37.0", "",
     CRIO "=quay.io/a/b:1 " DIGESTS "=quay.io/a/c@sha256:" A64, NULL, NULL, false,
     "quay.io a/b 1 -"},
    {"cri-o with digests of several", "cri-o", "1.37.0", "",
     CRIO "=quay.io/a/b:1 " DIGESTS "=quay.io/a/c@sha256:" A64 ",quay.io/a/b@sha256:" B64, NULL,
     NULL, false, "quay.io a/b 1 sha256:" B64},
    {"cri-o with two digests of one repository", "cri-o", "1.37.0", "",
     CRIO "=quay.io/a/b:1 " DIGESTS "=quay.io/a/b@sha256:" A64 ",quay.io/a/b@sha256:" B64, NULL,
     NULL, false, "quay.io a/b 1 -"},
    {"cri-o with the same digest twice", "cri-o", "1.37.0", "",
     CRIO "=quay.io/a/b:1 " DIGESTS "=quay.io/a/b@sha256:" A64 ",quay.io/a/b@sha256:" A64, NULL,
     NULL, false, "quay.io a/b 1 sha256:" A64},
    {"cri-o with digests that are none", "cri-o", "1.37.0", "",
     CRIO "=quay.io/a/b:1 " DIGESTS "=,quay.io/a/b@sha256:12,,@,", NULL, NULL, false,
     "quay.io a/b 1 -"},
    {"cri-o: Docker Hub's short and long names are one", "cri-o", "1.37.0", "",
     CRIO "=nginx:1 " DIGESTS "=docker.io/library/nginx@sha256:" A64, NULL, NULL, false,
     "docker.io library/nginx 1 sha256:" A64},
    {"cri-o: library/ is left away for Docker Hub only", "cri-o", "1.37.0", "",
     CRIO "=quay.io/nginx:1 " DIGESTS "=quay.io/library/nginx@sha256:" A64, NULL, NULL, false,
     "quay.io nginx 1 -"},
    {"cri-o: and for names of one segment only", "cri-o", "1.37.0", "",
     CRIO "=docker.io/a/b:1 " DIGESTS "=docker.io/library/a/b@sha256:" A64, NULL, NULL, false,
     "docker.io a/b 1 -"},
    {"cri-o: digests that the pod may have forged", "cri-o", "1.34.0",
     DIGESTS "=quay.io/a/b@sha256:" B64, CRIO "=quay.io/a/b:1 " DIGESTS "=quay.io/a/b@sha256:" A64,
     NULL, NULL, false, "quay.io a/b 1 -"},
    {"cri-o: a name with a digest needs no other", "cri-o", "1.37.0", "",
     CRIO "=quay.io/a/b@sha256:" B64 " " DIGESTS "=quay.io/a/b@sha256:" A64, NULL, NULL, false,
     "quay.io a/b - sha256:" B64},
    /* NRI's own field, of any runtime */
    {"the image field", "containerd", "v2.4.0", "", CTR "=other", "docker.io/library/nginx:1",
     "sha256:" A64, false, "docker.io library/nginx 1 sha256:" A64},
    {"the image field under Unknown", "cri-o", "1.40.0", "", CRIO "=other", "quay.io/a/b:1", "",
     true, "quay.io a/b 1 -"},
    {"the image field of an unknown runtime", "youki", "1", "", "", "quay.io/a/b:1", "", false,
     "quay.io a/b 1 -"},
    {"the image field's name has a digest", "containerd", "v2.4.0", "", "",
     "quay.io/a/b@sha256:" B64, "sha256:" A64, false, "quay.io a/b - sha256:" B64},
    {"an image field without a name", "containerd", "v2.4.0", "", CTR "=busybox", "", "sha256:" A64,
     false, "docker.io library/busybox latest -"},
    {"an image field that is an id", "containerd", "v2.4.0", "", CTR "=busybox", "sha256:" A64,
     "sha256:" A64, false, NULL},
    /* others say nothing that can be believed */
    {"docker", "docker", "29.0", CTR "=evil", CTR "=evil " CRIO "=evil", NULL, NULL, false, NULL},
    {"no name of the runtime", "", "", CTR "=evil", CTR "=evil " CRIO "=evil", NULL, NULL, false,
     NULL},
    {"nearly containerd", "containerd2", "v2.1.4", "", CTR "=evil", NULL, NULL, false, NULL},
    {"Containerd", "Containerd", "v2.1.4", "", CTR "=evil", NULL, NULL, false, NULL},
};

static struct gr_kvs parse_kvs(const char *text, struct gr_kv *items)
{
    struct gr_str rest = gr_str_from(text);
    size_t n = 0;

    while (rest.n > 0) {
        struct gr_str word = gr_str_first(rest, gr_str_find(rest, ' '));
        size_t equals = gr_str_find(word, '=');

        items[n].key = gr_str_first(word, equals);
        items[n++].value = gr_str_skip(word, equals + 1);
        rest = gr_str_skip(rest, word.n + 1);
    }
    return (struct gr_kvs){.items = items, .n = n};
}

static const char *or_dash(struct gr_str s, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%.*s", GR_STR_FMT(s.n ? s : GR_STR("-")));
    return out;
}

static void image(void **state)
{
    const struct row *row = *state;
    struct gr_nri_origin origin = {.runtime_name = gr_str_from(row->runtime),
                                   .runtime_version = gr_str_from(row->version),
                                   .ambiguous_image_unknown = row->ambiguous_unknown};
    struct gr_kv pod[4], container[4];
    Nri__Container in;
    Nri__Image field;
    char name[256], digest[256], found[1024], part[4][160];
    struct gr_image out;

    nri__container__init(&in);
    nri__image__init(&field);
    if (row->image) {
        (void)snprintf(name, sizeof(name), "%s", row->image);
        (void)snprintf(digest, sizeof(digest), "%s", row->image_digest);
        field.name = name;
        field.digest = digest;
        in.image = &field;
    }
    gr_nri_image(in.image, parse_kvs(row->pod, pod), parse_kvs(row->container, container), &origin,
                 &out);
    if (!row->expected) {
        assert_false(out.known);
        return;
    }
    assert_true(out.known);
    (void)snprintf(
        found, sizeof(found), "%s %s%s %s %s", or_dash(out.registry, part[0], sizeof(part[0])),
        out.implied_library ? "library/" : "", or_dash(out.repository, part[1], sizeof(part[1])),
        or_dash(out.tag, part[2], sizeof(part[2])), or_dash(out.digest, part[3], sizeof(part[3])));
    assert_string_equal(found, row->expected);
}

int main(void)
{
    TEST_ADD_ROWS(image, rows);
    return test_run("image");
}
