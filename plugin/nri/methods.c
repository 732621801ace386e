/* SPDX-License-Identifier: Apache-2.0 */
#include "nri/methods.h"

/*
 * The rest of the Plugin service. We subscribe to none of their events, but a runtime that calls
 * them all the same gets an empty answer: "nothing to say", in all of them.
 */
static const char *const others[] = {
    "StateChange",         "RunPodSandbox",
    "UpdatePodSandbox",    "PostUpdatePodSandbox",
    "StopPodSandbox",      "RemovePodSandbox",
    "PostCreateContainer", "StartContainer",
    "PostStartContainer",  "UpdateContainer",
    "PostUpdateContainer", "StopContainer",
    "RemoveContainer",     "ValidateContainerAdjustment",
};

enum gr_nri_method gr_nri_method(struct gr_str service, struct gr_str method)
{
    if (!gr_str_is(service, GR_NRI_SERVICE_PLUGIN))
        return GR_NRI_UNKNOWN;
    if (gr_str_is(method, "CreateContainer"))
        return GR_NRI_CREATE_CONTAINER;
    if (gr_str_is(method, "Configure"))
        return GR_NRI_CONFIGURE;
    if (gr_str_is(method, "Synchronize"))
        return GR_NRI_SYNCHRONIZE;
    if (gr_str_is(method, "Shutdown"))
        return GR_NRI_SHUTDOWN;
    for (size_t i = 0; i < GR_ARRAY_LEN(others); i++) {
        if (gr_str_is(method, others[i]))
            return GR_NRI_OTHER;
    }
    return GR_NRI_UNKNOWN;
}
