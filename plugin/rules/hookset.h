/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/hookset: a HookSet document, decoded and checked.
 *
 * Layer: rules. Immutable after loading; everything it points at lives in the rule set's arena.
 * Format: specs/hookset.md.
 */
#ifndef GR_RULES_HOOKSET_H
#define GR_RULES_HOOKSET_H

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
    GR_TEST_IMAGE,  /* an image pattern */
    GR_TEST_IN,     /* any of items */
    GR_TEST_NOT_IN, /* none of items; true when the key is absent */
    GR_TEST_EXISTS, /* exists == the key is there */
};

/* One form of a value. */
struct gr_test {
    enum gr_test_kind kind;
    struct gr_str text;                   /* exact, glob, prefix, image: as written */
    const struct gr_image_pattern *image; /* image */
    const struct gr_test *items;          /* in, notIn: exact or image tests */
    size_t items_n;
    bool exists;
    uint32_t line, column;
};

enum gr_cond_kind {
    GR_COND_ALWAYS, /* value */
    GR_COND_ALL,
    GR_COND_ANY,
    GR_COND_NOT, /* one child */
    GR_COND_LEAF,
};

/* A node of the match tree. */
struct gr_cond {
    enum gr_cond_kind kind;
    bool always;
    const struct gr_cond *children; /* all, any, not */
    size_t children_n;
    enum gr_field field;         /* leaf */
    struct gr_str key;           /* leaf over a map */
    const struct gr_test *tests; /* leaf: any of them */
    size_t tests_n;
    uint32_t line, column;
};

/* spec.nodes */
struct gr_nodes {
    bool has_names, has_percent;
    const struct gr_test *names; /* any of them */
    size_t names_n;
    uint32_t percent; /* 0 to 100 */
};

struct gr_hook_list {
    const struct gr_hook *items;
    size_t n;
};

struct gr_hookset {
    struct gr_str name;      /* also NUL-terminated */
    struct gr_str file;      /* path for messages, also NUL-terminated */
    struct gr_str file_name; /* its last component: orders sets of the same spec.order */
    uint32_t document;       /* number in the file, from 0 */
    uint32_t line;
    uint64_t hash; /* of the document's text: the part of the mark behind the @ */
    uint32_t order;
    enum gr_mode mode;
    enum gr_failure_policy failure_policy;
    enum gr_on_unknown on_unknown;
    struct gr_nodes nodes;
    const struct gr_cond *match;
    struct gr_hook_list hooks[GR_STAGE_COUNT];

    /* Filled by the loader, before the rule set is built. */
    bool other_node;       /* spec.nodes does not select this node: never in force here */
    struct gr_str blocked; /* why a host check failed; n == 0: it did not */
};

/* Whether spec.nodes selects a node of this name. The percentage is of a stable hash of set and
 * node name, so that raising it only adds nodes. */
bool gr_hookset_selects_node(const struct gr_hookset *set, struct gr_str node_name);

/* The total order: spec.order, file name, directory order as given, document. <0, 0, >0. */
int gr_hookset_cmp(const struct gr_hookset *a, const struct gr_hookset *b);

#endif
