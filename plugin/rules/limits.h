/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/limits: every limit of the file format and of matching, with unit, reason and source.
 *
 * Layer: rules. Each is tested at its edge and one past it, and stands in specs/limits.md.
 */
#ifndef GR_RULES_LIMITS_H
#define GR_RULES_LIMITS_H

/* One rule file. A ConfigMap cannot hold more than 1 MiB (Kubernetes MaxSecretSize). */
#define GR_YAML_FILE_MAX_BYTES (1U << 20)

/* Nesting of mappings and lists. libyaml 0.2.5 takes 35 s on 100 KB of "[" (measured), so its
 * events are counted and reading stops. The format itself needs 12 and a match tree may nest in it.
 */
#define GR_YAML_DEPTH_MAX 32

/* Nodes of one document; the largest sensible HookSet has a few hundred. No evidence. */
#define GR_YAML_NODES_MAX 20000

/* One scalar. Room for long environment values. No evidence. */
#define GR_YAML_SCALAR_MAX_BYTES 16384

/* Documents in one file; bounded by the file's size anyway. No evidence. */
#define GR_YAML_DOCUMENTS_MAX 2000

/* Findings reported for one file; a broken generator must not flood the log. */
#define GR_FINDINGS_MAX 100

/* Kubernetes: a DNS subdomain (RFC 1123), as for object names. */
#define GR_NAME_MAX_BYTES 253

/* Kubernetes: a label or annotation key is prefix (253) "/" name (63). */
#define GR_KEY_MAX_BYTES 317

/* Kubernetes: total size of all annotations of an object, so of one value. */
#define GR_ANNOTATIONS_MAX_BYTES (256U << 10)

/* PATH_MAX of Linux counts the NUL byte. */
#define GR_HOOK_PATH_MAX_BYTES 4095

/* Elements of args and of env of one hook. No evidence. */
#define GR_HOOK_ARGS_MAX 256
#define GR_HOOK_ENV_MAX 256

/* One rendered element of args or env: MAX_ARG_STRLEN of Linux is 131,072 with its NUL byte. */
#define GR_HOOK_ELEMENT_MAX_BYTES 131071

/* Hooks of one stage in one set. No evidence. */
#define GR_HOOKS_PER_STAGE_MAX 64

/* Seconds. docker --hook-spec and iSulad document 1 to 120; kubelet waits 120 s for a create. */
#define GR_HOOK_TIMEOUT_MIN_S 1
#define GR_HOOK_TIMEOUT_MAX_S 120
#define GR_HOOK_TIMEOUT_DEFAULT_S 10

/* spec.order. Requested sets follow the others unless they say otherwise. */
#define GR_ORDER_MAX 100
#define GR_ORDER_DEFAULT 50
#define GR_ORDER_REQUESTED_DEFAULT 60

/* A glob, prefix or image pattern. No evidence. */
#define GR_PATTERN_MAX_BYTES 1024

/* Values of one in, notIn or list. No evidence. */
#define GR_VALUES_MAX 1024

/* An image name in a request; longer is unknown. Docker's names are at most 255 bytes and a digest
 * adds 136; no runtime refuses more. */
#define GR_IMAGE_NAME_MAX_BYTES 1024

/*
 * Steps that one request may spend on matching, one step being one character compared or one
 * condition visited. Bounds hostile annotation values against expensive globs; the goal is
 * 200 ms at worst, and the bench prints the time for it.
 */
#define GR_MATCH_STEPS_MAX (40U << 20)

#endif
