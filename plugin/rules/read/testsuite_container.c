/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container of a case. What is not given is left to the files of the case; where there are none
 * it is unknown, but for annotations and labels, which are then empty (specs/testsuite.md).
 */
#include <errno.h>

#include "rules/limits.h"
#include "rules/read/testsuite_parts.h"

static int decode_field(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_case *c,
                        enum gr_field field, struct gr_str *to)
{
    c->given |= 1U << field;
    return gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, to);
}

static int decode_image(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;
    struct gr_str name;
    int r = decode_field(d, node, c, GR_FIELD_IMAGE, &name);

    if (r == 0 && gr_image_parse(name, &c->container.image) != 0)
        return gr_decode_refuse(d, node->at, "bad-image",
                                "expected an image name such as nginx:1.27, found \"%s\"; to say "
                                "that nothing is known of it write unknown: [image]",
                                gr_show(name).text);
    return r;
}

static int decode_namespace(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    return decode_field(d, node, c, GR_FIELD_NAMESPACE, &c->container.pod_namespace);
}

static int decode_pod(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    return decode_field(d, node, c, GR_FIELD_POD_NAME, &c->container.pod_name);
}

static int decode_name(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    return decode_field(d, node, c, GR_FIELD_CONTAINER_NAME, &c->container.name);
}

static int decode_handler(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    return decode_field(d, node, c, GR_FIELD_RUNTIME_HANDLER, &c->container.runtime_handler);
}

static int decode_runtime(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    return decode_field(d, node, c, GR_FIELD_RUNTIME, &c->container.runtime);
}

static int decode_args(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    c->given |= 1U << GR_FIELD_ARGS | 1U << GR_FIELD_COMMAND;
    return gr_suite_texts(d, node, GR_VALUES_MAX, &c->container.args);
}

static int decode_env(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    c->given |= 1U << GR_FIELD_ENV;
    return gr_suite_texts(d, node, GR_VALUES_MAX, &c->container.env);
}

static int decode_pairs(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_case *c,
                        enum gr_field field, struct gr_kvs *map)
{
    struct gr_kv *pairs;
    size_t n = 0;
    int r = 0;

    if (node->kind != GR_YAML_MAPPING)
        return gr_decode_refuse(d, node->at, "wrong-type",
                                "expected a mapping (key: value), found %s",
                                gr_decode_describe(node).text);
    pairs = gr_arena_array(d->arena, node->n, sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next, n++) {
        size_t before = gr_field_path_key(&d->path, item->key);
        int one = gr_decode_map_key(d, item, &pairs[n].key);

        if (one == 0)
            one = gr_decode_text_copy(d, item, GR_TEXT_BLOCK, GR_YAML_SCALAR_MAX_BYTES,
                                      &pairs[n].value);
        gr_field_path_cut(&d->path, before);
        if (one < 0)
            return one;
        r = one ? one : r;
    }
    c->given |= 1U << field;
    *map = (struct gr_kvs){.items = pairs, .n = n};
    return r;
}

static int decode_annotations(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    return decode_pairs(d, node, c, GR_FIELD_POD_ANNOTATIONS, &c->container.pod_annotations);
}

static int decode_labels(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;

    return decode_pairs(d, node, c, GR_FIELD_POD_LABELS, &c->container.pod_labels);
}

static int decode_container_annotations(struct gr_decoder *d, const struct gr_yaml_node *node,
                                        void *target)
{
    struct gr_case *c = target;

    return decode_pairs(d, node, c, GR_FIELD_CONTAINER_ANNOTATIONS,
                        &c->container.container_annotations);
}

static int decode_container_labels(struct gr_decoder *d, const struct gr_yaml_node *node,
                                   void *target)
{
    struct gr_case *c = target;

    return decode_pairs(d, node, c, GR_FIELD_CONTAINER_LABELS, &c->container.container_labels);
}

static int decode_source(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_mount *mount = target;

    return gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_HOOK_PATH_MAX_BYTES, &mount->source);
}

static int decode_destination(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_mount *mount = target;

    return gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_HOOK_PATH_MAX_BYTES, &mount->destination);
}

static int decode_type(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_mount *mount = target;

    return gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_NAME_MAX_BYTES, &mount->type);
}

static int decode_mounts(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"source", decode_source, 0, NULL},
        {"destination", decode_destination, GR_KEY_REQUIRED, "destination: /data"},
        {"type", decode_type, 0, NULL},
    };
    struct gr_case *c = target;
    struct gr_mount *mounts;
    size_t n = 0;
    int r = gr_suite_check_list(d, node, GR_VALUES_MAX);

    if (r)
        return r;
    mounts = gr_arena_array(d->arena, node->n, sizeof(*mounts));
    if (!mounts)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item && r >= 0; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        mounts[n].type = GR_STR("bind");
        r = gr_decode_mapping(d, item, GR_KEYS(keys), &mounts[n]);
        gr_field_path_cut(&d->path, before);
    }
    c->given |= 1U << GR_FIELD_MOUNTS;
    c->container.mounts = mounts;
    c->container.mounts_n = n;
    return r < 0 ? r : 0;
}

/* Names as a case has them, in place of those of a match. */
static int decode_unknown(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct {
        const char *name;
        uint32_t fields;
    } known[] = {
        {"image", 1U << GR_FIELD_IMAGE},
        {"namespace", 1U << GR_FIELD_NAMESPACE},
        {"pod", 1U << GR_FIELD_POD_NAME},
        {"container", 1U << GR_FIELD_CONTAINER_NAME},
        {"annotations", 1U << GR_FIELD_POD_ANNOTATIONS},
        {"labels", 1U << GR_FIELD_POD_LABELS},
        {"containerAnnotations", 1U << GR_FIELD_CONTAINER_ANNOTATIONS},
        {"containerLabels", 1U << GR_FIELD_CONTAINER_LABELS},
        {"env", 1U << GR_FIELD_ENV},
        {"args", 1U << GR_FIELD_ARGS | 1U << GR_FIELD_COMMAND},
        {"mounts", 1U << GR_FIELD_MOUNTS},
        {"runtimeHandler", 1U << GR_FIELD_RUNTIME_HANDLER},
        {"runtime", 1U << GR_FIELD_RUNTIME},
    };
    const char *names[GR_ARRAY_LEN(known)];
    struct gr_case *c = target;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_FIELD_COUNT);

    for (size_t i = 0; i < GR_ARRAY_LEN(known); i++)
        names[i] = known[i].name;
    if (r)
        return r;
    for (const struct gr_yaml_node *item = node->first; item && r >= 0; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);
        size_t index = 0;

        r = gr_decode_word(d, item, names, GR_ARRAY_LEN(names), &index);
        if (r == 0)
            c->unknown |= known[index].fields;
        gr_field_path_cut(&d->path, before);
    }
    return r < 0 ? r : 0;
}

static int check_unknown(struct gr_decoder *d, const struct gr_yaml_node *node,
                         const struct gr_case *c)
{
    const struct gr_yaml_node *unknown = gr_yaml_get(node, "unknown");

    if (!unknown || !(c->given & c->unknown))
        return 0;
    return gr_decode_refuse(d, unknown->at, "contradiction",
                            "what is given cannot be unknown as well; remove one of them");
}

int gr_suite_container(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"image", decode_image, 0, NULL},
        {"namespace", decode_namespace, 0, NULL},
        {"pod", decode_pod, 0, NULL},
        {"container", decode_name, 0, NULL},
        {"annotations", decode_annotations, 0, NULL},
        {"labels", decode_labels, 0, NULL},
        {"containerAnnotations", decode_container_annotations, 0, NULL},
        {"containerLabels", decode_container_labels, 0, NULL},
        {"env", decode_env, 0, NULL},
        {"args", decode_args, 0, NULL},
        {"mounts", decode_mounts, 0, NULL},
        {"runtimeHandler", decode_handler, 0, NULL},
        {"runtime", decode_runtime, 0, NULL},
        {"unknown", decode_unknown, 0, NULL},
    };
    struct gr_case *c = target;
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), c);

    return r ? r : check_unknown(d, node, c);
}
