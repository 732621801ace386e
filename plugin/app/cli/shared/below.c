/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/below.h"

#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "load/dirs.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_directory(const FTSENT *entry)
{
    return entry->fts_info == FTS_D || entry->fts_info == FTS_DP || entry->fts_info == FTS_DNR;
}

/* Hidden ones are those of editors, of git, and what a ConfigMap's links lead into. */
static bool is_passed_over(const FTSENT *entry)
{
    return entry->fts_level > GR_BELOW_DEPTH_MAX + 1 ||
           (entry->fts_level > 0 && entry->fts_name[0] == '.');
}

bool gr_rules_below(const char *dir, char *out_first, size_t out_bytes)
{
    char top[PATH_MAX];
    char *const paths[] = {top, NULL};
    FTS *walk;
    bool here = false, below = false;
    FTSENT *entry;

    if (snprintf(top, sizeof(top), "%s", dir) >= (int)sizeof(top))
        return false;
    walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW | FTS_XDEV, by_name);
    for (size_t n = 0; walk && !here && n < GR_BELOW_ENTRIES_MAX && (entry = fts_read(walk)); n++) {
        if (is_passed_over(entry))
            (void)fts_set(walk, entry, FTS_SKIP);
        else if (is_directory(entry) || !gr_rule_name_fits(gr_str_from(entry->fts_name)))
            continue;
        else if (entry->fts_level == 1)
            here = true;
        else if (!below) {
            below = true;
            (void)snprintf(out_first, out_bytes, "%s", entry->fts_path);
        }
    }
    if (walk)
        (void)fts_close(walk);
    return below && !here;
}
