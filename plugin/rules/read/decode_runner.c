/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_runner: what of a hook only a hook runner can do.
 *
 * Layer: rules. This version has no runner. Its keys are read and checked in full, so that a file
 * is right or wrong today as it will be with a runner; then the set is refused, since a hook that
 * is half obeyed is worse than none. Nothing is kept, except spec.breaker: it asks nothing of a
 * hook, and counts what is reported, whoever reports it.
 */
#include <errno.h>
#include <stdio.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"

/* ---- what needs the runner ---- */

void gr_runner_needs_add(struct gr_runner_needs *needs, struct gr_place at, const char *name)
{
    size_t used = strlen(needs->names);

    if (strstr(needs->names, name))
        return;
    if (needs->n == 0)
        needs->at = at;
    (void)snprintf(needs->names + used, sizeof(needs->names) - used, "%s%s", needs->n ? ", " : "",
                   name);
    needs->n++;
}

int gr_runner_needs_check(struct gr_decoder *d, const struct gr_runner_needs *needs)
{
    if (needs->n == 0)
        return 0;
    return gr_decode_refuse(d, needs->at, "needs-runner",
                            "this version of Grapnel has no hook runner, which %s %s; remove %s or "
                            "use a version that has one",
                            needs->names, needs->n == 1 ? "needs" : "need",
                            needs->n == 1 ? "it" : "them");
}

/* ---- which program ---- */

static int decode_one_of(struct gr_decoder *d, const struct gr_yaml_node *node,
                         const char *const *words, size_t n)
{
    size_t index = 0;

    return gr_decode_word(d, node, words, n, &index);
}

static int decode_builtin(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {"log", "dump", "netdev", "notify"};

    (void)target;
    return decode_one_of(d, node, words, GR_ARRAY_LEN(words));
}

/* ---- failures ---- */

static int decode_on_failure(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {"Fail", "Ignore"};

    (void)target;
    return decode_one_of(d, node, words, GR_ARRAY_LEN(words));
}

static int decode_flag(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    bool flag = false;

    (void)target;
    return gr_decode_bool(d, node, &flag);
}

static int decode_attempts(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    uint32_t attempts = 0;

    (void)target;
    return gr_decode_number(d, node, 1, GR_RETRY_ATTEMPTS_MAX, &attempts);
}

static int decode_pause(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    uint32_t seconds = 0;

    (void)target;
    return gr_decode_seconds(d, node, 0, GR_HOOK_PAUSE_MAX_S, &seconds);
}

static int decode_exit_codes(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    bool seen[GR_EXIT_CODES_MAX + 1] = {false};
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_EXIT_CODES_MAX);

    (void)target;
    if (r != 0)
        return r;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        size_t before = gr_field_path_index(&d->path, n++);
        uint32_t code = 0;

        r = gr_decode_number(d, item, 1, GR_EXIT_CODES_MAX, &code);
        if (r == 0 && seen[code])
            r = gr_decode_refuse(d, item->at, "duplicate-entry",
                                 "the exit code %u stands here a second time; keep one", code);
        seen[code] = true;
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A part of what the hook wrote matches. */
static int decode_stderr_regex(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    const struct gr_regex *regex = NULL;
    struct gr_str text = GR_STR_NONE;
    struct gr_err err = {0};
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_PATTERN_MAX_BYTES, &text);

    (void)target;
    if (r != 0)
        return r;
    if (text.n == 0)
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty expression means nothing here; write what the hook "
                                "prints when it is worth another try");
    r = gr_regex_compile(d->arena, text, true, &regex, &err);
    return r == -EINVAL ? gr_decode_refuse_err(d, node->at, &err) : r;
}

static int decode_stderr(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"regex", decode_stderr_regex, GR_KEY_REQUIRED, "regex: \"timed out\""},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_on(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"exitCodes", decode_exit_codes, 0, NULL},
        {"signals", decode_flag, 0, NULL},
        {"timeout", decode_flag, 0, NULL},
        {"stderr", decode_stderr, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_retry(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"attempts", decode_attempts, GR_KEY_REQUIRED, "attempts: 3"},
        {"backoff", decode_pause, 0, NULL},
        {"on", decode_on, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

/* ---- limits ---- */

static int decode_cpu_time(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    uint32_t seconds = 0;

    (void)target;
    return gr_decode_seconds(d, node, 1, GR_HOOK_CPU_TIME_MAX_S, &seconds);
}

static int decode_bytes(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_quantity_range range = {.min = 1, .max = INT64_MAX};
    uint64_t bytes = 0;

    (void)target;
    return gr_decode_quantity(d, node, &range, &bytes);
}

static int decode_file_size(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_quantity_range range = {.min = 0, .max = INT64_MAX};
    uint64_t bytes = 0;

    (void)target;
    return gr_decode_quantity(d, node, &range, &bytes);
}

static int decode_open_files(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    uint32_t files = 0;

    (void)target;
    return gr_decode_number(d, node, GR_HOOK_OPEN_FILES_MIN, GR_HOOK_OPEN_FILES_MAX, &files);
}

static int decode_processes(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    uint32_t processes = 0;

    (void)target;
    return gr_decode_number(d, node, 1, GR_PIDS_MAX, &processes);
}

static int decode_nice(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    int64_t nice = 0;

    (void)target;
    return gr_decode_integer(d, node, -20, 19, &nice);
}

static int decode_ionice(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {"idle", "best-effort", "realtime"};

    (void)target;
    return decode_one_of(d, node, words, GR_ARRAY_LEN(words));
}

static int decode_limits(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"cpuTime", decode_cpu_time, 0, NULL},
        {"memory", decode_bytes, 0, NULL},
        {"addressSpace", decode_bytes, 0, NULL},
        {"fileSize", decode_file_size, 0, NULL},
        {"openFiles", decode_open_files, 0, NULL},
        {"processes", decode_processes, 0, NULL},
        {"nice", decode_nice, 0, NULL},
        {"ionice", decode_ionice, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

/* ---- how it runs ---- */

static int decode_capture(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"output", decode_flag, 0, NULL},
        {"state", decode_flag, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_id(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    uint32_t id = 0;

    (void)target;
    return gr_decode_number(d, node, 0, GR_ID_MAX, &id);
}

static int decode_user(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"uid", decode_id, GR_KEY_REQUIRED, "uid: 65534"},
        {"gid", decode_id, GR_KEY_REQUIRED, "gid: 65534"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_cwd(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_str path = GR_STR_NONE;
    int r = gr_decode_text(d, node, GR_TEXT_LINE, &path);

    (void)target;
    if (r != 0 || gr_str_is(path, "/"))
        return r;
    if (memmem(path.p, path.n, "{{", 2))
        return gr_decode_refuse(d, node->at, "no-template",
                                "templates are filled in only in args and env of hooks; write the "
                                "directory itself");
    return gr_decode_check_path(d, node->at, path, GR_HOOK_PATH_MAX_BYTES);
}

static int decode_umask(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    uint32_t rights = 0;

    (void)target;
    return gr_decode_rights(d, node, &rights);
}

static int decode_background(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const char *const words[] = {"Keep", "Kill"};

    (void)target;
    return decode_one_of(d, node, words, GR_ARRAY_LEN(words));
}

static int decode_mount_program(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    const struct gr_hook_reading *reading = target;
    bool flag = false;
    int r = gr_decode_bool(d, node, &flag);

    if (r == 0 && flag && reading->stage != GR_STAGE_START_CONTAINER)
        r = gr_decode_refuse(d, node->at, "misplaced-key",
                             "only programs of startContainer are looked up inside the container "
                             "and can be mounted into it; remove the key or move the hook");
    return r;
}

static const struct gr_key runner_keys[] = {
    {"builtin", decode_builtin, 0, NULL},
    {"onFailure", decode_on_failure, 0, NULL},
    {"retry", decode_retry, 0, NULL},
    {"limits", decode_limits, 0, NULL},
    {"verify", gr_decode_verify, 0, NULL},
    {"capture", decode_capture, 0, NULL},
    {"user", decode_user, 0, NULL},
    {"cwd", decode_cwd, 0, NULL},
    {"umask", decode_umask, 0, NULL},
    {"killGrace", decode_pause, 0, NULL},
    {"background", decode_background, 0, NULL},
    {"mountProgram", decode_mount_program, 0, NULL},
};

int gr_decode_runner_key(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook_reading *reading = target;
    const struct gr_key *key = runner_keys;

    while (!gr_str_is(node->key, key->name))
        key++;
    gr_runner_needs_add(&reading->needs, node->key_at, key->name);
    return key->decode(d, node, target);
}

/* ---- spec.breaker ---- */

static int decode_failures(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;

    return gr_decode_number(d, node, 1, GR_BREAKER_FAILURES_MAX, &set->breaker.failures);
}

static int decode_window(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;

    return gr_decode_seconds(d, node, 1, GR_BREAKER_WINDOW_MAX_S, &set->breaker.window_s);
}

int gr_decode_breaker(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"failures", decode_failures, GR_KEY_REQUIRED, "failures: 5"},
        {"window", decode_window, GR_KEY_REQUIRED, "window: 60s"},
    };
    struct gr_hookset *set = target;

    set->breaker.line = node->key_at.line;
    set->breaker.column = node->key_at.column;
    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}
