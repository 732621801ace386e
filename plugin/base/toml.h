/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/toml: a bounded reader of TOML 1.0 that remembers where everything stands.
 *
 * Layer: base. Strict where a wrong guess would change what a file means: a key or table that
 * stands twice, an inline table that is written on, quotes that do not close. Numbers and dates are
 * checked for their letters and kept as they are written. No C library for TOML is in Debian 12.
 */
#ifndef GR_BASE_TOML_H
#define GR_BASE_TOML_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

enum gr_toml_kind {
    GR_TOML_TEXT,
    GR_TOML_INTEGER,
    GR_TOML_FLOAT,
    GR_TOML_BOOLEAN,
    GR_TOML_DATE, /* and times */
    GR_TOML_LIST, /* also of [[tables]] */
    GR_TOML_TABLE,
};

/* A value, and a link of the chain of its table or list. */
struct gr_toml_node {
    enum gr_toml_kind kind;
    bool is_true;          /* of a boolean */
    struct gr_str key;     /* without its quotes; empty in a list */
    struct gr_str text;    /* of a text: its content; of numbers and dates: as they are written */
    uint32_t line, column; /* of the key; in a list, of the value; from 1 */
    uint32_t value_line, value_column; /* of the value; of a table its header */
    struct gr_toml_node *first, *last; /* entries of a table or list, in the order written */
    struct gr_toml_node *next;
    /* How a table came to be decides what may still be added to it. */
    bool has_header; /* [it] */
    bool is_closed;  /* {it} or a list in [] */
};

/*
 * Reads a whole text, which is borrowed by the result, as the arena is.
 * Returns 0 and the table of the top; -EINVAL no TOML (err has line and column); -E2BIG nested
 * deeper than GR_TOML_DEPTH_MAX or more than GR_TOML_NODES_MAX values; -ENOMEM.
 * Codes in err: toml-syntax, bad-utf8, control-character, duplicate-key, too-deep, too-many-nodes,
 * no-memory.
 */
GR_CHECKED int gr_toml_read(struct gr_arena *arena, struct gr_str text,
                            const struct gr_toml_node **out_root, struct gr_err *err);

/* "a text", "a whole number", "a number", "true or false", "a date", "a list", "a table". */
const char *gr_toml_kind_name(enum gr_toml_kind kind);

/* The entry of this key; NULL: there is none, or table is NULL or no table. */
const struct gr_toml_node *gr_toml_get(const struct gr_toml_node *table, const char *key);

#endif
