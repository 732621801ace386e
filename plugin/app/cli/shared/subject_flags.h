/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/subject_flags: the container that a command line speaks of.
 *
 * Layer: app. Shared by explain, render and diff. Documents (--from) say what they know; the other
 * flags are laid over that, for each container of the documents. Without documents the flags make
 * one container.
 */
#ifndef GR_APP_CLI_SHARED_SUBJECT_FLAGS_H
#define GR_APP_CLI_SHARED_SUBJECT_FLAGS_H

#include "app/cli/shared/common.h"
#include "oci/input.h"

/* Documents, and values of one kind, on one command line; no evidence for the figures. */
#define GR_FROM_MAX 256
#define GR_SUBJECT_VALUES_MAX 256

/* One document: the largest answers of crictl have some 100 KB, a List of all pods of a node some
 * MB. No evidence. */
#define GR_FROM_MAX_BYTES (64U << 20)

struct gr_subject_pairs {
    struct gr_kv items[GR_SUBJECT_VALUES_MAX];
    size_t n;
};

struct gr_subject_texts {
    struct gr_str items[GR_SUBJECT_VALUES_MAX];
    size_t n;
};

/* Zeroed but for verb. Borrows from argv. */
struct gr_subject_flags {
    const char *verb;
    const char *from[GR_FROM_MAX];
    size_t from_n;
    uint32_t given;                /* bit per enum gr_field that a flag gave */
    struct gr_subject given_texts; /* image, namespace, names, handler, runtime */
    struct gr_subject_pairs pod_annotations, pod_labels;
    struct gr_subject_texts env, args;
    struct gr_str command;
    struct gr_mount mounts[GR_SUBJECT_VALUES_MAX];
    size_t mounts_n;
};

enum {
    GR_OPT_IMAGE = GR_OPT_SUBJECT,
    GR_OPT_NAMESPACE,
    GR_OPT_POD,
    GR_OPT_CONTAINER,
    GR_OPT_ANNOTATION,
    GR_OPT_LABEL,
    GR_OPT_HANDLER,
    GR_OPT_RUNTIME,
    GR_OPT_COMMAND,
    GR_OPT_ARG,
    GR_OPT_ENV,
    GR_OPT_MOUNT,
    GR_OPT_FROM,
};

#define GR_SUBJECT_OPTIONS                                            \
    {"image", required_argument, NULL, GR_OPT_IMAGE},                 \
        {"namespace", required_argument, NULL, GR_OPT_NAMESPACE},     \
        {"pod", required_argument, NULL, GR_OPT_POD},                 \
        {"container", required_argument, NULL, GR_OPT_CONTAINER},     \
        {"annotation", required_argument, NULL, GR_OPT_ANNOTATION},   \
        {"label", required_argument, NULL, GR_OPT_LABEL},             \
        {"runtime-handler", required_argument, NULL, GR_OPT_HANDLER}, \
        {"runtime", required_argument, NULL, GR_OPT_RUNTIME},         \
        {"command", required_argument, NULL, GR_OPT_COMMAND},         \
        {"arg", required_argument, NULL, GR_OPT_ARG},                 \
        {"env", required_argument, NULL, GR_OPT_ENV},                 \
        {"mount", required_argument, NULL, GR_OPT_MOUNT},             \
    {                                                                 \
        "from", required_argument, NULL, GR_OPT_FROM                  \
    }

#define GR_SUBJECT_HELP                                                                            \
    "  --from FILE         what is known of the container: a pod manifest, crictl inspect or\n"    \
    "                      inspectp, a bundle's config.json; - is stdin; repeatable. The flags\n"  \
    "                      below are laid over it\n"                                               \
    "  --image REF         the image's name, as in the pod\n"                                      \
    "  --namespace NS      the pod's namespace\n"                                                  \
    "  --pod NAME          the pod's name\n"                                                       \
    "  --container NAME    the container's name; with --from also: only this one\n"                \
    "  --annotation KEY=VALUE\n"                                                                   \
    "                      an annotation of the pod; repeatable\n"                                 \
    "  --label KEY=VALUE   a label of the pod; repeatable\n"                                       \
    "  --runtime-handler H the pod's runtime handler (default: the default one)\n"                 \
    "  --runtime NAME      containerd (default) or cri-o\n"                                        \
    "  --command C         the first argument of the container's process\n"                        \
    "  --arg A             a further argument, behind --command; repeatable\n"                     \
    "  --env NAME=VALUE    a variable of the container's process; repeatable\n"                    \
    "  --mount SOURCE:DESTINATION[:TYPE]\n"                                                        \
    "                      a mount of the container (default type bind); repeatable\n"             \
    "                      Without --from, what is not given is unknown, except annotations and\n" \
    "                      labels, which are then empty.\n"

/* Whether option is one of those above. */
static inline bool gr_is_subject_option(int option)
{
    return option >= GR_OPT_IMAGE && option <= GR_OPT_FROM;
}

/* One of the options above. Returns GR_EXIT_OK; GR_EXIT_USAGE (said on stderr). */
int gr_subject_option(struct gr_subject_flags *flags, int option, const char *value);

/* Where containers come from; all of it is borrowed. */
struct gr_subject_source {
    const char *verb;
    const char *const *from; /* paths of documents; "-" is stdin */
    size_t from_n;
    const struct gr_input_text *more; /* one that has been read already, before those; or NULL */
    struct gr_subject given;          /* laid over what they say … */
    uint32_t fields;                  /* … of these: bits of enum gr_field */
};

/*
 * The containers, in the order of the documents; without any: one. The name of the container
 * selects among several. Everything lives in the arena or is borrowed from source.
 * Returns GR_EXIT_OK and at least one; another exit code (said on stderr).
 */
int gr_subjects_read(const struct gr_subject_source *source, struct gr_arena *arena,
                     const struct gr_reporter *reporter, struct gr_inputs *out_inputs);

/*
 * The same for what the flags say. more: a document beside those of --from, or NULL.
 */
int gr_subject_flags_read(const struct gr_subject_flags *flags, const struct gr_input_text *more,
                          struct gr_arena *arena, const struct gr_reporter *reporter,
                          struct gr_inputs *out_inputs);

/* "namespace/pod/container" for people; what is not known is "?". Always terminated. */
void gr_subject_title(const struct gr_subject *subject, char *out, size_t out_bytes);

#endif
