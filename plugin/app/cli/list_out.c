/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/list_out.h"

#include <stdio.h>

#include "app/cli/document.h"
#include "rules/adjust.h"

static const char *const format_names[] = {
    [GR_FORMAT_HOOKSET] = "HookSet",
    [GR_FORMAT_OCI_HOOKS] = "oci-hooks",
    [GR_FORMAT_HOOK_SPEC] = "hook-spec",
};

static const char *const file_states[] = {
    [GR_FILE_LOADED] = "loaded",      [GR_FILE_MASKED] = "masked",
    [GR_FILE_DISABLED] = "disabled",  [GR_FILE_REJECTED] = "rejected",
    [GR_FILE_LAST_GOOD] = "lastGood",
};

/* For people. */
static const char *const file_words[] = {
    [GR_FILE_LOADED] = "loaded",
    [GR_FILE_MASKED] = "masked by",
    [GR_FILE_DISABLED] = "disabled: empty, or a link to /dev/null",
    [GR_FILE_REJECTED] = "REJECTED, not in force",
    [GR_FILE_LAST_GOOD] = "REJECTED, the text that was accepted last is in force",
};

enum state { STATE_IN_FORCE, STATE_OBSERVE, STATE_OTHER_NODE, STATE_BLOCKED };

static const char *const state_names[] = {"inForce", "observe", "otherNode", "blocked"};
static const char *const state_words[] = {"in force", "observe", "other node", "BLOCKED"};

static enum state state_of(const struct gr_hookset *set)
{
    if (set->other_node)
        return STATE_OTHER_NODE;
    if (set->blocked.n > 0)
        return STATE_BLOCKED;
    return set->mode == GR_MODE_OBSERVE ? STATE_OBSERVE : STATE_IN_FORCE;
}

static bool is_about(const struct gr_finding *finding, const struct gr_file_report *file)
{
    return gr_str_is(file->path, finding->err.file);
}

/* About none of the files: directories, settings. */
static bool is_apart(const struct gr_load_result *loaded, const struct gr_finding *finding)
{
    for (size_t i = 0; i < loaded->files_n; i++) {
        if (is_about(finding, &loaded->files[i]))
            return false;
    }
    return true;
}

static void put_stages(const struct gr_hookset *set)
{
    const char *comma = "";

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (set->hooks[stage].n == 0)
            continue;
        (void)printf("%s%s", comma, gr_stage_name((enum gr_stage)stage));
        comma = ", ";
    }
    if (set->adjust_n > 0)
        (void)printf("%sadjust", comma);
}

/* The longest name, at most so many columns. */
static int name_columns(const struct gr_load_result *loaded)
{
    size_t columns = sizeof("SET") - 1;

    for (size_t i = 0; i < gr_ruleset_count(loaded->ruleset); i++)
        columns = GR_MAX(columns, gr_ruleset_at(loaded->ruleset, i)->name.n);
    return (int)GR_MIN(columns, (size_t)40);
}

static void put_sets(const struct gr_load_result *loaded)
{
    int columns = name_columns(loaded);

    (void)printf("ORDER  %-*s  %-10s  %-9s  STAGES\n", columns, "SET", "STATE", "FORMAT");
    for (size_t i = 0; i < gr_ruleset_count(loaded->ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(loaded->ruleset, i);

        (void)printf("%5u  %-*s  %-10s  %-9s  ", set->order, columns, set->name.p,
                     state_words[state_of(set)], format_names[set->format]);
        put_stages(set);
        (void)printf("\n       %s:%u\n", set->file.p, set->line);
        if (set->blocked.n > 0)
            (void)printf("       blocked: %.*s\n", GR_STR_FMT(set->blocked));
    }
}

static void put_finding(const struct gr_finding *finding)
{
    char line[GR_ERR_FILE_BYTES + GR_ERR_TEXT_BYTES + 64];

    gr_err_format(&finding->err, finding->level, line, sizeof(line));
    (void)printf("    %s\n", line);
}

static void put_files(const struct gr_load_result *loaded, const struct gr_finding_list *findings)
{
    (void)fputs("\nFiles, lowest precedence first\n", stdout);
    for (size_t i = 0; i < loaded->files_n; i++) {
        const struct gr_file_report *file = &loaded->files[i];

        (void)printf("  %s: %s%s%.*s\n", file->path.p, file_words[file->state],
                     file->masked_by.n ? " " : "", GR_STR_FMT(file->masked_by));
        for (size_t k = 0; k < findings->n; k++) {
            if (is_about(&findings->items[k], file))
                put_finding(&findings->items[k]);
        }
    }
}

void gr_list_text(const struct gr_load_result *loaded, const struct gr_finding_list *findings)
{
    if (gr_ruleset_count(loaded->ruleset) > 0)
        put_sets(loaded);
    else
        (void)fputs("No sets of rules.\n", stdout);
    if (loaded->files_n > 0)
        put_files(loaded, findings);
    for (size_t k = 0; k < findings->n; k++) {
        if (is_apart(loaded, &findings->items[k]))
            put_finding(&findings->items[k]);
    }
    if (findings->dropped > 0)
        (void)printf("%zu more findings are not shown\n", findings->dropped);
}

static json_t *adjust_kinds(const struct gr_hookset *set)
{
    json_t *list = json_array();
    bool seen[GR_ADJUST_KIND_COUNT] = {false};

    for (size_t i = 0; i < set->adjust_n; i++) {
        enum gr_adjust_kind kind = set->adjust[i].kind;

        if (!seen[kind])
            (void)json_array_append_new(list, json_string(gr_adjust_kind_name(kind)));
        seen[kind] = true;
    }
    return list;
}

static json_t *set_json(const struct gr_hookset *set)
{
    json_t *object = json_object(), *stages = json_object();

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (set->hooks[stage].n > 0)
            (void)json_object_set_new(stages, gr_stage_name((enum gr_stage)stage),
                                      json_integer((json_int_t)set->hooks[stage].n));
    }
    gr_json_set_str(object, "name", set->name);
    gr_json_set_str(object, "file", set->file);
    (void)json_object_set_new(object, "line", json_integer(set->line));
    (void)json_object_set_new(object, "order", json_integer(set->order));
    (void)json_object_set_new(object, "mode",
                              json_string(set->mode == GR_MODE_OBSERVE ? "Observe" : "Enforce"));
    (void)json_object_set_new(object, "state", json_string(state_names[state_of(set)]));
    gr_json_set_str(object, "blocked", set->blocked);
    (void)json_object_set_new(object, "format", json_string(format_names[set->format]));
    (void)json_object_set_new(object, "stages", stages);
    if (set->adjust_n > 0)
        (void)json_object_set_new(object, "adjust", adjust_kinds(set));
    return object;
}

static json_t *file_json(const struct gr_file_report *file, const struct gr_finding_list *findings)
{
    json_t *object = json_object(), *list = json_array();

    gr_json_set_str(object, "path", file->path);
    (void)json_object_set_new(object, "state", json_string(file_states[file->state]));
    (void)json_object_set_new(object, "format", json_string(format_names[file->format]));
    (void)json_object_set_new(object, "sets", json_integer((json_int_t)file->sets));
    gr_json_set_str(object, "maskedBy", file->masked_by);
    gr_json_set_str(object, "detail", file->detail);
    for (size_t k = 0; k < findings->n; k++) {
        if (is_about(&findings->items[k], file))
            (void)json_array_append_new(
                list, gr_finding_json(findings->items[k].level, &findings->items[k].err));
    }
    if (json_array_size(list) > 0)
        (void)json_object_set(object, "findings", list);
    json_decref(list);
    return object;
}

json_t *gr_list_json(const struct gr_load_result *loaded, const struct gr_finding_list *findings)
{
    json_t *sets = json_array(), *files = json_array(), *apart = json_array();

    for (size_t i = 0; i < gr_ruleset_count(loaded->ruleset); i++)
        (void)json_array_append_new(sets, set_json(gr_ruleset_at(loaded->ruleset, i)));
    for (size_t i = 0; i < loaded->files_n; i++)
        (void)json_array_append_new(files, file_json(&loaded->files[i], findings));
    for (size_t k = 0; k < findings->n; k++) {
        if (is_apart(loaded, &findings->items[k]))
            (void)json_array_append_new(
                apart, gr_finding_json(findings->items[k].level, &findings->items[k].err));
    }
    return json_pack("{s:o, s:o, s:o}", "sets", sets, "files", files, "findings", apart);
}
