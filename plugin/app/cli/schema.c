/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/schema: the JSON Schemas of the file formats, for editors and CI.
 *
 * Layer: app. The schemas are specs/(kind).schema.json, built into the program.
 */
#include <stdio.h>
#include <string.h>

#include "app/cli/shared/common.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

/* Made by app/embed.py. */
extern const char gr_schema_hookset[];
extern const char gr_schema_config[];
extern const char gr_schema_policy[];
extern const char gr_schema_testsuite[];

static const char help[] =
    "Usage: grapnel schema [KIND]\n"
    "\n"
    "Prints the JSON Schema of a file format: HookSet (default), Config, Policy or TestSuite.\n"
    "\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit codes: 0 printed, 2 usage.\n"
    "\n"
    "Example:\n"
    "  grapnel schema HookSet > hookset.schema.json\n";

int gr_verb_schema(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "HookSet";

    if (strcmp(kind, "-h") == 0 || strcmp(kind, "--help") == 0) {
        (void)fputs(help, stdout);
        return GR_EXIT_OK;
    }
    if (argc > 2)
        return gr_usage("schema", "one kind", argv[2]);
    if (strcmp(kind, "HookSet") == 0)
        (void)fputs(gr_schema_hookset, stdout);
    else if (strcmp(kind, "Config") == 0)
        (void)fputs(gr_schema_config, stdout);
    else if (strcmp(kind, "Policy") == 0)
        (void)fputs(gr_schema_policy, stdout);
    else if (strcmp(kind, "TestSuite") == 0)
        (void)fputs(gr_schema_testsuite, stdout);
    else
        return gr_usage("schema", "HookSet, Config, Policy or TestSuite", kind);
    return GR_EXIT_OK;
}
