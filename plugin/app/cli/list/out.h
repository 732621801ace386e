/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/list/out: what was loaded, as text and as JSON.
 *
 * Layer: app, not for other verbs. Shapes: specs/explain.md, "list".
 */
#ifndef GR_APP_CLI_LIST_OUT_H
#define GR_APP_CLI_LIST_OUT_H

#include <jansson.h>

#include "app/daemon/reload/findings.h"
#include "load/load.h"

void gr_list_text(const struct gr_load_result *loaded, const struct gr_finding_list *findings);

/* NULL without memory. */
json_t *gr_list_json(const struct gr_load_result *loaded, const struct gr_finding_list *findings);

#endif
