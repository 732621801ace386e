/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/limits: the limits of what is kept in the run directory, with unit and reason.
 *
 * Layer: state. Each is tested at its edge and one past it, and stands in specs/limits.md.
 */
#ifndef GR_STATE_LIMITS_H
#define GR_STATE_LIMITS_H

/* The journal: at this size it becomes decisions.old. The run directory is memory (tmpfs), and two
 * files of this size hold some 1,500 decisions. */
#define GR_JOURNAL_MAX_BYTES (4U << 20)

/* Where it could not be replaced (no room for another file): nothing is added beyond this, and no
 * more is read of one file. */
#define GR_JOURNAL_HARD_MAX_BYTES (8U << 20)

/* One record, with its line feed. A usual one has 2 to 6 KiB; what does not fit is left out. */
#define GR_JOURNAL_RECORD_MAX_BYTES 16384

/* Of a record, for sets and what speaks against the container; the rest is for the facts. No
 * evidence. */
#define GR_JOURNAL_SETS_MAX_BYTES 8192

/* One text of a record that is no list or map: a name, a reason. Names of images have at most as
 * much. */
#define GR_JOURNAL_TEXT_MAX_BYTES 1024

/* Containers that are known by the hash of their id. Kubernetes counts on 110 pods of a node;
 * between two looks at the whole node come and go many more. 192 KiB when it is full. */
#define GR_JOURNAL_KNOWN_MAX 16384

/* Ids in one record of many. */
#define GR_JOURNAL_IDS_PER_RECORD 768

/* Seconds until a journal that cannot be written is tried again. No evidence. */
#define GR_JOURNAL_RETRY_S 10

/* Instances of the plugin on one node that know of each other. An upgrade has two; no evidence for
 * more. */
#define GR_INSTANCES_MAX 16

#endif
