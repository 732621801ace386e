/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/verbs.h"

#include "base/defs.h"

static const struct option only_help[] = {
    {"help", no_argument, NULL, 'h'},
    {0},
};

const struct gr_verb gr_verbs[] = {
    {"plugin", "run the NRI plugin process", gr_verb_plugin, gr_options_plugin, NULL, ""},
    {"check", "read rules and print every finding", gr_verb_check, gr_options_check, "text json yaml",
     NULL},
    {"completion", "print a shell's completion of this program", gr_verb_completion, only_help,
     NULL, "bash zsh fish"},
    {"convert", "write hooks of other formats as HookSets", gr_verb_convert, gr_options_convert,
     NULL, NULL},
    {"diff", "show what other rules would change for containers", gr_verb_diff, gr_options_diff,
     "text json yaml", NULL},
    {"explain", "say why each set matches a container or does not", gr_verb_explain,
     gr_options_explain, "text json yaml", ""},
    {"list", "show the rules in force, their order, and what was ignored or refused", gr_verb_list,
     gr_options_list, "text json yaml", NULL},
    {"render", "print the hooks that a container would get", gr_verb_render, gr_options_render,
     "json yaml", ""},
    {"schema", "print the JSON Schema of a file format", gr_verb_schema, only_help, NULL,
     "HookSet Config Policy TestSuite"},
    {"simulate", "play a runtime: launch a plugin and ask it about pods", gr_verb_simulate,
     gr_options_simulate, "text json", NULL},
    {"test", "run test suites: containers and what rules are to do to them", gr_verb_test,
     gr_options_test, "text json junit tap", NULL},
    {"version", "print the version and the NRI API level", gr_verb_version, only_help, NULL, ""},
};

const size_t gr_verbs_n = GR_ARRAY_LEN(gr_verbs);
