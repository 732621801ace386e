/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/below: rule files that lie too deep to be read.
 *
 * Layer: app. For an advice only: nothing is opened but directories, links are not followed, and
 * what cannot be listed is passed over.
 */
#ifndef GR_APP_CLI_SHARED_BELOW_H
#define GR_APP_CLI_SHARED_BELOW_H

#include <stdbool.h>
#include <stddef.h>

/* Directories below each other that are looked into, and at how many entries: an advice is not
 * worth more. No evidence. */
#define GR_BELOW_DEPTH_MAX 3
#define GR_BELOW_ENTRIES_MAX 20000

/* Whether no rule file lies in dir and one lies below it; *out_first is then the path of the first,
 * in the order of names; what does not fit is cut. */
bool gr_rules_below(const char *dir, char *out_first, size_t out_bytes);

#endif
