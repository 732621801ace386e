/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers from documents and from what is laid over them.
 */
#include <stdio.h>

#include "app/cli/shared/subject_flags.h"
#include "app/cli/shared/text_file.h"
#include "app/exit.h"
#include "base/utf8.h"

/* What nobody tells of a container unless it is given. */
#define UNKNOWN_WITHOUT                                                                   \
    (1U << GR_FIELD_NAMESPACE | 1U << GR_FIELD_POD_NAME | 1U << GR_FIELD_CONTAINER_NAME | \
     1U << GR_FIELD_COMMAND | 1U << GR_FIELD_ARGS | 1U << GR_FIELD_ENV | 1U << GR_FIELD_MOUNTS)

struct laying {
    const struct gr_subject *given;
    uint32_t fields;
    struct gr_arena *arena;
};

static bool has(const struct laying *l, enum gr_field field)
{
    return l->fields & 1U << field;
}

static void lay_text(const struct laying *l, enum gr_field field, struct gr_str given,
                     struct gr_str *to)
{
    if (has(l, field))
        *to = given;
}

/* The pairs behind what is there: the last of equal keys counts. */
static bool lay_pairs(const struct laying *l, enum gr_field field, struct gr_kvs given,
                      struct gr_kvs *map)
{
    struct gr_kv *all;

    if (!has(l, field) || given.n == 0)
        return true;
    all = gr_arena_array(l->arena, map->n + given.n, sizeof(*all));
    if (!all)
        return false;
    if (map->n > 0)
        memcpy(all, map->items, map->n * sizeof(*all));
    memcpy(all + map->n, given.items, given.n * sizeof(*all));
    *map = (struct gr_kvs){.items = all, .n = map->n + given.n};
    return true;
}

static bool is_replaced(struct gr_strs by, struct gr_str variable)
{
    struct gr_str name = gr_str_first(variable, gr_str_find(variable, '=') + 1);

    for (size_t i = 0; i < by.n; i++) {
        if (gr_str_has_prefix(by.items[i], name))
            return true;
    }
    return false;
}

/* Variables behind the others, in place of one of the same name. */
static bool lay_env(const struct laying *l, struct gr_strs *env)
{
    struct gr_strs given = l->given->env;
    struct gr_str *all;
    size_t n = 0;

    if (!has(l, GR_FIELD_ENV))
        return true;
    all = gr_arena_array(l->arena, env->n + given.n, sizeof(*all));
    if (!all)
        return false;
    for (size_t i = 0; i < env->n; i++) {
        if (!is_replaced(given, env->items[i]))
            all[n++] = env->items[i];
    }
    if (given.n > 0)
        memcpy(all + n, given.items, given.n * sizeof(*all));
    *env = (struct gr_strs){.items = all, .n = n + given.n};
    return true;
}

/* All of them, or the command alone in place of the first. */
static bool lay_args(const struct laying *l, struct gr_strs *args)
{
    struct gr_strs given = l->given->args;
    size_t kept = args->n > 1 ? args->n - 1 : 0;
    struct gr_str *all;

    if (has(l, GR_FIELD_ARGS))
        *args = given;
    if (has(l, GR_FIELD_ARGS) || !has(l, GR_FIELD_COMMAND))
        return true;
    all = gr_arena_array(l->arena, 1 + kept, sizeof(*all));
    if (!all)
        return false;
    all[0] = given.items[0];
    if (kept > 0)
        memcpy(all + 1, args->items + 1, kept * sizeof(*all));
    *args = (struct gr_strs){.items = all, .n = 1 + kept};
    return true;
}

/* Mounts behind the others. */
static bool lay_mounts(const struct laying *l, struct gr_subject *s)
{
    size_t more = l->given->mounts_n;
    struct gr_mount *all;

    if (!has(l, GR_FIELD_MOUNTS))
        return true;
    all = gr_arena_array(l->arena, s->mounts_n + more, sizeof(*all));
    if (!all)
        return false;
    if (s->mounts_n > 0)
        memcpy(all, s->mounts, s->mounts_n * sizeof(*all));
    if (more > 0)
        memcpy(all + s->mounts_n, l->given->mounts, more * sizeof(*all));
    s->mounts = all;
    s->mounts_n += more;
    return true;
}

static bool lay(const struct laying *l, struct gr_subject *s)
{
    const struct gr_subject *given = l->given;

    if (has(l, GR_FIELD_IMAGE))
        s->image = given->image;
    lay_text(l, GR_FIELD_NAMESPACE, given->pod_namespace, &s->pod_namespace);
    lay_text(l, GR_FIELD_POD_NAME, given->pod_name, &s->pod_name);
    lay_text(l, GR_FIELD_CONTAINER_NAME, given->name, &s->name);
    lay_text(l, GR_FIELD_RUNTIME_HANDLER, given->runtime_handler, &s->runtime_handler);
    lay_text(l, GR_FIELD_RUNTIME, given->runtime, &s->runtime);
    s->unknown_fields &= ~l->fields;
    return lay_pairs(l, GR_FIELD_POD_ANNOTATIONS, given->pod_annotations, &s->pod_annotations) &&
           lay_pairs(l, GR_FIELD_POD_LABELS, given->pod_labels, &s->pod_labels) &&
           lay_pairs(l, GR_FIELD_CONTAINER_ANNOTATIONS, given->container_annotations,
                     &s->container_annotations) &&
           lay_pairs(l, GR_FIELD_CONTAINER_LABELS, given->container_labels, &s->container_labels) &&
           lay_env(l, &s->env) && lay_args(l, &s->args) && lay_mounts(l, s);
}

static int no_memory(const char *verb)
{
    (void)fprintf(stderr, "grapnel %s: no memory\n", verb);
    return GR_EXIT_FAILED;
}

static int read_documents(const struct gr_subject_source *source, struct gr_arena *arena,
                          const struct gr_reporter *reporter, struct gr_inputs *inputs)
{
    struct gr_input_text *texts = gr_arena_array(arena, source->from_n + 1, sizeof(*texts));
    bool has_runtime = source->fields & 1U << GR_FIELD_RUNTIME;
    size_t n = 0;
    int r = GR_EXIT_OK;

    if (!texts)
        return no_memory(source->verb);
    if (source->more)
        texts[n++] = *source->more;
    for (size_t i = 0; i < source->from_n && r == GR_EXIT_OK; i++, n++) {
        const char *path = source->from[i];

        texts[n].name = strcmp(path, "-") == 0 ? "stdin" : path;
        r = gr_read_text(source->verb, path, GR_FROM_MAX_BYTES, arena, &texts[n].text);
    }
    if (r != GR_EXIT_OK)
        return r;
    r = gr_inputs_read(arena, texts, n, has_runtime ? source->given.runtime : GR_STR_NONE, reporter,
                       inputs);
    if (r < 0)
        return no_memory(source->verb);
    if (r == 0 && inputs->n > 0)
        return GR_EXIT_OK;
    if (r == 0)
        (void)fprintf(stderr, "grapnel %s: there is no container in these documents\n",
                      source->verb);
    return GR_EXIT_FAILED;
}

/* With several containers, or where the document knows its name, the name selects. */
static int choose(const struct gr_subject_source *source, struct gr_inputs *inputs)
{
    struct gr_str name = source->given.name;
    size_t n = 0;

    if (!(source->fields & 1U << GR_FIELD_CONTAINER_NAME))
        return GR_EXIT_OK;
    if (inputs->n == 1 && !gr_subject_knows(&inputs->subjects[0], GR_FIELD_CONTAINER_NAME))
        return GR_EXIT_OK;
    for (size_t i = 0; i < inputs->n; i++) {
        if (gr_str_eq(inputs->subjects[i].name, name))
            inputs->subjects[n++] = inputs->subjects[i];
    }
    if (n == 0) {
        (void)fprintf(stderr,
                      "grapnel %s: expected the name of one of the containers:", source->verb);
        for (size_t i = 0; i < inputs->n; i++)
            (void)fprintf(stderr, "%s %s", i ? "," : "", gr_show(inputs->subjects[i].name).text);
        (void)fprintf(stderr, "; found \"%s\"\n", gr_show(name).text);
        return GR_EXIT_USAGE;
    }
    inputs->n = n;
    return GR_EXIT_OK;
}

static int make_one(const char *verb, struct gr_arena *arena, struct gr_inputs *inputs)
{
    struct gr_subject *subject = gr_arena_alloc(arena, sizeof(*subject));

    if (!subject)
        return no_memory(verb);
    *subject =
        (struct gr_subject){.runtime = GR_STR("containerd"), .unknown_fields = UNKNOWN_WITHOUT};
    *inputs = (struct gr_inputs){.subjects = subject, .n = 1};
    return GR_EXIT_OK;
}

int gr_subjects_read(const struct gr_subject_source *source, struct gr_arena *arena,
                     const struct gr_reporter *reporter, struct gr_inputs *out_inputs)
{
    struct laying l = {.given = &source->given, .fields = source->fields, .arena = arena};
    struct gr_inputs inputs = {0};
    int r;

    if (source->from_n > 0 || source->more)
        r = read_documents(source, arena, reporter, &inputs);
    else
        r = make_one(source->verb, arena, &inputs);
    if (r == GR_EXIT_OK)
        r = choose(source, &inputs);
    for (size_t i = 0; i < inputs.n && r == GR_EXIT_OK; i++) {
        if (!lay(&l, &inputs.subjects[i]))
            r = no_memory(source->verb);
    }
    if (r == GR_EXIT_OK)
        *out_inputs = inputs;
    return r;
}

void gr_subject_title(const struct gr_subject *subject, char *out, size_t out_bytes)
{
    const struct gr_str parts[] = {subject->pod_namespace, subject->pod_name, subject->name};
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < GR_ARRAY_LEN(parts) && n < out_bytes; i++) {
        bool known = parts[i].n > 0;
        int more =
            snprintf(out + n, out_bytes - n, "%s%.*s", i ? "/" : "",
                     known ? (int)GR_MIN(parts[i].n, (size_t)253) : 1, known ? parts[i].p : "?");

        n += (size_t)GR_MAX(more, 0);
    }
    gr_utf8_make_printable(out);
}
