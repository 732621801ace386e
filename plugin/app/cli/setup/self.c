/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/self: this program into a directory.
 *
 * Layer: app.
 */
#include <inttypes.h>
#include <stdio.h>

#include "app/cli/setup/parts.h"
#include "app/setup/self.h"

int gr_setup_self(const struct gr_setup *setup)
{
    const struct gr_self self = {.fs = &setup->fs,
                                 .host_root = setup->host_root,
                                 .to = setup->to,
                                 .dry_run = setup->dry_run};
    struct gr_err err = {0};
    uint64_t bytes = 0;
    int rc = gr_self_copy(&self, &bytes, &err);

    if (rc == 0 && setup->dry_run)
        (void)printf("%s/" GR_SELF_NAME " would be written\n", setup->to);
    else if (rc == 0)
        (void)printf("%s/" GR_SELF_NAME " written: %" PRIu64 " bytes\n", setup->to, bytes);
    return gr_setup_end(rc, &err);
}
