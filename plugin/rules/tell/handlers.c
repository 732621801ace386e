/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/tell/handlers.h"

struct row {
    const char *prefix; /* of the handler's name */
    enum gr_stage stage;
    const char *why;
};

/* Kata Containers 4.1 (Go runtime) and gVisor release-20260817; specs/handlers.md has the rest. */
static const struct row rows[] = {
    {"kata", GR_STAGE_CREATE_CONTAINER, "Kata's Go runtime has no createContainer hooks"},
    {"kata", GR_STAGE_START_CONTAINER, "Kata's Go runtime removes startContainer hooks"},
    {"runsc", GR_STAGE_START_CONTAINER, "gVisor does not run startContainer hooks"},
    {"gvisor", GR_STAGE_START_CONTAINER, "gVisor does not run startContainer hooks"},
    {"runsc", GR_STAGE_CREATE_CONTAINER,
     "gVisor runs createContainer hooks only where it serves the root file system itself"},
    {"gvisor", GR_STAGE_CREATE_CONTAINER,
     "gVisor runs createContainer hooks only where it serves the root file system itself"},
};

const char *gr_handler_ignores(struct gr_str handler, enum gr_stage stage)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        if (rows[i].stage == stage && gr_str_has_prefix(handler, gr_str_from(rows[i].prefix)))
            return rows[i].why;
    }
    return NULL;
}
