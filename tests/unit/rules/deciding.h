/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rule set, one container, one decision: for tests of what comes out of rules/decide.
 */
#ifndef GR_TESTS_RULES_DECIDING_H
#define GR_TESTS_RULES_DECIDING_H

#include "making.h"

#define MARK "GRAPNEL_HOOKSET=tap@0123456789abcdef"

struct rig {
    struct gr_arena rules_arena; /* until the rule set takes it */
    struct gr_hookset sets[4];
    size_t sets_n;
    struct gr_ruleset *rules;
    struct gr_decide_options options;
    struct gr_arena arena; /* of the request */
    struct gr_subject subject;
    struct gr_decision decision;
};

static inline struct gr_subject make_container(void)
{
    struct gr_subject subject = {
        .id = GR_STR("id-1"),
        .name = GR_STR("web"),
        .pod_name = GR_STR("web-0"),
        .pod_namespace = GR_STR("prod"),
        .pod_uid = GR_STR("uid-1"),
        .runtime_handler = GR_STR("runc"),
        .runtime = GR_STR("containerd"),
    };

    assert_int_equal(gr_image_parse(GR_STR("nginx:1.25"), &subject.image), 0);
    return subject;
}

static inline void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    gr_arena_init(&rig->rules_arena, 4096, 0);
    gr_arena_init(&rig->arena, 4096, 0);
    rig->options.node_name = GR_STR("node-1");
    rig->subject = make_container();
}

static inline struct gr_hookset *rig_add(struct rig *rig, const char *name, struct gr_cond match)
{
    struct gr_hookset *set = &rig->sets[rig->sets_n];

    *set = make_hookset(&rig->rules_arena, name, match);
    set->document = (uint32_t)rig->sets_n++;
    return set;
}

static inline const struct gr_decision *rig_decide(struct rig *rig)
{
    if (!rig->rules)
        rig->rules = make_ruleset(&rig->rules_arena, rig->sets, rig->sets_n);
    assert_int_equal(
        gr_decide(rig->rules, &rig->subject, &rig->options, &rig->arena, &rig->decision), 0);
    return &rig->decision;
}

static inline void rig_fini(struct rig *rig)
{
    gr_ruleset_unref(rig->rules);
    gr_arena_fini(&rig->rules_arena);
    gr_arena_fini(&rig->arena);
}

static inline void expect_texts(struct gr_strs found, const char *const *expected)
{
    size_t n = 0;

    for (; expected[n]; n++) {
        if (n < found.n)
            assert_str(found.items[n], expected[n]);
    }
    assert_int_equal(found.n, n);
}

static inline void expect_in(struct gr_str text, const char *part)
{
    char copy[4096];

    (void)snprintf(copy, sizeof(copy), "%.*s", GR_STR_FMT(text));
    if (!strstr(copy, part))
        fail_msg("expected \"%s\" in \"%s\"", part, copy);
}

#endif
