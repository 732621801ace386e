/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/write/write_yaml: a tree of what is to be written, and its text as people write YAML.
 *
 * Layer: rules, not for others. Every text is quoted so that the reader (rules/read/yaml,
 * rules/read/strict) and other readers of YAML take it back as the same text. What fits on a line
 * stands on one: [a, b], {a: b}; the rest is indented by two.
 */
#ifndef GR_RULES_WRITE_YAML_H
#define GR_RULES_WRITE_YAML_H

#include "base/arena.h"
#include "base/buf.h"

enum gr_out_kind {
    GR_OUT_TEXT,
    GR_OUT_BARE, /* a number, true, false: written as it is */
    GR_OUT_LIST,
    GR_OUT_MAP,
};

struct gr_out {
    enum gr_out_kind kind;
    bool open; /* list, map: never on one line */
    struct gr_str key, text;
    struct gr_out *first, *last, *next;
    size_t n;
};

/* Whoever builds a tree looks at failed once, at the end. */
struct gr_out_tree {
    struct gr_arena arena;
    bool failed;
};

/*
 * A new node, the last one in parent (NULL: a root); key is for a map's, borrowed. NULL without
 * memory, and where the parent is NULL because of that.
 */
struct gr_out *gr_out_root(struct gr_out_tree *tree);
struct gr_out *gr_out_add(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                          enum gr_out_kind kind);
struct gr_out *gr_out_add_keyed(struct gr_out_tree *tree, struct gr_out *parent, struct gr_str key,
                                enum gr_out_kind kind);

/* The same for scalars; text is borrowed. key is NULL in a list. */
void gr_out_text(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                 struct gr_str text);
void gr_out_word(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                 const char *word);
void gr_out_number(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                   uint64_t number);
void gr_out_integer(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                    int64_t number);

/* Appends the map root. Returns 0; out's failure. */
GR_CHECKED int gr_out_print(const struct gr_out *root, struct gr_buf *out);

#endif
