/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/spec: a decision laid into the config.json of a bundle.
 *
 * Layer: oci. Edits are spliced into the text: what is not touched keeps every byte, also numbers
 * that no library can hold and fields that no version knows. Hooks and entries are appended behind
 * what is there; a key that is there already (a variable, a mount's destination, an annotation, a
 * device's path, an rlimit's type, a value of resources) is replaced in its place. A mount goes
 * before the first one below it, which it would hide otherwise. A device is also allowed to the
 * cgroup, as NRI's runtimes do it.
 * Spec: OCI runtime-spec config.md and config-linux.md; specs/inputs.md.
 */
#ifndef GR_OCI_SPEC_H
#define GR_OCI_SPEC_H

#include "base/buf.h"
#include "rules/decide/decide.h"

/*
 * Appends the merged document to out; a decision that refuses has nothing to be merged. What only
 * an engine can resolve is left out: CDI devices and a class of block IO; *out_left_out is the
 * number of these entries.
 * Returns 0; -EINVAL: text is no JSON object, something in it is of another type than the
 * specification says, or a key that is needed is there twice or in other letters, which runtimes
 * take differently (err has line and column); -E2BIG over GR_OCI_SPEC_MAX_BYTES, nested deeper than
 * GR_JSON_DEPTH_MAX or more than GR_JSON_NODES_MAX values; -ENOMEM; -EMSGSIZE (out's).
 */
GR_CHECKED int gr_oci_spec_apply(struct gr_arena *arena, struct gr_str text,
                                 const struct gr_decision *decision, struct gr_buf *out,
                                 size_t *out_left_out, struct gr_err *err);

#endif
