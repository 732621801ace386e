/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "app/cli/verbs.h"
#include "app/exit.h"
#include "nri/methods.h"
#include "version.h"

int gr_verb_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        (void)fputs("grapnel version: takes no arguments\n", stderr);
        return GR_EXIT_USAGE;
    }
    (void)printf("grapnel %s (NRI API %s)\n", GR_VERSION, GR_NRI_VERSION);
    return GR_EXIT_OK;
}
