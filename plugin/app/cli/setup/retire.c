/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/retire: packages that their owner does not install any more.
 *
 * Layer: app.
 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/setup/parts.h"
#include "app/exit.h"
#include "load/retire.h"

struct telling {
    const struct gr_setup *setup;
    bool any;
};

static void on_retired(void *user, const char *name, int rc, const char *why)
{
    struct telling *telling = user;
    const struct gr_setup *setup = telling->setup;

    telling->any = true;
    if (rc == 0)
        (void)printf("%s/%s/current %sremoved: %s does not install it any more\n", setup->store,
                     name, setup->dry_run ? "would be " : "", setup->owner);
    else
        (void)fprintf(stderr, "grapnel setup: %s/%s cannot be retired: %s\n", setup->store, name,
                      rc == -EWOULDBLOCK ? "an installer is at work there; run it again" : why);
}

int gr_setup_retire(const struct gr_setup *setup)
{
    struct telling telling = {.setup = setup};
    const struct gr_retire what = {.fs = &setup->fs,
                                   .root = setup->host_root,
                                   .store = setup->store,
                                   .owner = setup->owner,
                                   .keep = setup->keep,
                                   .keep_n = setup->keep_n,
                                   .dry_run = setup->dry_run,
                                   .retired = on_retired,
                                   .user = &telling};
    struct gr_err err = {0};
    int rc = gr_retire(&what, &err);

    if (err.code)
        return gr_setup_end(rc, &err);
    if (!telling.any)
        (void)printf("nothing of %s is to be retired in %s\n", setup->owner, setup->store);
    return rc ? GR_EXIT_HOST : GR_EXIT_OK;
}
