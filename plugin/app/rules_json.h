/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/rules_json: sets and files of a load, in JSON and in words.
 *
 * Layer: app. Shapes: specs/explain.md, "list".
 */
#ifndef GR_APP_RULES_JSON_H
#define GR_APP_RULES_JSON_H

#include <jansson.h>

#include "load/load.h"

enum gr_set_state {
    GR_SET_IN_FORCE,
    GR_SET_OBSERVE,
    GR_SET_OTHER_NODE,
    GR_SET_BLOCKED,
};
#define GR_SET_STATE_COUNT 4

enum gr_set_state gr_set_state(const struct gr_hookset *set);

/* In JSON, and for people. */
const char *gr_set_state_name(enum gr_set_state state);
const char *gr_set_state_words(enum gr_set_state state);
const char *gr_file_state_name(enum gr_file_state state);
const char *gr_file_state_words(enum gr_file_state state);

/* "HookSet", "oci-hooks", "hook-spec". */
const char *gr_set_format_name(enum gr_set_format format);

json_t *gr_set_json(const struct gr_hookset *set);

/* Without its findings. */
json_t *gr_file_json(const struct gr_file_report *file);

#endif
