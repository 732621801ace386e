/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/status/text_more.h"

#include <stdio.h>
#include <string.h>

#include "app/cli/status/put.h"
#include "app/way.h"

#define ID_COLUMNS 12

struct name {
    char text[1024];
};

/* Of a container: what of namespace, pod and name is known. */
static struct name name_of(const json_t *object)
{
    static const char *const keys[] = {"namespace", "pod", "container"};
    struct name name = {""};
    size_t n = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(keys) && n < sizeof(name.text); i++) {
        const char *part = gr_text_of(object, keys[i]);

        if (part[0])
            n += (size_t)snprintf(name.text + n, sizeof(name.text) - n, "%s%s", n > 0 ? "/" : "",
                                  part);
    }
    return name;
}

/* ---- running containers ---- */

static void put_lacking(const json_t *document, bool all)
{
    const json_t *list = json_object_get(document, "lacking");
    const char *before = "";
    long long left_out = gr_number_of(json_object_get(document, "more"), "lacking");
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *class = gr_text_of(item, "class");
        const char *set = gr_text_of(item, "set"); /* empty: the container cannot be read */

        if (!all && !gr_is(class, "missed") && !gr_is(class, "unreadable")) {
            left_out++;
            continue;
        }
        gr_put_line(gr_is(class, before) ? "" : class, "%s%s%s%sid %.*s", name_of(item).text,
                    set[0] ? " lacks " : "", set, set[0] ? ", " : "", ID_COLUMNS,
                    gr_text_of(item, "id"));
        before = class;
    }
    if (left_out > 0)
        (void)printf("  %lld more: see --all\n", left_out);
}

void gr_status_put_running(const json_t *document, bool all)
{
    const json_t *running = json_object_get(document, "running");

    if (!running)
        return;
    gr_put_heading("Containers that run since before");
    if (gr_truth_of(running, "known"))
        gr_put_line("compared",
                    "%lld: %lld missed, %lld outdated, %lld preexisting, %lld unreadable",
                    gr_number_of(running, "running"), gr_number_of(running, "missed"),
                    gr_number_of(running, "outdated"), gr_number_of(running, "preexisting"),
                    gr_number_of(running, "unreadable"));
    else
        gr_put_line("compared", "not known");
    put_lacking(document, all);
}

/* ---- decisions ---- */

static void write_sets(const json_t *decision, char *text, size_t bytes)
{
    const json_t *sets = json_object_get(decision, "sets");
    const json_t *set;
    size_t i, n = 0;

    text[0] = '\0';
    json_array_foreach(sets, i, set)
    {
        const char *verdict = gr_text_of(set, "verdict");
        bool plain = gr_is(verdict, "injected");

        if (n < bytes)
            n += (size_t)snprintf(text + n, bytes - n, "%s%s%s%s%s", i > 0 ? ", " : "",
                                  gr_text_of(set, "name"), plain ? "" : " (", plain ? "" : verdict,
                                  plain ? "" : ")");
    }
}

static void put_decision(const json_t *decision)
{
    const struct name name = name_of(decision);
    const char *outcome = gr_text_of(decision, "outcome");
    bool bad = gr_is(outcome, "refused") || gr_is(outcome, "error");
    char sets[GR_STATUS_LINE_BYTES], id[ID_COLUMNS + 1];

    (void)fputs("  ", stdout);
    gr_put(gr_text_of(decision, "time"));
    (void)fputs("  ", stdout);
    (void)snprintf(id, sizeof(id), "%s", gr_text_of(decision, "id"));
    gr_put(id);
    (void)fputs(id[0] ? "  " : "", stdout);
    gr_put_coloured(bad ? GR_RED : NULL, outcome);
    write_sets(decision, sets, sizeof(sets));
    (void)fputs("\n      ", stdout);
    gr_put_wrapped(6, 6, name.text[0] ? name.text : "a request that could not be read");
    if (sets[0]) {
        (void)fputs("      ", stdout);
        gr_put_wrapped(6, 6, sets);
    }
}

void gr_status_put_decisions(const json_t *document)
{
    const json_t *decisions = json_object_get(document, "decisions");
    const json_t *list = json_object_get(decisions, "list");
    const char *problem = gr_text_of(decisions, "problem");
    const json_t *decision;
    size_t i;

    if (!decisions)
        return;
    gr_put_heading("Last decisions, the latest first");
    json_array_foreach(list, i, decision) put_decision(decision);
    if (problem[0]) {
        (void)fputs("  ", stdout);
        gr_put_wrapped(2, 2, problem);
    } else if (json_array_size(list) == 0) {
        (void)fputs("  none yet\n", stdout);
    }
}

/* ---- the process ---- */

static void put_watch(const json_t *watch)
{
    if (gr_truth_of(watch, "working"))
        gr_put_line("files", "watched in %lld director%s", gr_number_of(watch, "directories"),
                    gr_number_of(watch, "directories") == 1 ? "y" : "ies");
    else
        gr_put_line("files", "NOT WATCHED, but read again at times%s%s",
                    gr_text_of(watch, "problem")[0] ? ": " : "", gr_text_of(watch, "problem"));
}

static void put_journal(const json_t *journal)
{
    long long lost = gr_number_of(journal, "lost");
    char tail[64] = "";

    if (lost > 0)
        (void)snprintf(tail, sizeof(tail), ", %lld LOST", lost);
    if (gr_text_of(journal, "runDir")[0] == '\0') {
        gr_put_line("journal", "none");
        return;
    }
    gr_put_line("run directory", "%s", gr_text_of(journal, "runDir"));
    if (gr_text_of(journal, "problem")[0])
        gr_put_line("journal", "NOT WRITTEN%s: %s", tail, gr_text_of(journal, "problem"));
    else if (!gr_truth_of(journal, "open"))
        gr_put_line("journal", "not open yet%s", tail);
    else
        gr_put_line("journal", "%lld record%s%s, %lld container%s known%s",
                    gr_number_of(journal, "records"), gr_plural(gr_number_of(journal, "records")),
                    tail, gr_number_of(journal, "known"), gr_plural(gr_number_of(journal, "known")),
                    gr_truth_of(journal, "complete") ? "" : ", not all of them");
}

static void put_metrics(const json_t *metrics)
{
    const char *address = gr_text_of(metrics, "address");

    if (address[0] == '\0')
        gr_put_line("metrics", "not served");
    else if (gr_truth_of(metrics, "served"))
        gr_put_line("metrics", "served at %s", address);
    else
        gr_put_line("metrics", "NOT SERVED at %s, trying on: %s", address,
                    gr_text_of(metrics, "problem"));
    if (gr_text_of(metrics, "textfile")[0])
        gr_put_line("metrics file", "%s", gr_text_of(metrics, "textfile"));
}

static void put_sandbox(const json_t *sandbox)
{
    const char *capabilities = gr_text_of(sandbox, "capabilities");

    if (capabilities[0] == '\0') {
        gr_put_line("sandbox", "not known");
        return;
    }
    gr_put_line("sandbox", "%s, %s, %s",
                gr_is(capabilities, "none") ? "no capabilities" : "capabilities NOT DROPPED",
                gr_truth_of(sandbox, "noNewPrivileges") ? "no new ones" : "new ones possible",
                gr_truth_of(sandbox, "filter") ? "system calls filtered"
                                               : "system calls not filtered");
}

/* Of this process or another one; what a later version calls otherwise stands as it is. */
static struct gr_way_words mode_words(const json_t *instance)
{
    const char *mode = gr_text_of(instance, "mode");
    struct gr_way_words words;

    for (int way = 0; way < GR_WAY_COUNT; way++) {
        if (gr_is(mode, gr_way_name((enum gr_way)way)))
            return gr_way_words((enum gr_way)way, gr_text_of(instance, "unit"));
    }
    (void)snprintf(words.text, sizeof(words.text), "%s", mode);
    return words;
}

static void put_mode(const json_t *document)
{
    const json_t *others = json_object_get(document, "others");
    const json_t *other;
    size_t i;

    gr_put_line("runs", "%s", mode_words(json_object_get(document, "process")).text);
    json_array_foreach(others, i, other)
        gr_put_line(i == 0 ? "beside" : "", "%s %s, version %s, for %s", gr_text_of(other, "name"),
                    mode_words(other).text, gr_text_of(other, "version"),
                    gr_since_text(gr_text_of(other, "started")).text);
}

void gr_status_put_process(const json_t *document)
{
    const json_t *reports = json_object_get(document, "reports");
    const json_t *sandbox = json_object_get(json_object_get(document, "process"), "sandbox");

    if (!sandbox)
        return;
    gr_put_heading("Process");
    put_mode(document);
    put_watch(json_object_get(document, "watch"));
    put_journal(json_object_get(document, "journal"));
    put_metrics(json_object_get(document, "metrics"));
    if (gr_text_of(document, "control")[0])
        gr_put_line("control socket", "%s", gr_text_of(document, "control"));
    gr_put_line("hook runners", "%lld report%s, %lld bad, %lld from other users",
                gr_number_of(reports, "good"), gr_plural(gr_number_of(reports, "good")),
                gr_number_of(reports, "bad"), gr_number_of(reports, "foreign"));
    put_sandbox(sandbox);
}
