/* SPDX-License-Identifier: Apache-2.0 */
#include "making.h"

#include <errno.h>

#define PLENTY (UINT64_C(1) << 40)

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64
#define TEN "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN
#define A247 FIFTY FIFTY FIFTY FIFTY TEN TEN TEN TEN "abcdefg"
#define A248 A247 "x"
#define A255 FIFTY FIFTY FIFTY FIFTY FIFTY "abcde"
#define A128 FIFTY FIFTY TEN TEN "abcdefgh"

/* ---- names ---- */

struct image_row {
    const char *name;
    const char *registry; /* NULL: no image name */
    const char *path;     /* with "library/" where it is implied */
    const char *tag;
    const char *digest;
};

static const struct image_row image_rows[] = {
    {"busybox", "docker.io", "library/busybox", "latest", ""},
    {"busybox:1.36", "docker.io", "library/busybox", "1.36", ""},
    {"library/busybox", "docker.io", "library/busybox", "latest", ""},
    {"docker.io/busybox", "docker.io", "library/busybox", "latest", ""},
    {"docker.io/library/busybox", "docker.io", "library/busybox", "latest", ""},
    {"index.docker.io/busybox", "docker.io", "library/busybox", "latest", ""},
    {"index.docker.io/team/app:1", "docker.io", "team/app", "1", ""},
    /* other names of the same registry, with which a pod could avoid a rule */
    {"registry-1.docker.io/library/busybox", "docker.io", "library/busybox", "latest", ""},
    {"Registry.Hub.Docker.com/team/app:1", "docker.io", "team/app", "1", ""},
    {"index.docker.io:443/library/busybox", "docker.io", "library/busybox", "latest", ""},
    {"r.io:443/app:1", "r.io", "app", "1", ""},
    {"r.io:00443/app", "r.io", "app", "latest", ""},
    {"r.io:4430/app", "r.io:4430", "app", "latest", ""},
    {"r.io:1443/app", "r.io:1443", "app", "latest", ""},
    {"[::1]:443/app", "[::1]", "app", "latest", ""},
    {"[::443]/app", "[::443]", "app", "latest", ""},
    {"host:443/app", "host", "app", "latest", ""},
    {":443/app", NULL, NULL, NULL, NULL},
    {"r.io:443:443/app", NULL, NULL, NULL, NULL},
    {"team/app", "docker.io", "team/app", "latest", ""},
    {"a/b/c/d", "docker.io", "a/b/c/d", "latest", ""},
    {"registry.example.com/team/app:1.2.3", "registry.example.com", "team/app", "1.2.3", ""},
    {"registry.example.com/app", "registry.example.com", "app", "latest", ""},
    {"registry:5000/app", "registry:5000", "app", "latest", ""},
    {"registry:5000/app:v1", "registry:5000", "app", "v1", ""},
    {"registry/app", "docker.io", "registry/app", "latest", ""},
    {"localhost/app", "localhost", "app", "latest", ""},
    {"localhost:5000/app:v1", "localhost:5000", "app", "v1", ""},
    {"localhost:5000", "docker.io", "library/localhost", "5000", ""},
    {"localhost", "docker.io", "library/localhost", "latest", ""},
    {"Registry/app", "Registry", "app", "latest", ""},
    {"REGISTRY.example.COM/app", "REGISTRY.example.COM", "app", "latest", ""},
    {"127.0.0.1:5000/app", "127.0.0.1:5000", "app", "latest", ""},
    {"[::1]:5000/app", "[::1]:5000", "app", "latest", ""},
    {"[2001:db8::1]/app", "[2001:db8::1]", "app", "latest", ""},
    {"xn--7o8h.com/app", "xn--7o8h.com", "app", "latest", ""},
    {"busybox@" SHA256, "docker.io", "library/busybox", "", SHA256},
    {"busybox:1.36@" SHA256, "docker.io", "library/busybox", "1.36", SHA256},
    {"r.io:1/a/b:t@" SHA256, "r.io:1", "a/b", "t", SHA256},
    {"busybox@sha512:" HEX64 HEX64, "docker.io", "library/busybox", "", "sha512:" HEX64 HEX64},
    {"busybox@blake3+b64.x:" HEX64, "docker.io", "library/busybox", "", "blake3+b64.x:" HEX64},
    {"a.b_c__d-e---f", "docker.io", "library/a.b_c__d-e---f", "latest", ""},
    {"0", "docker.io", "library/0", "latest", ""},
    {"app:_tag.With-All", "docker.io", "library/app", "_tag.With-All", ""},
    {"app:" A128, "docker.io", "library/app", A128, ""},
    {A247, "docker.io", "library/" A247, "latest", ""},
    {"r.io/" A255, "r.io", A255, "latest", ""},
    {"3fa85f64571a", "docker.io", "library/3fa85f64571a", "latest", ""}, /* short ids look so too */
    {"Index.Docker.IO/busybox", "docker.io", "library/busybox", "latest", ""},
    {"DOCKER.io/team/app", "docker.io", "team/app", "latest", ""},
    {"sha256:latest", "docker.io", "library/sha256", "latest", ""},
    {"team/sha256:0123", "docker.io", "team/sha256", "0123", ""},

    {"", NULL, NULL, NULL, NULL},
    {HEX64, NULL, NULL, NULL, NULL},
    {SHA256, NULL, NULL, NULL, NULL},
    /* containerd finds an image by the beginning of its id, too */
    {"sha256:3fa85f64571a", NULL, NULL, NULL, NULL},
    {"sha256:0", NULL, NULL, NULL, NULL},
    {"sha512:3fa85f64571a", NULL, NULL, NULL, NULL},
    {"sha512:" HEX64 HEX64, NULL, NULL, NULL, NULL},
    {"@" SHA256, NULL, NULL, NULL, NULL},
    {"Busybox", NULL, NULL, NULL, NULL},
    {"team/App", NULL, NULL, NULL, NULL},
    {"r.io/App", NULL, NULL, NULL, NULL},
    {"app:", NULL, NULL, NULL, NULL},
    {"app:-tag", NULL, NULL, NULL, NULL},
    {"app:.tag", NULL, NULL, NULL, NULL},
    {"app:a b", NULL, NULL, NULL, NULL},
    {"app:" A128 "x", NULL, NULL, NULL, NULL},
    {"app@", NULL, NULL, NULL, NULL},
    {"app@sha256", NULL, NULL, NULL, NULL},
    {"app@sha256:", NULL, NULL, NULL, NULL},
    {"app@sha256:0123", NULL, NULL, NULL, NULL},
    {"app@" SHA256 "0", NULL, NULL, NULL, NULL},
    {"app@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", NULL, NULL,
     NULL, NULL},
    {"app@other:0123456789abcdef0123456789abcde", NULL, NULL, NULL, NULL},
    {"app@+x:" HEX64, NULL, NULL, NULL, NULL},
    {"app@x+:" HEX64, NULL, NULL, NULL, NULL},
    {"app@" SHA256 "@" SHA256, NULL, NULL, NULL, NULL},
    {A248, NULL, NULL, NULL, NULL},
    {"r.io/" A255 "x", NULL, NULL, NULL, NULL},
    {"/app", NULL, NULL, NULL, NULL},
    {"app/", NULL, NULL, NULL, NULL},
    {"a//b", NULL, NULL, NULL, NULL},
    {"r.io//b", NULL, NULL, NULL, NULL},
    {"-app", NULL, NULL, NULL, NULL},
    {"app-", NULL, NULL, NULL, NULL},
    {"a..b", NULL, NULL, NULL, NULL},
    {"a._b", NULL, NULL, NULL, NULL},
    {"a___b", NULL, NULL, NULL, NULL},
    {".a", NULL, NULL, NULL, NULL},
    {"a.", NULL, NULL, NULL, NULL},
    {"r.io:/app", NULL, NULL, NULL, NULL},
    {"r.io:port/app", NULL, NULL, NULL, NULL},
    {"-r.io/app", NULL, NULL, NULL, NULL},
    {"r-.io/app", NULL, NULL, NULL, NULL},
    {"r..io/app", NULL, NULL, NULL, NULL},
    {"r_x.io/app", NULL, NULL, NULL, NULL},
    {"[::1/app", NULL, NULL, NULL, NULL},
    {"[]:5/app", NULL, NULL, NULL, NULL},
    {"[::g]/app", NULL, NULL, NULL, NULL},
    {"https://r.io/app", NULL, NULL, NULL, NULL},
    {"docker://busybox", NULL, NULL, NULL, NULL},
    {" busybox", NULL, NULL, NULL, NULL},
    {"busybox\n", NULL, NULL, NULL, NULL},
    {"b\xC3\xBCsybox", NULL, NULL, NULL, NULL},
    {"busy*", NULL, NULL, NULL, NULL},
};

static void parses(void **state)
{
    const struct image_row *row = *state;
    struct gr_image image;
    char path[1024];
    int r = gr_image_parse(gr_str_from(row->name), &image);

    assert_str(image.name, row->name);
    assert_int_equal(r, row->registry ? 0 : -EINVAL);
    assert_int_equal(image.known, row->registry != NULL);
    if (!row->registry) {
        assert_int_equal(image.registry.n + image.repository.n + image.tag.n + image.digest.n, 0);
        return;
    }
    (void)snprintf(path, sizeof(path), "%s%.*s", image.implied_library ? "library/" : "",
                   GR_STR_FMT(image.repository));
    assert_str(image.registry, row->registry);
    assert_string_equal(path, row->path);
    assert_str(image.tag, row->tag);
    assert_str(image.digest, row->digest);
}

static void nul_is_refused(void **state)
{
    struct gr_image image;

    (void)state;
    assert_int_equal(gr_image_parse(GR_STR("busy\0box"), &image), -EINVAL);
    assert_int_equal(gr_image_parse(GR_STR("busybox:1\0"), &image), -EINVAL);
}

static void longest_name(void **state)
{
    char name[GR_IMAGE_NAME_MAX_BYTES + 1];
    struct gr_image image;
    size_t host = GR_IMAGE_NAME_MAX_BYTES - 4;

    (void)state;
    memset(name, 'a', sizeof(name));
    name[1] = '.';
    memcpy(name + host, "/app", 4);
    assert_int_equal(
        gr_image_parse((struct gr_str){.p = name, .n = GR_IMAGE_NAME_MAX_BYTES}, &image), 0);
    assert_int_equal(
        gr_image_parse((struct gr_str){.p = name, .n = GR_IMAGE_NAME_MAX_BYTES + 1}, &image),
        -EINVAL);
}

/* ---- patterns that are refused ---- */

struct bad_row {
    const char *name;
    const char *text;
};

static const struct bad_row bad_rows[] = {
    {"", "is empty"},
    {"https://r.io/app", "no scheme"},
    {"docker://busybox*", "no scheme"},
    {HEX64, "id of an image"},
    {SHA256, "id of an image"},
    {"sha256:3fa85f64571a", "id of an image"},
    {"Busybox", "no valid name"},
    {"Busy*", "capital letters"},
    {"r.io/App*", "capital letters"},
    {"r.io/app/", "no valid name"},
    {"r.io/*/", "empty segment"},
    {"/*", "empty segment"},
    {"r.io//*", "empty segment"},
    {"r.io/a**", "whole segment"},
    {"r.io/***", "whole segment"},
    {"**a/b", "whole segment"},
    {"r.io/a b*", "cannot be part"},
    {"r.io/[ab]*", "cannot be part"},
    {"r_x.io/*", "no name of a registry"},
    {"*:443/app", "leave the :443 out"},
    {"r?.io:443/app", "leave the :443 out"},
    {"app:", "no valid name"},
    {"*:", "no tag"},
    {"*:a b", "no tag"},
    {"*@", "no digest"},
    {"*@sha256:{x}", "no digest"},
    {"app@sha256:12", "no valid name"},
    {"app:" A128 "x", "no valid name"},
    {"\xC3\xA9*", "cannot be part"},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    const struct gr_image_pattern *pattern = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_image_pattern_parse(&arena, gr_str_from(row->name), &pattern, &err),
                     -EINVAL);
    assert_null(pattern);
    assert_string_equal(err.code, "bad-image-pattern");
    if (!strstr(err.text, row->text))
        fail_msg("expected \"%s\" in \"%s\"", row->text, err.text);
    gr_arena_fini(&arena);
}

static void longest_pattern(void **state)
{
    char text[GR_PATTERN_MAX_BYTES + 1];
    const struct gr_image_pattern *pattern;
    struct gr_err err = {0};
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    memset(text, '*', sizeof(text));
    for (size_t i = 1; i < sizeof(text); i += 2)
        text[i] = 'a';
    assert_int_equal(
        gr_image_pattern_parse(&arena, (struct gr_str){text, GR_PATTERN_MAX_BYTES}, &pattern, &err),
        0);
    assert_int_equal(gr_image_pattern_parse(&arena, (struct gr_str){text, GR_PATTERN_MAX_BYTES + 1},
                                            &pattern, &err),
                     -EINVAL);
    gr_arena_fini(&arena);
    gr_arena_init(&arena, 16, 16);
    assert_int_equal(gr_image_pattern_parse(&arena, GR_STR("app"), &pattern, &err), -ENOMEM);
    gr_arena_fini(&arena);
}

/* ---- matching ---- */

struct match_row {
    const char *name; /* the pattern */
    const char *image;
    enum gr_truth truth;
};

static const struct match_row match_rows[] = {
    {"nginx", "nginx", GR_TRUE},
    {"nginx", "nginx:1.25", GR_TRUE},
    {"nginx", "docker.io/library/nginx@" SHA256, GR_TRUE},
    {"nginx", "docker.io/nginx", GR_TRUE},
    {"nginx", "team/nginx", GR_FALSE},
    {"nginx", "r.io/nginx", GR_FALSE},
    {"nginx", "r.io/library/nginx", GR_FALSE},
    {"nginx", "nginx2", GR_FALSE},
    {"library/nginx", "nginx", GR_TRUE},
    {"docker.io/nginx", "library/nginx", GR_TRUE},
    {"index.docker.io/nginx", "nginx", GR_TRUE},
    {"nginx:1.*", "registry-1.docker.io/library/nginx:1.25", GR_TRUE},
    {"r.io/team/**", "r.io:443/team/app", GR_TRUE},
    {"r.io/team/**", "R.IO:443/team/app", GR_TRUE},
    {"r.io/team/**", "r.io:444/team/app", GR_FALSE},
    {"r.io:443/team/**", "r.io/team/app", GR_TRUE},
    {"r.io:443/team/**", "r.io:443/team/app", GR_TRUE},
    {"*.io/team/**", "r.io:443/team/app", GR_TRUE},
    {"registry/app", "registry:443/app", GR_FALSE}, /* of docker.io */
    {"docker.io/library/nginx", "nginx", GR_TRUE},
    {"docker.io/library/nginx:1.*", "nginx:1.25", GR_TRUE},
    {"docker.io/library/nginx:1.*", "nginx:2.0", GR_FALSE},
    {"docker.io/library/nginx:1.*", "nginx", GR_FALSE}, /* its tag is latest */
    {"docker.io/library/nginx:1.*", "nginx@" SHA256, GR_UNKNOWN},
    {"docker.io/library/nginx:1.*", "httpd@" SHA256, GR_FALSE},
    {"nginx:latest", "nginx", GR_TRUE},
    {"nginx:latest", "nginx@" SHA256, GR_UNKNOWN},
    {"nginx:*", "nginx@" SHA256, GR_UNKNOWN},
    {"nginx:1.2?", "nginx:1.25", GR_TRUE},
    {"nginx:1.2?", "nginx:1.2", GR_FALSE},
    {"nginx@" SHA256, "nginx@" SHA256, GR_TRUE},
    {"nginx@" SHA256, "nginx:1.25@" SHA256, GR_TRUE},
    {"nginx@" SHA256, "nginx:1.25", GR_UNKNOWN},
    {"nginx@sha256:*", "nginx@" SHA256, GR_TRUE},
    {"nginx@sha256:1*", "nginx@" SHA256, GR_FALSE},
    {"nginx@Other+b:0123456789abcdef0123456789abcdef", /* found by the fuzzer: case of algorithms */
     "nginx@Other+b:0123456789abcdef0123456789abcdef", GR_TRUE},
    {"nginx:1.25@" SHA256, "nginx:1.26", GR_FALSE}, /* the tag decides, the digest is not needed */
    {"nginx:1.25@" SHA256, "nginx:1.25", GR_UNKNOWN},
    {"nginx:1.25@sha256:9*", "nginx@" SHA256, GR_FALSE},
    {"nginx:1.25@" SHA256, "nginx@" SHA256, GR_UNKNOWN},
    {"*", "nginx", GR_TRUE},
    {"*", "team/nginx", GR_FALSE},
    {"*/nginx", "team/nginx", GR_TRUE},
    {"*/nginx", "nginx", GR_TRUE},
    {"*/nginx", "r.io/nginx", GR_FALSE}, /* without a dot the first segment is no registry */
    {"*.io/nginx", "r.io/nginx", GR_TRUE},
    {"*.io/nginx", "docker.io/nginx", GR_FALSE}, /* which is docker.io/library/nginx */
    {"*.io/*/nginx", "nginx", GR_TRUE},
    {"ng*x", "nginx", GR_TRUE},
    {"n?inx", "nginx", GR_TRUE},
    {"n?nx", "nginx", GR_FALSE},
    {"r.io/*", "r.io/app", GR_TRUE},
    {"r.io/*", "r.io/team/app", GR_FALSE},
    {"r.io/*/app", "r.io/team/app", GR_TRUE},
    {"r.io/t*m/app", "r.io/team/app", GR_TRUE},
    {"r.io/te*pp", "r.io/team/app", GR_FALSE},
    {"r.io/**", "r.io/app", GR_TRUE},
    {"r.io/**", "r.io/a/b/c", GR_TRUE},
    {"r.io/**", "r.io.evil/a", GR_FALSE},
    {"r.io/**", "docker.io/r.io/a", GR_FALSE},
    {"r.io/team/**", "r.io/team/a/b", GR_TRUE},
    {"r.io/team/**", "r.io/team", GR_TRUE},
    {"r.io/team/**", "r.io/teams/a", GR_FALSE},
    {"r.io/**/app", "r.io/app", GR_TRUE},
    {"r.io/**/app", "r.io/a/b/app", GR_TRUE},
    {"r.io/**/app", "r.io/a/b/apps", GR_FALSE},
    {"r.io/**/x/**/y", "r.io/x/a/x/b/y", GR_TRUE},
    {"r.io/**/x/**/y", "r.io/x/a/x/b/z", GR_FALSE},
    {"r.io/**/*", "r.io/a", GR_TRUE},
    {"r.io/**/*/*", "r.io/a", GR_FALSE},
    {"r.io/**/**/a", "r.io/a", GR_TRUE},
    {"r.io/**:1.*", "r.io/a/b:1.2", GR_TRUE},
    {"r.io/**:1.*", "r.io/a/b:2.2", GR_FALSE},
    {"**", "nginx", GR_TRUE},
    {"**", "r.io/a/b/c@" SHA256, GR_TRUE},
    {"**:1.*", "r.io/a/b/c:1.2", GR_TRUE},
    {"**/nginx", "nginx", GR_TRUE},
    {"**/nginx", "r.io/nginx", GR_TRUE},
    {"**/nginx", "r.io/a/nginx", GR_TRUE},
    {"**/nginx", "r.io/a/my-nginx", GR_FALSE},
    {"**/team/*", "r.io/x/team/app", GR_TRUE},
    {"docker.io/**", "nginx", GR_TRUE},
    {"docker.io/**", "a/b/c", GR_TRUE},
    {"docker.io/**", "r.io/nginx", GR_FALSE},
    {"docker.io/*", "nginx", GR_TRUE},
    {"docker.io/*", "team/nginx", GR_FALSE},
    {"registry:5000/**", "registry:5000/a/b:1", GR_TRUE},
    {"registry:5000/**", "registry:5001/a", GR_FALSE},
    {"registry:*/app", "registry:5000/app", GR_TRUE},
    {"localhost/app", "localhost/app", GR_TRUE},
    {"localhost/*", "localhost/app", GR_TRUE},
    {"R.io/app", "r.IO/app", GR_TRUE}, /* names of hosts know no case */
    {"R.*/app", "r.IO/app", GR_TRUE},
    {"[::1]:5000/app", "[::1]:5000/app", GR_TRUE},
    {"[::1]:*/app", "[::1]:5000/app", GR_TRUE},
    {"nginx", HEX64, GR_UNKNOWN},
    {"nginx", "", GR_UNKNOWN},
    {"**", "", GR_UNKNOWN},
};

static enum gr_truth match_with(const char *pattern_text, const char *image_text, uint64_t *steps)
{
    const struct gr_image_pattern *pattern;
    struct gr_image image;
    struct gr_err err = {0};
    struct gr_arena arena;
    enum gr_truth truth;

    gr_arena_init(&arena, 4096, 0);
    if (gr_image_pattern_parse(&arena, gr_str_from(pattern_text), &pattern, &err) != 0)
        fail_msg("pattern \"%s\": %s", pattern_text, err.text);
    (void)gr_image_parse(gr_str_from(image_text), &image);
    truth = gr_image_match(pattern, &image, steps);
    gr_arena_fini(&arena);
    return truth;
}

static void matches(void **state)
{
    const struct match_row *row = *state;
    uint64_t steps = PLENTY;

    assert_string_equal(gr_truth_name(match_with(row->name, row->image, &steps)),
                        gr_truth_name(row->truth));
}

/* Every smaller budget ends in an error. */
static void budget_at_the_edge(void **state)
{
    static const char pattern[] = "r.io/**/x*/**/y:1.*@sha256:*";
    static const char image[] = "r.io/xa/b/xb/c/y:1.2@" SHA256;
    uint64_t steps = PLENTY;
    uint64_t used;

    (void)state;
    assert_int_equal(match_with(pattern, image, &steps), GR_TRUE);
    used = PLENTY - steps;
    for (uint64_t budget = 0; budget <= used; budget++) {
        steps = budget;
        assert_int_equal(match_with(pattern, image, &steps), budget < used ? GR_ERROR : GR_TRUE);
    }
}

/* The longest name against the worst pattern: well under the budget of a request. */
static void hostile(void **state)
{
    char pattern[GR_PATTERN_MAX_BYTES];
    char image[GR_IMAGE_NAME_MAX_BYTES];
    uint64_t steps = GR_MATCH_STEPS_MAX;
    size_t p = 0;
    size_t n = 0;

    (void)state;
    while (p + 6 < sizeof(pattern))
        p += (size_t)snprintf(pattern + p, sizeof(pattern) - p, "**/*/");
    memcpy(pattern + p - 1, "/z", 3);
    n = (size_t)snprintf(image, sizeof(image), "r.io");
    while (n < 250)
        n += (size_t)snprintf(image + n, sizeof(image) - n, "/a");
    assert_int_equal(match_with(pattern, image, &steps), GR_FALSE);
    assert_true(steps > GR_MATCH_STEPS_MAX / 2);
}

int main(void)
{
    TEST_ADD_ROWS(parses, image_rows);
    test_add("NUL is refused", nul_is_refused);
    test_add("longest name", longest_name);
    TEST_ADD_ROWS(refuses, bad_rows);
    test_add("longest pattern", longest_pattern);
    TEST_ADD_ROWS(matches, match_rows);
    test_add("budget at the edge", budget_at_the_edge);
    test_add("hostile", hostile);
    return test_run("imageref");
}
