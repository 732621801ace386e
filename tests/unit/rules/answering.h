/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies whose answers a test sets, in the place of those that rules/policy reads from files:
 * what is tested is what becomes of the answers. Include it in one file of a test.
 */
#ifndef GR_TESTS_ANSWERING_H
#define GR_TESTS_ANSWERING_H

#include "testing.h"

#include "rules/policy.h"

static struct {
    const char *exempt, *never_fail;             /* namespaces; NULL: none */
    const char *granted_set, *granted_namespace; /* NULL: any */
    bool grants;
    enum gr_denied_request on_denied;
    const char *handler; /* for which stages are skipped */
    uint32_t skipped_stages;
    const char *protects; /* a set */
    uint32_t hooks_max, create_timeout_max;
} answers;

static const struct gr_policy answering = {.file = {.p = "/etc/grapnel/policy.yaml", .n = 24},
                                           .line = 1,
                                           .hooks_line = 2,
                                           .create_timeout_line = 2};

static bool is_one(struct gr_str text, const char *wanted)
{
    return wanted && text.p && gr_str_is(text, wanted);
}

bool gr_policies_exempt(const struct gr_policies *policies GR_UNUSED, struct gr_str namespace_)
{
    return is_one(namespace_, answers.exempt);
}

bool gr_policies_never_fail(const struct gr_policies *policies GR_UNUSED, struct gr_str namespace_)
{
    return is_one(namespace_, answers.never_fail);
}

bool gr_policies_grant(const struct gr_policies *policies GR_UNUSED, struct gr_str set,
                       struct gr_str namespace_)
{
    return answers.grants && (!answers.granted_set || is_one(set, answers.granted_set)) &&
           (!answers.granted_namespace || is_one(namespace_, answers.granted_namespace));
}

bool gr_policies_protect(const struct gr_policies *policies GR_UNUSED, struct gr_str set,
                         const struct gr_policy **out_by, uint32_t *out_line)
{
    *out_by = &answering;
    *out_line = 2;
    return is_one(set, answers.protects);
}

enum gr_denied_request gr_policies_on_denied(const struct gr_policies *policies GR_UNUSED)
{
    return answers.on_denied;
}

uint32_t gr_policies_skipped_stages(const struct gr_policies *policies GR_UNUSED,
                                    struct gr_str handler)
{
    return is_one(handler, answers.handler) ? answers.skipped_stages : 0;
}

uint32_t gr_policies_hooks_max(const struct gr_policies *policies GR_UNUSED,
                               const struct gr_policy **out_by)
{
    *out_by = answers.hooks_max ? &answering : NULL;
    return answers.hooks_max;
}

uint32_t gr_policies_create_timeout_max(const struct gr_policies *policies GR_UNUSED,
                                        const struct gr_policy **out_by)
{
    *out_by = answers.create_timeout_max ? &answering : NULL;
    return answers.create_timeout_max;
}

#endif
