/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/status/text.h"

#include <stdio.h>
#include <string.h>

#include "app/cli/status/put.h"
#include "app/cli/status/text_more.h"
#include "app/rules_json.h"

#define NAME_COLUMNS_MAX 40

static void put_head(const json_t *document)
{
    const json_t *process = json_object_get(document, "process");
    long long bytes = gr_number_of(process, "residentBytes");

    (void)fputs("Grapnel ", stdout);
    gr_put(gr_text_of(process, "version"));
    (void)printf(", process %lld, up %s", gr_number_of(process, "pid"),
                 gr_duration(gr_number_of(process, "uptimeSeconds")).text);
    if (bytes > 0)
        (void)printf(", %.1f MiB", (double)bytes / (1 << 20));
    (void)fputc('\n', stdout);
    if (gr_truth_of(document, "ready")) {
        gr_put_coloured(GR_GREEN, "ready");
    } else {
        gr_put_coloured(GR_RED, "NOT READY");
        (void)fputs(": ", stdout);
        gr_put(gr_text_of(document, "notReady"));
    }
    (void)fputc('\n', stdout);
}

static void put_problems(const json_t *document)
{
    const json_t *problems = json_object_get(document, "problems");
    const json_t *problem;
    size_t i;

    if (json_array_size(problems) == 0)
        return;
    gr_put_heading("Problems");
    json_array_foreach(problems, i, problem)
    {
        (void)fputs("  - ", stdout);
        gr_put_wrapped(4, 4, json_string_value(problem) ? json_string_value(problem) : "");
    }
}

static const char *state_words(const char *state)
{
    static const char *const words[][2] = {
        {"new", "connected"},         {"registering", "connected, not registered yet"},
        {"configured", "registered"}, {"ready", "registered, synchronized"},
        {"closed", "not connected"},
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(words); i++) {
        if (gr_is(state, words[i][0]))
            return words[i][1];
    }
    return state;
}

static void put_runtime(const json_t *c)
{
    char nri[128] = "";

    if (gr_text_of(c, "runtime")[0] == '\0')
        return;
    if (gr_text_of(c, "nri")[0])
        (void)snprintf(nri, sizeof(nri), ", NRI %s", gr_text_of(c, "nri"));
    gr_put_line("runtime", "%s %s%s, waits %lld ms for an answer", gr_text_of(c, "runtime"),
                gr_text_of(c, "runtimeVersion"), nri, gr_number_of(c, "requestTimeoutMs"));
}

static void put_connection(const json_t *document)
{
    const json_t *c = json_object_get(document, "connection");

    gr_put_heading("Connection");
    gr_put_line("state", "%s for %s", state_words(gr_text_of(c, "state")),
                gr_since_text(gr_text_of(c, "since")).text);
    if (gr_truth_of(c, "launched"))
        gr_put_line("started by", "the runtime, from its plugin directory");
    else
        gr_put_line("socket", "%s", gr_text_of(c, "socket"));
    gr_put_line("registers as", "%s-%s", gr_text_of(c, "index"), gr_text_of(c, "name"));
    put_runtime(c);
    if (gr_truth_of(c, "synchronized"))
        gr_put_line("found", "%lld pod%s, %lld container%s", gr_number_of(c, "pods"),
                    gr_plural(gr_number_of(c, "pods")), gr_number_of(c, "containers"),
                    gr_plural(gr_number_of(c, "containers")));
    gr_put_line("sessions", "%lld%s%s", gr_number_of(c, "sessions"),
                gr_text_of(c, "lastEnd")[0] ? ", the last one ended: " : "",
                gr_text_of(c, "lastEnd"));
    if (gr_text_of(c, "connectError")[0])
        gr_put_line("connecting fails", "%s", gr_text_of(c, "connectError"));
}

static void put_counts(const json_t *rules)
{
    char text[GR_STATUS_LINE_BYTES];
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i <= GR_SET_STATE_COUNT; i++) {
        enum gr_set_state state = (enum gr_set_state)i;
        bool last = i == GR_SET_STATE_COUNT;
        long long count = gr_number_of(rules, last ? "suspended" : gr_set_state_name(state));

        if (count > 0 && n < sizeof(text))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%lld %s", n > 0 ? ", " : "", count,
                                  last ? "paused or tripped" : gr_set_state_words(state));
    }
    gr_put_line("sets", "%lld in %lld file%s%s%s", gr_number_of(rules, "sets"),
                gr_number_of(rules, "files"), gr_plural(gr_number_of(rules, "files")),
                n > 0 ? ": " : "", text);
}

static void put_rules(const json_t *document)
{
    const json_t *load = json_object_get(document, "load");
    const json_t *policies = json_object_get(document, "policies");
    const json_t *policy;
    size_t i;

    gr_put_heading("Rules");
    put_counts(json_object_get(document, "rules"));
    if (gr_is(gr_text_of(load, "result"), "none")) {
        gr_put_line("last load", "none yet");
    } else {
        gr_put_line("last load", "%s ago%s%s, %s, in %.1f ms",
                    gr_since_text(gr_text_of(load, "at")).text,
                    gr_text_of(load, "cause")[0] ? " by " : "", gr_text_of(load, "cause"),
                    gr_is(gr_text_of(load, "result"), "good") ? "good" : "with errors",
                    (double)gr_number_of(load, "tookMicroseconds") / 1000);
        if (!gr_is(gr_text_of(load, "result"), "good") && gr_text_of(load, "lastGoodAt")[0])
            gr_put_line("last good load", "%s ago",
                        gr_since_text(gr_text_of(load, "lastGoodAt")).text);
    }
    json_array_foreach(policies, i, policy)
    {
        gr_put_line(i == 0 ? "policies" : "", "%s:%lld", gr_text_of(policy, "file"),
                    gr_number_of(policy, "line"));
    }
}

/* All that are paused or tripped, those too that no rules have. */
static void put_suspended(const json_t *document)
{
    const json_t *suspended = json_object_get(document, "suspended");
    const json_t *list = json_object_get(suspended, "list");
    const json_t *item;
    size_t i;

    if (json_array_size(list) > 0)
        gr_put_heading("Paused or tripped");
    json_array_foreach(list, i, item)
    {
        gr_put_line(gr_truth_of(item, "all") ? "all sets" : gr_text_of(item, "set"),
                    "%s%s%s by %s%s%s", gr_text_of(item, "kind"),
                    gr_text_of(item, "until")[0] ? " until " : "", gr_text_of(item, "until"),
                    gr_text_of(item, "by"), gr_text_of(item, "reason")[0] ? ": " : "",
                    gr_text_of(item, "reason"));
    }
    if (gr_number_of(suspended, "total") > (long long)i)
        (void)printf("  %lld more\n", gr_number_of(suspended, "total") - (long long)i);
}

static void put_more(const json_t *document, const char *name, const char *what)
{
    long long n = gr_number_of(json_object_get(document, "more"), name);

    if (n > 0)
        (void)printf("  %lld more %s: see --all\n", n, what);
}

static const char *set_words(const char *name)
{
    for (size_t i = 0; i < GR_SET_STATE_COUNT; i++) {
        if (gr_is(name, gr_set_state_name((enum gr_set_state)i)))
            return gr_set_state_words((enum gr_set_state)i);
    }
    return name;
}

/* What became of containers that it matched. */
static void put_hits(const json_t *hits)
{
    static const char *const names[] = {"injected", "observed", "refused", "skipped", "ignored"};
    char text[256];
    size_t n = 0;

    if (!hits)
        return;
    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        long long count = gr_number_of(hits, names[i]);

        if (count > 0)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%lld %s", n > 0 ? ", " : "", count,
                                  names[i]);
    }
    (void)snprintf(text + n, sizeof(text) - n, ", the last %s ago",
                   gr_since_text(gr_text_of(hits, "last")).text);
    (void)fputs("         ", stdout);
    gr_put_wrapped(9, 9, text);
}

static void put_set(const json_t *set, int columns)
{
    bool blocked = gr_is(gr_text_of(set, "state"), "blocked");

    (void)printf("  %5lld  ", gr_number_of(set, "order"));
    gr_put(gr_text_of(set, "name"));
    (void)printf("%*s  ", GR_MAX(0, columns - (int)strlen(gr_text_of(set, "name"))), "");
    gr_put_coloured(blocked ? GR_RED : NULL, set_words(gr_text_of(set, "state")));
    if (gr_text_of(set, "suspended")[0]) {
        (void)fputs(", but ", stdout);
        gr_put_coloured(GR_YELLOW, gr_text_of(set, "suspended"));
    }
    (void)fputs("\n         ", stdout);
    gr_put(gr_text_of(set, "file"));
    (void)printf(":%lld\n", gr_number_of(set, "line"));
    put_hits(json_object_get(set, "hits"));
    if (gr_text_of(set, "blocked")[0]) {
        (void)fputs("         ", stdout);
        gr_put_wrapped(9, 9, gr_text_of(set, "blocked"));
    }
}

static void put_sets(const json_t *document)
{
    const json_t *sets = json_object_get(document, "sets");
    size_t columns = 3;
    const json_t *set;
    size_t i;

    if (json_array_size(sets) > 0)
        gr_put_heading("Sets, in the order in which their hooks run");
    json_array_foreach(sets, i, set) columns = GR_MAX(columns, strlen(gr_text_of(set, "name")));
    columns = GR_MIN(columns, (size_t)NAME_COLUMNS_MAX);
    json_array_foreach(sets, i, set) put_set(set, (int)columns);
    put_more(document, "sets", "sets");
}

static const char *file_words(const char *name)
{
    for (int i = 0; i <= GR_FILE_LAST_GOOD; i++) {
        if (gr_is(name, gr_file_state_name((enum gr_file_state)i)))
            return gr_file_state_words((enum gr_file_state)i);
    }
    return name;
}

static void put_files(const json_t *document, bool all)
{
    const json_t *files = json_object_get(document, "files");
    bool begun = false;
    const json_t *file;
    size_t i;

    json_array_foreach(files, i, file)
    {
        if (!all && gr_is(gr_text_of(file, "state"), "loaded"))
            continue;
        if (!begun)
            gr_put_heading("Files, lowest precedence first");
        begun = true;
        (void)fputs("  ", stdout);
        gr_put(gr_text_of(file, "path"));
        (void)printf(": %s%s", file_words(gr_text_of(file, "state")),
                     gr_text_of(file, "maskedBy")[0] ? " " : "");
        gr_put(gr_text_of(file, "maskedBy"));
        (void)fputc('\n', stdout);
    }
}

static void put_findings(const json_t *document)
{
    const json_t *findings = json_object_get(document, "findings");
    const json_t *finding;
    size_t i;

    if (json_array_size(findings) > 0)
        gr_put_heading("Findings");
    json_array_foreach(findings, i, finding)
    {
        const char *level = gr_text_of(finding, "level");

        (void)fputs("  ", stdout);
        gr_put_coloured(gr_is(level, "error")     ? GR_RED
                        : gr_is(level, "warning") ? GR_YELLOW
                                                  : NULL,
                        level);
        (void)fputc(' ', stdout);
        gr_put(gr_text_of(finding, "file"));
        if (gr_number_of(finding, "line") > 0)
            (void)printf(":%lld:%lld", gr_number_of(finding, "line"),
                         gr_number_of(finding, "column"));
        (void)fputs("\n      ", stdout);
        gr_put_wrapped(6, 6, gr_text_of(finding, "text"));
    }
    put_more(document, "findings", "findings");
}

static void put_setting(const json_t *setting)
{
    const json_t *value = json_object_get(setting, "value");
    const char *source = gr_text_of(setting, "source");
    char text[GR_STATUS_LINE_BYTES / 2], where[64];
    const json_t *item;
    size_t i, n = 0;

    text[0] = '\0';
    if (json_is_integer(value))
        (void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
    else if (json_is_string(value))
        (void)snprintf(text, sizeof(text), "%s", json_string_value(value));
    json_array_foreach(value, i, item)
    {
        if (n < sizeof(text))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > 0 ? ", " : "",
                                  json_string_value(item));
    }
    (void)snprintf(where, sizeof(where), gr_number_of(setting, "line") > 0 ? "%s, line %lld" : "%s",
                   source, gr_number_of(setting, "line"));
    gr_put_line(gr_text_of(setting, "name"), "%s (%s)", text[0] ? text : "none", where);
}

static void put_settings(const json_t *document, bool all)
{
    const json_t *settings = json_object_get(document, "settings");
    bool begun = false;
    const json_t *setting;
    size_t i;

    json_array_foreach(settings, i, setting)
    {
        if (!all && gr_is(gr_text_of(setting, "source"), "built-in"))
            continue;
        if (!begun)
            gr_put_heading(all ? "Settings" : "Settings that are not built in");
        begun = true;
        put_setting(setting);
    }
}

void gr_status_text(const json_t *document, bool all)
{
    put_head(document);
    put_problems(document);
    put_connection(document);
    put_rules(document);
    put_suspended(document);
    gr_status_put_running(document, all);
    put_sets(document);
    put_files(document, all);
    put_findings(document);
    gr_status_put_decisions(document);
    gr_status_put_process(document);
    put_settings(document, all);
}
