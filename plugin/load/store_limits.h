/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/store_limits: limits of the program store.
 *
 * Layer: load. Each is tested at its edge and one past it, and stands in specs/programs.md. How a
 * program may be named is limited in rules/limits.h.
 */
#ifndef GR_LOAD_STORE_LIMITS_H
#define GR_LOAD_STORE_LIMITS_H

/* Files and directories that are installed at once. A package of hooks has a handful; an
 * interpreter with its library has more and is better linked into one file. No evidence. */
#define GR_STORE_ENTRIES_MAX 1024

/* Bytes of all files that are installed at once. A static Go program has 10 to 60 MiB. No evidence.
 */
#define GR_STORE_TREE_MAX_BYTES (512 << 20)

/* Directories in each other that are taken away with what is in them. More than were installed:
 * somebody else put something there. No evidence. */
#define GR_STORE_REMOVE_DEPTH_MAX 32

/* Directories above the store that an installer makes. No evidence. */
#define GR_STORE_DIRS_MADE_MAX 8

/* Bytes of an owner's name. Kubernetes' NAMESPACE/RELEASE has at most 117. */
#define GR_OWNER_MAX_BYTES 253

/* Packages that a retirement is told to leave. Each is an init container of a pod. No evidence. */
#define GR_RETIRE_KEEP_MAX 64

/* How old what is not needed any more must be before it is taken away, in seconds: an installer, or
 * another instance of the plugin, may be at work with it. */
#define GR_STORE_AGE_MIN_S 600

/* Of one config.json of CRI-O's: what a runtime takes as well, and more than any has. */
#define GR_BUNDLE_MAX_BYTES (16 << 20)

#endif
