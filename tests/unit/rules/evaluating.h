/* SPDX-License-Identifier: Apache-2.0 */
/* A container of which everything is known, and conditions evaluated about it. */
#ifndef GR_TESTS_RULES_EVALUATING_H
#define GR_TESTS_RULES_EVALUATING_H

#include "making.h"

#define PLENTY (UINT64_C(1) << 40)

static struct gr_arena arena;

static struct gr_kv labels[] = {{TEXT("app"), TEXT("web")}, {TEXT("empty"), TEXT("")}};
static struct gr_kv annotations[] = {{TEXT("x.io/type"), TEXT("custom")},
                                     {TEXT("k/pod"), TEXT("scoped")}};
static struct gr_kv own_annotations[] = {{TEXT("own"), TEXT("1")}};
static const struct gr_str args[] = {{"/bin/sh", 7}, {"-c", 2}};
static const struct gr_str env[] = {TEXT("PATH=/bin"), TEXT("DEBUG="), TEXT("MODE=a=b")};
static const struct gr_str requests[] = {TEXT("gpu"), TEXT("tap")};
static const struct gr_mount mounts[] = {
    {.destination = TEXT("/data"), .source = TEXT("/srv/data"), .type = TEXT("bind")},
    {.destination = TEXT("/etc/hosts"), .source = TEXT("/var/lib/hosts"), .type = TEXT("bind")},
    {.destination = TEXT("/tmp/"), .type = TEXT("tmpfs")},
};

/* Everything known; the image has a tag and no digest. */
static inline struct gr_subject known(void)
{
    struct gr_subject subject = {
        .name = GR_STR("c"),
        .pod_name = GR_STR("web-0"),
        .pod_namespace = GR_STR("prod"),
        .runtime_handler = GR_STR(""),
        .runtime = GR_STR("containerd"),
        .pod_labels = {labels, 2},
        .container_labels = {labels, 1},
        .pod_annotations = {annotations, 2},
        .container_annotations = {own_annotations, 1},
        .args = {args, 2},
        .env = {env, 3},
        .mounts = mounts,
        .mounts_n = GR_ARRAY_LEN(mounts),
        .requests = {requests, 2},
    };

    assert_int_equal(gr_image_parse(GR_STR("nginx:1.25"), &subject.image), 0);
    return subject;
}

static inline enum gr_truth eval(struct gr_cond cond, const struct gr_subject *subject)
{
    uint64_t steps = PLENTY;

    return gr_cond_eval(&cond, subject, &steps);
}

enum form {
    EXACT,
    GLOB,
    PREFIX,
    IN,     /* text, or "other" */
    NOT_IN, /* the same */
    THERE,
    NOT_THERE,
};

static inline struct gr_test make_form(enum gr_field field, enum form form, const char *text)
{
    struct gr_test items[2];

    if (field == GR_FIELD_IMAGE && (form == EXACT || form == IN || form == NOT_IN)) {
        items[0] = make_image(&arena, text);
        items[1] = make_image(&arena, "other");
    } else {
        items[0] = make_exact(text);
        items[1] = make_exact("other");
    }
    switch (form) {
    case EXACT:
        break;
    case GLOB:
        return make_glob(text);
    case PREFIX:
        return make_prefix(text);
    case IN:
        return make_set(&arena, true, items, 2);
    case NOT_IN:
        return make_set(&arena, false, items, 2);
    case THERE:
        return make_exists(true);
    case NOT_THERE:
        return make_exists(false);
    }
    return items[0];
}

#endif
