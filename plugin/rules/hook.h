/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/hook: OCI hooks, as written in a rule and as handed to a runtime.
 *
 * Layer: rules. Spec: OCI runtime-spec config.md, "POSIX-platform Hooks".
 */
#ifndef GR_RULES_HOOK_H
#define GR_RULES_HOOK_H

#include "base/str.h"
#include "base/template.h"

/* In the order in which a runtime goes through them, and of the fields of NRI's Hooks message. */
enum gr_stage {
    GR_STAGE_PRESTART,
    GR_STAGE_CREATE_RUNTIME,
    GR_STAGE_CREATE_CONTAINER,
    GR_STAGE_START_CONTAINER,
    GR_STAGE_POSTSTART,
    GR_STAGE_POSTSTOP,
};
#define GR_STAGE_COUNT 6

/* The name in OCI config.json: "prestart", "createRuntime", … */
const char *gr_stage_name(enum gr_stage stage);

/* False when text names no stage; *out_stage is then unchanged. */
bool gr_stage_parse(struct gr_str text, enum gr_stage *out_stage);

/* An element of args or env as written: literal when its template has no fields. */
struct gr_hook_text {
    struct gr_template text;
    uint32_t line, column;
};

/* A hook as written in a HookSet: immutable, lives in the rule set's arena. */
struct gr_hook {
    struct gr_str path;    /* also NUL-terminated; filled by the loader where program is given */
    struct gr_str program; /* NAME/FILE of the program store (rules/program.h); n == 0: none */
    bool unresolved;       /* there is no such program: nothing lies at path. By the loader */
    const struct gr_hook_text *args;
    size_t args_n;                  /* 0: args is absent, the runtime makes argv[0] from path */
    const struct gr_hook_text *env; /* each NAME=value; without those that Grapnel adds */
    size_t env_n;
    uint32_t timeout_s;
    bool timeout_given; /* else timeout_s is the default, which a policy may replace */
    uint32_t line, column;
};

/* A hook as it stands in an OCI config.json. All text is borrowed. */
struct gr_oci_hook {
    enum gr_stage stage;
    struct gr_str path;
    struct gr_str program; /* that the path stands for, for people; n == 0: none */
    struct gr_strs args;
    struct gr_strs env;
    bool has_timeout;
    int64_t timeout_s;
};

#endif
