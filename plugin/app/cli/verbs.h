/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/verbs: the table of verbs.
 *
 * Layer: app. One file per verb; each parses its own arguments with getopt_long and returns an exit
 * code (app/exit.h). argv[0] is "grapnel VERB".
 */
#ifndef GR_APP_CLI_VERBS_H
#define GR_APP_CLI_VERBS_H

struct gr_verb {
    const char *name;
    const char *summary; /* one line of grapnel --help */
    int (*run)(int argc, char **argv);
};

int gr_verb_plugin(int argc, char **argv);
int gr_verb_check(int argc, char **argv);
int gr_verb_convert(int argc, char **argv);
int gr_verb_render(int argc, char **argv);
int gr_verb_schema(int argc, char **argv);
int gr_verb_simulate(int argc, char **argv);
int gr_verb_version(int argc, char **argv);

#endif
