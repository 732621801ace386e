/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/verbs: the table of verbs.
 *
 * Layer: app. One file per verb; each parses its own arguments with getopt_long and returns an exit
 * code (app/exit.h). argv[0] is "grapnel VERB".
 */
#ifndef GR_APP_CLI_VERBS_H
#define GR_APP_CLI_VERBS_H

#include <getopt.h>
#include <stddef.h>

struct gr_verb {
    const char *name;
    const char *summary; /* one line of grapnel --help */
    int (*run)(int argc, char **argv);
    const struct option *options;
    unsigned int outputs; /* values of -o: bits 1 << enum gr_output */
    const char *words;    /* what else may follow, for completion; NULL: files */
};

/* In the order of grapnel --help. */
extern const struct gr_verb gr_verbs[];
extern const size_t gr_verbs_n;

/* NULL: there is none of this name. */
const struct gr_verb *gr_verb_find(const char *name);

/* The long options of each verb that has some, for getopt_long and for completion. */
extern const struct option gr_options_check[];
extern const struct option gr_options_convert[];
extern const struct option gr_options_diff[];
extern const struct option gr_options_doctor[];
extern const struct option gr_options_explain[];
extern const struct option gr_options_list[];
extern const struct option gr_options_pause[];
extern const struct option gr_options_plugin[];
extern const struct option gr_options_probe[];
extern const struct option gr_options_render[];
extern const struct option gr_options_resume[];
extern const struct option gr_options_setup[];
extern const struct option gr_options_simulate[];
extern const struct option gr_options_status[];
extern const struct option gr_options_test[];

int gr_verb_pause(int argc, char **argv);
int gr_verb_plugin(int argc, char **argv);
int gr_verb_check(int argc, char **argv);
int gr_verb_completion(int argc, char **argv);
int gr_verb_convert(int argc, char **argv);
int gr_verb_diff(int argc, char **argv);
int gr_verb_doctor(int argc, char **argv);
int gr_verb_explain(int argc, char **argv);
int gr_verb_list(int argc, char **argv);
int gr_verb_probe(int argc, char **argv);
int gr_verb_render(int argc, char **argv);
int gr_verb_resume(int argc, char **argv);
int gr_verb_schema(int argc, char **argv);
int gr_verb_setup(int argc, char **argv);
int gr_verb_simulate(int argc, char **argv);
int gr_verb_status(int argc, char **argv);
int gr_verb_test(int argc, char **argv);
int gr_verb_version(int argc, char **argv);

#endif
