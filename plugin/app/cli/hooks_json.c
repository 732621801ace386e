/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/hooks_json.h"

static json_t *strs_json(struct gr_strs strs)
{
    json_t *array = json_array();

    for (size_t i = 0; i < strs.n; i++)
        (void)json_array_append_new(array, json_stringn(strs.items[i].p, strs.items[i].n));
    return array;
}

static json_t *hook_json(const struct gr_oci_hook *hook)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "path", json_stringn(hook->path.p, hook->path.n));
    if (hook->args.n > 0)
        (void)json_object_set_new(object, "args", strs_json(hook->args));
    if (hook->env.n > 0)
        (void)json_object_set_new(object, "env", strs_json(hook->env));
    if (hook->has_timeout)
        (void)json_object_set_new(object, "timeout", json_integer(hook->timeout_s));
    return object;
}

json_t *gr_hooks_json(const struct gr_oci_hook *hooks, size_t n)
{
    json_t *object = json_object();

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        json_t *array = json_array();

        for (size_t i = 0; i < n; i++) {
            if ((size_t)hooks[i].stage == stage)
                (void)json_array_append_new(array, hook_json(&hooks[i]));
        }
        if (json_array_size(array) > 0)
            (void)json_object_set_new(object, gr_stage_name((enum gr_stage)stage), array);
        else
            json_decref(array);
    }
    return object;
}

json_t *gr_annotations_json(struct gr_kvs annotations)
{
    json_t *object = json_object();

    for (size_t i = 0; i < annotations.n; i++) {
        const struct gr_kv *a = &annotations.items[i];

        (void)json_object_set_new(object, a->key.p, json_stringn(a->value.p, a->value.n));
    }
    return object;
}
