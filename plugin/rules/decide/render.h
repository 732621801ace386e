/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decide/render: a hook of a rule with its templates filled in and the fixed environment
 * added.
 *
 * Layer: rules, not for others; gr_decide is its caller. Each element of args and env is rendered
 * on its own and stays one element whatever a value holds.
 */
#ifndef GR_RULES_RENDER_H
#define GR_RULES_RENDER_H

#include "rules/decide/decide.h"

/* The value of a field cannot be had or used; the reason says which and why. */
#define GR_RENDER_REFUSED 1

#define GR_RENDER_IDENTITY 5

struct gr_render {
    const struct gr_subject *subject;
    const struct gr_decide_options *options;
    struct gr_arena *arena; /* of the request: everything rendered lives there */
    uint64_t *steps;        /* what the request may still spend; borrowed */
    uint32_t left_out;      /* bits of stages whose hooks are not rendered */
    const struct gr_hookset *set;
    enum gr_stage stage;
    struct gr_buf element; /* the one being rendered */
    struct gr_str mark;    /* of set */
    bool has_identity;     /* the same for all hooks of the container: made once */
    struct gr_str identity[GR_RENDER_IDENTITY];
    char problem[512]; /* filled with GR_RENDER_REFUSED */
};

struct gr_rendered {
    struct gr_oci_hook hook;
    size_t user_env_n; /* the first so many of hook.env are the rule's own and its environment's */
};

void gr_render_init(struct gr_render *render, const struct gr_subject *subject,
                    const struct gr_decide_options *options, struct gr_arena *arena,
                    uint64_t *steps);
void gr_render_fini(struct gr_render *render);

/*
 * All hooks of a set but those of the stages that are left out, ordered by stage, each stage in the
 * rule's order; *out_hooks lives in the arena, *out_left_out counts those without.
 * Returns 0; GR_RENDER_REFUSED: render->problem says why; -ENOMEM.
 */
GR_CHECKED int gr_render_set(struct gr_render *render, const struct gr_hookset *set,
                             struct gr_rendered **out_hooks, size_t *out_n, size_t *out_left_out);

#endif
