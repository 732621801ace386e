/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/methods: the names of NRI's services and methods, and the event mask.
 *
 * Layer: nri. Source: NRI pkg/api/api.proto, all releases since 0.2.
 */
#ifndef GR_NRI_METHODS_H
#define GR_NRI_METHODS_H

#include "base/str.h"

#define GR_NRI_SERVICE_PLUGIN "nri.pkg.api.v1alpha1.Plugin"
#define GR_NRI_SERVICE_RUNTIME "nri.pkg.api.v1alpha1.Runtime"

/*
 * What we subscribe to. Valid with every NRI release (bits that a runtime does not know drop the
 * plugin), and never 0, which would mean everything, the validator's role included.
 */
#define GR_NRI_EVENT_CREATE_CONTAINER 0x0008

/* For whoever wants Synchronize alone: what comes seldom, and is answered with nothing. */
#define GR_NRI_EVENT_REMOVE_POD_SANDBOX 0x0004

/* The NRI release whose API is spoken; told to runtimes since NRI 0.12, which only log it. */
#define GR_NRI_VERSION "v0.12.2"

enum gr_nri_method {
    GR_NRI_CONFIGURE,
    GR_NRI_SYNCHRONIZE,
    GR_NRI_CREATE_CONTAINER,
    GR_NRI_SHUTDOWN,
    GR_NRI_OTHER, /* known and of no interest: answered with an empty message */
    GR_NRI_UNKNOWN,
};

/* The method of the Plugin service with this name; GR_NRI_UNKNOWN also for another service. */
enum gr_nri_method gr_nri_method(struct gr_str service, struct gr_str method);

#endif
