/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the linter share: sets and policies as texts, and the findings about them.
 */
#ifndef GR_TESTS_LINTING_H
#define GR_TESTS_LINTING_H

#include "decoding.h"

#include "rules/tell/lint.h"

#define FINDINGS_BYTES 1024

struct row {
    const char *name;
    const char *spec;     /* of one HookSet, in lines indented by two; begins at line 3 */
    const char *findings; /* each as "code@line level", in the order they come */
    const char *policy;   /* spec of a policy, as above; NULL: there is none */
};

struct listing {
    char text[FINDINGS_BYTES];
    size_t n;
};

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\n"
#define POSTSTOP "  hooks: {poststop: [{path: /opt/x}]}\n"

static inline void list(void *user, enum gr_level level, const struct gr_err *err)
{
    struct listing *listing = user;
    int n = snprintf(listing->text + listing->n, sizeof(listing->text) - listing->n, "%s%s@%u %s",
                     listing->n ? ";" : "", err->code, err->line, gr_level_name(level));

    assert_true(n > 0);
    listing->n += (size_t)n;
    assert_true(listing->n < sizeof(listing->text));
    assert_true(err->column > 0);
    assert_string_equal(err->file, "dir/stem.yaml");
}

static inline void lint_under(struct gr_arena *arena, const struct gr_hooksets *sets,
                              const struct gr_policies *policies, struct listing *listing)
{
    const struct gr_reporter reporter = {.report = list, .user = listing};
    struct gr_ruleset *ruleset;

    assert_int_equal(gr_ruleset_new(arena, sets->items, sets->n, policies, &ruleset, NULL), 0);
    assert_int_equal(gr_lint(ruleset, &reporter), 0);
    gr_ruleset_unref(ruleset);
}

static inline void lint(struct gr_arena *arena, const struct gr_hooksets *sets,
                        struct listing *listing)
{
    lint_under(arena, sets, NULL, listing);
}

static inline void read_policy(struct gr_arena *arena, const char *spec, struct gr_policies *out)
{
    char text[512];
    struct gr_source source = {.file = "policy.yaml", .version = GR_STR(DECODING_VERSION)};

    (void)snprintf(text, sizeof(text), "apiVersion: grapnel/v1beta1\nkind: Policy\n%s", spec);
    source.text = gr_str_from(text);
    assert_int_equal(gr_policies_decode(arena, &source, GR_POLICY_FILE, NULL, out), 0);
    assert_int_equal(out->n, 1);
}

static inline void says(void **state)
{
    const struct row *row = *state;
    struct listing listing = {.n = 0};
    struct gr_policies read = {0};
    const struct gr_policies *policies = NULL;
    struct decoded *decoded;
    char text[1024];

    (void)snprintf(text, sizeof(text), HEAD "%s", row->spec);
    decoded = decode_good(gr_str_from(text));
    if (row->policy) {
        read_policy(&decoded->arena, row->policy, &read);
        policies = &read;
    }
    lint_under(&decoded->arena, &decoded->sets, policies, &listing);
    assert_string_equal(listing.text, row->findings);
    decoded_free(decoded);
}

#endif
