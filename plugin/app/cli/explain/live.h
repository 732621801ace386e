/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/explain/live: containers of this node, from the journal of decisions.
 *
 * Layer: app. Shared by explain and diff. Spec: specs/explain.md, specs/journal.md.
 */
#ifndef GR_APP_CLI_EXPLAIN_LIVE_H
#define GR_APP_CLI_EXPLAIN_LIVE_H

#include <jansson.h>

#include "app/cli/shared/common.h"
#include "state/journal_load.h"

/* A prefix of an id; containerd's and CRI-O's have 64 digits, of which people copy 12 or 13. */
#define GR_LIVE_PREFIX_MIN_BYTES 4

enum {
    GR_OPT_LIVE = GR_OPT_SUBJECT + 100,
    GR_OPT_LIVE_RUN_DIR,
};

#define GR_LIVE_RUN_DIR_OPTION                                  \
    {                                                           \
        "run-dir", required_argument, NULL, GR_OPT_LIVE_RUN_DIR \
    }
#define GR_LIVE_RUN_DIR_HELP                                                             \
    "  --run-dir DIR       where the journal of decisions lies (default: runDir of the " \
    "settings)\n"

/*
 * Reads the journal. run_dir: of --run-dir, or NULL: that of the settings.
 * Returns GR_EXIT_OK and contents for gr_journal_contents_fini; GR_EXIT_HOST it is not there or not
 * permitted, GR_EXIT_FAILED (said on stderr).
 */
int gr_live_load(const char *verb, const char *run_dir, const struct gr_settings *settings,
                 struct gr_arena *arena, struct gr_journal_contents *out_contents);

/* A container that was asked for. */
struct gr_live_found {
    const struct gr_journal_entry *entry;    /* the newest */
    const struct gr_journal_entry **earlier; /* of the same id or name, newest first */
    size_t earlier_n;
};

struct gr_live_list {
    struct gr_live_found *items; /* newest first */
    size_t n;
};

/* Whether it can mean a container at all, wherever it is looked for. Returns GR_EXIT_OK;
 * GR_EXIT_USAGE, said on stderr. */
int gr_live_check(const char *verb, const char *what);

/*
 * The containers that what means: the beginning of an id, NAMESPACE/POD or NAMESPACE/POD/CONTAINER.
 * Returns GR_EXIT_OK and at least one; GR_EXIT_FAILED there is none, or several ids begin so
 * (listed); GR_EXIT_USAGE (all said on stderr).
 */
int gr_live_find(const char *verb, const char *what, const struct gr_journal_contents *contents,
                 struct gr_arena *arena, struct gr_live_list *out_list);

/*
 * Every container that was created and that the runtime has not forgotten since, by its newest
 * decision, oldest first. Returns NULL without memory.
 */
const struct gr_subject **gr_live_all(const struct gr_journal_contents *contents,
                                      struct gr_arena *arena, size_t *out_n);

/* The names of the sets that came into question, in arena. items is NULL without memory. */
struct gr_strs gr_live_sets(const struct gr_live_found *found, struct gr_arena *arena);

/* What was decided, as text on stdout, and as JSON (NULL without memory). today: the hashes that
 * these sets have now (gr_explain_hashes), to tell which have changed. */
void gr_live_text(const struct gr_live_found *found, json_t *today);
json_t *gr_live_json(const struct gr_live_found *found, json_t *today);

#endif
