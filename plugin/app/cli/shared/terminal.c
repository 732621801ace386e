/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value && value[0];
}

bool gr_is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

bool gr_has_colours(void)
{
    return !is_set("NO_COLOR") && (is_set("CLICOLOR_FORCE") || gr_is_terminal());
}
