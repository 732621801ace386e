/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "rules/decide/decide.h"

static bool copy_texts(struct gr_arena *arena, struct gr_strs *texts)
{
    struct gr_str *items = gr_arena_array(arena, texts->n, sizeof(*items));

    for (size_t i = 0; i < texts->n; i++) {
        if (!items || !gr_arena_str(arena, texts->items[i], &items[i]))
            return false;
    }
    texts->items = items;
    return items != NULL;
}

static bool copy_suspended(struct gr_arena *arena, struct gr_decide_options *options)
{
    size_t n = options->suspended_n;
    struct gr_suspension *items = gr_arena_array(arena, n, sizeof(*items));

    for (size_t i = 0; i < n; i++) {
        if (!items)
            return false;
        items[i] = options->suspended[i];
        if (!gr_arena_str(arena, items[i].set, &items[i].set) ||
            !gr_arena_str(arena, items[i].by, &items[i].by) ||
            !gr_arena_str(arena, items[i].reason, &items[i].reason))
            return false;
    }
    options->suspended = items;
    return items != NULL;
}

int gr_decide_options_copy(const struct gr_decide_options *options, struct gr_arena *arena,
                           struct gr_decide_options *out_options)
{
    struct gr_decide_options copy = *options;

    if (!gr_arena_str(arena, copy.node_name, &copy.node_name) ||
        !gr_arena_str(arena, copy.own_namespace, &copy.own_namespace) ||
        !gr_arena_str(arena, copy.request_annotation, &copy.request_annotation) ||
        !copy_texts(arena, &copy.required_sets) || !copy_suspended(arena, &copy))
        return -ENOMEM;
    *out_options = copy;
    return 0;
}
