/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/version: the program's version and the NRI API that it speaks.
 *
 * Layer: app.
 */
#include <stdio.h>

#include "app/cli/shared/common.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "nri/methods.h"
#include "version.h"

int gr_verb_version(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
        (void)fputs("Usage: grapnel version\n"
                    "\n"
                    "Prints the version and the NRI API level.\n"
                    "\n"
                    "  -h, --help  this text\n"
                    "\n"
                    "Exit codes: 0 printed, 2 usage.\n",
                    stdout);
        return GR_EXIT_OK;
    }
    if (argc > 1)
        return gr_usage("version", "no arguments", argv[1]);
    (void)printf("grapnel %s (NRI API %s)\n", GR_VERSION, GR_NRI_VERSION);
    return GR_EXIT_OK;
}
