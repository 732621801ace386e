/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/adjust: a decision to an answer.
 *
 * Layer: nri.
 */
#include "nri/translate.h"

#include <errno.h>

int gr_nri_write_strs(struct gr_strs from, struct gr_arena *arena, size_t *out_n, char ***out)
{
    char **items;

    if (from.n == 0)
        return 0;
    items = gr_arena_array(arena, from.n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < from.n; i++) {
        items[i] = gr_arena_copy(arena, from.items[i]);
        if (!items[i])
            return -ENOMEM;
    }
    *out = items;
    *out_n = from.n;
    return 0;
}

static int make_hook(struct gr_arena *arena, const struct gr_oci_hook *from, Nri__Hook **out)
{
    Nri__Hook *hook = gr_arena_alloc(arena, sizeof(*hook));

    if (!hook)
        return -ENOMEM;
    nri__hook__init(hook);
    hook->path = gr_arena_copy(arena, from->path);
    if (!hook->path || gr_nri_write_strs(from->args, arena, &hook->n_args, &hook->args) ||
        gr_nri_write_strs(from->env, arena, &hook->n_env, &hook->env))
        return -ENOMEM;
    /* Absent is "no timeout"; present with 0 would be an immediate kill. */
    if (from->has_timeout) {
        hook->timeout = gr_arena_alloc(arena, sizeof(*hook->timeout));
        if (!hook->timeout)
            return -ENOMEM;
        nri__optional_int__init(hook->timeout);
        hook->timeout->value = from->timeout_s;
    }
    *out = hook;
    return 0;
}

struct stage_list {
    Nri__Hook ***items;
    size_t *n;
};

static struct stage_list list_of(Nri__Hooks *h, enum gr_stage stage)
{
    switch (stage) {
    case GR_STAGE_PRESTART:
        return (struct stage_list){&h->prestart, &h->n_prestart};
    case GR_STAGE_CREATE_RUNTIME:
        return (struct stage_list){&h->create_runtime, &h->n_create_runtime};
    case GR_STAGE_CREATE_CONTAINER:
        return (struct stage_list){&h->create_container, &h->n_create_container};
    case GR_STAGE_START_CONTAINER:
        return (struct stage_list){&h->start_container, &h->n_start_container};
    case GR_STAGE_POSTSTART:
        return (struct stage_list){&h->poststart, &h->n_poststart};
    case GR_STAGE_POSTSTOP:
        break;
    }
    return (struct stage_list){&h->poststop, &h->n_poststop};
}

/* The hooks of a decision are grouped by stage, so one array of pointers serves all six lists. */
static int fill_hooks(struct gr_arena *arena, const struct gr_decision *decision, Nri__Hooks *out)
{
    Nri__Hook **pointers = gr_arena_array(arena, decision->hooks_n, sizeof(Nri__Hook *));

    if (!pointers)
        return -ENOMEM;
    for (size_t i = 0; i < decision->hooks_n; i++) {
        struct stage_list list = list_of(out, decision->hooks[i].stage);
        int r = make_hook(arena, &decision->hooks[i], &pointers[i]);

        if (r)
            return r;
        if (*list.n == 0)
            *list.items = &pointers[i];
        (*list.n)++;
    }
    return 0;
}

static int add_hooks(struct gr_arena *arena, const struct gr_decision *decision,
                     Nri__ContainerAdjustment *adjust)
{
    if (decision->hooks_n == 0)
        return 0;
    adjust->hooks = gr_arena_alloc(arena, sizeof(*adjust->hooks));
    if (!adjust->hooks)
        return -ENOMEM;
    nri__hooks__init(adjust->hooks);
    return fill_hooks(arena, decision, adjust->hooks);
}

int gr_nri_adjust(const struct gr_decision *decision, struct gr_arena *arena,
                  Nri__CreateContainerResponse *out_response)
{
    Nri__ContainerAdjustment *adjust;

    nri__create_container_response__init(out_response);
    if (decision->hooks_n == 0 && decision->adjust_n == 0)
        return 0;
    adjust = gr_arena_alloc(arena, sizeof(*adjust));
    if (!adjust)
        return -ENOMEM;
    nri__container_adjustment__init(adjust);
    if (add_hooks(arena, decision, adjust) ||
        gr_nri_write_adjusted(decision->adjust, decision->adjust_n, arena, adjust))
        return -ENOMEM;
    out_response->adjust = adjust;
    return 0;
}
