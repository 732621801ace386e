/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/sync: one part of Synchronize, counted without unpacking it.
 *
 * Layer: nri. Old runtimes send up to 16 MiB in one message; what is kept of it is nri/running's.
 */
#ifndef GR_NRI_SYNC_H
#define GR_NRI_SYNC_H

#include "base/str.h"

struct gr_nri_sync {
    size_t pods;
    size_t containers;
    bool more; /* another part follows */
};

/*
 * Counts the objects of a SynchronizeRequest.
 * Returns 0; -EBADMSG.
 */
GR_CHECKED int gr_nri_sync_scan(struct gr_str payload, struct gr_nri_sync *out_sync);

#endif
