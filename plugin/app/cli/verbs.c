/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/verbs.h"

#include <string.h>

#include "app/cli/shared/common.h"

#define TEXT (1U << GR_OUTPUT_TEXT)
#define JSON (1U << GR_OUTPUT_JSON)
#define YAML (1U << GR_OUTPUT_YAML)
#define JUNIT (1U << GR_OUTPUT_JUNIT)
#define TAP (1U << GR_OUTPUT_TAP)

static const struct option only_help[] = {
    {"help", no_argument, NULL, 'h'},
    {0},
};

const struct gr_verb gr_verbs[] = {
    {"plugin", "run the NRI plugin process", gr_verb_plugin, gr_options_plugin, 0, ""},
    {"check", "read rules and print every finding", gr_verb_check, gr_options_check,
     TEXT | JSON | YAML, NULL},
    {"completion", "print a shell's completion of this program", gr_verb_completion, only_help, 0,
     "bash zsh fish"},
    {"convert", "write hooks of other formats as HookSets", gr_verb_convert, gr_options_convert, 0,
     NULL},
    {"diff", "show what other rules would change for containers", gr_verb_diff, gr_options_diff,
     TEXT | JSON | YAML, NULL},
    {"doctor", "say why no hooks come to containers on this node", gr_verb_doctor,
     gr_options_doctor, TEXT | JSON | YAML, ""},
    {"explain", "say why each set matches a container or does not", gr_verb_explain,
     gr_options_explain, TEXT | JSON | YAML, ""},
    {"list", "show the rules in force, their order, and what was ignored or refused", gr_verb_list,
     gr_options_list, TEXT | JSON | YAML, NULL},
    {"pause", "take sets out of force on this node", gr_verb_pause, gr_options_pause, 0, ""},
    {"probe", "for exec probes: whether the plugin lives, or is ready", gr_verb_probe,
     gr_options_probe, 0, "live ready"},
    {"render", "print the hooks that a container would get", gr_verb_render, gr_options_render,
     JSON | YAML, ""},
    {"resume", "put paused or tripped sets in force again", gr_verb_resume, gr_options_resume, 0,
     ""},
    {"schema", "print the JSON Schema of a file format", gr_verb_schema, only_help, 0,
     "HookSet Config Policy TestSuite"},
    {"setup", "install hook programs, or Grapnel, on a host, and clean up", gr_verb_setup,
     gr_options_setup, 0, "install self autostart cleanup"},
    {"simulate", "play a runtime: launch a plugin and ask it about pods", gr_verb_simulate,
     gr_options_simulate, TEXT | JSON, NULL},
    {"status", "show the plugin process on this node, and what is wrong", gr_verb_status,
     gr_options_status, TEXT | JSON | YAML, ""},
    {"test", "run test suites: containers and what rules are to do to them", gr_verb_test,
     gr_options_test, TEXT | JSON | JUNIT | TAP, NULL},
    {"version", "print the version and the NRI API level", gr_verb_version, only_help, 0, ""},
};

const size_t gr_verbs_n = GR_ARRAY_LEN(gr_verbs);

const struct gr_verb *gr_verb_find(const char *name)
{
    for (size_t i = 0; i < gr_verbs_n; i++) {
        if (strcmp(gr_verbs[i].name, name) == 0)
            return &gr_verbs[i];
    }
    return NULL;
}
