/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/input.h"

const char *gr_input_kind_name(enum gr_input_kind kind)
{
    static const char *const names[] = {
        [GR_INPUT_MANIFEST] = "pod manifest",
        [GR_INPUT_CONTAINER] = "crictl inspect",
        [GR_INPUT_SANDBOX] = "crictl inspectp",
        [GR_INPUT_BUNDLE] = "config.json",
    };

    return names[kind];
}
