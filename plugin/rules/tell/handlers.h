/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/tell/handlers: which stages a runtime handler does not run, whatever is injected.
 *
 * Layer: rules. By the names that handlers commonly have (kata, kata-qemu, gvisor, runsc, …): a
 * handler of another name may hide the same runtime, so this warns and never decides.
 * Spec: specs/handlers.md.
 */
#ifndef GR_RULES_HANDLERS_H
#define GR_RULES_HANDLERS_H

#include "rules/hook.h"

/* Why hooks of this stage are not run, or not as the specification says, as half a sentence about
 * the handler's runtime; NULL: nothing is known against it. A constant. */
const char *gr_handler_ignores(struct gr_str handler, enum gr_stage stage);

#endif
