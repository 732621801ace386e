/* SPDX-License-Identifier: Apache-2.0 */
#include "nri/sync.h"

#include <errno.h>

#include "wire/field.h"

/* Fields of SynchronizeRequest. */
enum { FIELD_PODS = 1, FIELD_CONTAINERS = 2, FIELD_MORE = 3 };

int gr_nri_sync_scan(struct gr_str payload, struct gr_nri_sync *out_sync)
{
    struct gr_nri_sync sync = {0};
    struct gr_wire_field field;
    int r;

    while ((r = gr_wire_field_next(&payload, &field)) == GR_WIRE_FIELD) {
        if (field.number == FIELD_PODS && field.type == GR_WIRE_BYTES)
            sync.pods++;
        else if (field.number == FIELD_CONTAINERS && field.type == GR_WIRE_BYTES)
            sync.containers++;
        else if (field.number == FIELD_MORE && field.type == GR_WIRE_VARINT)
            sync.more = field.value != 0;
    }
    if (r != 0)
        return r;
    *out_sync = sync;
    return 0;
}
