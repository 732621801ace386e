/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/limits: every limit of reading documents about containers, with unit and reason.
 *
 * Layer: oci. Each is tested at its edge and one past it, and stands in specs/inputs.md. JSON has
 * those of base/limits.h, YAML those of rules/limits.h.
 */
#ifndef GR_OCI_LIMITS_H
#define GR_OCI_LIMITS_H

/* A config.json that is edited. Real ones have 5 to 60 KB; argv and environment together cannot
 * have more than 6 MiB with Linux' defaults, and mostly have a few KB. No evidence. */
#define GR_OCI_SPEC_MAX_BYTES (8U << 20)

/* A document about containers. 1,000 pods as kubectl prints them have 10 MB. No evidence. */
#define GR_INPUT_MAX_BYTES (16U << 20)

/* Containers of all documents together: they are joined pair by pair. A node runs a few hundred. */
#define GR_INPUT_CONTAINERS_MAX 4096

#endif
