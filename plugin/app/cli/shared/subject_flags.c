/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/subject_flags.h"

#include <stdio.h>

#include "app/exit.h"
#include "rules/read/findings.h"

static int set_image(struct gr_subject_flags *flags, const char *value)
{
    if (gr_image_parse(gr_str_from(value), &flags->given_texts.image) != 0)
        return gr_usage(flags->verb, "--image with an image name such as nginx:1.27", value);
    flags->given |= 1U << GR_FIELD_IMAGE;
    return GR_EXIT_OK;
}

static int set_text(struct gr_subject_flags *flags, enum gr_field field, struct gr_str *to,
                    const char *value)
{
    flags->given |= 1U << field;
    *to = gr_str_from(value);
    return GR_EXIT_OK;
}

/* Any name is taken: a rule may ask for it. Of one that no runtime has the image is never known. */
static int set_runtime(struct gr_subject_flags *flags, const char *value)
{
    static const char *const known[] = {"containerd", "v2", "cri-o"};
    bool is_known = false;

    for (size_t i = 0; i < GR_ARRAY_LEN(known); i++)
        is_known = is_known || strcmp(value, known[i]) == 0;
    if (!is_known)
        (void)fprintf(stderr,
                      "grapnel %s: warning: runtimes call themselves containerd (2.0.0 to 2.0.3: "
                      "v2) or cri-o, found --runtime \"%s\"\n",
                      flags->verb, gr_show(gr_str_from(value)).text);
    return set_text(flags, GR_FIELD_RUNTIME, &flags->given_texts.runtime, value);
}

static int add_pair(struct gr_subject_flags *flags, enum gr_field field,
                    struct gr_subject_pairs *pairs, const char *text)
{
    struct gr_str all = gr_str_from(text);
    size_t at = gr_str_find(all, '=');

    if (at == 0 || at == all.n || pairs->n == GR_SUBJECT_VALUES_MAX)
        return gr_usage(flags->verb, "KEY=VALUE, at most 256 of them", text);
    pairs->items[pairs->n++] =
        (struct gr_kv){.key = gr_str_first(all, at), .value = gr_str_skip(all, at + 1)};
    flags->given |= 1U << field;
    return GR_EXIT_OK;
}

static int add_text(struct gr_subject_flags *flags, enum gr_field field,
                    struct gr_subject_texts *texts, const char *value)
{
    struct gr_str text = gr_str_from(value);
    size_t at = gr_str_find(text, '=');

    if (field == GR_FIELD_ENV && (at == 0 || at == text.n))
        return gr_usage(flags->verb, "--env NAME=VALUE", value);
    if (texts->n == GR_SUBJECT_VALUES_MAX)
        return gr_usage(flags->verb, "at most 256 values of one kind", value);
    texts->items[texts->n++] = text;
    flags->given |= 1U << field;
    return GR_EXIT_OK;
}

static int add_mount(struct gr_subject_flags *flags, const char *value)
{
    struct gr_str all = gr_str_from(value), rest;
    struct gr_mount *mount = &flags->mounts[flags->mounts_n];
    size_t at = gr_str_find(all, ':');

    if (flags->mounts_n == GR_SUBJECT_VALUES_MAX)
        return gr_usage(flags->verb, "at most 256 values of one kind", value);
    rest = gr_str_skip(all, at + 1);
    *mount = (struct gr_mount){.source = gr_str_first(all, at), .type = GR_STR("bind")};
    at = gr_str_find(rest, ':');
    mount->destination = gr_str_first(rest, at);
    if (at < rest.n)
        mount->type = gr_str_skip(rest, at + 1);
    if (mount->source.n == 0 || mount->destination.n == 0 || mount->destination.p[0] != '/' ||
        mount->type.n == 0)
        return gr_usage(flags->verb, "--mount SOURCE:/DESTINATION[:TYPE]", value);
    flags->mounts_n++;
    flags->given |= 1U << GR_FIELD_MOUNTS;
    return GR_EXIT_OK;
}

static int add_from(struct gr_subject_flags *flags, const char *value)
{
    if (flags->from_n == GR_FROM_MAX)
        return gr_usage(flags->verb, "at most 256 times --from", value);
    for (size_t i = 0; i < flags->from_n; i++) {
        if (strcmp(value, "-") == 0 && strcmp(flags->from[i], "-") == 0)
            return gr_usage(flags->verb, "stdin only once", value);
    }
    flags->from[flags->from_n++] = value;
    return GR_EXIT_OK;
}

int gr_subject_option(struct gr_subject_flags *flags, int option, const char *value)
{
    struct gr_subject *s = &flags->given_texts;

    switch (option) {
    case GR_OPT_IMAGE:
        return set_image(flags, value);
    case GR_OPT_NAMESPACE:
        return set_text(flags, GR_FIELD_NAMESPACE, &s->pod_namespace, value);
    case GR_OPT_POD:
        return set_text(flags, GR_FIELD_POD_NAME, &s->pod_name, value);
    case GR_OPT_CONTAINER:
        return set_text(flags, GR_FIELD_CONTAINER_NAME, &s->name, value);
    case GR_OPT_ANNOTATION:
        return add_pair(flags, GR_FIELD_POD_ANNOTATIONS, &flags->pod_annotations, value);
    case GR_OPT_LABEL:
        return add_pair(flags, GR_FIELD_POD_LABELS, &flags->pod_labels, value);
    case GR_OPT_HANDLER:
        return set_text(flags, GR_FIELD_RUNTIME_HANDLER, &s->runtime_handler, value);
    case GR_OPT_RUNTIME:
        return set_runtime(flags, value);
    case GR_OPT_COMMAND:
        return set_text(flags, GR_FIELD_COMMAND, &flags->command, value);
    case GR_OPT_ARG:
        return add_text(flags, GR_FIELD_ARGS, &flags->args, value);
    case GR_OPT_ENV:
        return add_text(flags, GR_FIELD_ENV, &flags->env, value);
    case GR_OPT_MOUNT:
        return add_mount(flags, value);
    default:
        return add_from(flags, value);
    }
}

int gr_subject_flags_read(const struct gr_subject_flags *flags, const struct gr_input_text *more,
                          struct gr_arena *arena, const struct gr_reporter *reporter,
                          struct gr_inputs *out_inputs)
{
    struct gr_subject_source source = {.verb = flags->verb,
                                       .from = flags->from,
                                       .from_n = flags->from_n,
                                       .more = more,
                                       .given = flags->given_texts,
                                       .fields = flags->given};
    struct gr_subject *given = &source.given;
    bool has_args = flags->given & 1U << GR_FIELD_ARGS;
    struct gr_str *args;

    if (has_args && !(flags->given & 1U << GR_FIELD_COMMAND))
        return gr_usage(flags->verb, "--command before --arg", "--arg");
    args = gr_arena_array(arena, 1 + flags->args.n, sizeof(*args));
    if (!args) {
        (void)fprintf(stderr, "grapnel %s: no memory\n", flags->verb);
        return GR_EXIT_FAILED;
    }
    args[0] = flags->command;
    memcpy(args + 1, flags->args.items, flags->args.n * sizeof(*args));
    given->args = (struct gr_strs){.items = args, .n = 1 + flags->args.n};
    given->pod_annotations =
        (struct gr_kvs){.items = flags->pod_annotations.items, .n = flags->pod_annotations.n};
    given->pod_labels = (struct gr_kvs){.items = flags->pod_labels.items, .n = flags->pod_labels.n};
    given->env = (struct gr_strs){.items = flags->env.items, .n = flags->env.n};
    given->mounts = flags->mounts;
    given->mounts_n = flags->mounts_n;
    return gr_subjects_read(&source, arena, reporter, out_inputs);
}
