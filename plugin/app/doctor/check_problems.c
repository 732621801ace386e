/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_problems: what the plugin process tells of itself, each with what mends it.
 *
 * Layer: app. Its codes are those of app/problem. What a fix names comes from the same document; a
 * name is put into a command only where nobody can have chosen one that a shell reads otherwise.
 */
#include <string.h>

#include "app/doctor/doctor.h"
#include "app/problem.h"
#include "rules/read/strict.h"
#include "state/limits.h"

/* Of a kind that a fix names; status has the others. */
#define NAMED_MAX 4

#define COUNTS_AT_ONCE "; what is mended counts at once"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool has(const json_t *object, const char *key, const char *value)
{
    return strcmp(text_of(object, key), value) == 0;
}

/* Some of a list: those where key has this value. */
struct some {
    const json_t *list;
    const char *key, *value;
    const char *(*say)(struct gr_doctor *d, const json_t *item);
};

/* "A; B; and grapnel status --all"; NULL: there is none that can be named. */
static const char *join(struct gr_doctor *d, const struct some *some)
{
    const char *text = NULL, *last = "";
    const json_t *item;
    size_t i, n = 0;

    json_array_foreach(some->list, i, item)
    {
        const char *said = has(item, some->key, some->value) ? some->say(d, item) : NULL;

        if (!said || strcmp(said, last) == 0)
            continue;
        last = said;
        if (++n > NAMED_MAX)
            return gr_doctor_text(d, "%s; more of them: grapnel status --all", text);
        text = gr_doctor_text(d, "%s%s%s", text ? text : "", text ? "; " : "", said);
    }
    return text;
}

static const json_t *list_of(const struct gr_doctor *d, const char *name)
{
    return json_object_get(d->plugin.status, name);
}

/* What is in the log of the process, by how it came to the node. */
static const char *log_of(struct gr_doctor *d)
{
    const json_t *process = json_object_get(d->plugin.status, "process");

    if (has(process, "mode", "launched"))
        return "journalctl -t grapnel";
    if (has(process, "mode", "unit"))
        return gr_doctor_text(d, "journalctl -u %s", text_of(process, "unit"));
    return has(process, "mode", "pod") ? "kubectl logs of its pod" : "what it writes to stderr";
}

/* ---- containers ---- */

static const char *say_pod(struct gr_doctor *d, const json_t *item)
{
    const char *namespace_ = text_of(item, "namespace");
    const char *pod = text_of(item, "pod");

    if (!gr_is_dns_subdomain(gr_str_from(namespace_)) || !gr_is_dns_subdomain(gr_str_from(pod)))
        return NULL;
    return gr_doctor_text(d, "kubectl -n %s delete pod %s", namespace_, pod);
}

static const char *missed_fix(struct gr_doctor *d)
{
    const struct some missed = {list_of(d, "lacking"), "class", "missed", say_pod};
    const char *pods = join(d, &missed);

    return pods ? gr_doctor_text(d,
                                 "recreate their pods, of those with a controller by: %s; of the "
                                 "others apply the manifest again",
                                 pods)
                : "recreate their pods; grapnel status --all names them";
}

static const char *unreadable_fix(struct gr_doctor *d)
{
    return gr_doctor_text(d, "recreate their pods; why each cannot be read says the log: %s",
                          log_of(d));
}

/* ---- rules and settings ---- */

/* The first error in that file, or in any where file is NULL. */
static const json_t *find_error(const struct gr_doctor *d, const char *file)
{
    const json_t *finding;
    size_t i;

    json_array_foreach(list_of(d, "findings"), i, finding)
    {
        if (has(finding, "level", "error") && (!file || has(finding, "file", file)))
            return finding;
    }
    return NULL;
}

static const char *say_line(struct gr_doctor *d, const char *file, const json_t *finding)
{
    long long line = json_integer_value(json_object_get(finding, "line"));

    return line > 0 ? gr_doctor_text(d, "%s:%lld", file, line) : file;
}

static const char *settings_fix(struct gr_doctor *d)
{
    const json_t *finding = find_error(d, NULL);
    const char *file = text_of(finding, "file");

    if (!file[0])
        return "mend the settings; grapnel status says what is wrong with them" COUNTS_AT_ONCE;
    return gr_doctor_text(
        d, "mend %s (%s)" COUNTS_AT_ONCE ", of what the runtime hands over when it starts anew",
        say_line(d, file, finding), text_of(finding, "text"));
}

static const char *policy_fix(struct gr_doctor *d)
{
    const json_t *finding = find_error(d, NULL);
    const char *file = text_of(finding, "file");

    return gr_doctor_text(d, "mend %s%s%s%s" COUNTS_AT_ONCE,
                          file[0] ? say_line(d, file, finding) : "the policy", finding ? " (" : "",
                          text_of(finding, "text"), finding ? ")" : "");
}

static const char *say_blocked(struct gr_doctor *d, const json_t *set)
{
    return gr_doctor_text(d, "%s (%s:%lld): %s", text_of(set, "name"), text_of(set, "file"),
                          (long long)json_integer_value(json_object_get(set, "line")),
                          text_of(set, "blocked"));
}

static const char *blocked_fix(struct gr_doctor *d)
{
    const struct some blocked = {list_of(d, "sets"), "state", "blocked", say_blocked};
    const char *sets = join(d, &blocked);

    return sets ? gr_doctor_text(d, "mend what blocks each" COUNTS_AT_ONCE ": %s", sets)
                : "grapnel status --all says what blocks each";
}

static const char *say_file(struct gr_doctor *d, const json_t *file)
{
    const char *path = text_of(file, "path");

    return say_line(d, path, find_error(d, path));
}

static const char *file_fix(struct gr_doctor *d, const char *state)
{
    const struct some refused = {list_of(d, "files"), "state", state, say_file};
    const char *files = join(d, &refused);

    return gr_doctor_text(d, "mend %s" COUNTS_AT_ONCE "; grapnel check says what is wrong there",
                          files ? files : "the files that grapnel list names");
}

/* NULL: there is none of that name. */
static const json_t *find_setting(const struct gr_doctor *d, const char *name)
{
    const json_t *setting;
    size_t i;

    json_array_foreach(list_of(d, "settings"), i, setting)
    {
        if (has(setting, "name", name))
            return setting;
    }
    return NULL;
}

static const char *unkept_fix(struct gr_doctor *d)
{
    const char *dir = text_of(find_setting(d, "lastGoodDir"), "value");

    return gr_doctor_text(d,
                          "make %s a directory with room that only root may look into (chown root: "
                          "%s; chmod 0700 %s), or name another one: lastGoodDir; the next load "
                          "tries again",
                          dir, dir, dir);
}

static const char *required_fix(struct gr_doctor *d)
{
    const json_t *setting = find_setting(d, "requiredSets");

    if (!setting)
        return "write or mend that set, or take its name out of requiredSets";
    return gr_doctor_text(d,
                          "write or mend that set, or take its name out of requiredSets (%s, line "
                          "%lld); grapnel list says what became of each file",
                          text_of(setting, "source"),
                          (long long)json_integer_value(json_object_get(setting, "line")));
}

/* ---- pauses ---- */

static const char *say_resume(struct gr_doctor *d, const json_t *suspension)
{
    bool all = json_is_true(json_object_get(suspension, "all"));

    return gr_doctor_text(d, "grapnel resume %s%s%s", all ? "--all" : text_of(suspension, "set"),
                          d->control ? " --control " : "", d->control ? d->control : "");
}

static const char *resume_fix(struct gr_doctor *d, const char *kind)
{
    const json_t *list = json_object_get(list_of(d, "suspended"), "list");
    const struct some some = {list, "kind", kind, say_resume};
    const char *text = join(d, &some);

    return text ? text : "grapnel status names them; grapnel resume SET";
}

static const char *tripped_fix(struct gr_doctor *d)
{
    return gr_doctor_text(d, "mend the hook, whose failed runs the log has (%s), then: %s",
                          log_of(d), resume_fix(d, "tripped"));
}

/* ---- around ---- */

static const char *run_dir(struct gr_doctor *d)
{
    const char *path = text_of(json_object_get(d->plugin.status, "journal"), "runDir");

    return path[0] ? path : d->settings.config.run_dir;
}

static const char *pauses_fix(struct gr_doctor *d)
{
    return gr_doctor_text(d,
                          "make %s a directory with room that only root may change, remove the "
                          "file %s/pauses, and pause again what is to be paused",
                          run_dir(d), run_dir(d));
}

static const char *journal_fix(struct gr_doctor *d)
{
    return gr_doctor_text(d,
                          "make %s a directory with room that only root may change (chown root: "
                          "%s; chmod 0755 %s), or name another one: runDir; it is tried again "
                          "within %d seconds",
                          run_dir(d), run_dir(d), run_dir(d), GR_JOURNAL_RETRY_S);
}

static const char *watch_fix(struct gr_doctor *d)
{
    const char *problem = text_of(json_object_get(d->plugin.status, "watch"), "problem");

    if (strstr(problem, "fs.inotify.max_user_instances"))
        return "double it: sysctl fs.inotify.max_user_instances, then sysctl -w; until the next "
               "restart of the plugin it looks once a rescanInterval";
    if (strstr(problem, "fs.inotify.max_user_watches"))
        return "double it: sysctl fs.inotify.max_user_watches, then sysctl -w; the next reload "
               "watches again";
    return "mend what is said there; until then the rescan (rescanInterval) sees what changed";
}

static const char *metrics_fix(struct gr_doctor *d)
{
    const json_t *metrics = json_object_get(d->plugin.status, "metrics");

    return gr_doctor_text(
        d,
        "name an address of this host and a free port from 1024 on: metricsAddress (it is %s); who "
        "has a port says: ss -ltnp",
        text_of(metrics, "address"));
}

/* NULL: there is a finding of its own, made from more than what the process says. */
static const char *fix_of(struct gr_doctor *d, enum gr_problem problem)
{
    switch (problem) {
    case GR_PROBLEM_MISSED:
        return missed_fix(d);
    case GR_PROBLEM_UNREADABLE:
        return unreadable_fix(d);
    case GR_PROBLEM_NOT_COMPARED:
        return "run fewer pods on this node, or give the plugin more memory; then restart it";
    case GR_PROBLEM_SETTINGS:
        return settings_fix(d);
    case GR_PROBLEM_POLICY:
        return policy_fix(d);
    case GR_PROBLEM_BLOCKED:
        return blocked_fix(d);
    case GR_PROBLEM_REFUSED:
        return file_fix(d, "rejected");
    case GR_PROBLEM_EARLIER_TEXT:
        return file_fix(d, "lastGood");
    case GR_PROBLEM_UNKEPT:
        return unkept_fix(d);
    case GR_PROBLEM_REQUIRED_PAUSED:
    case GR_PROBLEM_PAUSED:
        return resume_fix(d, "paused");
    case GR_PROBLEM_REQUIRED_MISSING:
        return required_fix(d);
    case GR_PROBLEM_TRIPPED:
        return tripped_fix(d);
    case GR_PROBLEM_PAUSES:
        return pauses_fix(d);
    case GR_PROBLEM_NOT_WATCHED:
        return watch_fix(d);
    case GR_PROBLEM_JOURNAL:
        return journal_fix(d);
    case GR_PROBLEM_METRICS:
        return metrics_fix(d);
    case GR_PROBLEM_COUNT:
        return "ask it with the program that it runs: grapnel status";
    case GR_PROBLEM_NOT_CONNECTED:
    case GR_PROBLEM_OTHER_INSTANCE:
        break;
    }
    return NULL;
}

void gr_check_problems(struct gr_doctor *d)
{
    const json_t *codes = list_of(d, "problemCodes");
    const json_t *text;
    size_t i;

    json_array_foreach(list_of(d, "problems"), i, text)
    {
        enum gr_problem problem = gr_problem_of_code(json_string_value(json_array_get(codes, i)));
        const char *fix = fix_of(d, problem);

        if (!json_is_string(text) || !fix)
            continue;
        if (problem == GR_PROBLEM_COUNT)
            gr_doctor_add(d, "plugin-problem", GR_DOCTOR_NOWHERE, fix, "%s",
                          json_string_value(text));
        else
            gr_doctor_add(d, gr_problem_code(problem), GR_DOCTOR_NOWHERE, fix, "%s",
                          json_string_value(text));
    }
}
