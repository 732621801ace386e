/* SPDX-License-Identifier: Apache-2.0 */
#include "load/policies.h"

#include <errno.h>
#include <stdio.h>

#include "load/onefile.h"
#include "load/source.h"
#include "load/trust.h"
#include "rules/limits.h"

#define CONFIGURE_NAME "NRI Configure"

/* Says that a source blocks everything; what is wrong with it was reported. */
static int block_all(struct gr_policies *policies, const char *name, struct gr_arena *arena,
                     const struct gr_reporter *reporter)
{
    char shown[GR_TRUST_QUOTED_BYTES];
    char text[GR_TRUST_QUOTED_BYTES + 160];
    struct gr_err err = {0};

    gr_trust_shorten(shown, sizeof(shown), name);
    (void)snprintf(text, sizeof(text),
                   "the policy in %s cannot be obeyed, and it may forbid this set; grapnel check "
                   "and the plugin's log say what is wrong with it",
                   shown);
    gr_fail(&err, 0, "policy-unreadable",
            "every set is blocked until the policy in %s is mended, since it may forbid any of "
            "them",
            shown);
    gr_err_at(&err, name, 0, 0);
    gr_report(reporter, GR_LEVEL_ERROR, &err);
    if (policies->unreadable.n > 0)
        return 0;
    return gr_arena_str(arena, gr_str_from(text), &policies->unreadable) ? 0 : -ENOMEM;
}

static int refuse(const char *name, struct gr_err *err, const struct gr_reporter *reporter)
{
    gr_err_at(err, name, 0, 0);
    gr_report(reporter, GR_LEVEL_ERROR, err);
    return GR_POLICY_REFUSED;
}

/* Returns 0, GR_POLICY_REFUSED (reported), -ENOMEM. */
static int take_file(const struct gr_policy_sources *sources, const struct gr_fs *fs,
                     struct gr_buf *text, struct gr_arena *arena,
                     const struct gr_reporter *reporter, struct gr_policies *policies)
{
    struct gr_source source = {.file = sources->path};
    struct gr_err err = {0};
    size_t before = policies->n;
    int rc = gr_onefile_read(fs, sources->path, text, &err);

    if (rc == GR_ONEFILE_MISSING && !sources->named)
        return 0;
    if (rc == GR_ONEFILE_MISSING)
        gr_fail(&err, 0, "missing-file",
                "expected the policy that --policy names, found nothing there");
    if (rc == GR_ONEFILE_MISSING || rc == GR_SOURCE_REFUSED)
        return refuse(sources->path, &err, reporter);
    if (rc == 0) {
        source.text = gr_buf_view(text);
        rc = gr_policies_decode(arena, &source, GR_POLICY_FILE, reporter, policies);
    }
    /* A write that failed leaves such a file: not the same as none. */
    if (rc == GR_SOURCE_DISABLED || (rc == 0 && policies->n == before)) {
        gr_fail(&err, 0, "empty",
                "expected a policy, found none in this file; remove the file if there is to be "
                "none, or write one with spec: {}");
        return refuse(sources->path, &err, reporter);
    }
    return rc;
}

static int take_configure(const struct gr_policy_sources *sources, struct gr_arena *arena,
                          const struct gr_reporter *reporter, struct gr_policies *policies)
{
    const struct gr_source source = {.text = sources->configure_text, .file = CONFIGURE_NAME};

    return gr_policies_decode(arena, &source, GR_POLICY_IN_CONFIGURE, reporter, policies);
}

int gr_policies_load(const struct gr_policy_sources *sources, const struct gr_fs *fs,
                     struct gr_arena *arena, const struct gr_reporter *reporter,
                     struct gr_policies *out_policies)
{
    struct gr_policies policies = {0};
    struct gr_buf text;
    int rc = 0;

    gr_buf_init(&text, GR_YAML_FILE_MAX_BYTES);
    if (sources->path)
        rc = take_file(sources, fs, &text, arena, reporter, &policies);
    if (rc == GR_POLICY_REFUSED)
        rc = block_all(&policies, sources->path, arena, reporter);
    if (rc == 0 && sources->configure_text.n > 0)
        rc = take_configure(sources, arena, reporter, &policies);
    if (rc == GR_POLICY_REFUSED)
        rc = block_all(&policies, CONFIGURE_NAME, arena, reporter);
    gr_buf_fini(&text);
    if (rc == 0)
        *out_policies = policies;
    return rc;
}
