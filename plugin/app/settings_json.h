/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/settings_json: every setting with its value and where that came from.
 *
 * Layer: app. Shape: specs/status.md.
 */
#ifndef GR_APP_SETTINGS_JSON_H
#define GR_APP_SETTINGS_JSON_H

#include <jansson.h>

#include "load/config.h"

/* A list of objects: name, value, source, line. */
json_t *gr_settings_json(const struct gr_config *config);

#endif
