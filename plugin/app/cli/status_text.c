/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/status_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/cli/terminal.h"
#include "app/rules_json.h"
#include "base/buf.h"
#include "base/utf8.h"

#define COLUMNS 80
#define LINE_MAX_BYTES 8192
#define NAME_COLUMNS_MAX 40
#define SETTING_COLUMNS 18

#define BOLD "1"
#define RED "31"
#define GREEN "32"
#define YELLOW "33"

/* ---- what the document says ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static bool truth_of(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static bool is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

/* ---- text ---- */

/* Texts may hold anything that a file's name can. */
static void put(const char *text)
{
    char line[LINE_MAX_BYTES];

    (void)snprintf(line, sizeof(line), "%s", text);
    gr_utf8_make_printable(line);
    (void)fputs(line, stdout);
}

static void put_coloured(const char *colour, const char *text)
{
    bool has = gr_has_colours() && colour;

    if (has)
        (void)printf("\033[%sm", colour);
    put(text);
    if (has)
        (void)fputs("\033[0m", stdout);
}

static void put_heading(const char *text)
{
    (void)fputc('\n', stdout);
    put_coloured(BOLD, text);
    (void)fputc('\n', stdout);
}

static size_t columns_of(const char *text, size_t n)
{
    size_t columns = 0;

    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    return columns;
}

/* Words from this column on; further lines begin at indent. Then a line feed. */
static void put_wrapped(size_t column, size_t indent, const char *text)
{
    char line[LINE_MAX_BYTES];
    const char *word = line;
    bool begun = false;

    (void)snprintf(line, sizeof(line), "%s", text);
    gr_utf8_make_printable(line);
    while (*word) {
        size_t n = strcspn(word, " ");
        size_t columns = columns_of(word, n);

        if (begun && column + 1 + columns > COLUMNS) {
            (void)printf("\n%*s", (int)indent, "");
            column = indent;
            begun = false;
        }
        (void)printf("%s%.*s", begun ? " " : "", (int)n, word);
        column += columns + begun;
        begun = true;
        word += n + (word[n] == ' ');
    }
    (void)fputc('\n', stdout);
}

/* "  name      text", wrapped. */
GR_PRINTF(2, 3) static void put_line(const char *name, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)printf("  %-*s ", SETTING_COLUMNS, name);
    put_wrapped(SETTING_COLUMNS + 3, SETTING_COLUMNS + 3, text);
}

struct duration {
    char text[32];
};

static struct duration duration(long long seconds)
{
    struct duration d;

    if (seconds < 60)
        (void)snprintf(d.text, sizeof(d.text), "%lld s", seconds < 0 ? 0 : seconds);
    else if (seconds < 3600)
        (void)snprintf(d.text, sizeof(d.text), "%lld min", seconds / 60);
    else if (seconds < 48LL * 3600)
        (void)snprintf(d.text, sizeof(d.text), "%lld h %lld min", seconds / 3600,
                       seconds % 3600 / 60);
    else
        (void)snprintf(d.text, sizeof(d.text), "%lld d %lld h", seconds / 86400,
                       seconds % 86400 / 3600);
    return d;
}

/* Since a time of the document until now. */
static struct duration since(const char *text)
{
    struct tm utc = {0};

    if (!strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        return (struct duration){"?"};
    return duration((long long)(time(NULL) - timegm(&utc)));
}

/* ---- the parts ---- */

static void put_head(const json_t *document)
{
    const json_t *process = json_object_get(document, "process");
    long long bytes = number_of(process, "residentBytes");

    (void)fputs("Grapnel ", stdout);
    put(text_of(process, "version"));
    (void)printf(", process %lld, up %s", number_of(process, "pid"),
                 duration(number_of(process, "uptimeSeconds")).text);
    if (bytes > 0)
        (void)printf(", %.1f MiB", (double)bytes / (1 << 20));
    (void)fputc('\n', stdout);
    if (truth_of(document, "ready")) {
        put_coloured(GREEN, "ready");
    } else {
        put_coloured(RED, "NOT READY");
        (void)fputs(": ", stdout);
        put(text_of(document, "notReady"));
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
    put_heading("Problems");
    json_array_foreach(problems, i, problem)
    {
        (void)fputs("  - ", stdout);
        put_wrapped(4, 4, json_string_value(problem) ? json_string_value(problem) : "");
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
        if (is(state, words[i][0]))
            return words[i][1];
    }
    return state;
}

static void put_runtime(const json_t *c)
{
    char nri[128] = "";

    if (text_of(c, "runtime")[0] == '\0')
        return;
    if (text_of(c, "nri")[0])
        (void)snprintf(nri, sizeof(nri), ", NRI %s", text_of(c, "nri"));
    put_line("runtime", "%s %s%s, waits %lld ms for an answer", text_of(c, "runtime"),
             text_of(c, "runtimeVersion"), nri, number_of(c, "requestTimeoutMs"));
}

static const char *plural(long long n)
{
    return n == 1 ? "" : "s";
}

static void put_connection(const json_t *document)
{
    const json_t *c = json_object_get(document, "connection");

    put_heading("Connection");
    put_line("state", "%s for %s", state_words(text_of(c, "state")),
             since(text_of(c, "since")).text);
    if (truth_of(c, "launched"))
        put_line("started by", "the runtime, from its plugin directory");
    else
        put_line("socket", "%s", text_of(c, "socket"));
    put_line("registers as", "%s-%s", text_of(c, "index"), text_of(c, "name"));
    put_runtime(c);
    if (truth_of(c, "synchronized"))
        put_line("found", "%lld pod%s, %lld container%s", number_of(c, "pods"),
                 plural(number_of(c, "pods")), number_of(c, "containers"),
                 plural(number_of(c, "containers")));
    put_line("sessions", "%lld%s%s", number_of(c, "sessions"),
             text_of(c, "lastEnd")[0] ? ", the last one ended: " : "", text_of(c, "lastEnd"));
    if (text_of(c, "connectError")[0])
        put_line("connecting fails", "%s", text_of(c, "connectError"));
}

static void put_counts(const json_t *rules)
{
    char text[LINE_MAX_BYTES];
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < GR_SET_STATE_COUNT; i++) {
        long long count = number_of(rules, gr_set_state_name((enum gr_set_state)i));

        if (count > 0 && n < sizeof(text))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%lld %s", n > 0 ? ", " : "", count,
                                  gr_set_state_words((enum gr_set_state)i));
    }
    put_line("sets", "%lld in %lld file%s%s%s", number_of(rules, "sets"), number_of(rules, "files"),
             plural(number_of(rules, "files")), n > 0 ? ": " : "", text);
}

static void put_rules(const json_t *document)
{
    const json_t *load = json_object_get(document, "load");
    const json_t *policies = json_object_get(document, "policies");
    const json_t *policy;
    size_t i;

    put_heading("Rules");
    put_counts(json_object_get(document, "rules"));
    if (is(text_of(load, "result"), "none")) {
        put_line("last load", "none yet");
    } else {
        put_line("last load", "%s ago, %s, in %.1f ms", since(text_of(load, "at")).text,
                 is(text_of(load, "result"), "good") ? "good" : "with errors",
                 (double)number_of(load, "tookMicroseconds") / 1000);
        if (!is(text_of(load, "result"), "good") && text_of(load, "lastGoodAt")[0])
            put_line("last good load", "%s ago", since(text_of(load, "lastGoodAt")).text);
    }
    json_array_foreach(policies, i, policy)
    {
        put_line(i == 0 ? "policies" : "", "%s:%lld", text_of(policy, "file"),
                 number_of(policy, "line"));
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
        put_heading("Paused or tripped");
    json_array_foreach(list, i, item)
    {
        put_line(truth_of(item, "all") ? "all sets" : text_of(item, "set"), "%s%s%s by %s%s%s",
                 text_of(item, "kind"), text_of(item, "until")[0] ? " until " : "",
                 text_of(item, "until"), text_of(item, "by"),
                 text_of(item, "reason")[0] ? ": " : "", text_of(item, "reason"));
    }
    if (number_of(suspended, "total") > (long long)i)
        (void)printf("  %lld more\n", number_of(suspended, "total") - (long long)i);
}

static void put_more(const json_t *document, const char *name, const char *what)
{
    long long n = number_of(json_object_get(document, "more"), name);

    if (n > 0)
        (void)printf("  %lld more %s: see --all\n", n, what);
}

static const char *set_words(const char *name)
{
    for (size_t i = 0; i < GR_SET_STATE_COUNT; i++) {
        if (is(name, gr_set_state_name((enum gr_set_state)i)))
            return gr_set_state_words((enum gr_set_state)i);
    }
    return name;
}

static void put_set(const json_t *set, int columns)
{
    const json_t *hits = json_object_get(set, "hits");
    bool blocked = is(text_of(set, "state"), "blocked");

    (void)printf("  %5lld  ", number_of(set, "order"));
    put(text_of(set, "name"));
    (void)printf("%*s  ", GR_MAX(0, columns - (int)strlen(text_of(set, "name"))), "");
    put_coloured(blocked ? RED : NULL, set_words(text_of(set, "state")));
    if (text_of(set, "suspended")[0]) {
        (void)fputs(", but ", stdout);
        put_coloured(YELLOW, text_of(set, "suspended"));
    }
    if (hits)
        (void)printf(", %lld hits", (long long)json_integer_value(hits));
    (void)fputs("\n         ", stdout);
    put(text_of(set, "file"));
    (void)printf(":%lld\n", number_of(set, "line"));
    if (text_of(set, "blocked")[0]) {
        (void)fputs("         ", stdout);
        put_wrapped(9, 9, text_of(set, "blocked"));
    }
}

static void put_sets(const json_t *document)
{
    const json_t *sets = json_object_get(document, "sets");
    size_t columns = 3;
    const json_t *set;
    size_t i;

    if (json_array_size(sets) > 0)
        put_heading("Sets, in the order in which their hooks run");
    json_array_foreach(sets, i, set) columns = GR_MAX(columns, strlen(text_of(set, "name")));
    columns = GR_MIN(columns, (size_t)NAME_COLUMNS_MAX);
    json_array_foreach(sets, i, set) put_set(set, (int)columns);
    put_more(document, "sets", "that are as they should be");
}

static const char *file_words(const char *name)
{
    for (int i = 0; i <= GR_FILE_LAST_GOOD; i++) {
        if (is(name, gr_file_state_name((enum gr_file_state)i)))
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
        if (!all && is(text_of(file, "state"), "loaded"))
            continue;
        if (!begun)
            put_heading("Files, lowest precedence first");
        begun = true;
        (void)fputs("  ", stdout);
        put(text_of(file, "path"));
        (void)printf(": %s%s", file_words(text_of(file, "state")),
                     text_of(file, "maskedBy")[0] ? " " : "");
        put(text_of(file, "maskedBy"));
        (void)fputc('\n', stdout);
    }
}

static void put_findings(const json_t *document)
{
    const json_t *findings = json_object_get(document, "findings");
    const json_t *finding;
    size_t i;

    if (json_array_size(findings) > 0)
        put_heading("Findings");
    json_array_foreach(findings, i, finding)
    {
        const char *level = text_of(finding, "level");

        (void)fputs("  ", stdout);
        put_coloured(is(level, "error") ? RED : is(level, "warning") ? YELLOW : NULL, level);
        (void)fputc(' ', stdout);
        put(text_of(finding, "file"));
        if (number_of(finding, "line") > 0)
            (void)printf(":%lld:%lld", number_of(finding, "line"), number_of(finding, "column"));
        (void)fputs("\n      ", stdout);
        put_wrapped(6, 6, text_of(finding, "text"));
    }
    put_more(document, "findings", "findings");
}

static void put_setting(const json_t *setting)
{
    const json_t *value = json_object_get(setting, "value");
    const char *source = text_of(setting, "source");
    char text[LINE_MAX_BYTES / 2], where[64];
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
    (void)snprintf(where, sizeof(where), number_of(setting, "line") > 0 ? "%s, line %lld" : "%s",
                   source, number_of(setting, "line"));
    put_line(text_of(setting, "name"), "%s (%s)", text[0] ? text : "none", where);
}

static void put_settings(const json_t *document, bool all)
{
    const json_t *settings = json_object_get(document, "settings");
    bool begun = false;
    const json_t *setting;
    size_t i;

    json_array_foreach(settings, i, setting)
    {
        if (!all && is(text_of(setting, "source"), "built-in"))
            continue;
        if (!begun)
            put_heading(all ? "Settings" : "Settings that are not built in");
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
    put_sets(document);
    put_files(document, all);
    put_findings(document);
    put_settings(document, all);
}
