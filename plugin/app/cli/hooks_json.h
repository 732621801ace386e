/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/hooks_json: parts of an OCI config.json.
 *
 * Layer: app.
 */
#ifndef GR_APP_CLI_HOOKS_JSON_H
#define GR_APP_CLI_HOOKS_JSON_H

#include <jansson.h>

#include "rules/hook.h"

/* A new object with one array per stage that has hooks, in the order of the stages; NULL without
 * memory. OCI runtime-spec config.md, "POSIX-platform Hooks". */
json_t *gr_hooks_json(const struct gr_oci_hook *hooks, size_t n);

/* The "annotations" object; keys are NUL-terminated. NULL without memory. */
json_t *gr_annotations_json(struct gr_kvs annotations);

#endif
