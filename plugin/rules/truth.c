/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/truth.h"

const char *gr_truth_name(enum gr_truth truth)
{
    static const char *const names[] = {
        [GR_FALSE] = "false",
        [GR_ERROR] = "error",
        [GR_UNKNOWN] = "unknown",
        [GR_TRUE] = "true",
    };

    return names[truth];
}
