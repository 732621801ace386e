/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decide/suspend.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utc.h"

const char *gr_suspension_kind_name(enum gr_suspension_kind kind)
{
    return kind == GR_PAUSED ? "paused" : "tripped";
}

int gr_suspension_cmp(const struct gr_suspension *a, const struct gr_suspension *b)
{
    int order = gr_str_cmp(a->set, b->set);

    return order ? order : (int)a->kind - (int)b->kind;
}

bool gr_suspension_holds(const struct gr_suspension *suspension, int64_t now_s)
{
    return suspension->until_s == 0 || now_s < suspension->until_s;
}

static int by_set_and_kind(const void *a, const void *b)
{
    return gr_suspension_cmp(a, b);
}

static const struct gr_suspension *look_up(const struct gr_suspension *list, size_t n,
                                           struct gr_str set, enum gr_suspension_kind kind,
                                           int64_t now_s)
{
    const struct gr_suspension wanted = {.set = set, .kind = kind};
    const struct gr_suspension *found =
        n > 0 ? bsearch(&wanted, list, n, sizeof(*list), by_set_and_kind) : NULL;

    return found && gr_suspension_holds(found, now_s) ? found : NULL;
}

const struct gr_suspension *gr_suspension_find(const struct gr_suspension *list, size_t n,
                                               struct gr_str set, int64_t now_s)
{
    const struct gr_suspension *found = look_up(list, n, set, GR_PAUSED, now_s);

    if (!found)
        found = look_up(list, n, GR_STR_NONE, GR_PAUSED, now_s);
    return found ? found : look_up(list, n, set, GR_TRIPPED, now_s);
}

void gr_suspension_say(const struct gr_suspension *suspension, char text[GR_SUSPENSION_TEXT_BYTES])
{
    char until[GR_UTC_BYTES] = "";

    if (suspension->until_s != 0)
        (void)gr_utc_text(suspension->until_s, until);
    (void)snprintf(text, GR_SUSPENSION_TEXT_BYTES, "%s%s%s by %.*s%s%.*s",
                   gr_suspension_kind_name(suspension->kind), until[0] ? " until " : "", until,
                   GR_STR_FMT(suspension->by), suspension->reason.n > 0 ? ": " : "",
                   GR_STR_FMT(suspension->reason));
}
