/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/spec: a decision laid into the config.json of a bundle.
 *
 * Layer: oci. Edits are spliced into the text: what is not touched keeps every byte, also numbers
 * that no library can hold and fields that no version knows. Hooks and entries are appended behind
 * what is there; a key that is there already (a variable, a mount's destination, an annotation, a
 * device's path, an rlimit's type, a value of resources) is replaced in its place.
 * Spec: OCI runtime-spec config.md and config-linux.md.
 */
#ifndef GR_OCI_SPEC_H
#define GR_OCI_SPEC_H

#include "base/buf.h"
#include "rules/decide.h"

/*
 * Appends the merged document to out. CDI devices are left out (they are the engine's to resolve):
 * *out_cdi_left_out is their number.
 * Returns 0; -EINVAL: text is no JSON object, or something in it is of another type than the
 * specification says (err has line and column); -E2BIG over GR_OCI_SPEC_MAX_BYTES or nested deeper
 * than GR_OCI_SPEC_DEPTH_MAX; -ENOMEM; -EMSGSIZE (out's).
 */
GR_CHECKED int gr_oci_spec_apply(struct gr_arena *arena, struct gr_str text,
                                 const struct gr_decision *decision, struct gr_buf *out,
                                 size_t *out_cdi_left_out, struct gr_err *err);

#endif
