/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/hook.h"

#include "rules/subject.h"

static const char *const stage_names[GR_STAGE_COUNT] = {
    [GR_STAGE_PRESTART] = "prestart",
    [GR_STAGE_CREATE_RUNTIME] = "createRuntime",
    [GR_STAGE_CREATE_CONTAINER] = "createContainer",
    [GR_STAGE_START_CONTAINER] = "startContainer",
    [GR_STAGE_POSTSTART] = "poststart",
    [GR_STAGE_POSTSTOP] = "poststop",
};

static const char *const field_names[GR_FIELD_COUNT] = {
    [GR_FIELD_IMAGE] = "image",
    [GR_FIELD_NAMESPACE] = "namespace",
    [GR_FIELD_POD_NAME] = "podName",
    [GR_FIELD_CONTAINER_NAME] = "containerName",
    [GR_FIELD_RUNTIME_HANDLER] = "runtimeHandler",
    [GR_FIELD_RUNTIME] = "runtime",
    [GR_FIELD_COMMAND] = "command",
    [GR_FIELD_ARGS] = "args",
    [GR_FIELD_ENV] = "env",
    [GR_FIELD_REQUESTED] = "requested",
    [GR_FIELD_MOUNTS] = "mounts",
    [GR_FIELD_ANY_ANNOTATION] = "anyAnnotation",
    [GR_FIELD_POD_LABELS] = "podLabels",
    [GR_FIELD_CONTAINER_LABELS] = "containerLabels",
    [GR_FIELD_POD_ANNOTATIONS] = "podAnnotations",
    [GR_FIELD_CONTAINER_ANNOTATIONS] = "containerAnnotations",
    [GR_FIELD_ANNOTATIONS] = "annotations",
};

const char *gr_stage_name(enum gr_stage stage)
{
    return stage_names[stage];
}

bool gr_stage_parse(struct gr_str text, enum gr_stage *out_stage)
{
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        if (gr_str_is(text, stage_names[i])) {
            *out_stage = (enum gr_stage)i;
            return true;
        }
    }
    return false;
}

const char *gr_field_name(enum gr_field field)
{
    return field_names[field];
}
