/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/hooks: hooks of a message to what rules know of them.
 *
 * Layer: nri.
 */
#include "nri/translate.h"

#include <errno.h>

int gr_nri_read_strs(char *const *from, size_t n, struct gr_arena *arena, struct gr_strs *out)
{
    struct gr_str *items;

    if (n == 0)
        return 0;
    items = gr_arena_array(arena, n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = gr_str_from(from[i]);
    *out = (struct gr_strs){.items = items, .n = n};
    return 0;
}

struct hook_lists {
    Nri__Hook *const *items[GR_STAGE_COUNT];
    size_t n[GR_STAGE_COUNT];
};

static struct hook_lists lists_of(const Nri__Hooks *h)
{
    return (struct hook_lists){
        .items = {[GR_STAGE_PRESTART] = h->prestart,
                  [GR_STAGE_CREATE_RUNTIME] = h->create_runtime,
                  [GR_STAGE_CREATE_CONTAINER] = h->create_container,
                  [GR_STAGE_START_CONTAINER] = h->start_container,
                  [GR_STAGE_POSTSTART] = h->poststart,
                  [GR_STAGE_POSTSTOP] = h->poststop},
        .n = {[GR_STAGE_PRESTART] = h->n_prestart,
              [GR_STAGE_CREATE_RUNTIME] = h->n_create_runtime,
              [GR_STAGE_CREATE_CONTAINER] = h->n_create_container,
              [GR_STAGE_START_CONTAINER] = h->n_start_container,
              [GR_STAGE_POSTSTART] = h->n_poststart,
              [GR_STAGE_POSTSTOP] = h->n_poststop},
    };
}

static int copy_hook(struct gr_arena *arena, enum gr_stage stage, const Nri__Hook *from,
                     struct gr_oci_hook *out)
{
    int r;

    out->stage = stage;
    out->path = gr_str_from(from->path);
    out->has_timeout = from->timeout != NULL;
    out->timeout_s = from->timeout ? from->timeout->value : 0;
    r = gr_nri_read_strs(from->args, from->n_args, arena, &out->args);
    return r ? r : gr_nri_read_strs(from->env, from->n_env, arena, &out->env);
}

int gr_nri_read_hooks(const Nri__Hooks *from, struct gr_arena *arena,
                      const struct gr_oci_hook **out_hooks, size_t *out_n)
{
    struct hook_lists lists;
    struct gr_oci_hook *hooks;
    size_t n = 0;

    *out_hooks = NULL;
    *out_n = 0;
    if (!from)
        return 0;
    lists = lists_of(from);
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++)
        n += lists.n[stage];
    if (n == 0)
        return 0;
    hooks = gr_arena_array(arena, n, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    *out_hooks = hooks;
    *out_n = n;
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < lists.n[stage]; i++) {
            int r = copy_hook(arena, (enum gr_stage)stage, lists.items[stage][i], hooks++);

            if (r)
                return r;
        }
    }
    return 0;
}
