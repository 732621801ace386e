/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/limits: limits of the NRI session, with unit, reason and source.
 *
 * Layer: nri.
 */
#ifndef GR_NRI_LIMITS_H
#define GR_NRI_LIMITS_H

/* One request's arena: the first block stays between requests; an ordinary 9.5 KB CreateContainer
 * takes 29 KB (measured). */
#define GR_NRI_ARENA_BLOCK_BYTES (64U << 10)

/* Most that one request may take: the largest message that NRI >= 0.7 sends (4 MiB) times the
 * factor of the protobuf check, and the decision beside it. */
#define GR_NRI_ARENA_MAX_BYTES (80U << 20)

/* A CreateContainer request above this is refused undecoded. ttrpc's own limit; only Synchronize of
 * old runtimes is larger. */
#define GR_NRI_CREATE_MAX_BYTES (4U << 20)

/*
 * How long RegisterPlugin may wait for its answer. A runtime takes external plugins one at a time
 * and may first wait for another plugin's registration and Synchronize (NRI PR #292).
 */
#define GR_NRI_REGISTER_TIMEOUT_S 60

/*
 * How long the answer to Configure may wait for the rules to be loaded. The runtime closes the
 * connection after 2 s (NRI default request timeout).
 */
#define GR_NRI_CONFIGURE_HOLD_MS 1500

/* Labels, annotations, arguments and, where rules need them, environment, mounts and their options,
 * devices, resources and rlimits of one request together: tiny entries take many times their
 * encoding. Kubernetes allows 256 KiB of annotations; real pods have dozens. No evidence. */
#define GR_NRI_ENTRIES_MAX 65536

/*
 * What is kept of the running containers and their pods between Synchronize and their evaluation:
 * as much as the largest message that is accepted, and how many of them. Real ones take 2 to 6 KiB
 * each; Kubernetes allows 110 pods on a node, large ones have 1,000.
 */
#define GR_NRI_RUNNING_MAX_BYTES (16U << 20)
#define GR_NRI_RUNNING_MAX_OBJECTS 20000

#endif
