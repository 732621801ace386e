/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/explain/in_force: what the plugin that runs says of a container.
 *
 * Layer: app, not for other verbs. Spec: specs/explain.md, "With the rules in force".
 */
#ifndef GR_APP_CLI_EXPLAIN_IN_FORCE_H
#define GR_APP_CLI_EXPLAIN_IN_FORCE_H

#include "app/cli/shared/control_client.h"
#include "app/control_limits.h"
#include "app/explain/answer.h"

#define GR_IN_FORCE_HELP                                                                         \
    "  --in-force          asks the plugin that runs here: the rules that it has in force,\n"    \
    "                      whatever lies in their files by now, and what is paused. --config\n"  \
    "                      then only says where it is asked, and no other rules can be\n"        \
    "                      named. Needs root\n"                                                  \
    "  --control PATH      with --in-force: the plugin's control socket (default: the setting\n" \
    "                      controlSocket, " GR_CONFIG_CONTROL_DEFAULT ")\n"

/* One container explained, by whomever. */
struct gr_in_force_answer {
    struct gr_buf text; /* what is printed, or JSON of it */
    bool refused;       /* the container would be */
    json_t *hashes;     /* of the recorded sets, as gr_explain_hashes has them */
    char *warning;      /* what is not as the files say; NULL: nothing */
};

/* Where it is asked. Borrowed. */
struct gr_in_force_at {
    const char *path;                   /* empty: the settings say that there is no socket */
    const struct gr_settings *settings; /* that say so; NULL: somebody named it */
};

void gr_in_force_answer_init(struct gr_in_force_answer *answer, size_t max_bytes);
void gr_in_force_answer_fini(struct gr_in_force_answer *answer);

/*
 * Asks the plugin. recorded: names of sets whose hashes are wanted. answer: initialised. Where
 * others are asking at the same time it tries again, as long as an answer may take.
 * Returns GR_EXIT_OK; GR_EXIT_USAGE a set is named that is not in force, or the container has a
 * text that is no UTF-8; GR_EXIT_HOST the plugin cannot be asked; GR_EXIT_FAILED without memory
 * (all said on stderr).
 */
int gr_in_force_explain(const struct gr_in_force_at *at, const struct gr_explain_ask *ask,
                        struct gr_strs recorded, struct gr_in_force_answer *answer);

#endif
