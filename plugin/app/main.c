/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/main: grapnel VERB …
 *
 * Layer: app. Started by a runtime from its NRI plugin directory (as NN-name, with the connection
 * in NRI_PLUGIN_SOCKET and no arguments) it is the plugin.
 */
#include <stdio.h>
#include <string.h>

#include "app/cli/verbs.h"
#include "app/exit.h"
#include "base/str.h"
#include "version.h"

/* Room for "grapnel " and the longest verb. */
#define FULL_NAME_BYTES 32

static void print_help(FILE *to)
{
    (void)fputs("Usage: grapnel VERB [OPTION]...\n\n"
                "Grapnel adds OCI hooks to containers from YAML files, through NRI.\n\nVerbs:\n",
                to);
    for (size_t i = 0; i < gr_verbs_n; i++)
        (void)fprintf(to, "  %-12s%s\n", gr_verbs[i].name, gr_verbs[i].summary);
    (void)fputs("\ngrapnel VERB --help explains each.\n", to);
}

static int unknown_verb(const char *given)
{
    const char *nearest = NULL;
    size_t best = 3;

    for (size_t i = 0; i < gr_verbs_n; i++) {
        size_t distance = gr_str_distance(gr_str_from(given), gr_str_from(gr_verbs[i].name), best);

        if (distance < best) {
            best = distance;
            nearest = gr_verbs[i].name;
        }
    }
    (void)fprintf(stderr, "grapnel: there is no verb \"%s\"", given);
    if (nearest)
        (void)fprintf(stderr, "; did you mean \"%s\"?", nearest);
    (void)fputs("\nSee grapnel --help.\n", stderr);
    return GR_EXIT_USAGE;
}

/* getopt_long calls the program by its first argument in what it says. */
static int run(const struct gr_verb *verb, int argc, char **argv)
{
    char name[FULL_NAME_BYTES];

    (void)snprintf(name, sizeof(name), "grapnel %s", verb->name);
    argv[0] = name;
    return verb->run(argc, argv);
}

int main(int argc, char **argv)
{
    const struct gr_verb *verb;

    if (argc < 2 && getenv("NRI_PLUGIN_SOCKET"))
        return gr_verb_plugin(argc, argv);
    if (argc < 2) {
        print_help(stderr);
        return GR_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return GR_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0)
        return gr_verb_version(1, argv + 1);
    verb = gr_verb_find(argv[1]);
    if (verb)
        return run(verb, argc - 1, argv + 1);
    return unknown_verb(argv[1]);
}
