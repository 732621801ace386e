/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/policy.h"

bool gr_policies_exempt(const struct gr_policies *policies, struct gr_str namespace_)
{
    (void)policies;
    (void)namespace_;
    return false;
}

bool gr_policies_never_fail(const struct gr_policies *policies, struct gr_str namespace_)
{
    (void)policies;
    (void)namespace_;
    return false;
}

bool gr_policies_grant(const struct gr_policies *policies, struct gr_str set,
                       struct gr_str namespace_)
{
    (void)policies;
    (void)set;
    (void)namespace_;
    return false;
}

enum gr_denied_request gr_policies_on_denied(const struct gr_policies *policies)
{
    (void)policies;
    return GR_DENIED_FAIL;
}

uint32_t gr_policies_skipped_stages(const struct gr_policies *policies, struct gr_str handler)
{
    (void)policies;
    (void)handler;
    return 0;
}

uint32_t gr_policies_hooks_max(const struct gr_policies *policies, const struct gr_policy **out_by)
{
    (void)policies;
    (void)out_by;
    return 0;
}

uint32_t gr_policies_create_timeout_max(const struct gr_policies *policies,
                                        const struct gr_policy **out_by)
{
    (void)policies;
    (void)out_by;
    return 0;
}
