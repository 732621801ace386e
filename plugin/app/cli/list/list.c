/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/list/list: the sets in their total order, and what became of each file.
 *
 * Layer: app.
 */
#include <stdio.h>

#include "app/cli/shared/document.h"
#include "app/cli/list/out.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

static const char help[] =
    "Usage: grapnel list [OPTION]... [PATH]...\n"
    "\n"
    "Shows the sets of rules in the order in which their hooks run, with their state, and what\n"
    "became of each file: what masks what, what is disabled, what was refused and why. PATH is a\n"
    "file or a directory; without any, the directories that the plugin reads.\n"
    "\n" GR_NO_HOST_HELP "  -o text|json|yaml   how it is printed (default text)\n" GR_COMMON_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 printed, 1 something was refused, 2 usage, 4 PATH is not there.\n"
    "\n"
    "Example:\n"
    "  grapnel list -o json | jq -r '.sets[] | select(.state == \"blocked\") | .name'\n";

struct list {
    struct gr_common common;
    enum gr_output output;
};

const struct option gr_options_list[] = {
    GR_NO_HOST_OPTION,
    {"output", required_argument, NULL, 'o'},
    GR_COMMON_OPTIONS,
    {0},
};

static int take(void *user, int option, const char *value)
{
    struct list *list = user;

    switch (option) {
    case 'o':
        return gr_output_choose("list", value, &list->output);
    default:
        return gr_common_option(&list->common, option, value);
    }
}

static int parse(struct list *list, int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "list", .help = help, .letters = "ho:", .options = gr_options_list, .take = take};
    int r = gr_parse_options(&line, argc, argv, list);

    for (; optind < argc && r == GR_EXIT_OK; optind++)
        r = gr_common_path(&list->common, argv[optind]);
    gr_common_seal(&list->common);
    return r;
}

int gr_verb_list(int argc, char **argv)
{
    struct list list = {.common = {.verb = "list"}};
    struct gr_finding_list findings;
    struct gr_reporter reporter;
    struct gr_loaded loaded;
    int r = parse(&list, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    gr_finding_list_init(&findings);
    reporter = gr_finding_list_reporter(&findings);
    r = gr_common_load(&list.common, GR_STR_NONE, !list.common.no_host, &reporter, &loaded);
    if (r == GR_EXIT_OK) {
        if (list.output == GR_OUTPUT_TEXT)
            gr_list_text(&loaded.load, &findings);
        else
            r = gr_document_print("list", gr_list_json(&loaded.load, &findings), list.output);
        if (r == GR_EXIT_OK && loaded.load.errors > 0)
            r = GR_EXIT_FAILED;
        gr_common_unload(&loaded);
    }
    gr_finding_list_fini(&findings);
    return r;
}
