/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/status/decisions.h"

#include <errno.h>

#include "app/json.h"
#include "base/arena.h"
#include "state/journal_load.h"

#define ARENA_BLOCK_BYTES (64U << 10)

/* Sets that did something, or should have. */
static json_t *sets_json(const struct gr_journal_decision *decision)
{
    json_t *list = json_array();

    for (size_t i = 0; i < decision->sets_n; i++) {
        const struct gr_journal_set *set = &decision->sets[i];
        json_t *object = json_object();

        gr_json_set_str(object, "name", set->name);
        gr_json_set_str(object, "verdict", set->verdict);
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *decision_json(const struct gr_journal_entry *entry)
{
    const struct gr_journal_decision *decision = &entry->decision;
    const struct gr_subject *subject = &decision->subject;
    json_t *object = json_object();

    gr_json_set_time(object, "time", entry->time_s);
    gr_json_set_str(object, "id", subject->id);
    gr_json_set_str(object, "namespace", subject->pod_namespace);
    gr_json_set_str(object, "pod", subject->pod_name);
    gr_json_set_str(object, "container", subject->name);
    gr_json_set_str(object, "outcome", decision->outcome);
    (void)json_object_set_new(object, "sets", sets_json(decision));
    return object;
}

static json_t *list_json(const struct gr_journal_contents *contents)
{
    json_t *list = json_array();

    for (size_t i = contents->n; i > 0 && json_array_size(list) < GR_STATUS_DECISIONS_MAX; i--)
        (void)json_array_append_new(list, decision_json(&contents->entries[i - 1]));
    return list;
}

static void read_journal(json_t *decisions, const char *run_dir)
{
    struct gr_journal_contents contents;
    struct gr_err err = {0};
    struct gr_arena arena;

    gr_arena_init(&arena, ARENA_BLOCK_BYTES, 0);
    if (gr_journal_load(run_dir, &arena, &contents, &err) == 0) {
        (void)json_object_set_new(decisions, "list", list_json(&contents));
        gr_journal_contents_fini(&contents);
    } else {
        gr_json_set_str(decisions, "problem", gr_str_from(err.text));
    }
    gr_arena_fini(&arena);
}

/* The plugin may run in a container, where the path is another directory than here. */
static bool is_same(const json_t *journal, const char *run_dir)
{
    const char *theirs = json_string_value(json_object_get(journal, "directory"));
    char ours[GR_JSON_DIRECTORY_BYTES];

    return !theirs || !gr_json_directory(run_dir, ours) ||
           gr_str_eq(gr_str_from(theirs), gr_str_from(ours));
}

static void add_problem(json_t *decisions, const char *run_dir)
{
    struct gr_err err = {0};

    gr_fail(&err, 0, "run-dir",
            "the plugin has another directory as %s than there is here: ask inside its container",
            run_dir);
    gr_json_set_str(decisions, "problem", gr_str_from(err.text));
}

void gr_status_add_decisions(json_t *document)
{
    const json_t *journal = json_object_get(document, "journal");
    const char *run_dir = json_string_value(json_object_get(journal, "runDir"));
    json_t *decisions;

    if (!journal)
        return;
    decisions = json_object();
    if (run_dir && is_same(journal, run_dir))
        read_journal(decisions, run_dir);
    else if (run_dir)
        add_problem(decisions, run_dir);
    else
        gr_json_set_str(decisions, "problem",
                        GR_STR("no run directory is set (runDir): decisions are not recorded"));
    (void)json_object_set_new(document, "decisions", decisions);
}
