/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/install: hook programs into the store.
 *
 * Layer: app.
 */
#include <inttypes.h>
#include <stdio.h>

#include "app/cli/setup/parts.h"
#include "app/setup/install.h"

static void say_owner(const struct gr_setup *setup, const struct gr_installed *done)
{
    const char *would = setup->dry_run ? "would belong" : "belongs";
    const char *owner = setup->owner ? setup->owner : "";

    if (strcmp(owner, done->owner_before.name) == 0)
        return;
    (void)printf("%s %s to %s", setup->to, would, owner[0] ? owner : "nobody");
    if (done->owner_before.name[0])
        (void)printf(" now, no longer to %s", done->owner_before.name);
    (void)printf("\n");
}

static void say_installed(const struct gr_setup *setup, const struct gr_installed *done)
{
    const char *to = setup->to;
    const char *would = setup->dry_run ? "would be " : "";

    if (!done->copied)
        (void)printf("%s/%s is there already, and is what its name says\n", to, done->digest);
    else
        (void)printf("%s/%s %s%s: %zu %s, %" PRIu64 " bytes\n", to, done->digest, would,
                     done->damaged ? "replaced, since it was damaged" : "installed", done->files,
                     done->files == 1 ? "file" : "files", done->bytes);
    say_owner(setup, done);
    if (!done->switched)
        (void)printf("%s/current names it already\n", to);
    else if (done->before[0])
        (void)printf("%s/current %sswitched from %s\n", to, would, done->before);
    else
        (void)printf("%s/current %sset to it\n", to, would);
}

int gr_setup_install(const struct gr_setup *setup)
{
    const struct gr_install what = {.fs = &setup->fs,
                                    .host_root = setup->host_root,
                                    .from = setup->from,
                                    .to = setup->to,
                                    .owner = setup->owner,
                                    .dry_run = setup->dry_run,
                                    .wait_s = setup->wait ? setup->wait_s : GR_TURN_WAIT_S,
                                    .waits = gr_setup_waits};
    struct gr_installed done;
    struct gr_err err = {0};
    int rc = gr_install(&what, &done, &err);

    if (rc == 0)
        say_installed(setup, &done);
    return gr_setup_end(rc, &err);
}
