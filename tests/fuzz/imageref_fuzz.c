/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the name of an image and as a pattern: what is accepted keeps the grammar, a name
 * written out in full is the same image, it matches itself as a pattern, and the index finds
 * whatever does not fail to match.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/match/match.h"
#include "rules/pattern/imagename.h"

/* registry/repository[:tag][@digest] */
static struct gr_str write_out(const struct gr_image *image, struct gr_buf *out)
{
    (void)gr_buf_str(out, image->registry);
    /* Only the port, which is the usual one and was left out, made a registry of such a name. */
    if (!gr_image_is_domain(image->registry))
        (void)gr_buf_text(out, ":443");
    (void)gr_buf_text(out, image->implied_library ? "/library/" : "/");
    (void)gr_buf_str(out, image->repository);
    if (image->tag.n) {
        (void)gr_buf_text(out, ":");
        (void)gr_buf_str(out, image->tag);
    }
    if (image->digest.n) {
        (void)gr_buf_text(out, "@");
        (void)gr_buf_str(out, image->digest);
    }
    FUZZ_CHECK(!out->broken);
    return gr_buf_view(out);
}

static void check_name(const struct gr_image *image)
{
    const struct gr_image_pattern *pattern;
    uint64_t steps = GR_MATCH_STEPS_MAX;
    struct gr_image again;
    struct gr_arena arena;
    struct gr_buf text;

    FUZZ_CHECK(image->registry.n && image->repository.n && (image->tag.n || image->digest.n));
    FUZZ_CHECK(gr_utf8_is_clean(image->name));
    gr_buf_init(&text, 4096);
    gr_arena_init(&arena, 256, 0);
    if (gr_image_parse(write_out(image, &text), &again) == 0) {
        FUZZ_CHECK(gr_str_eq(again.registry, image->registry));
        FUZZ_CHECK(gr_str_eq(again.tag, image->tag) && gr_str_eq(again.digest, image->digest));
        FUZZ_CHECK(gr_str_has_suffix(again.repository, image->repository));
        if (gr_buf_view(&text).n <= GR_PATTERN_MAX_BYTES) {
            FUZZ_CHECK(gr_image_pattern_parse(&arena, gr_buf_view(&text), &pattern, NULL) == 0);
            FUZZ_CHECK(gr_image_match(pattern, image, &steps) == GR_TRUE);
            FUZZ_CHECK(gr_image_match(pattern, &again, &steps) == GR_TRUE);
        }
    } else {
        /* Only what the defaults add can have made it too long. */
        FUZZ_CHECK(gr_buf_view(&text).n > GR_IMAGE_NAME_MAX_BYTES);
    }
    gr_arena_fini(&arena);
    gr_buf_fini(&text);
}

static void check_index(const struct gr_test *test, const struct gr_image *image,
                        enum gr_truth truth)
{
    struct gr_cond match = {
        .kind = GR_COND_LEAF, .field = GR_FIELD_IMAGE, .tests = {.items = test, .n = 1}};
    struct gr_hookset set = {.name = GR_STR("set"), .match = &match};
    struct gr_subject subject = {.image = *image};
    const struct gr_match *matches;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    size_t n;

    gr_arena_init(&arena, 256, 0);
    FUZZ_CHECK(gr_ruleset_new(&arena, &set, 1, NULL, &rules, NULL) == 0);
    gr_arena_init(&arena, 256, 0);
    FUZZ_CHECK(gr_ruleset_match(rules, &subject, &arena, &matches, &n) == 0);
    FUZZ_CHECK(n == (truth != GR_FALSE));
    FUZZ_CHECK(n == 0 || matches[0].truth == truth);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

static void check_pattern(struct gr_str text, const struct gr_image *image, uint64_t budget)
{
    struct gr_test test = {.kind = GR_TEST_IMAGE, .text = text};
    uint64_t steps = GR_MATCH_STEPS_MAX;
    struct gr_err err = {0};
    struct gr_arena arena;
    enum gr_truth truth;
    enum gr_truth hurried;
    int r;

    gr_arena_init(&arena, 256, 0);
    r = gr_image_pattern_parse(&arena, text, &test.image, &err);
    FUZZ_CHECK(r == 0 || (r == -EINVAL && err.code && err.text[0]));
    if (r == 0) {
        truth = gr_image_match(test.image, image, &steps);
        FUZZ_CHECK(truth != GR_ERROR && (image->known || truth == GR_UNKNOWN));
        hurried = gr_image_match(test.image, image, &budget);
        FUZZ_CHECK(hurried == truth || (hurried == GR_ERROR && budget == 0));
        check_index(&test, image, truth);
    }
    gr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    size_t pattern_bytes = fuzz_take(&input, 1);
    uint64_t budget = fuzz_take(&input, 1);
    struct gr_str pattern = gr_str_first(input, pattern_bytes);
    struct gr_str name = gr_str_skip(input, pattern_bytes);
    struct gr_image image;

    pattern.p = fuzz_exact(pattern);
    name.p = fuzz_exact(name);
    if (gr_image_parse(name, &image) == 0)
        check_name(&image);
    else
        FUZZ_CHECK(!image.known && gr_str_eq(image.name, name));
    check_pattern(pattern, &image, budget);
    check_pattern(name, &image, budget);
    free((void *)(uintptr_t)pattern.p);
    free((void *)(uintptr_t)name.p);
    return 0;
}
