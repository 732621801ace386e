/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/list/out.h"

#include <stdio.h>

#include "app/cli/shared/document.h"
#include "app/rules_json.h"

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

static void put_programs(const struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < set->hooks[stage].n; i++) {
            const struct gr_hook *hook = &set->hooks[stage].items[i];

            if (hook->program.n > 0 && !hook->unresolved)
                (void)printf("       program %s: %s\n", hook->program.p, hook->path.p);
        }
    }
}

static void put_sets(const struct gr_load_result *loaded)
{
    int columns = name_columns(loaded);

    (void)printf("ORDER  %-*s  %-10s  %-9s  STAGES\n", columns, "SET", "STATE", "FORMAT");
    for (size_t i = 0; i < gr_ruleset_count(loaded->ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(loaded->ruleset, i);

        (void)printf("%5u  %-*s  %-10s  %-9s  ", set->order, columns, set->name.p,
                     gr_set_state_words(gr_set_state(set)), gr_set_format_name(set->format));
        put_stages(set);
        (void)printf("\n       %s:%u\n", set->file.p, set->line);
        if (set->blocked.n > 0)
            (void)printf("       blocked: %.*s\n", GR_STR_FMT(set->blocked));
        put_programs(set);
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

        (void)printf("  %s: %s%s%.*s\n", file->path.p, gr_file_state_words(file->state),
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

static json_t *file_json(const struct gr_file_report *file, const struct gr_finding_list *findings)
{
    json_t *object = gr_file_json(file), *list = json_array();

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
        (void)json_array_append_new(sets, gr_set_json(gr_ruleset_at(loaded->ruleset, i)));
    for (size_t i = 0; i < loaded->files_n; i++)
        (void)json_array_append_new(files, file_json(&loaded->files[i], findings));
    for (size_t k = 0; k < findings->n; k++) {
        if (is_apart(loaded, &findings->items[k]))
            (void)json_array_append_new(
                apart, gr_finding_json(findings->items[k].level, &findings->items[k].err));
    }
    return json_pack("{s:o, s:o, s:o}", "sets", sets, "files", files, "findings", apart);
}
