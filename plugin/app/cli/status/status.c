/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/status/status: what the plugin process on this node is, has and lacks.
 *
 * Layer: app.
 */
#include "app/cli/status/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "app/cli/shared/control_client.h"
#include "app/cli/shared/document.h"
#include "app/cli/status/decisions.h"
#include "app/cli/shared/terminal.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

#define WATCH_DEFAULT_S 2
#define WATCH_MAX_S 3600

/* Pages are read anew when the rules are loaded meanwhile. */
#define PAGES_TRIES_MAX 5

static const char help[] =
    "Usage: grapnel status [OPTION]...\n"
    "\n"
    "Shows the plugin process on this node: whether it is ready or what is missing, its "
    "connection\n"
    "to the runtime, containers that run without their hooks, the sets of rules with their hits "
    "and\n"
    "what is wrong with them, the last load, the last decisions, and where each setting came "
    "from.\n"
    "What is wrong comes first. Asks the plugin over its control socket, as root.\n"
    "\n"
    "  --all               every set, file, finding, container and setting, also thousands\n"
    "  --watch[=SECONDS]   again and again, until it is interrupted (default every 2 seconds)\n"
    "  -o text|json|yaml   how it is printed (default text)\n" GR_CONTROL_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 the plugin is ready, 1 it is not, 2 usage, 4 it does not run or cannot be\n"
    "asked. With --watch 0 when it is interrupted.\n"
    "\n"
    "Examples:\n"
    "  grapnel status\n"
    "  grapnel status -o json | jq -r '.problems[]'\n";

struct status {
    struct gr_control_target target;
    enum gr_output output;
    bool all;
    uint64_t watch_s; /* 0: once */
};

enum { OPT_ALL = GR_OPT_OWN, OPT_WATCH };

const struct option gr_options_status[] = {
    {"all", no_argument, NULL, OPT_ALL},      {"watch", optional_argument, NULL, OPT_WATCH},
    {"output", required_argument, NULL, 'o'}, GR_CONTROL_OPTIONS,
    {"help", no_argument, NULL, 'h'},         {0},
};

static int set_watch(struct status *status, const char *value)
{
    if (gr_str_to_u64(gr_str_from(value), &status->watch_s) == 0 && status->watch_s > 0 &&
        status->watch_s <= WATCH_MAX_S)
        return GR_EXIT_OK;
    return gr_usage("status", "--watch of 1 to 3600 seconds", value);
}

static int take(void *user, int option, const char *value)
{
    struct status *status = user;

    switch (option) {
    case OPT_ALL:
        status->all = true;
        return GR_EXIT_OK;
    case OPT_WATCH:
        status->watch_s = WATCH_DEFAULT_S;
        return value ? set_watch(status, value) : GR_EXIT_OK;
    case 'o':
        return gr_output_choose("status", value, &status->output);
    default:
        return gr_control_option("status", &status->target, option, value);
    }
}

static int parse(struct status *status, int argc, char **argv)
{
    static const struct gr_command_line line = {.verb = "status",
                                                .help = help,
                                                .letters = "ho:",
                                                .options = gr_options_status,
                                                .take = take};
    int r = gr_parse_options(&line, argc, argv, status);

    if (r == GR_EXIT_OK && optind < argc && status->watch_s > 0)
        r = set_watch(status, argv[optind++]); /* --watch 5 */
    if (r == GR_EXIT_OK && optind < argc)
        r = gr_usage("status", "options only", argv[optind]);
    return r;
}

/* ---- everything, in pages ---- */

/*
 * Appends the pages of a list. *out_load: the number of the load that they are of.
 * Returns GR_EXIT_OK; -EAGAIN rules were loaded meanwhile; another exit code (said on stderr).
 */
static int read_pages(const struct status *status, const char *name, json_t *list,
                      json_int_t *out_load)
{
    json_int_t from = 0, load = -1;
    bool last = false;

    while (!last) {
        json_t *page = NULL;
        const json_t *next;
        int r = gr_control_call(
            "status", &status->target,
            json_pack("{s:s, s:s, s:I}", "command", "page", "of", name, "from", from), &page);

        if (r != GR_EXIT_OK)
            return r;
        next = json_object_get(page, "next");
        last = json_integer_value(next) <= from;
        from = json_integer_value(next);
        if (load < 0)
            load = json_integer_value(json_object_get(page, "load"));
        if (load != json_integer_value(json_object_get(page, "load")))
            r = -EAGAIN;
        else if (json_array_extend(list, json_object_get(page, name)) != 0)
            r = GR_EXIT_FAILED;
        json_decref(page);
        if (r)
            return r;
    }
    *out_load = load;
    return GR_EXIT_OK;
}

/* In place of the part that the document has. What the plugin itself has not kept stays "more". */
static void replace(json_t *document, const char *name, json_t *list)
{
    json_t *more = json_object_get(document, "more");
    size_t told = json_array_size(json_object_get(document, name)) +
                  (size_t)json_integer_value(json_object_get(more, name));
    size_t n = json_array_size(list);

    (void)json_object_set(document, name, list);
    if (told > n)
        (void)json_object_set_new(more, name, json_integer((json_int_t)(told - n)));
    else
        (void)json_object_del(more, name);
}

static int add_lists(const struct status *status, json_t *document)
{
    static const char *const names[] = {"sets", "files", "findings", "lacking"};
    const size_t of_load = 3; /* the numbers of these are of one load */
    json_int_t first = -1;

    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        json_t *list = json_array();
        json_int_t load = 0;
        int r = read_pages(status, names[i], list, &load);

        first = i == 0 ? load : first;
        if (r == GR_EXIT_OK && load != first && i < of_load)
            r = -EAGAIN;
        if (r == GR_EXIT_OK)
            replace(document, names[i], list);
        json_decref(list);
        if (r != GR_EXIT_OK)
            return r;
    }
    return GR_EXIT_OK;
}

static int ask_once(const struct status *status, json_t **out_document)
{
    json_t *document = NULL;
    int r = gr_control_call("status", &status->target, json_pack("{s:s}", "command", "status"),
                            &document);

    if (r == GR_EXIT_OK && status->all)
        r = add_lists(status, document);
    if (r != GR_EXIT_OK) {
        json_decref(document);
        return r;
    }
    (void)json_object_del(document, "ok");
    gr_status_add_decisions(document);
    *out_document = document;
    return GR_EXIT_OK;
}

static int ask(const struct status *status, json_t **out_document)
{
    int r = -EAGAIN;

    for (int i = 0; i < PAGES_TRIES_MAX && r == -EAGAIN; i++)
        r = ask_once(status, out_document);
    if (r != -EAGAIN)
        return r;
    (void)fputs("grapnel status: the rules change faster than they can be read; try again\n",
                stderr);
    return GR_EXIT_FAILED;
}

/* ---- output ---- */

static int show(const struct status *status)
{
    json_t *document = NULL;
    int r = ask(status, &document);
    bool ready;

    if (r != GR_EXIT_OK)
        return r;
    ready = json_is_true(json_object_get(document, "ready"));
    if (status->output == GR_OUTPUT_TEXT) {
        gr_status_text(document, status->all);
        json_decref(document);
    } else {
        r = gr_document_print("status", document, status->output);
    }
    return r == GR_EXIT_OK && !ready ? GR_EXIT_FAILED : r;
}

/* Between two of them. */
static void put_divider(const struct status *status, bool redraws)
{
    if (redraws)
        (void)fputs("\033[H\033[J", stdout);
    else if (status->output == GR_OUTPUT_YAML)
        (void)fputs("---\n", stdout);
    else if (status->output == GR_OUTPUT_TEXT)
        (void)fputc('\n', stdout);
}

/* A plugin that is not there may come back. */
static int watch(const struct status *status)
{
    const struct timespec interval = {.tv_sec = (time_t)status->watch_s};
    bool redraws = status->output == GR_OUTPUT_TEXT && gr_is_terminal();
    bool first = true;
    sigset_t ends;

    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    do {
        if (!first || redraws)
            put_divider(status, redraws);
        first = false;
        (void)show(status);
        if (fflush(stdout) != 0 || ferror(stdout))
            return GR_EXIT_FAILED;
    } while (sigtimedwait(&ends, NULL, &interval) < 0);
    return GR_EXIT_OK;
}

int gr_verb_status(int argc, char **argv)
{
    struct status status = {0};
    int r = parse(&status, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    return status.watch_s > 0 ? watch(&status) : show(&status);
}
