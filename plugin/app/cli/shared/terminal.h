/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/terminal: whether stdout is read by a person.
 *
 * Layer: app.
 */
#ifndef GR_APP_CLI_SHARED_TERMINAL_H
#define GR_APP_CLI_SHARED_TERMINAL_H

#include <stdbool.h>

/* A terminal that can do more than a typewriter. */
bool gr_is_terminal(void);

/* Colours on such a terminal; NO_COLOR and CLICOLOR_FORCE as most programs have them. */
bool gr_has_colours(void);

#endif
