/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same questions as main.go's, answered by our own engine: which files are read, and which
 * hooks does each container get? One JSON request per line on stdin, one answer per line on stdout.
 * With "yaml" the sets are read from that file instead of the directories. With "rewrite" the sets
 * of that file are written, read again and compared.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "rules/decide/decide.h"
#include "rules/limits.h"
#include "rules/read/ocihooks.h"
#include "rules/write/write.h"
#include "same.h"

#define SETS_MAX 1024

struct ours {
    struct gr_arena arena; /* until the rule set takes it */
    struct gr_hookset sets[SETS_MAX];
    const char *names[SETS_MAX]; /* of the file, as it is written */
    size_t n;
    char error[GR_ERR_TEXT_BYTES + 64]; /* the first of a file */
    json_t *files;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "ours: %s\n", what);
    exit(1);
}

static void on_finding(void *user, enum gr_level level, const struct gr_err *err)
{
    struct ours *ours = user;

    if (level == GR_LEVEL_ERROR && ours->error[0] == '\0')
        (void)snprintf(ours->error, sizeof(ours->error), "%s: %s", err->code, err->text);
}

static struct gr_str read_file(struct ours *ours, const char *path)
{
    FILE *file = fopen(path, "re");
    struct gr_str text = GR_STR_NONE;
    struct gr_buf buf;
    char part[4096];
    size_t n;

    if (!file)
        die(path);
    gr_buf_init(&buf, 8U << 20);
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        (void)gr_buf_add(&buf, part, n);
    (void)fclose(file);
    if (buf.broken || !gr_arena_str(&ours->arena, gr_buf_view(&buf), &text))
        die("no memory");
    gr_buf_fini(&buf);
    return text;
}

/* In place of an earlier one of the same file name. */
static void keep(struct ours *ours, const char *name, const struct gr_hookset *set)
{
    size_t i = 0;

    while (i < ours->n && strcmp(ours->names[i], name) != 0)
        i++;
    if (i == SETS_MAX)
        die("too many sets");
    ours->names[i] = gr_arena_copy(&ours->arena, gr_str_from(name));
    ours->sets[i] = *set;
    ours->n = i == ours->n ? i + 1 : ours->n;
}

/* What is masked by a file that gives no set is masked all the same. */
static void forget(struct ours *ours, const char *name)
{
    for (size_t i = 0; i < ours->n; i++) {
        if (strcmp(ours->names[i], name) == 0) {
            ours->sets[i] = ours->sets[--ours->n];
            ours->names[i] = ours->names[ours->n];
            return;
        }
    }
}

static void read_one(struct ours *ours, const char *dir, const char *name)
{
    const struct gr_reporter reporter = {.report = on_finding, .user = ours};
    struct gr_source source = {.stem = gr_str_first(gr_str_from(name), strlen(name) - 5)};
    struct gr_hooksets sets = {0};
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    source.file = path;
    source.text = read_file(ours, path);
    ours->error[0] = '\0';
    if (gr_ocihooks_decode(&ours->arena, &source, &reporter, &sets) != 0)
        die("no memory");
    (void)json_object_set_new(ours->files, path, json_string(ours->error));
    if (sets.n > 0)
        keep(ours, name, &sets.items[0]);
    else if (sets.rejected == 0)
        forget(ours, name);
}

static int is_json(const struct dirent *entry)
{
    return gr_str_has_suffix(gr_str_from(entry->d_name), GR_STR(".json"));
}

static void read_dir(struct ours *ours, const char *dir)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_json, alphasort);

    if (n < 0)
        die(dir);
    for (int i = 0; i < n; i++) {
        read_one(ours, dir, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void read_yaml(struct ours *ours, const char *path)
{
    const struct gr_reporter reporter = {.report = on_finding, .user = ours};
    const struct gr_source source = {
        .text = read_file(ours, path), .file = path, .stem = GR_STR("converted")};
    struct gr_hooksets sets = {0};

    if (gr_hooksets_decode(&ours->arena, &source, &reporter, &sets) != 0)
        die("no memory");
    if (sets.rejected > 0 || sets.n > SETS_MAX)
        die(ours->error);
    for (size_t i = 0; i < sets.n; i++)
        ours->sets[i] = sets.items[i];
    ours->n = sets.n;
}

/* ---- containers ---- */

static struct gr_str text_of(const json_t *value)
{
    return (struct gr_str){.p = json_string_value(value), .n = json_string_length(value)};
}

static struct gr_strs texts_of(struct gr_arena *arena, const json_t *list)
{
    size_t n = json_array_size(list);
    struct gr_str *items = gr_arena_array(arena, n, sizeof(*items));

    for (size_t i = 0; i < n; i++)
        items[i] = text_of(json_array_get(list, i));
    return (struct gr_strs){.items = items, .n = n};
}

static struct gr_kvs map_of(struct gr_arena *arena, json_t *object)
{
    struct gr_kv *items = gr_arena_array(arena, json_object_size(object), sizeof(*items));
    size_t n = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value) items[n++] =
        (struct gr_kv){.key = gr_str_from(key), .value = text_of(value)};
    return (struct gr_kvs){.items = items, .n = n};
}

static struct gr_subject subject_of(struct gr_arena *arena, json_t *container)
{
    static const struct gr_mount mounts[] = {
        {.destination = {.p = "/proc", .n = 5}, .type = {.p = "proc", .n = 4}},
        {.destination = {.p = "/etc/hosts", .n = 10}, .type = {.p = "bind", .n = 4}},
        {.destination = {.p = "/data", .n = 5}, .type = {.p = "bind", .n = 4}},
    };
    bool bind = json_is_true(json_object_get(container, "bindMounts"));

    return (struct gr_subject){
        .id = GR_STR("id"),
        .name = GR_STR("main"),
        .pod_name = GR_STR("pod"),
        .pod_namespace = GR_STR("default"),
        .runtime = GR_STR("cri-o"),
        .args = texts_of(arena, json_object_get(container, "args")),
        .pod_annotations = map_of(arena, json_object_get(container, "annotations")),
        .mounts = mounts,
        .mounts_n = bind ? 3 : 2,
    };
}

/* Without what Grapnel adds. */
static json_t *env_json(struct gr_strs env)
{
    json_t *list = json_array();

    for (size_t i = 0; i < env.n; i++) {
        if (!gr_str_has_prefix(env.items[i], GR_STR("GRAPNEL_")) &&
            !gr_str_is(env.items[i], GR_HOOK_PATH_ENV))
            (void)json_array_append_new(list, json_stringn(env.items[i].p, env.items[i].n));
    }
    return list;
}

static json_t *hook_json(const struct gr_oci_hook *hook)
{
    json_t *args = json_array();

    for (size_t i = 0; i < hook->args.n; i++)
        (void)json_array_append_new(args,
                                    json_stringn(hook->args.items[i].p, hook->args.items[i].n));
    return json_pack("{s:s%, s:o, s:o, s:I}", "path", hook->path.p, hook->path.n, "args", args,
                     "env", env_json(hook->env), "timeout", (json_int_t)hook->timeout_s);
}

static json_t *answer(const struct gr_ruleset *rules, json_t *container)
{
    const struct gr_decide_options options = {.node_name = GR_STR("node")};
    struct gr_decision decision = {0};
    json_t *hooks = json_object();
    struct gr_subject subject;
    struct gr_arena arena;

    gr_arena_init(&arena, 64U << 10, 0);
    subject = subject_of(&arena, container);
    if (gr_decide(rules, &subject, &options, &arena, &decision) != 0)
        die("no memory");
    for (size_t i = 0; i < decision.hooks_n; i++) {
        const char *stage = gr_stage_name(decision.hooks[i].stage);

        if (!json_object_get(hooks, stage))
            (void)json_object_set_new(hooks, stage, json_array());
        (void)json_array_append_new(json_object_get(hooks, stage), hook_json(&decision.hooks[i]));
    }
    if (decision.refuse)
        (void)json_object_set_new(hooks, "refused",
                                  json_stringn(decision.refusal.p, decision.refusal.n));
    gr_arena_fini(&arena);
    return hooks;
}

static json_t *run(json_t *request)
{
    struct ours *ours = calloc(1, sizeof(*ours));
    json_t *yaml = json_object_get(request, "yaml");
    json_t *hooked = json_array();
    struct gr_ruleset *rules = NULL;
    struct gr_hookset *sets;
    struct gr_err err = {0};
    json_t *value, *files;
    size_t i;

    if (!ours)
        die("no memory");
    gr_arena_init(&ours->arena, 64U << 10, 0);
    files = ours->files = json_object();
    if (yaml)
        read_yaml(ours, json_string_value(yaml));
    json_array_foreach(json_object_get(request, "directories"), i, value)
        read_dir(ours, json_string_value(value));
    sets = gr_arena_array(&ours->arena, ours->n, sizeof(*sets));
    memcpy(sets, ours->sets, ours->n * sizeof(*sets));
    if (gr_ruleset_new(&ours->arena, sets, ours->n, NULL, &rules, &err) != 0)
        die(err.text);
    json_array_foreach(json_object_get(request, "containers"), i, value)(void)
        json_array_append_new(hooked, answer(rules, value));
    gr_ruleset_unref(rules);
    free(ours);
    return json_pack("{s:o, s:o}", "files", files, "hooked", hooked);
}

static void rewrite_one(struct ours *ours, const struct gr_hookset *set)
{
    const struct gr_reporter reporter = {.report = on_finding, .user = ours};
    struct gr_source source = {.file = "rewritten.yaml", .stem = GR_STR("rewritten")};
    struct gr_hooksets again = {0};
    struct gr_buf text;

    gr_buf_init(&text, 8U << 20);
    if (gr_hookset_write(set, &text) != 0)
        die("a set was not written");
    source.text = gr_buf_view(&text);
    if (gr_hooksets_decode(&ours->arena, &source, &reporter, &again) != 0 || again.n != 1)
        die(ours->error);
    if (set_difference(set, &again.items[0]))
        die(set_difference(set, &again.items[0]));
    gr_buf_fini(&text);
}

static json_t *rewrite(const char *path)
{
    struct ours *ours = calloc(1, sizeof(*ours));
    json_t *reply;

    if (!ours)
        die("no memory");
    gr_arena_init(&ours->arena, 64U << 10, 0);
    read_yaml(ours, path);
    for (size_t i = 0; i < ours->n; i++)
        rewrite_one(ours, &ours->sets[i]);
    reply = json_pack("{s:i}", "same", (int)ours->n);
    gr_arena_fini(&ours->arena);
    free(ours);
    return reply;
}

static json_t *answer_line(json_t *request)
{
    const char *path = json_string_value(json_object_get(request, "rewrite"));

    return path ? rewrite(path) : run(request);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        json_t *request = json_loads(line, 0, NULL);
        json_t *reply = request ? answer_line(request) : NULL;

        if (!reply || json_dumpf(reply, stdout, 0) != 0)
            die("no answer");
        (void)putchar('\n');
        (void)fflush(stdout);
        json_decref(reply);
        json_decref(request);
    }
    free(line);
    return 0;
}
