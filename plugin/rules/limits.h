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

/* Kubernetes: a DNS label (RFC 1123); the name of an environment or of a program's package, and the
 * part of an annotation's key behind the /. */
#define GR_LABEL_MAX_BYTES 63

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

/* Policies in force together, from the file and from Configure; every question asks them all. No
 * evidence. */
#define GR_POLICIES_MAX 64

/* programs.directories, requests and skipStages of one policy. No evidence. */
#define GR_POLICY_DIRS_MAX 64
#define GR_POLICY_GRANTS_MAX 256
#define GR_POLICY_SKIPS_MAX 64

/* hooksPerContainer: what 10 sets may have at most. No evidence. */
#define GR_POLICY_HOOKS_MAX 4096

/* createTimeoutTotal, in seconds: five times what kubelet waits for a create. No evidence. */
#define GR_POLICY_CREATE_TIMEOUT_MAX_S 600

/* spec.order. Requested sets follow the others unless they say otherwise. */
#define GR_ORDER_MAX 100
#define GR_ORDER_DEFAULT 50
#define GR_ORDER_REQUESTED_DEFAULT 60

/* A number of a version in spec.minVersion. No evidence. */
#define GR_VERSION_NUMBER_MAX 99999

/* Environments of one set; clusters have a handful. No evidence. */
#define GR_ENVIRONMENTS_MAX 64

/* Entries of each list and mapping below spec.adjust. No evidence. */
#define GR_ADJUST_ENTRIES_MAX 256

/* Options of one mount. No evidence. */
#define GR_MOUNT_OPTIONS_MAX 64

/* A device's name, a class, a type of file system or a file of cgroup v2 under spec.adjust, and a
 * component of a program's file:
 * NAME_MAX of Linux, since most become the name of a file. */
#define GR_ADJUST_NAME_MAX_BYTES 255

/* Components of the FILE of a program in the store: bin, libexec, share/NAME. No evidence. */
#define GR_PROGRAM_DEPTH_MAX 8

/* Linux: 12 bits for the major and 20 for the minor number of a device (MINORBITS). */
#define GR_DEVICE_MAJOR_MAX 4095
#define GR_DEVICE_MINOR_MAX 1048575

/* Ids of users and groups; the next one is -1, which Linux takes for "unchanged". */
#define GR_ID_MAX 4294967294

/* cpu.shares: Linux, MIN_SHARES and MAX_SHARES of the scheduler. */
#define GR_CPU_SHARES_MIN 2
#define GR_CPU_SHARES_MAX 262144

/* Microseconds. Linux: cfs_quota_us is at least 1 ms, cfs_period_us 1 ms to 1 s; a quota's most is
 * max_cfs_runtime, 2^44 - 1. */
#define GR_CPU_QUOTA_MIN_US 1000
#define GR_CPU_QUOTA_MAX_US 17592186044415
#define GR_CPU_PERIOD_MIN_US 1000
#define GR_CPU_PERIOD_MAX_US 1000000

/* A number in cpus or mems. Linux has at most 8,192 CPUs and 1,024 memory nodes; five digits. */
#define GR_CPU_NUMBER_MAX 99999

/* Processes: PID_MAX_LIMIT of 64-bit Linux. */
#define GR_PIDS_MAX 4194304

/* Digests of one hook's program: one for each architecture. No evidence. */
#define GR_VERIFY_DIGESTS_MAX 16

/* Runs of one hook, the first included. No evidence. */
#define GR_RETRY_ATTEMPTS_MAX 10

/* Exit codes of one hook that make it run again: all there are. */
#define GR_EXIT_CODES_MAX 255

/* Seconds between runs, or that a hook has left after SIGTERM: within GR_HOOK_TIMEOUT_MAX_S. */
#define GR_HOOK_PAUSE_MAX_S 60

/* Seconds of processor time; a hook's processes may run side by side. No evidence. */
#define GR_HOOK_CPU_TIME_MAX_S 3600

/* Descriptors of a hook: fewer than 8 start no program; fs.nr_open of Linux is 1,048,576. */
#define GR_HOOK_OPEN_FILES_MIN 8
#define GR_HOOK_OPEN_FILES_MAX 1048576

/* Breaker: failures, and seconds in which they count. No evidence. */
#define GR_BREAKER_FAILURES_MAX 1000
#define GR_BREAKER_WINDOW_MAX_S 86400

/* A glob, prefix, expression or image pattern. No evidence. */
#define GR_PATTERN_MAX_BYTES 1024

/* Groups of an expression inside each other. Go allows 1,000; a person loses track at ten. */
#define GR_REGEX_DEPTH_MAX 50

/* What {n} counts to, and what nested ones multiply to: as Go and RE2 have it. */
#define GR_REGEX_REPEAT_MAX 1000

/* An expression as PCRE2 has compiled it; bounds memory and, through copies of groups that are
 * repeated, time. The largest sensible one has 2 KiB. No evidence. */
#define GR_REGEX_COMPILED_MAX_BYTES 16384

/* Backtracking points of a match that are open at one time; each takes 128 bytes, so together
 * 8 MiB. A turn of a repeated group takes up to three. */
#define GR_REGEX_FRAMES_MAX 65536

/* Values of one in, notIn or list. No evidence. */
#define GR_VALUES_MAX 1024

/* Sets that one pod may ask for; the first one beyond is a denied request. No evidence. */
#define GR_REQUESTS_MAX 64

/* An image name in a request; longer is unknown. Docker's names are at most 255 bytes and a digest
 * adds 136; no runtime refuses more. */
#define GR_IMAGE_NAME_MAX_BYTES 1024

/*
 * Steps that one request may spend on matching, one step being one character compared or one
 * condition visited. Bounds hostile annotation values against expensive globs; the goal is
 * 200 ms at worst, and the bench prints the time for it.
 */
#define GR_MATCH_STEPS_MAX (40U << 20)
/* What of these one set may spend before the others have had their turn, and what is kept for
 * filling in templates: the 64th and the 8th part. Else one costly expression, which a pod can
 * drive to its worst with 200 bytes, would take every set behind it out of force. No evidence. */
#define GR_MATCH_SHARES 64
#define GR_RENDER_STEPS_MIN (5U << 20)

/* Explaining a container has a budget of its own, so that looking never changes a verdict. As large
 * as that of a request: each set is looked at once more. */
#define GR_EXPLAIN_STEPS_MAX (40U << 20)

/* Conditions shown of one set; a person reads no more. No evidence. */
#define GR_EXPLAIN_LEAVES_MAX 8

/* Values of one condition, or elements of one list, that an explanation shows. No evidence. */
#define GR_EXPLAIN_VALUES_MAX 8

/* One text of an explanation: a condition in words, or what was seen. No evidence. */
#define GR_EXPLAIN_TEXT_MAX_BYTES 400

/* Paths of one list of a TestSuite. No evidence. */
#define GR_SUITE_FILES_MAX 256

/* Cases of one TestSuite; the nodes of a document bound them anyway. No evidence. */
#define GR_SUITE_CASES_MAX 1024

#endif
