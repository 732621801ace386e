/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/hookset: a HookSet document, decoded and checked.
 *
 * Layer: rules. Immutable after loading; everything it points at lives in the rule set's arena.
 * Format: specs/hookset.md.
 */
#ifndef GR_RULES_HOOKSET_H
#define GR_RULES_HOOKSET_H

#include "rules/pattern/regex.h"
#include "rules/subject.h"

enum gr_mode {
    GR_MODE_ENFORCE,
    GR_MODE_OBSERVE, /* evaluate, log, count; inject and refuse nothing */
};

enum gr_failure_policy {
    GR_FAIL, /* refuse the container */
    GR_IGNORE,
};

enum gr_on_unknown {
    GR_UNKNOWN_SKIP,
    GR_UNKNOWN_INJECT,
    GR_UNKNOWN_FAIL,
};

enum gr_test_kind {
    GR_TEST_EXACT,
    GR_TEST_GLOB, /* * any text, ? one character, over the whole value */
    GR_TEST_PREFIX,
    GR_TEST_REGEX,
    GR_TEST_IMAGE,  /* an image pattern */
    GR_TEST_IN,     /* any of items */
    GR_TEST_NOT_IN, /* none of items; true when the key is absent */
    GR_TEST_EXISTS, /* exists == the key is there */
};

/* One form of a value. */
struct gr_test {
    enum gr_test_kind kind;
    struct gr_str text;                   /* exact, glob, prefix, regex, image: as written */
    const struct gr_image_pattern *image; /* image */
    const struct gr_regex *regex;         /* regex */
    const struct gr_test *items;          /* in, notIn: exact or image tests */
    size_t items_n;
    bool exists;
    uint32_t line, column;
};

/* The value of a leaf: any of them. */
struct gr_tests {
    const struct gr_test *items;
    size_t n;
};

#define GR_PARTS_MAX 3

/* The parts of an element: of a mount, of an annotation. */
enum gr_mount_part { GR_MOUNT_SOURCE, GR_MOUNT_DESTINATION, GR_MOUNT_TYPE };
enum gr_entry_part { GR_ENTRY_KEY, GR_ENTRY_VALUE };

/* Holds for an element all of whose parts that are asked for (n > 0) match. At least one is. */
struct gr_pattern {
    struct gr_tests parts[GR_PARTS_MAX];
    uint32_t line, column;
};

enum gr_cond_kind {
    GR_COND_ALWAYS, /* value */
    GR_COND_ALL,
    GR_COND_ANY,
    GR_COND_NOT, /* one child */
    GR_COND_LEAF,
    GR_COND_UNREADABLE, /* of a later version: evaluating it is an error */
};

/* A node of the match tree. */
struct gr_cond {
    enum gr_cond_kind kind;
    bool always;
    const struct gr_cond *children; /* all, any, not */
    size_t children_n;
    enum gr_field field;               /* leaf */
    struct gr_str key;                 /* leaf over a map */
    struct gr_tests tests;             /* leaf */
    const struct gr_pattern *patterns; /* leaf over elements with parts: any of them, for any */
    size_t patterns_n;
    uint32_t line, column;
};

/* spec.nodes */
struct gr_nodes {
    bool has_names, has_percent;
    struct gr_tests names;
    uint32_t percent; /* 0 to 100 */
};

struct gr_hook_list {
    const struct gr_hook *items;
    size_t n;
};

/* An environment of spec.environments: NAME=value added to every hook of the set. */
struct gr_environment {
    struct gr_str name;
    const struct gr_hook_text *env;
    size_t env_n;
};

/* spec.breaker: so many failed runs within so many seconds take the set out of force. */
struct gr_breaker_spec {
    uint32_t failures; /* 0: no breaker */
    uint32_t window_s;
    uint32_t line, column;
};

/* What kind of file a set was read from. */
enum gr_set_format {
    GR_FORMAT_HOOKSET,
    GR_FORMAT_OCI_HOOKS, /* oci-hooks(5) */
    GR_FORMAT_HOOK_SPEC, /* docker and iSulad --hook-spec, hooks.json: bare OCI hooks */
};

struct gr_hookset {
    /* What is read of each candidate of a container stands together: there may be thousands. */
    const struct gr_cond *match;
    enum gr_on_unknown on_unknown;
    bool other_node; /* not selected by spec.nodes: never in force here; filled by the loader */

    struct gr_str name;      /* also NUL-terminated */
    struct gr_str file;      /* path for messages, also NUL-terminated */
    struct gr_str file_name; /* its last component: orders sets of the same spec.order */
    uint32_t document;       /* number in the file, from 0 */
    uint32_t line;
    uint64_t hash; /* of the document's text: the part of the mark behind the @ */
    uint32_t order;
    enum gr_mode mode;
    enum gr_failure_policy failure_policy;
    bool failure_policy_given;
    struct gr_nodes nodes;
    struct gr_test *requested; /* the test of all leaves "requested" in match, its text the set's
                                  name; NULL: none */
    struct gr_hook_list hooks[GR_STAGE_COUNT];
    enum gr_set_format format;
    bool requestable;
    const struct gr_environment *environments;
    size_t environments_n;
    const struct gr_adjust_entry *adjust; /* rules/adjust.h; each kind and key once */
    size_t adjust_n;
    struct gr_breaker_spec breaker;

    /* Filled by the loader, before the rule set is built. */
    struct gr_str blocked; /* why it may not be obeyed; n == 0: it may. Also set by the reader, for
                              a set that is for a later version */
    bool no_program;       /* one of its hook programs is not there or may not run: blocked, too */
    const struct gr_environment *environment; /* that of Config.environment; NULL: none */
};

/* Whether spec.nodes selects a node of this name. The percentage is of a stable hash of set and
 * node name, so that raising it only adds nodes. */
bool gr_hookset_selects_node(const struct gr_hookset *set, struct gr_str node_name);

/* The node's place in the percentage of a set: 0 to 99, chosen where it is less than percent. */
uint32_t gr_hookset_node_place(const struct gr_hookset *set, struct gr_str node_name);

/* The total order: spec.order, file name, directory order as given, document. <0, 0, >0. */
int gr_hookset_cmp(const struct gr_hookset *a, const struct gr_hookset *b);

#endif
