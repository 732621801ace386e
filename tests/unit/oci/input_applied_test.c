/* SPDX-License-Identifier: Apache-2.0 */
/* What was laid into a bundle is found there. */
#include "applying.h"
#include "inputs.h"

static bool has_entry(const struct gr_subject *s, const struct gr_adjust_entry *e)
{
    char variable[128];

    switch (e->kind) {
    case GR_ADJUST_ENV:
        (void)snprintf(variable, sizeof(variable), "%.*s=%.*s", GR_STR_FMT(e->key),
                       GR_STR_FMT(e->text));
        for (size_t i = 0; i < s->env.n; i++) {
            if (gr_str_is(s->env.items[i], variable))
                return true;
        }
        return false;
    case GR_ADJUST_MOUNT:
        for (size_t i = 0; i < s->mounts_n; i++) {
            if (gr_str_eq(s->mounts[i].destination, e->key) &&
                gr_str_eq(s->mounts[i].source, e->mount.source) &&
                gr_str_eq(s->mounts[i].type, e->mount.type) &&
                s->mounts[i].options.n == e->mount.options.n)
                return true;
        }
        return false;
    case GR_ADJUST_ANNOTATION: {
        struct gr_str value;

        return gr_kvs_get(s->container_annotations, e->key, &value) && gr_str_eq(value, e->text);
    }
    case GR_ADJUST_DEVICE:
    case GR_ADJUST_CDI_DEVICE:
    case GR_ADJUST_RLIMIT:
    case GR_ADJUST_RESOURCE:
    case GR_ADJUST_HUGEPAGES:
    case GR_ADJUST_UNIFIED:
        break;
    }
    for (size_t i = 0; i < s->present_n; i++) {
        const struct gr_adjust_entry *p = &s->present[i];

        if (!gr_adjust_same_key(p, e))
            continue;
        return gr_str_eq(p->text, e->kind == GR_ADJUST_UNIFIED || gr_resource_is_text(e->resource)
                                      ? e->text
                                      : GR_STR_NONE) &&
               (gr_resource_is_text(e->resource) || p->number == e->number ||
                e->kind == GR_ADJUST_DEVICE || e->kind == GR_ADJUST_RLIMIT ||
                e->kind == GR_ADJUST_UNIFIED) &&
               memcmp(&p->device, &e->device, sizeof(p->device)) == 0 &&
               p->rlimit.soft == e->rlimit.soft && p->rlimit.hard == e->rlimit.hard;
    }
    return false;
}

static void finds_what_was_applied(void **state)
{
    static const char *const bundles[] = {"containerd-config.json", "docker-config.json",
                                          "{\"ociVersion\":\"1\",\"process\":{}}"};
    const char *letters = "015PemMadbfrhu@0@1@2@3@4@5@6@7@8@:";

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(bundles); i++) {
        struct applying a;
        struct gr_err err = {0};
        struct gr_inputs before, after;
        struct reports reports = {0};
        const char *texts[] = {bundles[i], NULL};
        struct gr_input_text input;
        struct gr_arena arena;
        struct gr_buf out;
        size_t left_out;

        make_decision(letters, &a);
        gr_arena_init(&arena, 4096, 0);
        assert_int_equal(read_inputs(&arena, texts, "", &reports, &before), 0);
        assert_int_equal(apply(load(&arena, bundles[i]), letters, &out, &left_out, &err), 0);
        input = (struct gr_input_text){gr_buf_view(&out), "merged"};
        assert_int_equal(gr_inputs_read(&arena, &input, 1, GR_STR_NONE, NULL, &after), 0);
        assert_int_equal(after.subjects[0].hooks_n, before.subjects[0].hooks_n + 3);
        for (size_t j = 0; j < a.decision.adjust_n; j++) {
            if (!has_entry(&after.subjects[0], &a.entries[j]))
                fail_msg("%s: entry %zu is not there", bundles[i], j);
        }
        gr_buf_fini(&out);
        gr_arena_fini(&arena);
    }
}

int main(void)
{
    test_add("what was applied is found", finds_what_was_applied);
    return test_run("input_applied");
}
