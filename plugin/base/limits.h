/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/limits: the limits of reading JSON and TOML, with unit and reason.
 *
 * Layer: base. Each is tested at its edge and one past it, and stands in specs/limits.md.
 */
#ifndef GR_BASE_LIMITS_H
#define GR_BASE_LIMITS_H

/* Nesting of objects and lists. The deepest place of the OCI runtime-spec is at 6; crictl inspect
 * has it 2 levels deeper. Each level costs a few bytes of a fixed stack here. */
#define GR_JSON_DEPTH_MAX 64

/* Values of one JSON text. Real config.json have up to 2,000, a list of 1,000 pods 500,000; a value
 * takes 40 bytes here, where the text may need two. */
#define GR_JSON_NODES_MAX (1U << 19)

/* Nesting of lists and inline tables of TOML, and steps of one dotted key; a runtime's
 * configuration has 2 and 5. Each level costs a call. No evidence. */
#define GR_TOML_DEPTH_MAX 32

/* Keys and values of one TOML text. containerd's whole default configuration has 300. A key is
 * compared with those before it in its table. */
#define GR_TOML_NODES_MAX (1U << 14)

#endif
