/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/limits: every limit of reading rule files and of looking at the host, with unit and reason.
 *
 * Layer: load. Each is tested at its edge and one past it, and stands in specs/loading.md. The size
 * of one file is GR_YAML_FILE_MAX_BYTES of rules/limits.h.
 */
#ifndef GR_LOAD_LIMITS_H
#define GR_LOAD_LIMITS_H

/* Entries of one directory, of any name. Names come in no order, so a directory that holds more is
 * refused whole: which names were seen would be chance. No evidence. */
#define GR_DIR_ENTRIES_MAX 65536

/* Rule files of one directory; those beyond it, in the order of their names, are refused. Twice the
 * 10,000 sets of the bench when each has a file of its own. */
#define GR_DIR_FILES_MAX 20000

/* Text of all rule files together, and of those held in memory, in bytes: bounds the memory of a
 * load. 10,000 sets have about 5 MiB. No evidence. */
#define GR_LOAD_TEXT_MAX_BYTES (64U << 20)

/* A path with its NUL byte: PATH_MAX of Linux. */
#define GR_LOAD_PATH_BYTES 4096

/* Links followed on the way to one file: what Linux itself follows (path_resolution(7)). */
#define GR_WALK_LINKS_MAX 40

/* Directories above one file, "/" counted. Each keeps a descriptor open. No evidence. */
#define GR_WALK_DEPTH_MAX 64

/* Findings of one load about hook programs; 10,000 sets may name one program that is missing. The
 * same number as GR_FINDINGS_MAX of one file. */
#define GR_HOST_FINDINGS_MAX 100

/* Last good texts synced one by one in one load; when more changed, their file system is synced
 * once: 10,000 times fsync takes seconds. No evidence. */
#define GR_LASTGOOD_FSYNC_MAX 32

#endif
