/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/hooks_json: what a decision does to a container, as JSON.
 *
 * Layer: app. Each returns a new object; NULL without memory.
 */
#ifndef GR_APP_CLI_SHARED_HOOKS_JSON_H
#define GR_APP_CLI_SHARED_HOOKS_JSON_H

#include <jansson.h>

#include "rules/decide/decide.h"

/* One array per stage that has hooks, in the order of the stages. OCI runtime-spec config.md,
 * "POSIX-platform Hooks". */
json_t *gr_hooks_json(const struct gr_oci_hook *hooks, size_t n);

/* The programs of the store that hooks stand for: program and path each; none: an empty array. */
json_t *gr_hook_programs_json(const struct gr_oci_hook *hooks, size_t n);

/* The "annotations" object; keys are NUL-terminated. */
json_t *gr_annotations_json(struct gr_kvs annotations);

/* As spec.adjust of a HookSet has it (specs/explain.md, "adjust"). */
json_t *gr_adjust_json(const struct gr_adjusted *adjust, size_t n);

/*
 * An entry as KEY, or with_value as KEY=VALUE where a text can say the value. Returns a view of
 * room, cut to what fits.
 */
struct gr_str gr_adjust_describe(const struct gr_adjust_entry *entry, bool with_value, char *room,
                                 size_t bytes);

/* The set whose mark a hook carries; n == 0: none. */
struct gr_str gr_hook_set_name(const struct gr_oci_hook *hook);

#endif
