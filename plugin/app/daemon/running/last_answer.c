/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/running/last_answer.h"

#include <stdlib.h>

#include "rules/decide/decide.h"

#define BLOCK_BYTES 4096

void gr_last_answer_init(struct gr_last_answer *last)
{
    *last = (struct gr_last_answer){0};
    gr_arena_init(&last->arena, BLOCK_BYTES, 0);
}

void gr_last_answer_fini(struct gr_last_answer *last)
{
    gr_arena_fini(&last->arena);
}

static int by_text(const void *a, const void *b)
{
    return gr_str_cmp(*(const struct gr_str *)a, *(const struct gr_str *)b);
}

static bool copy_sets(struct gr_last_answer *last, const struct gr_decision *decision)
{
    last->sets = gr_arena_array(&last->arena, decision->results_n, sizeof(*last->sets));
    last->sets_n = 0;
    for (size_t i = 0; i < decision->results_n && last->sets; i++) {
        const struct gr_set_result *result = &decision->results[i];

        if (result->verdict != GR_VERDICT_INJECTED)
            continue;
        if (!gr_arena_str(&last->arena, result->set->name, &last->sets[last->sets_n++]))
            return false;
    }
    if (last->sets && last->sets_n > 1)
        qsort(last->sets, last->sets_n, sizeof(*last->sets), by_text);
    return last->sets != NULL;
}

void gr_last_answer_take(struct gr_last_answer *last, const struct gr_session_event *event)
{
    last->id = GR_STR_NONE;
    gr_arena_reset(&last->arena);
    if (event->refused || !event->decision || event->decision->hooks_n == 0)
        return;
    if (copy_sets(last, event->decision) &&
        !gr_arena_str(&last->arena, event->subject->id, &last->id))
        last->id = GR_STR_NONE;
}

bool gr_last_answer_had(const struct gr_last_answer *last, struct gr_str id, struct gr_str set)
{
    if (last->id.n == 0 || !gr_str_eq(last->id, id))
        return false;
    return bsearch(&set, last->sets, last->sets_n, sizeof(set), by_text) != NULL;
}
