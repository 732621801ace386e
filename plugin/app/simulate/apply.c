/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin adjusts, in the config.json of the bundle: environment, mounts, annotations and
 * rlimits, as a runtime does it. Devices, CDI devices and resources are shown only: they need the
 * machine's own devices and cgroups.
 */
#include <errno.h>
#include <string.h>

#include "app/simulate/simulate.h"
#include "app/exit.h"
#include "oci/spec.h"

bool gr_sim_can_apply(enum gr_adjust_kind kind)
{
    return kind == GR_ADJUST_ENV || kind == GR_ADJUST_MOUNT || kind == GR_ADJUST_ANNOTATION ||
           kind == GR_ADJUST_RLIMIT;
}

int gr_sim_apply_adjust(struct gr_sim *sim, const struct gr_sim_container *c, struct gr_str config,
                        struct gr_buf *out)
{
    struct gr_adjusted *adjusted = gr_arena_array(&sim->arena, c->adjust_n, sizeof(*adjusted));
    struct gr_decision decision = {.adjust = adjusted};
    struct gr_err err = {0};
    size_t left_out;
    int r;

    if (!adjusted)
        return gr_sim_no_memory();
    for (size_t i = 0; i < c->adjust_n; i++) {
        if (gr_sim_can_apply(c->adjust[i].kind))
            adjusted[decision.adjust_n++].entry = &c->adjust[i];
    }
    r = gr_oci_spec_apply(&sim->arena, config, &decision, out, &left_out, &err);
    if (r == 0)
        return GR_EXIT_OK;
    (void)fprintf(stderr, "grapnel simulate: the container's config.json cannot be made: %s\n",
                  err.code ? err.text : strerror(-r));
    return GR_EXIT_FAILED;
}
